"""Measures whole processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


def environment_with(cache: Path) -> dict[str, str]:
    """The environment of measured processes: another cache folder, and compiled Python as usual."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    for name in ("PYTHONDONTWRITEBYTECODE", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        environment.pop(name, None)
    return environment


@dataclass
class Row:
    """A measured command line; `reset` is called before each run."""

    name: str
    command: list[str]
    reset: Callable[[], None] = lambda: None
    folder: Path | None = None
    """Where it runs; the current folder by default."""
    wall: list[float] = field(default_factory=list)
    """Seconds from start to end of each run."""
    cpu: list[float] = field(default_factory=list)
    """Seconds of processor time of each run, the system's included."""
    peak: list[float] = field(default_factory=list)
    """Largest resident memory of each run in MiB."""

    def run(self, environment: dict[str, str]) -> None:
        """Measures one run; raises `RuntimeError` if the command fails."""
        self.reset()
        begin = time.perf_counter()
        process = subprocess.Popen(
            self.command,
            cwd=self.folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, used = os.wait4(process.pid, 0)
        self.wall.append(time.perf_counter() - begin)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{' '.join(self.command)} ended with {process.returncode}")
        self.cpu.append(used.ru_utime + used.ru_stime)
        scale = 1024 if sys.platform != "darwin" else 1024 * 1024
        self.peak.append(used.ru_maxrss / scale)

    def forget(self) -> None:
        """Forgets the runs so far."""
        for figures in (self.wall, self.cpu, self.peak):
            figures.clear()
