"""Findings for people, for programs and for GitHub."""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

from wfgen.findings import Diagnostic
from wfgen.worktree.drift import Cause, Drift

if TYPE_CHECKING:
    from wfgen.checks.proof import Proof

Format = Literal["text", "json", "github", "sarif"]

_WHOLLY = (Cause.MISSING, Cause.ORPHAN, Cause.FOREIGN, Cause.STRANGER)
_WHOLE = 20
"""Lines shown of a file of which every line differs."""
_LINES = 200
"""Lines shown of another diff."""
_PAGE = 500_000
"""Characters on the run's page; GitHub takes 1 MiB of a step, or nothing."""


def default_format() -> Format:
    """Annotations come by themselves under GitHub Actions."""
    return "github" if os.environ.get("GITHUB_ACTIONS") == "true" else "text"


def findings(found: Iterable[Diagnostic], style: Format) -> str:
    """Findings one after the other; nothing where there are none, but for JSON."""
    found = list(found)
    if style == "json":
        return json.dumps({"errors": [_as_json(each) for each in found]}, indent=2)
    if style == "sarif":
        from wfgen.report import sarif

        return sarif.findings(found)
    texts = [str(each) for each in found]
    if style == "github":
        texts += [
            _annotation(f"{each.message} [{each.rule}]", each.position.file,
                        each.position.line, each.position.column)
            for each in found
        ]  # fmt: skip
    return "\n".join(texts)


def diagnostics(found: Iterable[Diagnostic], style: Format) -> str:
    """Mistakes in specs, for which nothing was written."""
    found = list(found)
    text = findings(found, style)
    if style in ("json", "sarif"):
        return text
    return f"{text}\n{len(found)} error{'s' if len(found) != 1 else ''}; nothing was written"


def stopped(message: str, style: Format) -> str:
    """What stopped a command."""
    if style == "json":
        return json.dumps({"errors": [{"message": message}]}, indent=2)
    if style == "sarif":
        from wfgen.report import sarif

        return sarif.stopped(message)
    text = f"wfgen: {message}"
    return f"{text}\n{_annotation(message)}" if style == "github" else text


def note(text: str, style: Format) -> str:
    """What a reader should know and need not mend."""
    return f"::notice::{_escaped(text)}" if style == "github" else f"note: {text}"


def drifts(found: list[Drift], style: Format, notes: Iterable[str] = ()) -> str:
    """What differs, with diffs and the command that mends it; once for files that changed alike.

    Notes go into documents only: people are told apart.
    """
    if style == "json":
        told = {"drift": [_drift_as_json(drift) for drift in found], "notes": list(notes)}
        return json.dumps(told, indent=2)
    if style == "sarif":
        from wfgen.report import sarif

        texts = [
            (drift, "\n".join([_title([drift]), *_remarks(drift), "", _shortened(drift)]))
            for drift in found
        ]
        return sarif.drifts(texts, notes)
    parts = []
    for group in _alike(found):
        first = group[0]
        more = [f"  {drift.path}" for drift in group] if len(group) > 1 else []
        parts += [_title(group), *more, *_remarks(first), _shortened(first), ""]
        if style == "github":  # which shows ten of a step
            marked = group if first.change() else group[:1]
            parts += [_annotation(text, path, line) for drift in marked
                      for text, path, line in _marks(drift, _title(group))]  # fmt: skip
    return "\n".join(parts)


def radius(found: list[Drift], of: int) -> str:
    """How much a change of specs or templates reaches: a count, then each file."""
    sizes = {drift.path: _size(drift) for drift in found}
    changed = [drift for drift in found if any(sizes[drift.path])]
    added, removed = (sum(size[i] for size in sizes.values()) for i in (0, 1))
    text = f"{len(changed)} of {of} files would change, {added + removed} lines"
    if headers := len(found) - len(changed):
        text += f"; {headers} more in their headers alone"
    lines = [
        f"  {drift.path}: {drift.cause.value} (+{sizes[drift.path][0]} -{sizes[drift.path][1]})"
        for drift in changed
    ]
    return "\n".join([text, *lines])


def diffs(found: list[Drift]) -> str:
    """All diffs, whole; last those of headers alone."""
    ordered = sorted(found, key=lambda drift: not any(_size(drift)))
    return "\n" + "".join(drift.diff() for drift in ordered).rstrip("\n")


def _size(drift: Drift) -> tuple[int, int]:
    """Lines that are added and removed, but for the header."""
    signs = Counter(line[:1] for line in drift.change().splitlines())
    return signs["+"], signs["-"]


def summary(found: list[Drift], checked: int) -> str:
    """One line on what a check found."""
    if not found:
        are = "files are" if checked != 1 else "file is"
        return f"{checked} generated {are} what the specs say"
    causes = Counter(drift.cause for drift in found)
    counts = "; ".join(f"{causes[cause]} {cause.value}" for cause in Cause if causes[cause])
    differ = "files differ" if len(found) != 1 else "file differs"
    return f"{len(found)} {differ} from the specs: {counts}"


