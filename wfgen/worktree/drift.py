"""What differs between the files that the specs make and those that lie in the repository."""

from __future__ import annotations

import enum
import os
import re
import stat
from dataclasses import dataclass, replace
from pathlib import Path

from wfgen.errors import WfgenError
from wfgen.generate.render import RenderedFile
from wfgen.locks import bumps, pins
from wfgen.release_program import names
from wfgen.text import header
from wfgen.worktree import ownership as owned
from wfgen.worktree.writing import UNFINISHED, alone, tidy, unfinished, write_all

"""Runs with the credentials of releases: nothing may lie there that no review takes for code."""
_CONFLICT = re.compile(r"^<{7}( .*)?$.*^>{7}( .*)?$", re.MULTILINE | re.DOTALL)


class Cause(enum.Enum):
    """Why a file is not what the specs make; the value is what people read."""

    MISSING = "missing"
    SPECS = "out of date: the specs changed"
    TEMPLATES = "out of date: the templates or wfgen changed"
    EDITED = "edited by hand"
    CONFLICT = "a merge conflict stands in it"
    PINS = "only the action pins differ"
    ORPHAN = "orphaned: no spec makes it any more"
    EDITED_ORPHAN = "edited by hand, and no spec makes it any more"
    STRANGER = "among the files of the release program, which Python may import"
    FOREIGN = "in the way: a file of this name that wfgen did not write"
    LINE_ENDS = "only its line ends differ (CRLF)"


_BY_FORCE = {
    Cause.FOREIGN: "wfgen did not write {}; move it away, or overwrite it by {}",
    Cause.STRANGER: "wfgen did not write {}, and the release program may import it; move it away, "
    "or remove it by {}",
    Cause.EDITED_ORPHAN: "no spec makes {} any more, but it was edited by hand; "
    "remove its header to keep it as your own, or the file by {}",
}
"""Causes that only `--force` mends, as the work of somebody would be lost: what to do."""


@dataclass(frozen=True, slots=True)
class Drift:
    """A file that is not what the specs make. `wanted` is None for an orphan."""

    path: str
    cause: Cause
    wanted: str | None
    found: str | None
    """The text in the repository with plain line ends; None where there is no file."""
    remarks: tuple[bumps.Remark, ...] = ()
    """What differs, line by line, where it can be said in words: pins."""
    command: str = ""
    """What mends it, where that is something else than to render."""

    @property
    def remedy(self) -> str:
        """The one command that mends it."""
        if self.command:
            return self.command
        return f"{header.COMMAND} --force" if self.cause in _BY_FORCE else header.COMMAND

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
        drifts += [_orphan(root, path) for path in owned.find(root, known)]
        known |= {drift.path for drift in drifts}
        drifts += [_stranger(root, path) for path in owned.strangers(root, names.PROGRAM, known)]
    drifts = _name_pins(drifts, [file.text for file in wanted if file.path != pins.LOCK])
    return sorted(drifts, key=lambda drift: drift.path)


def examine(root: Path, wanted: tuple[RenderedFile, ...]) -> tuple[list[Drift], list[str]]:
    """What a check finds while nobody writes, and notes on what keeps nobody from merging."""
    with alone(root, reading=True):
        compared, stopped = compare(root, wanted), unfinished(root)
    found = [drift for drift in compared if drift.cause is not Cause.LINE_ENDS]
    notes = []
    if stopped and found:
        notes.append(f"the last {header.COMMAND} was stopped halfway: some files are from before "
                     f"it, some are new; finish it by: {header.COMMAND}")  # fmt: skip
    elif stopped:
        notes.append(f"{UNFINISHED} is left of a {header.COMMAND} that was stopped at its end; "
                     f"remove it by: {header.COMMAND}")  # fmt: skip
    if count := len(compared) - len(found):
        notes.append(f"{count} files end their lines with CRLF and are otherwise as they should "
                     "be; .gitattributes keeps git from it: see Git attributes in "
                     "docs/delivery-setup.md")  # fmt: skip
    return found, notes


