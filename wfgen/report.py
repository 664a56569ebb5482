"""Findings for people, for programs and for GitHub."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Literal

from wfgen.diagnostics import Diagnostic
from wfgen.drift import Drift

Format = Literal["text", "json", "github"]


def default_format() -> Format:
    """Annotations come by themselves under GitHub Actions."""
    return "github" if os.environ.get("GITHUB_ACTIONS") == "true" else "text"


def diagnostics(found: Iterable[Diagnostic], style: Format) -> str:
    """Mistakes in specs, one after the other."""
    found = list(found)
    if style == "json":
        return json.dumps({"errors": [_as_json(each) for each in found]}, indent=2)
    texts = [str(each) for each in found]
    if style == "github":
        texts += [
            _annotation("error", f"{each.message} [{each.rule}]", each.position.file,
                        each.position.line, each.position.column)
            for each in found
        ]  # fmt: skip
    count = f"{len(found)} error{'s' if len(found) != 1 else ''}; nothing was written"
    return "\n".join([*texts, count])


def drifts(found: list[Drift], style: Format) -> str:
    """What differs, each with its diff and the command that mends it."""
    if style == "json":
        entries = [
            {
                "path": drift.path,
                "cause": drift.cause.name.lower(),
                "message": drift.cause.value,
                "line": drift.line,
                "remedy": drift.remedy,
                "diff": drift.diff(),
            }
            for drift in found
        ]
        return json.dumps({"drift": entries}, indent=2)
    parts = []
    for drift in found:
        parts.append(f"{drift.path}: {drift.cause.value}")
        parts.append(drift.diff().rstrip("\n"))
        parts.append(f"mend it by: {drift.remedy}\n")
        if style == "github":
            message = f"{drift.cause.value}; mend it by: {drift.remedy}"
            parts.append(_annotation("error", message, drift.path, drift.line))
    return "\n".join(parts)


def summary(found: list[Drift], checked: int) -> str:
    """One line on what a check found."""
    if not found:
        return f"{checked} generated files are what the specs say"
    names = ", ".join(f"{drift.path} ({drift.cause.value})" for drift in found)
    plural = "files differ" if len(found) != 1 else "file differs"
    return f"{len(found)} {plural} from the specs: {names}"


def write_step_summary(found: list[Drift], checked: int) -> None:
    """Shows the result on the run's page, where there is one."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    lines = [
        f"### wfgen check: {summary(found, checked) if not found else f'{len(found)} differ'}",
        "",
    ]
    for drift in found:
        diff = drift.diff()
        fence = "`" * max(
            3, 1 + max((len(run) for run in diff.split() if set(run) == {"`"}), default=0)
        )
        lines += [
            f"**{drift.path}**: {drift.cause.value}. Mend it by `{drift.remedy}`", "",
            f"{fence}diff", diff[:50_000].rstrip("\n"), fence, "",
        ]  # fmt: skip
    with open(path, "a", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def _as_json(each: Diagnostic) -> dict[str, object]:
    return {
        "file": each.position.file,
        "line": each.position.line,
        "column": each.position.column,
        "message": each.message,
        "rule": each.rule,
        "hint": each.hint,
    }


def _annotation(level: str, message: str, file: str, line: int, column: int | None = None) -> str:
    """https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands"""

    def escape(text: str, more: str = "") -> str:
        for character in "%\r\n" + more:
            text = text.replace(character, f"%{ord(character):02X}")
        return text

    place = f"file={escape(file, ':,')},line={line}" + (f",col={column}" if column else "")
    return f"::{level} {place}::{escape(message)}"
