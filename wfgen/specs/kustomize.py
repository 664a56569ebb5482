"""Runs kustomize on overlays, in parallel to the rest of wfgen: it is slow to start."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


class Overlays:
    """The overlays of a repository; `command` is None if no kustomize is installed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.command: list[str] | None = None
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        if kubectl := shutil.which("kubectl"):
            self.command = [kubectl, "kustomize"]
        elif kustomize := shutil.which("kustomize"):
            self.command = [kustomize, "build"]

    def start(self) -> Overlays:
        """Starts to render the overlays in the default folder, before the specs are read."""
        if self.command is not None:
            for path in sorted(self.root.glob("kube/overlays/*/kustomization.yaml")):
                self._start(path.parent.relative_to(self.root).as_posix())
        return self

    def build(self, overlay: str) -> tuple[bytes, str]:
        """The rendered manifests in YAML, and kustomize's error in one line ("" for success)."""
        process = self._running.get(overlay) or self._start(overlay)
        manifests, complaint = process.communicate()
        if process.returncode == 0:
            return manifests, ""
        lines = complaint.decode(errors="replace").strip().splitlines()
        return b"", lines[-1] if lines else f"kustomize failed with exit code {process.returncode}"

    def stop(self) -> None:
        """Stops all processes whose result was not read."""
        for process in self._running.values():
            if process.poll() is None:
                process.kill()
            process.communicate()

    def _start(self, overlay: str) -> subprocess.Popen[bytes]:
        assert self.command is not None
        self._running[overlay] = subprocess.Popen(
            [*self.command, overlay],
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        return self._running[overlay]
