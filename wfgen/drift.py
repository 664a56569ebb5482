"""What differs between the files that the specs make and those that lie in the repository."""

from __future__ import annotations

import enum
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from wfgen import bumps, header, pins
from wfgen.errors import WfgenError
from wfgen.render import RenderedFile
from wfgen.writing import write_all


class Cause(enum.Enum):
    """Why a file is not what the specs make; the value is what people read."""

    MISSING = "missing"
    SPECS = "out of date: the specs changed"
    TEMPLATES = "out of date: the templates or wfgen changed"
    EDITED = "edited by hand"
    PINS = "only the action pins differ"
    ORPHAN = "orphaned: no spec makes it any more"
    FOREIGN = "in the way: a file of this name that wfgen did not write"


@dataclass(frozen=True, slots=True)
class Drift:
    """A file that is not what the specs make. `wanted` is None for an orphan."""

    path: str
    cause: Cause
    wanted: str | None
    found: str | None
    remarks: tuple[bumps.Remark, ...] = ()
    """What differs, line by line, where it can be said in words: pins."""
    command: str = ""
    """What mends it, where that is something else than to render."""

    @property
    def remedy(self) -> str:
        """The one command that mends it."""
        if self.command:
            return self.command
        return f"{header.COMMAND} --force" if self.cause is Cause.FOREIGN else header.COMMAND

    @property
    def line(self) -> int:
        """The first line of the file in the repository that differs, from 1."""
        if self.remarks:
            return self.remarks[0].line
        if self.found is None or self.wanted is None or not self.change():
            return 1
        found, wanted = self.found.split("\n"), self.wanted.split("\n")
        same = next(
            (
                i
                for i, pair in enumerate(zip(found, wanted, strict=False))
                if pair[0] != pair[1] and i > 2
            ),
            min(len(found), len(wanted)) - 1,
        )
        return min(same, len(found) - 1) + 1

    def diff(self) -> str:
        """A unified diff from the repository to what the specs make."""
        import difflib  # only here, as most runs find nothing

        found = (self.found or "").splitlines(keepends=True)
        wanted = (self.wanted or "").splitlines(keepends=True)
        names = (
            f"a/{self.path}" if self.found is not None else "/dev/null",
            f"b/{self.path}" if self.wanted is not None else "/dev/null",
        )
        lines = difflib.unified_diff(found, wanted, *names)
        return "".join(
            line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
            for line in lines
        )

    def change(self) -> str:
        """What the diff takes away and adds, but for the header: equal in files changed alike."""
        lines = self.diff().splitlines()[2:]
        return "\n".join(
            line for line in lines if line[:1] in ("+", "-") and not header.belongs(line[1:])
        )


def compare(root: Path, wanted: tuple[RenderedFile, ...], *, orphans: bool = True) -> list[Drift]:
    """Every difference, sorted by path. Reads files, writes none."""
    drifts = [drift for file in wanted if (drift := _compare_file(root, file))]
    if orphans:
        known = {file.path for file in wanted}
        drifts += [
            Drift(path, Cause.ORPHAN, None, _read(root / path) or "")
            for path in _generated(root, known)
        ]
    drifts = _name_pins(drifts, [file.text for file in wanted if file.path != pins.LOCK])
    return sorted(drifts, key=lambda drift: drift.path)


def _compare_file(root: Path, file: RenderedFile) -> Drift | None:
    path = root / file.path
    if path.is_symlink() or path.is_dir():
        return Drift(file.path, Cause.FOREIGN, file.text, "")
    found = _read(path)
    if found is None:
        return Drift(file.path, Cause.MISSING, file.text, None)
    if file.path == pins.LOCK:
        remarks = tuple(bumps.remarks_on_lock(found, file.text))
        same = found == file.text and not remarks
        remedy = bumps.remedy_of_lock(found)
        return None if same else Drift(file.path, Cause.PINS, file.text, found, remarks, remedy)
    if found == file.text:
        return None
    theirs, ours = header.parse(found), header.parse(file.text)
    if ours is None or not (theirs or header.begins(found) or found.endswith(ours.body)):
        return Drift(file.path, Cause.FOREIGN, file.text, found)
    if theirs is None or not theirs.intact:
        cause = Cause.EDITED
    elif theirs.specs != ours.specs:
        cause = Cause.SPECS
    elif theirs.templates != ours.templates or theirs.digest != ours.digest:
        cause = Cause.TEMPLATES
    elif theirs.body != ours.body:
        cause = Cause.PINS
    else:
        cause = Cause.EDITED  # the header itself
    return Drift(file.path, cause, file.text, found)


def _name_pins(drifts: list[Drift], wanted: list[str]) -> list[Drift]:
    """The drifts, and of those that are in pins alone what each is."""
    found = [
        bumps.find(each.found, each.wanted) if each.found and each.wanted else None
        for each in drifts
    ]
    unlocked = bumps.unlocked([bump for some in found for bump in some or ()], wanted)
    return [
        replace(
            each,
            cause=Cause.PINS,
            remarks=tuple(bumps.Remark(bump.line, bump.message) for bump in some),
            command=bumps.PULL
            if all(unlocked.get(bump.found.action) == bump.found for bump in some)
            else "",
        )
        if some
        else each
        for each, some in zip(drifts, found, strict=True)
    ]


def _read(path: Path) -> str | None:
    """The text of a file, and what is no UTF-8 in it as escapes; None where there is no file."""
    try:
        return path.read_bytes().decode("utf-8", errors="backslashreplace")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise WfgenError(f"{path}: cannot be read: {error.strerror}") from error


def _generated(root: Path, known: set[str]) -> Iterator[str]:
    """Other files with our header: below .github, and beside what we write elsewhere."""
    beside = {os.path.dirname(path) for path in known if not path.startswith(".github/")}
    places = [root / folder for folder in sorted(beside | {"docs"})]
    places += [Path(folder) for folder, _, _ in os.walk(root / ".github")]
    for folder in places:
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            name = path.relative_to(root).as_posix()
            if name not in known and path.is_file() and not path.is_symlink():
                with path.open("rb") as file:
                    text = file.read(2000).decode("utf-8", errors="replace")
                if header.begins(text):
                    yield name


def write(root: Path, drifts: list[Drift], *, force: bool = False) -> list[Drift]:
    """Mends the drifts: each file replaced whole, orphans removed; returns what was mended.

    Raises `WfgenError` before anything is written where a file is in the way.
    """
    blocked = [drift.path for drift in drifts if drift.cause is Cause.FOREIGN]
    if blocked and not force:
        names = ", ".join(blocked)
        raise WfgenError(
            f"wfgen did not write {names}; "
            f"move it away, or overwrite it by {header.COMMAND} --force"
        )
    texts = {drift.path: drift.wanted for drift in drifts if drift.wanted is not None}
    write_all(root, texts, [drift.path for drift in drifts if drift.wanted is None])
    return drifts
