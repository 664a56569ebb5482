"""How the commit of a run relates to what is live, for each service, under the lock."""

from __future__ import annotations

from dataclasses import dataclass

from ..contract import Description, Service
from ..hosting.outputs import warning
from ..state.changes import Change, changed
from ..state.record_format import LiveService, Record
from ._clone import Clone

CHANGED, EQUAL, CONTAINED, APART = "changed", "equal", "contained", "apart"
"""Released; the content that is live; older than the live or seen commit; cannot be ordered."""


@dataclass(frozen=True)
class Relation:
    """A service at the commit of this run, compared with what is live."""

    service: Service
    kind: str
    """One of the constants above."""
    reason: str
    rebuild: bool = False
    """Whether what is live has another image."""
    sees: bool = False
    """Whether the commit is newer than what the record says to have been seen."""


def relate(
    description: Description, record: Record, service: Service, sha: str, clone: Clone
) -> Relation:
    """The relation of one service. Fetches commits that the clone lacks."""
    entry = record.services.get(service.name)
    if entry is None:
        return Relation(service, CHANGED, "no earlier release", rebuild=True)
    live, seen = entry.sha, entry.seen
    if sha in (live, seen):
        return Relation(service, EQUAL, f"{sha[:12]} is live")
    for newer, what in ((live, "is live with"), (seen, "was found equal to what is live at")):
        if newer and clone.contains(newer, sha):
            reason = f"{what} {newer[:12]}, which contains {sha[:12]}"
            return Relation(service, CONTAINED, reason)
    if clone.contains(sha, live):
        return _by_content(description, entry, service, sha, clone)
    return _apart(description, entry, service, sha, clone)


def find_change(
    description: Description, record: Record, service: Service, sha: str, clone: Clone
) -> Change | None:
    """What a commit changes in a service, compared with what is live; None for nothing."""
    entry = record.services.get(service.name)
    if entry is None:
        return Change("no earlier release", True)
    return changed(description, service, _base(entry, sha, clone), sha)


def _base(entry: LiveService, sha: str, clone: Clone) -> str:
    """A commit with the content that is live: the newest one known that the commit contains."""
    return entry.seen if entry.seen and clone.contains(sha, entry.seen) else entry.sha


def _by_content(
    description: Description, entry: LiveService, service: Service, sha: str, clone: Clone
) -> Relation:
    change = changed(description, service, _base(entry, sha, clone), sha)
    if change:
        return Relation(service, CHANGED, change.reason, change.rebuild)
    sees = not entry.seen or clone.contains(sha, entry.seen)
    return Relation(service, EQUAL, f"unchanged since {entry.sha[:12]}", sees=sees)


def _apart(
    description: Description, entry: LiveService, service: Service, sha: str, clone: Clone
) -> Relation:
    """The relation where neither commit contains the other: history was rewritten, or a clone cut.

    The default branch, fetched now, decides: it was not rewritten away from this commit.
    """
    live = entry.sha
    if clone.has(live):  # fetched by its id, it may turn out to be an ancestor
        if clone.contains(live, sha):
            return Relation(service, CONTAINED, f"{live[:12]} is live, which contains {sha[:12]}")
        if clone.contains(sha, live):
            return _by_content(description, entry, service, sha, clone)
    relation = _by_content(description, entry, service, sha, clone)
    if relation.kind == EQUAL:
        return relation
    tip = clone.default_tip
    if tip and clone.contains(tip, sha) and not clone.contains(tip, live):
        warning(
            f"{service.name}: {live[:12]} is live, which {description.default_branch} no longer "
            f"contains; {sha[:12]} replaces it"
        )
        return relation
    known = f"{description.default_branch} does not show which is newer"
    if not tip:
        known = f"{description.default_branch} cannot be fetched"
    reason = f"{live[:12]} is live, which {sha[:12]} does not contain, and {known}"
    return Relation(service, APART, reason)
