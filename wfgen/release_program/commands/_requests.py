"""What the run of a pull request or merge group proposes."""

from __future__ import annotations

from collections.abc import Sequence

from ..contract import Description, Service
from ..hosting import git
from ..hosting.event import Request
from ..hosting.outputs import notice
from ..state import tags
from ..state.changes import Change, changed
from ._proposal import Proposed, rebuilds, since_release


def of_request(
    description: Description,
    considered: Sequence[Service],
    known: Sequence[tags.Release],
    request: Request,
) -> Proposed:
    """Proposes to build what the request changes, and its preview where it gets one."""
    reason = request.lacks_preview(description.label)
    if not description.preview:
        reason = f"{description.environment} has no previews"
    changes = _since_base(description, considered, request)
    images: dict[str, str] = {}
    if reason:
        notice(f"no preview: {reason}. What the request changes is built and tested")
    else:
        images = _taken_over(description, considered, known, request, changes)
    scope = [service.name for service in considered if service.deploy]
    changed_services = {name: change.reason for name, change in changes.items() if change}
    return Proposed(
        request.sha,
        scope,
        services=[] if reason else scope,
        build=[s.name for s in considered if s.built and rebuilds(changes[s.name])],
        reasons={name: changed_services.get(name, "unchanged") for name in changes},
        images=images,
        trusted=request.trusted,
        number=request.number,
    )


def _since_base(
    description: Description, considered: Sequence[Service], request: Request
) -> dict[str, Change | None]:
    """What a request changes in each service, since it left the branch that it is merged into."""
    base = next(filter(None, (git.merge_base(rev, request.sha) for rev in request.base)), "")
    unknown = Change("no common ancestor with the base branch is in this clone", True)
    return {
        service.name: changed(description, service, base, request.sha) if base else unknown
        for service in considered
    }


def _taken_over(
    description: Description,
    considered: Sequence[Service],
    known: Sequence[tags.Release],
    request: Request,
    changes: dict[str, Change | None],
) -> dict[str, str]:
    """The images that a preview takes from its base environment.

    Adds to `changes` the services that it must build although the request does not change them.
    """
    recorded = tags.newest(known)
    images: dict[str, str] = {}
    for service in considered:
        entry = recorded.get(service.name)
        newer = since_release(description, service, entry, request.sha)
        if rebuilds(changes[service.name]):
            continue
        if entry and entry.image and not rebuilds(newer):
            images[service.name] = entry.image
        elif service.deploy and service.built:
            changes[service.name] = newer
    return images
