"""What a run proposes to build and to release. `preflight` decides, by the release record."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Sequence

from ..contract import Description, Service, load
from ..failure import Failure
from ..hosting import event
from ..hosting.needs import table
from ..hosting.outputs import add_summary, log, notice, write_output
from ..names import NONE, Output, Variable
from ..state import tags
from ..state.changes import Change
from . import _commits
from ._proposal import Proposed, again, forced, named, rebuilds, since_release
from ._requests import of_request


def plan() -> int:
    """Proposes which services to build and release; `preflight` decides, by the release record.

    A push proposes the services that changed since their deploy tag: one without a tag, one whose
    tag's commit is not in this clone, or one where a path that it watches differs (added, removed
    and renamed files too). What a failed run did not release is therefore still a change in the
    next run. A dispatch proposes all services of its scope, and builds those that changed. External
    services that a proposed one depends on are proposed too: they are checked first. From attempt 2
    on no tag is trusted, and all are proposed and built. While an operator holds a release,
    nothing is proposed or built without `force`.

    Going back to a release builds nothing; services with `rollback: never` keep what they run
    unless WFGEN_SERVICES names them. A pull request and a merge group build what they change; a
    preview has all services, with the base environment's images where those are the same. The
    checkout needs all history and tags (fetch-depth: 0).
    """
    description = load()
    request = event.request()
    if description.preview and request is None:
        raise Failure(
            f"{description.environment} has previews of pull requests only: the event is "
            f"`{event.name() or 'missing'}`, not `{event.PULL_REQUEST}`"
        )
    scope = _considered(description)
    environment = os.environ.get(Variable.BASE_ENVIRONMENT) or description.environment
    known = tags.releases(description, environment)
    number = os.environ.get(Variable.GO_BACK, "").strip()
    if request is not None:
        proposal = of_request(description, scope, known, request)
    elif number:
        proposal = _of_return(description, scope, known, number)
    else:
        proposal = _of_release(description, scope, known)
    _write(proposal, known)
    _summarize(description, proposal)
    return 0


def _write(proposal: Proposed, known: Sequence[tags.Release]) -> None:
    write_output(Output.PROPOSED, _boolean(bool(proposal.services)))
    write_output(Output.SHA, proposal.sha)
    write_output(Output.SCOPE, json.dumps(list(proposal.scope)))
    write_output(Output.SERVICES, json.dumps(list(proposal.services)))
    write_output(Output.BUILD, json.dumps(list(proposal.build)))
    write_output(Output.IMAGES, json.dumps(proposal.images, sort_keys=True))
    write_output(Output.PREVIOUS, known[0].tag if known else NONE)
    write_output(Output.GO_BACK, proposal.go_back)
    write_output(Output.TRUSTED, _boolean(proposal.trusted))
    write_output(Output.NUMBER, proposal.number)
    write_output(Output.HELD, _boolean(proposal.held))


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _summarize(description: Description, proposal: Proposed) -> None:
    rows = []
    for name, reason in proposal.reasons.items():
        image = "-"
        if name in proposal.build:
            image = "built in this run"
        elif name in proposal.services and description.services[name].built:
            image = "as recorded"
        rows.append((name, reason, image))
        log(f"{name}: {reason}; image: {image}")
    title = f"### Plan for {description.environment}, commit {proposal.sha[:12]}"
    add_summary(f"{title}\n\n" + table(["service", "reason", "image"], rows))


def _considered(description: Description) -> list[Service]:
    """The services that this run considers. Raises `Failure` for an unknown name."""
    unknown = [name for name in named() if name not in description.services]
    if unknown:
        raise Failure(
            f"unknown service {', '.join(unknown)}; "
            f"{description.environment} has {', '.join(description.services)}"
        )
    return description.in_order(named() or list(description.services))


def _deployed(description: Description, services: Collection[str]) -> list[str]:
    """Those of these services that are deployed, and the external ones that they depend on."""
    deployed = {name for name in services if description.services[name].deploy}
    needed = {n for n in description.needed_by(deployed) if description.services[n].external}
    return [service.name for service in description.in_order({*deployed, *needed})]


def _of_release(
    description: Description, considered: Sequence[Service], known: Sequence[tags.Release]
) -> Proposed:
    """The proposal of a push, or of a dispatch."""
    sha = _commits.to_release(description)
    names = [service.name for service in considered]
    scope = _deployed(description, names)
    if known and known[0].held and not again() and not forced():
        notice(
            f"{known[0].tag}: an operator went back to a release, which is held. Nothing is "
            "proposed until a dispatch with `force`"
        )
        return Proposed(sha, scope, reasons=dict.fromkeys(names, "held"), held=True)
    recorded = tags.newest(known)
    changes: dict[str, Change] = {}
    for service in considered:
        change = since_release(description, service, recorded.get(service.name), sha)
        if change:
            changes[service.name] = change
    services = scope if event.name() == event.DISPATCH else _deployed(description, changes)
    if not services:
        notice(f"nothing is proposed for {description.environment}: no service has changed")
    unchanged = dict.fromkeys(services, "requested")
    return Proposed(
        sha,
        scope,
        services=services,
        build=[s.name for s in considered if s.built and rebuilds(changes.get(s.name))],
        reasons={
            name: changes[name].reason if name in changes else unchanged.get(name, "unchanged")
            for name in dict.fromkeys([*names, *services])
        },
    )


def _of_return(
    description: Description,
    considered: Sequence[Service],
    known: Sequence[tags.Release],
    number: str,
) -> Proposed:
    """The proposal to go back to a release. Raises `Failure`.

    The release record decides whether it can be restored; a tag only names its commit.
    """
    numbers = ", ".join(str(release.number) for release in known[:10]) or "none"
    if not re.fullmatch(r"[1-9][0-9]{0,5}", number):
        raise Failure(
            f"invalid `go_back` {number!r}: use the number of a release; known releases: {numbers}"
        )
    deployed = [service for service in considered if service.deploy]
    services = [s.name for s in deployed if named() or s.rollback == "auto"]
    if kept := [s.name for s in deployed if s.name not in services]:
        notice(f"{', '.join(kept)}: unchanged, because of `rollback: never`")
    if not services:
        raise Failure("nothing can go back: name a service with `rollback: never` in `services`")
    release = next((release for release in known if str(release.number) == number), None)
    sha = release.sha if release else ""
    if not sha or _commits.is_unmerged(description, sha):
        problem = f"{release.tag}: its commit is not merged" if release else "it has no valid tag"
        notice(f"release {number}: {problem}; the release record decides. Known: {numbers}")
        sha = _commits.of_run(description)
    reasons = dict.fromkeys(services, f"back to release {number}")
    return Proposed(sha, services, services=services, reasons=reasons, go_back=number)
