"""Output for GitHub Actions: text with annotations, and the run's page.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from wfgen.findings import Diagnostic
from wfgen.report import text
from wfgen.worktree.causes import Drift

if TYPE_CHECKING:
    from wfgen.checks.proof import Proof

IS_DOCUMENT = False
_MAX_PAGE = 500_000
"""Characters on the run's page; GitHub drops the page of a step beyond 1 MiB."""


class Block(NamedTuple):
    """A part of the run's page: a title above a code block."""

    title: str
    language: str
    text: str


def findings(diagnostics: Iterable[Diagnostic]) -> str:
    """Findings as text, then an annotation of each."""
    diagnostics = list(diagnostics)
    return "\n".join([*map(str, diagnostics), *map(_annotate_finding, diagnostics)])


def errors(diagnostics: Iterable[Diagnostic]) -> str:
    """Findings that stopped a command before it wrote anything."""
    diagnostics = list(diagnostics)
    return f"{findings(diagnostics)}\n{text.count_errors(len(diagnostics))}"


def stopped(message: str) -> str:
    """The error that stopped a command."""
    return f"{text.stopped(message)}\n{_annotation(message)}"


def note(text: str) -> str:
    """A note, which does not change the exit code."""
    return f"::notice::{_escape(text)}"


def drifts(
    drifts: list[Drift],
    notes: Iterable[str] = (),  # noqa: ARG001 - see Report
    warnings: Iterable[Diagnostic] = (),  # noqa: ARG001
) -> str:
    """As text; annotations after each group of files that changed alike.

    Where only headers differ, the first file alone is annotated: GitHub shows ten annotations of a
    step.
    """
    lines = []
    for group in text.group_alike(drifts):
        lines += text.group_lines(group)
        for drift in group if group[0].change() else group[:1]:
            marks = [(remark.message, remark.line) for remark in drift.remarks]
            marks = marks or [(text.title(group), drift.line)]
            lines += [_annotation(message, drift.path, line) for message, line in marks]
    return "\n".join(lines)


def proof(proof: Proof) -> str:
    """The properties that do not hold, each with a counterexample."""
    return findings(counterexample.diagnostic() for counterexample in proof.broken)


def write_page(heading: str, blocks: Iterable[Block], notes: Iterable[str] = ()) -> None:
    """Appends to the page of the run that this step belongs to; does nothing outside of a run.

    The log and the exit code have the same contents: an error of the file system is ignored.
    """
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    page = "".join([f"### {heading}\n", *(f"\nNote: {note}\n" for note in notes)])
    for title, language, content in blocks:
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", content)), default=0))
        block = f"\n{title}\n\n{fence}{language}\n{content.rstrip()}\n{fence}\n"
        if len(page) + len(block) > _MAX_PAGE:
            page += "\nMore in the log.\n"
            break
        page += block
    with suppress(OSError), open(path, "a", encoding="utf-8") as file:
        file.write(page)


def finding_blocks(diagnostics: Iterable[Diagnostic]) -> list[Block]:
    """One block with all findings; none where there are no findings."""
    content = text.findings(diagnostics)
    return [Block("", "text", content)] if content else []


def drift_blocks(drifts: list[Drift]) -> Iterable[Block]:
    """A block for each group of files that changed alike."""
    for group in text.group_alike(drifts):
        paths = [f"- `{drift.path}`" for drift in group] if len(group) > 1 else []
        remarks = [f"- {message}" for message in text.remarks_of(group[0])]
        title = "\n".join([f"**{text.title(group)}**", *paths, *remarks])
        yield Block(title, "diff", text.shortened_diff(group[0]))


def proof_blocks(proof: Proof) -> Iterable[Block]:
    """A block for each property that does not hold."""
    for counterexample in proof.broken:
        title = f"**{counterexample.property}**"
        yield Block(title, "text", str(counterexample.diagnostic()))


def _annotate_finding(diagnostic: Diagnostic) -> str:
    place = diagnostic.position
    message = f"{diagnostic.message} [{diagnostic.rule}]"
    return _annotation(message, place.file, place.line, place.column, diagnostic.severity)


def _annotation(
    message: str, file: str = "", line: int = 1, column: int | None = None, level: str = "error"
) -> str:
    if not file:
        return f"::{level}::{_escape(message)}"
    place = f"file={_escape(file, ':,')},line={line}" + (f",col={column}" if column else "")
    return f"::{level} {place}::{_escape(message)}"


def _escape(text: str, more: str = "") -> str:
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text
