"""Compares the generated files with those in the repository, and writes what differs."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from wfgen.errors import WfgenError
from wfgen.generate.render import RenderedFile
from wfgen.locks import bumps, pins
from wfgen.release_program import names
from wfgen.text import header
from wfgen.worktree import ownership
from wfgen.worktree.causes import Cause, Drift
from wfgen.worktree.locking import locked
from wfgen.worktree.writing import UNFINISHED, remove_temporary, unfinished, write_all

_CONFLICT = re.compile(r"^<{7}( .*)?$.*^>{7}( .*)?$", re.MULTILINE | re.DOTALL)
_REFUSALS = {
    Cause.FOREIGN: "wfgen did not generate {}; move it away, or overwrite it with `{}`",
    Cause.STRANGER: "wfgen did not generate {}, and the release program may import it; "
    "move it away, or remove it with `{}`",
    Cause.EDITED_ORPHAN: "no spec generates {}, but it was edited by hand; "
    "to keep the file, remove its header; to remove the file, run `{}`",
}
"""Messages for causes that need `--force`."""


def compare(root: Path, files: tuple[RenderedFile, ...], *, orphans: bool = True) -> list[Drift]:
    """Every difference, sorted by path. Reads files, writes none."""
    drifts = [drift for file in files if (drift := _compare_file(root, file))]
    if orphans:
        known = {file.path for file in files}
        drifts += [_orphan(root, path) for path in ownership.generated(root, known)]
        known |= {drift.path for drift in drifts}
        drifts += [
            _stranger(root, path) for path in ownership.strangers(root, names.PROGRAM, known)
        ]
    drifts = _explain_pins(drifts, [file.text for file in files if file.path != pins.LOCK])
    return sorted(drifts, key=lambda drift: drift.path)


def check(root: Path, files: tuple[RenderedFile, ...]) -> tuple[list[Drift], list[str]]:
    """The differences that fail a check, and notes. Waits for a process that writes."""
    with locked(root, shared=True):
        compared, stopped = compare(root, files), unfinished(root)
    drifts = [drift for drift in compared if drift.cause is not Cause.LINE_ENDS]
    notes = []
    if stopped and drifts:
        notes.append(f"the last `{header.COMMAND}` was stopped before it finished: some files are "
                     f"old, some are new; to finish, run `{header.COMMAND}`")  # fmt: skip
    elif stopped:
        notes.append(f"{UNFINISHED} is left over from a stopped `{header.COMMAND}`; "
                     f"to remove it, run `{header.COMMAND}`")  # fmt: skip
    if count := len(compared) - len(drifts):
        notes.append(f"{count} files have CRLF line endings and are otherwise up to date; to keep "
                     "git from converting them, see Git attributes in "
                     "docs/delivery-setup.md")  # fmt: skip
    return drifts, notes


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
    actual = header.plain(text)
    return Drift(file.path, _cause(file.text, actual), file.text, actual)


def _cause(expected: str, actual: str) -> Cause:
    """Why a file of the text `actual`, line endings normalized, differs from the generated one."""
    if actual == expected:
        return Cause.LINE_ENDS
    theirs, ours = header.parse(actual), header.parse(expected)
    if ours is None or not (theirs or header.remains(actual) or actual.endswith(ours.body)):
        return Cause.FOREIGN
    if _CONFLICT.search(actual):
        return Cause.CONFLICT
    if theirs is None or not theirs.intact:
        return Cause.EDITED
    if theirs.specs != ours.specs:
        return Cause.SPECS
    if theirs.templates != ours.templates or theirs.digest != ours.digest:
        return Cause.TEMPLATES
    if theirs.body == ours.body:
        return Cause.EDITED  # the header was edited
    only_refs = header.without_refs(theirs.body) == header.without_refs(ours.body)
    return Cause.PINS if only_refs else Cause.TEMPLATES  # else another version of wfgen


def _explain_pins(drifts: list[Drift], generated: list[str]) -> list[Drift]:
    """The drifts, with a remark for each pin in files where only pins differ."""
    bumps_of = {
        drift.path: file_bumps
        for drift in drifts
        if drift.actual
        and drift.expected
        and (file_bumps := bumps.find(drift.actual, drift.expected))
    }
    unlocked = bumps.unlocked([bump for some in bumps_of.values() for bump in some], generated)
    return [
        _of_pins(drift, bumps_of[drift.path], unlocked) if drift.path in bumps_of else drift
        for drift in drifts
    ]


def _of_pins(drift: Drift, file_bumps: list[bumps.Bump], unlocked: dict[str, pins.Pin]) -> Drift:
    pull = all(unlocked.get(bump.actual.action) == bump.actual for bump in file_bumps)
    return replace(
        drift,
        cause=Cause.PINS,
        remarks=tuple(bumps.Remark(bump.line, bump.message) for bump in file_bumps),
        command=bumps.PULL if pull else "",
    )


def _orphan(root: Path, path: str) -> Drift:
    text = header.plain(_read(root / path))
    parsed = header.parse(text)
    cause = Cause.ORPHAN if parsed is not None and parsed.intact else Cause.EDITED_ORPHAN
    return Drift(path, cause, None, text)


def _stranger(root: Path, path: str) -> Drift:
    regular = stat.S_ISREG(os.lstat(root / path).st_mode)
    return Drift(path, Cause.STRANGER, None, header.plain(_read(root / path)) if regular else "")


def _read(path: Path) -> str:
    """The text of a file; bytes that are not UTF-8 are escaped."""
    try:
        return path.read_bytes().decode("utf-8", errors="backslashreplace")
    except OSError as error:
        raise WfgenError(f"{path}: cannot be read: {error.strerror}") from error


def update(
    root: Path,
    files: tuple[RenderedFile, ...],
    *,
    orphans: bool = True,
    force: bool = False,
    complete: bool = True,
) -> list[Drift]:
    """Compares and writes while no other process does; returns the drifts that it fixed.

    `complete` says whether `files` are all generated files; then an interrupted render is finished.
    Raises `WfgenError` as `write` does, and where another process writes for too long.
    """
    root.mkdir(parents=True, exist_ok=True)
    with locked(root):
        remove_temporary(root, {os.path.dirname(file.path) for file in files})
        drifts = compare(root, files, orphans=orphans)
        return write(root, drifts, force=force, mark=complete or not unfinished(root))


def write(
    root: Path, drifts: list[Drift], *, force: bool = False, mark: bool = True
) -> list[Drift]:
    """Writes the generated texts and removes orphans; returns the drifts.

    Raises `WfgenError`, and writes nothing, where a drift needs `force`. `mark` is that of
    `write_all`.
    """
    if not force and (refusals := list(_refusals(drifts))):
        raise WfgenError("\n".join(refusals))
    texts = {drift.path: drift.expected for drift in drifts if drift.expected is not None}
    write_all(root, texts, [drift.path for drift in drifts if drift.expected is None], mark=mark)
    return drifts


def _refusals(drifts: list[Drift]) -> Iterable[str]:
    for cause, message in _REFUSALS.items():
        if paths := [drift.path for drift in drifts if drift.cause is cause]:
            yield message.format(", ".join(paths), f"{header.COMMAND} --force")