def write_step_summary(
    heading: str, blocks: Iterable[tuple[str, str, str]], notes: Iterable[str] = ()
) -> None:
    """Shows a result on the run's page, where there is one: blocks of title, language and text."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    page = "".join([f"### {heading}\n", *(f"\nNote: {note}\n" for note in notes)])
    for title, language, text in blocks:
        fence = "`" * max(3, 1 + max((len(run) for run in _backticks(text)), default=0))
        block = f"\n{title}\n\n{fence}{language}\n{text.rstrip()}\n{fence}\n"
        if len(page) + len(block) > _PAGE:
            page += "\nand more: see the log\n"
            break
        page += block
    # The page is an extra: the log and the exit code say the same.
    with contextlib.suppress(OSError), open(path, "a", encoding="utf-8") as file:
        file.write(page)


def drift_blocks(found: list[Drift]) -> Iterable[tuple[str, str, str]]:
    """What the run's page shows of a check."""
    for group in _alike(found):
        more = "".join(f"\n- `{drift.path}`" for drift in group) if len(group) > 1 else ""
        remarks = "".join(f"\n{line}" for line in _remarks(group[0], "- "))
        yield f"**{_title(group)}**{more}{remarks}", "diff", _shortened(group[0])


def proof(proved: Proof, style: Format) -> str:
    """Properties that do not hold, each with what shows it; for programs also what was tried."""
    found = [each.diagnostic() for each in proved.broken]
    if style != "json":
        return findings(found, style)
    tried = [{"workflow": each.workflow, "runs": dict(each.runs)} for each in proved.tried]
    errors = [
        {**_as_json(finding), "property": each.property, "command": each.command}
        for finding, each in zip(found, proved.broken, strict=True)
    ]
    rules = [{"rule": rule.name, "page": rule.page} for rule in proved.documented]
    whole = {"runs": proved.runs, "tried": tried, "documented_only": rules, "errors": errors}
    return json.dumps(whole, indent=2)


def proof_blocks(proved: Proof) -> Iterable[tuple[str, str, str]]:
    """What the run's page shows of it."""
    for each in proved.broken:
        yield f"**{each.property}**", "text", str(each.diagnostic())


def _alike(found: list[Drift]) -> list[list[Drift]]:
    """The drifts in groups of one cause and one change."""
    groups: dict[tuple[Cause, str, str], list[Drift]] = {}
    for drift in found:
        groups.setdefault((drift.cause, drift.remedy, drift.change()), []).append(drift)
    return list(groups.values())


def _title(group: list[Drift]) -> str:
    first = group[0]
    if len(group) == 1:
        return f"{first.path}: {first.cause.value}; mend it by: {first.remedy}"
    alike = "the same change in all" if first.change() else "in their headers alone"
    return f"{len(group)} files: {first.cause.value} ({alike}); mend them by: {first.remedy}"


def _marks(drift: Drift, title: str) -> list[tuple[str, str, int]]:
    """What is shown at the lines of a file: its remarks, or the title at the first change."""
    marks = [(each.message, drift.path, each.line) for each in drift.remarks]
    return marks or [(title, drift.path, drift.line)]


def _remarks(drift: Drift, before: str = "  ") -> list[str]:
    """What is told of single lines, each said once."""
    return [before + message for message in dict.fromkeys(each.message for each in drift.remarks)]


def _shortened(drift: Drift) -> str:
    """The diff; its beginning where it is long."""
    lines = drift.diff().splitlines()
    limit = _WHOLE if drift.cause in _WHOLLY else _LINES
    if len(lines) > limit + 1:
        lines[limit:] = [f"... {len(lines) - limit} more lines; see them by: wfgen render --diff"]
    return "\n".join(lines)


def _backticks(text: str) -> list[str]:
    return [run for run in "".join(c if c == "`" else " " for c in text).split(" ") if run]


def _drift_as_json(drift: Drift) -> dict[str, Any]:
    return {
        "path": drift.path,
        "cause": drift.cause.name.lower(),
        "message": drift.cause.value,
        "line": drift.line,
        "remedy": drift.remedy,
        "remarks": [{"line": each.line, "message": each.message} for each in drift.remarks],
        "diff": drift.diff(),
    }


def _as_json(each: Diagnostic) -> dict[str, object]:
    return {
        "file": each.position.file,
        "line": each.position.line,
        "column": each.position.column,
        "message": each.message,
        "rule": each.rule,
        "hint": each.hint,
    }


def _annotation(message: str, file: str = "", line: int = 1, column: int | None = None) -> str:
    place = f"file={_escaped(file, ':,')},line={line}" if file else ""
    place += f",col={column}" if column else ""
    return f"::error {place}::{_escaped(message)}" if place else f"::error::{_escaped(message)}"


def _escaped(text: str, more: str = "") -> str:
    """https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands"""
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text
