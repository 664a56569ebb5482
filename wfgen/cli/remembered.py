"""Answers `wfgen check` and `wfgen render` from the cache where nothing changed since a clean run.

Clean means exit code 0 and nothing to write. `answer` runs before everything else of wfgen is
imported; after a clean run, `keep` remembers its output and what it depends on. Command lines with
other options than the ones here, and runs in GitHub Actions, are neither answered nor remembered.
"""

from __future__ import annotations

import os
import sys

from wfgen import remembered
from wfgen.cli.root import find_root
from wfgen.remembered import CODE, ENVIRONMENT, Snapshot, Unclear

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_PARTS = (
    ENVIRONMENT, CODE, "specs", "templates", ".github", "docs/*", "kube", ".wfgen-unfinished",
)  # fmt: skip
_OF_CODE = (ENVIRONMENT, CODE)
_SOUND = "sound texts"
_FLAGS = {
    "-q": "quiet", "--quiet": "quiet", "-v": "verbose", "--verbose": "verbose",
    "--exit-code": "exit-code",
}  # fmt: skip


class Run:
    """A run whose result may be remembered: its repository, and the snapshot from its start."""

    def __init__(self, root: str, name: str) -> None:
        self.root, self.name = root, name
        entry = remembered.load(root, name) or {}
        self.snapshot = Snapshot(root, entry.get("code"))
        self.expected: dict[str, bytes] = entry.get("digests", {})
        self.paths: list[tuple[str, str]] = entry.get("paths", [])
        self.output: list[tuple[bool, str]] | None = entry.get("output")
        self.parts = tuple(self.expected) or _PARTS

    def change(self) -> str:
        """What differs from the remembered run; "" if nothing does. Digests every part."""
        digests = self.snapshot.digests(self.parts)
        for part, digest in digests.items():
            if self.expected.get(part) != digest:
                return part
        return next((path for kind, path in self.paths if not fits(self.root, kind, path)), "")


current: Run | None = None
"""The run of this process, if its result may be remembered."""


def answer(arguments: list[str]) -> int | None:
    """Prints what the last clean run printed and returns 0; None if the command must run."""
    global current  # noqa: PLW0603 - the commands, which typer calls, have no other way to know
    known = _parse(arguments)
    if known is None or not _kept():
        return None
    command, flags, directory = known
    try:
        run = Run(find_root(directory), " ".join((command, *sorted(flags - {"verbose"}))))
        change = run.change()
    except (OSError, ValueError, Unclear):
        return None
    current = run
    verbose = "verbose" in flags
    if run.output is None or change:
        if verbose:
            what = f"changed: {change}" if run.output else "no clean run is remembered"
            sys.stderr.write(f"not answered from the cache ({what})\n")
        return None
    if verbose:
        sys.stderr.write("answered from the cache\n")
    try:
        for error, text in run.output:
            stream = sys.stderr if error else sys.stdout
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
            stream.write(f"{text}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        return 0
    except OSError:  # such as a full disk: the command reports it
        return None
    return 0


def snapshot(root: str) -> Snapshot | None:
    """The snapshot from the start of this process, or a new one; None where nothing can be kept."""
    if not _kept():
        return None
    return current.snapshot if current is not None and current.root == root else Snapshot(root)


def keep(
    output: list[tuple[bool, str]], folders: Iterable[str] | None, paths: list[tuple[str, str]]
) -> None:
    """Remembers this clean run, if nothing that it depends on changed while it ran.

    `folders` are those that kustomize read; None if that is not known. `paths` are paths whose
    kind was checked, as for `fits`.
    """
    if current is None or folders is None:
        return
    parts = dict.fromkeys((*_PARTS, *folders))
    entry: dict[str, object] = {"digests": dict.fromkeys(parts, b"")}
    try:
        # Folders that the snapshot lacks are digested at the start of the next run.
        if all(map(current.snapshot.has, parts)):
            if not current.snapshot.unchanged(parts):
                return
            if not all(fits(current.root, kind, path) for kind, path in paths):
                return
            digests = current.snapshot.digests(parts)
            code = current.snapshot.known_code()
            entry = {"digests": digests, "paths": paths, "output": output, "code": code}
    except (OSError, ValueError, Unclear):
        return
    remembered.save(current.root, current.name, entry)


def is_sound(snapshot: Snapshot | None, texts: list[tuple[bool, str, str]]) -> bool:
    """Whether this wfgen has checked these texts before and found nothing."""
    if snapshot is None:
        return False
    entry = remembered.load(snapshot.root, _SOUND) or {}
    try:
        return entry == {"digests": snapshot.digests(_OF_CODE), "texts": remembered.digest(texts)}
    except (OSError, ValueError, Unclear):
        return False


def keep_sound(snapshot: Snapshot | None, texts: list[tuple[bool, str, str]]) -> None:
    """Remembers that the checks found nothing in these texts."""
    if snapshot is None:
        return
    try:
        digests = snapshot.digests(_OF_CODE)
        if snapshot.unchanged(_OF_CODE):
            entry = {"digests": digests, "texts": remembered.digest(texts)}
            remembered.save(snapshot.root, _SOUND, entry)
    except (OSError, ValueError, Unclear):
        return


def fits(root: str, kind: str, path: str) -> bool:
    """Whether a path from the root is of this kind: `folder`, `file`, `inside` the repository."""
    full = os.path.join(root, path)
    if kind == "folder":
        return os.path.isdir(full)
    if kind == "file":
        return os.path.isfile(full)
    real = os.path.realpath(full)
    return os.path.exists(full) and os.path.commonpath([real, root]) == root


def _kept() -> bool:
    """Whether the cache outlives the run, its folder has an owner, and output goes to a terminal.

    GitHub Actions starts with an empty cache, and shows findings in the run and on its page.
    """
    variables = ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY")
    return hasattr(os, "getuid") and not any(map(os.environ.get, variables))


def _parse(arguments: list[str]) -> tuple[str, set[str], str | None] | None:
    """The command, its flags and the folder; None for a command line that is not answered."""
    left, flags, directory = list(arguments), set(), None
    command = ""
    while left:
        argument = left.pop(0)
        if argument in ("-C", "--directory") and left and directory is None:
            directory = left.pop(0)
        elif not command and argument in ("check", "render"):
            command = argument
        elif command and argument in _FLAGS:
            flags.add(_FLAGS[argument])
        else:
            return None
    return (command, flags, directory) if command else None