def _compare_file(root: Path, file: RenderedFile) -> Drift | None:
    path = root / file.path
    try:
        regular = stat.S_ISREG(os.lstat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return Drift(file.path, Cause.MISSING, file.text, None)
    if not regular:  # a link, a folder, a pipe
        return Drift(file.path, Cause.FOREIGN, file.text, "")
    text = _read(path)
    if file.path == pins.LOCK:
        remarks = tuple(bumps.remarks_on_lock(text, file.text))
        if text == file.text and not remarks:
            return None
        cause = Cause.CONFLICT if _CONFLICT.search(text) else Cause.PINS
        remedy = bumps.remedy_of_lock(text)
        return Drift(file.path, cause, file.text, text, remarks, remedy)
    if text == file.text:
        return None
    found = header.plain(text)
    return Drift(file.path, _cause(file.text, found), file.text, found)


def _cause(wanted: str, found: str) -> Cause:
    """Why a file, whose text with plain line ends is `found`, is not what is wanted."""
    if found == wanted:
        return Cause.LINE_ENDS
    theirs, ours = header.parse(found), header.parse(wanted)
    if ours is None or not (theirs or header.remains(found) or found.endswith(ours.body)):
        return Cause.FOREIGN
    if _CONFLICT.search(found):
        return Cause.CONFLICT
    if theirs is None or not theirs.intact:
        return Cause.EDITED
    if theirs.specs != ours.specs:
        return Cause.SPECS
    if theirs.templates != ours.templates or theirs.digest != ours.digest:
        return Cause.TEMPLATES
    return Cause.PINS if theirs.body != ours.body else Cause.EDITED  # the header itself


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


def _orphan(root: Path, path: str) -> Drift:
    found = header.plain(_read(root / path))
    theirs = header.parse(found)
    cause = Cause.ORPHAN if theirs is not None and theirs.intact else Cause.EDITED_ORPHAN
    return Drift(path, cause, None, found)


def _stranger(root: Path, path: str) -> Drift:
    regular = stat.S_ISREG(os.lstat(root / path).st_mode)
    return Drift(path, Cause.STRANGER, None, header.plain(_read(root / path)) if regular else "")


def _read(path: Path) -> str:
    """The text of a file, and what is no UTF-8 in it as escapes."""
    try:
        return path.read_bytes().decode("utf-8", errors="backslashreplace")
    except OSError as error:
        raise WfgenError(f"{path}: cannot be read: {error.strerror}") from error


def mend(
    root: Path,
    wanted: tuple[RenderedFile, ...],
    *,
    orphans: bool = True,
    force: bool = False,
    whole: bool = True,
) -> list[Drift]:
    """Compares and writes, alone; also removes what a killed process left. Returns what was mended.

    `whole` says whether `wanted` are all files, after which nothing is unfinished any more.
    Raises `WfgenError` as `write` does, and where another process does not end its writing.
    """
    root.mkdir(parents=True, exist_ok=True)
    with alone(root):
        tidy(root, {os.path.dirname(file.path) for file in wanted})
        found = compare(root, wanted, orphans=orphans)
        return write(root, found, force=force, sign=whole or not unfinished(root))


def write(
    root: Path, drifts: list[Drift], *, force: bool = False, sign: bool = True
) -> list[Drift]:
    """Mends the drifts: each file replaced whole, orphans removed; returns what was mended.

    Raises `WfgenError` before anything is written where only force would mend one.
    """
    if not force:
        blocked = [
            advice.format(", ".join(paths), f"{header.COMMAND} --force")
            for cause, advice in _BY_FORCE.items()
            if (paths := [drift.path for drift in drifts if drift.cause is cause])
        ]
        if blocked:
            raise WfgenError("\n".join(blocked))
    texts = {drift.path: drift.wanted for drift in drifts if drift.wanted is not None}
    write_all(root, texts, [drift.path for drift in drifts if drift.wanted is None], sign=sign)
    return drifts
