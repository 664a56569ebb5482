"""What deploy does, decided under the lock: the record's word against the plan's inputs.

Reads the record and git; writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..contract import Description, Service
from ..failure import Failure
from ..hosting.needs import is_image_of
from ..state.changes import changed
from ..state.record_format import HELD, FailedCommit, Record
from ._clone import Clone
from ._compare import APART, CHANGED, CONTAINED, Relation, find_change, relate
from ._inputs import RunInputs

RELEASE, NOTHING, STALE = "release", "nothing", "stale"
HELD_BACK, REFUSED, UNAPPROVED, UNBUILT = "held", "refused", "unapproved", "unbuilt"
FAILED = "failed"
_FORCE = "dispatch the workflow with `force`"


@dataclass(frozen=True)
class Decision:
    """What happens, with the reason as a sentence."""

    name: str
    """One of the constants above."""
    reason: str
    green: bool = False
    """Whether a run that releases nothing may be green: nothing that its commit changes is lost."""
    sha: str = ""
    services: Sequence[Service] = ()
    images: Mapping[str, str] = field(default_factory=dict)
    equal: Sequence[str] = ()
    """Services that are not released, whose `seen` becomes this commit."""
    overridden: Sequence[str] = ()
    """Failed commits with the same content, which `force` releases again."""


def decide(description: Description, record: Record, inputs: RunInputs, clone: Clone) -> Decision:
    """What to do with a run. Raises `Failure` for a release that the record does not have."""
    if inputs.go_back:
        return _approve(inputs, _go_back(description, record, inputs))
    scope = [s for s in description.in_order(inputs.scope) if s.deploy]
    relations = [relate(description, record, s, inputs.sha, clone) for s in scope]
    if description.preview:
        stale = [r for r in relations if r.kind == CONTAINED]
        if stale and not inputs.forced:
            return Decision(STALE, _reasons(stale), green=True, sha=inputs.sha)
        return _choose(description, record, inputs, clone, relations, scope)
    if inputs.forced:
        return _choose(description, record, inputs, clone, relations, scope)
    apart = [r for r in relations if r.kind == APART]
    if apart:
        reason = f"{_reasons(apart)}. To release it anyway, {_FORCE}"
        return Decision(STALE, reason, sha=inputs.sha)
    new = [r.service for r in relations if r.kind == CHANGED]
    if not new:
        return _nothing(description, record, inputs, relations)
    if record.state == HELD:
        reason = (
            f"an operator went back to release {record.release}: automatic releases are held until "
            f"you {_FORCE}. See docs/delivery-setup.md, Going back to an older release"
        )
        return Decision(HELD_BACK, reason, sha=inputs.sha)
    return _choose(description, record, inputs, clone, relations, new)


def _nothing(
    description: Description, record: Record, inputs: RunInputs, relations: Sequence[Relation]
) -> Decision:
    """The decision where the commit has nothing that is not live already."""
    sees = [] if record.state == HELD else [r.service.name for r in relations if r.sees]
    if relations and all(r.kind == CONTAINED for r in relations):
        return Decision(STALE, _reasons(relations), green=True, sha=inputs.sha)
    older = [r for r in relations if r.kind == CONTAINED]
    reason = f"no service of this run differs from what is live in {description.environment}"
    if older:
        reason += f"; {_reasons(older)}"
    return Decision(NOTHING, reason, green=True, sha=inputs.sha, equal=sees)


def _choose(
    description: Description,
    record: Record,
    inputs: RunInputs,
    clone: Clone,
    relations: Sequence[Relation],
    new: Sequence[Service],
) -> Decision:
    """The decision on a release of services, with the external ones that they need."""
    if not new:
        return _nothing(description, record, inputs, relations)
    chosen = {service.name for service in new}
    needed = {n for n in description.needed_by(chosen) if description.services[n].external}
    services = description.in_order(chosen | needed)
    failed = _failed_before(description, record, services, inputs, clone)
    if failed and not inputs.forced:
        return Decision(REFUSED, _refusal(failed), sha=inputs.sha)
    images: dict[str, str] = {}
    for service in services:
        if service.built:
            images[service.name] = _image(description, record, service, inputs, clone)
    reasons = [f"{r.service.name} ({r.reason})" for r in relations if r.service.name in chosen]
    decision = Decision(
        RELEASE,
        f"{', '.join(reasons)}{', by force' if inputs.forced else ''}",
        sha=inputs.sha,
        services=services,
        images=images,
        equal=[r.service.name for r in relations if r.sees and r.service.name not in chosen],
        overridden=[entry.sha for entry in failed],
    )
    decision = _approve(inputs, decision)
    missing = [name for name, image in images.items() if not image]
    if decision.name == RELEASE and missing:
        reason = (
            f"this run did not build {', '.join(missing)}, which the release needs. Re-run all "
            "jobs: the next attempt builds every service"
        )
        return Decision(UNBUILT, reason, sha=inputs.sha)
    return decision


def _image(
    description: Description, record: Record, service: Service, inputs: RunInputs, clone: Clone
) -> str:
    """The image to release: built by this run, or named by a record; '' where there is none."""
    if built := inputs.needs.built(description).get(service.name):
        return built
    if description.preview and (image := inputs.needs.planned(description).get(service.name)):
        return image
    entry = record.services.get(service.name)
    if entry is None or not is_image_of(service.repository, entry.image):
        return ""
    change = find_change(description, record, service, inputs.sha, clone)
    return "" if change and change.rebuild else entry.image


def _approve(inputs: RunInputs, decision: Decision) -> Decision:
    """The decision, unless it releases what was not approved."""
    if decision.name != RELEASE or inputs.approved is None:
        return decision
    beyond = [s.name for s in decision.services if s.name not in inputs.approved]
    if not beyond:
        return decision
    reason = (
        f"{', '.join(beyond)} changed too, which is outside the approved proposal "
        f"({', '.join(sorted(inputs.approved)) or 'nothing'}). Nothing was applied. Re-run all "
        "jobs: the next attempt asks for approval of every service"
    )
    return Decision(UNAPPROVED, reason, sha=decision.sha)


def _failed_before(
    description: Description,
    record: Record,
    services: Sequence[Service],
    inputs: RunInputs,
    clone: Clone,
) -> list[FailedCommit]:
    """The failed commits whose content these services have."""

    def same(service: Service, failed: FailedCommit) -> bool:
        return not changed(description, service, failed.sha, inputs.sha)

    found = []
    for failed in [] if description.preview else record.failed:
        blamed = [s for s in services if s.name in failed.services]
        if not clone.has(failed.sha):
            continue
        if failed.services:
            again = any(same(service, failed) for service in blamed)
        else:
            again = all(same(service, failed) for service in services)
        if again:
            found.append(failed)
    return found


def _refusal(failed: Sequence[FailedCommit]) -> str:
    newest = failed[-1]
    blamed = ", ".join(newest.services) or "the release"
    return (
        f"{blamed} failed with this content in commit {newest.sha[:12]} and was rolled back. Push "
        f"a fix or a revert; to release it anyway, {_FORCE}"
    )


def _go_back(description: Description, record: Record, inputs: RunInputs) -> Decision:
    """The release that restores a recorded one, for the services that it has."""
    number = inputs.go_back
    past = record.find_release(number)
    if past is None:
        kept = ", ".join(str(entry.release) for entry in record.releases) or "none"
        raise Failure(
            f"cannot go back to release {number}: the record does not have it. It has: {kept}"
        )
    services = [
        service
        for service in description.in_order(inputs.scope or inputs.services)
        if service.deploy
        and service.name in past.services
        and (service.rollback == "auto" or service.name in inputs.services)
    ]
    if not services:
        raise Failure(f"release {number} has none of these services: nothing to go back to")
    images = {s.name: past.services[s.name].image for s in services}
    return Decision(
        RELEASE,
        f"back to release {number}",
        sha=past.sha,
        services=services,
        images={name: image for name, image in images.items() if image},
    )


def _reasons(relations: Sequence[Relation]) -> str:
    return "; ".join(f"{r.service.name}: {r.reason}" for r in relations)
