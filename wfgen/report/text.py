"""Output for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from wfgen.findings import Diagnostic
from wfgen.worktree.causes import Cause, Drift

if TYPE_CHECKING:
    from wfgen.checks.proof import Proof

IS_DOCUMENT = False
_WHOLE_FILE = (Cause.MISSING, Cause.ORPHAN, Cause.FOREIGN, Cause.STRANGER)
_MAX_WHOLE_FILE = 20
"""Lines shown of a diff in which every line differs."""
_MAX_DIFF = 200
"""Lines shown of another diff."""


def findings(diagnostics: Iterable[Diagnostic]) -> str:
    """Findings, one after the other."""
    return "\n".join(map(str, diagnostics))


def errors(diagnostics: Iterable[Diagnostic]) -> str:
    """Findings that stopped a command before it wrote anything."""
    texts = list(map(str, diagnostics))
    return "\n".join([*texts, count_errors(len(texts))])


def stopped(message: str) -> str:
    """The error that stopped a command."""
    return f"wfgen: {message}"


def note(text: str) -> str:
    """A note, which does not change the exit code."""
    return f"note: {text}"


def drifts(
    drifts: list[Drift],
    notes: Iterable[str] = (),  # noqa: ARG001 - see Report
    warnings: Iterable[Diagnostic] = (),  # noqa: ARG001
) -> str:
    """Each change with its files, diff and remedy."""
    return "\n".join(line for group in group_alike(drifts) for line in group_lines(group))


def proof(proof: Proof) -> str:
    """The properties that do not hold, each with a counterexample."""
    return findings(counterexample.diagnostic() for counterexample in proof.broken)


def summary(drifts: list[Drift], checked: int) -> str:
    """One line: how many files differ, by cause."""
    if not drifts:
        return f"{checked} generated {'files are' if checked != 1 else 'file is'} up to date"
    causes = Counter(drift.cause for drift in drifts)
    counts = "; ".join(f"{causes[cause]} {cause.value}" for cause in Cause if causes[cause])
    differ = "files differ" if len(drifts) != 1 else "file differs"
    return f"{len(drifts)} {differ}: {counts}"


def written(drifts: list[Drift]) -> str:
    """One line: how many files a render wrote and removed."""
    removed = sum(drift.expected is None for drift in drifts)
    counts = {"wrote": len(drifts) - removed, "removed": removed}
    return ", ".join(
        f"{verb} {count} file{'s' if count != 1 else ''}" for verb, count in counts.items() if count
    )


def preview(drifts: list[Drift], generated: int) -> str:
    """What a render would change: a count, then each file with its added and removed lines."""
    sizes = {drift.path: _size(drift) for drift in drifts}
    changed = [drift for drift in drifts if any(sizes[drift.path])]
    lines = sum(map(sum, sizes.values()))
    count = f"{len(drifts)} of {generated} files would change"
    if changed:
        count += f", {lines} line{'s' if lines != 1 else ''}"
    if headers := len(drifts) - len(changed):
        count += f"; {headers} only in their headers" if changed else ", only in their headers"
    rows = [
        f"  {drift.path}: {drift.cause.value} (+{sizes[drift.path][0]} -{sizes[drift.path][1]})"
        for drift in changed
    ]
    return "\n".join([count, *rows])


def diffs(drifts: list[Drift]) -> str:
    """All diffs, unshortened; those of headers only come last."""
    ordered = sorted(drifts, key=lambda drift: not any(_size(drift)))
    return "\n" + "".join(drift.diff() for drift in ordered).rstrip("\n")


def count_errors(count: int) -> str:
    """The last line after errors in specs."""
    return f"{count} error{'s' if count != 1 else ''}"


def group_alike(drifts: list[Drift]) -> list[list[Drift]]:
    """The drifts, grouped by cause, remedy and changed lines."""
    groups: dict[tuple[Cause, str, str], list[Drift]] = {}
    for drift in drifts:
        groups.setdefault((drift.cause, drift.remedy, drift.change()), []).append(drift)
    return list(groups.values())


def group_lines(group: list[Drift]) -> list[str]:
    """What is printed of files that changed alike."""
    paths = [f"  {drift.path}" for drift in group] if len(group) > 1 else []
    remarks = [f"  {message}" for message in remarks_of(group[0])]
    return [title(group), *paths, *remarks, shortened_diff(group[0]), ""]


def title(group: list[Drift]) -> str:
    """The files of a group, the cause and the remedy."""
    first = group[0]
    them = "it" if len(group) == 1 else "them"
    fix = "fix" if first.expected is not None else f"remove {them}"
    if first.cause is Cause.FOREIGN:
        fix = f"overwrite {them}"
    remedy = f"to {fix}, run `{first.remedy}`"
    if len(group) == 1:
        return f"{first.path}: {first.cause.value}; {remedy}"
    alike = "the same change in all" if first.change() else "only in their headers"
    return f"{len(group)} files: {first.cause.value}, {alike}; {remedy}"


def remarks_of(drift: Drift) -> list[str]:
    """The messages about single lines, each once."""
    return list(dict.fromkeys(remark.message for remark in drift.remarks))


def shortened_diff(drift: Drift) -> str:
    """The diff, cut where it is long."""
    lines = drift.diff().splitlines()
    limit = _MAX_WHOLE_FILE if drift.cause in _WHOLE_FILE else _MAX_DIFF
    if len(lines) > limit + 1:
        lines[limit:] = [f"... {len(lines) - limit} more lines; run `wfgen render --diff`"]
    return "\n".join(lines)


def _size(drift: Drift) -> tuple[int, int]:
    """Numbers of added and removed lines, without the header's."""
    signs = Counter(line[:1] for line in drift.change().splitlines())
    return signs["+"], signs["-"]
