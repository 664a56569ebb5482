"""Commands of the release program while they run, and what they did."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from wfgen.release_program.names import PER_ATTEMPT, untag


@dataclass
class Outputs:
    """The result of a command."""

    code: int
    log: str
    written: dict[str, str] = field(default_factory=dict)
    """The outputs as a job has them, some with the attempt that wrote them."""
    summary: str = ""
    seconds: float = 0.0

    @property
    def values(self) -> dict[str, str]:
        """The outputs, without attempts."""
        return {
            name: untag(value)[0] if name in PER_ATTEMPT else value
            for name, value in self.written.items()
        }


@dataclass
class Started:
    """A command that runs in its own process group; `path` has its output and its files."""

    path: Path
    process: subprocess.Popen[str] = field(init=False)
    at: float = 0.0

    @classmethod
    def make(cls, folder: Path, command: str) -> Started:
        """A command with new files in a folder."""
        return cls(folder / f"{len(list(folder.glob('*.log')))}-{command}.log")

    def run(self, line: list[str], folder: Path, environment: Mapping[str, str]) -> None:
        """Starts the command."""
        files = {"GITHUB_OUTPUT": "outputs", "GITHUB_STEP_SUMMARY": "summary"}
        named = {name: self.path.with_suffix(f".{kind}") for name, kind in files.items()}
        for path in named.values():
            path.touch()
        self.at = time.time()
        with self.path.open("w") as log:
            self.process = subprocess.Popen(
                line, cwd=folder, stdout=log, stderr=subprocess.STDOUT, text=True,
                env={**environment, **{name: str(path) for name, path in named.items()}},
                start_new_session=True,
            )  # fmt: skip

    @property
    def log(self) -> str:
        """The output so far."""
        return self.path.read_text("utf-8")

    def end(self) -> Outputs:
        """Waits until the command ends; its result."""
        code = self.process.wait(timeout=400)
        written = read_outputs(self.path.with_suffix(".outputs"))
        summary = self.path.with_suffix(".summary").read_text("utf-8")
        return Outputs(code, self.log, written, summary, time.time() - self.at)

    def cut_off(self, number: signal.Signals) -> Outputs:
        """Sends a signal to the command and its kubectl, and waits for the end; the result."""
        os.killpg(self.process.pid, number)
        return self.end()


def read_outputs(path: Path) -> dict[str, str]:
    """The outputs of a step; of one name the last."""
    values: dict[str, str] = {}
    lines = iter(path.read_text("utf-8").splitlines())
    for line in lines:
        name, _, mark = line.partition("<<")
        values[name] = "\n".join(itertools.takewhile(mark.__ne__, lines))
    return values
