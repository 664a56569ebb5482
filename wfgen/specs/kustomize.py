"""Runs kustomize on overlays, in parallel to the rest of wfgen: it is slow to start.

Its result is remembered: an overlay whose folders did not change is not rendered again.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wfgen import remembered
from wfgen.remembered import CODE, ENVIRONMENT, Snapshot, Unclear, program

if TYPE_CHECKING:
    import subprocess

_ENTRY = "kustomize"
_PARTS = (ENVIRONMENT, CODE, "kube")
"""What the overlays in the default folder usually depend on."""


class Overlays:
    """The overlays of a repository; `command` is None if no kustomize is installed.

    Without a `snapshot`, nothing is remembered. `folders` are the folders that kustomize read so
    far, as parts of a snapshot; None if that is not known.
    """

    def __init__(self, root: Path, snapshot: Snapshot | None = None) -> None:
        self.root = root
        self.command: list[str] | None = None
        self.folders: set[str] | None = set() if snapshot is not None else None
        self.snapshot = snapshot
        self._known: dict[str, list[Any]] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._rendered: dict[str, list[Any]] = {}
        if kubectl := program("kubectl"):
            self.command = [kubectl, "kustomize"]
        elif kustomize := program("kustomize"):
            self.command = [kustomize, "build"]

    def start(self) -> Overlays:
        """Starts to render the overlays in the default folder, before the specs are read."""
        if self.command is not None:
            self._recall()
            for path in sorted(self.root.glob("kube/overlays/*/kustomization.yaml")):
                overlay = path.parent.relative_to(self.root).as_posix()
                if overlay not in self._known:
                    self._start(overlay)
        return self

    def build(self, overlay: str) -> tuple[list[Any], str]:
        """The objects of an overlay, every scalar as a text, and kustomize's error in one line.

        The error is "" for success.
        """
        if overlay in self._known:
            self._rendered[overlay] = self._known[overlay]
            return self._rendered[overlay], ""
        process = self._running.get(overlay) or self._start(overlay)
        self._note_folders(overlay)
        manifests, complaint = process.communicate()
        if process.returncode == 0:
            from wfgen.text.reader import all_texts  # PyYAML: slow to import

            self._rendered[overlay] = all_texts(manifests)
            return self._rendered[overlay], ""
        self.folders = None
        lines = complaint.decode(errors="replace").strip().splitlines()
        return [], lines[-1] if lines else f"kustomize failed with exit code {process.returncode}"

    def remember(self) -> None:
        """Keeps what was rendered for the next process, if nothing changed meanwhile."""
        if self.snapshot is None or self.folders is None or self._rendered == self._known:
            return
        parts = {*_PARTS, *self.folders}
        entry: dict[str, Any] = {"digests": dict.fromkeys(parts, b""), "overlays": {}}
        try:
            # Folders that the snapshot lacks are digested at the start of the next run.
            if all(map(self.snapshot.has, parts)):
                if not self.snapshot.unchanged(parts):
                    return
                digests = self.snapshot.digests(parts)
                entry = {"digests": digests, "overlays": self._rendered}
        except (OSError, ValueError, Unclear):
            return
        remembered.save(str(self.root), _ENTRY, entry)

    def stop(self) -> None:
        """Stops all processes whose result was not read."""
        for process in self._running.values():
            if process.poll() is None:
                process.kill()
            process.communicate()

    def _recall(self) -> None:
        """Takes the remembered objects, if nothing changed that they depend on."""
        if self.snapshot is None:
            return
        entry = remembered.load(str(self.root), _ENTRY) or {}
        expected: dict[str, bytes] = entry.get("digests", {})
        try:
            if self.snapshot.digests(expected or _PARTS) == expected:
                self._known, self.folders = entry["overlays"], set(expected)
        except (OSError, ValueError, Unclear):
            self.snapshot = self.folders = None

    def _note_folders(self, overlay: str) -> None:
        """Adds what kustomize reads for an overlay to `folders`; it takes place meanwhile."""
        if self.snapshot is None or self.folders is None:
            return
        from wfgen.specs.kustomization import folders_read  # PyYAML: slow to import

        read = folders_read(os.path.join(self.root, overlay))
        if read is None:
            self.folders = None
            return
        default = os.path.join(self.root, "kube", "")
        self.folders |= {"kube" if path.startswith(default) else path for path in read}

    def _start(self, overlay: str) -> subprocess.Popen[bytes]:
        import subprocess  # slow to import, and not needed for what is remembered

        assert self.command is not None
        self._running[overlay] = subprocess.Popen(
            [*self.command, overlay],
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        return self._running[overlay]
