"""How the commands of a release can end: `preflight`, `monitor` and `rollback`."""

from __future__ import annotations

import json
from collections.abc import Iterable

from wfgen.checks.scenarios.ending import GOOD_SHA, SHA, Before, Ending
from wfgen.checks.scenarios.plans import boolean
from wfgen.release_program.names import NO_NUMBER, NONE, Output

NUMBER = "2"
"""The release of the run."""


def _release(before: Before, number: str = NUMBER) -> dict[str, str]:
    """What `preflight`, `monitor` and `rollback` write about the release."""
    released = number != NO_NUMBER
    return {
        Output.RELEASE: number,
        Output.LKG_SHA: GOOD_SHA,
        Output.SHA: SHA,
        Output.SERVICES: json.dumps(before.scope) if released else NONE,
        Output.IMAGES: "{}" if released else NONE,
    }


def preflight(before: Before) -> Iterable[Ending]:
    """The endings of `preflight`."""

    def decided(decision: str) -> dict[str, str]:
        number = NUMBER if decision == "release" else NO_NUMBER
        outputs = {
            Output.PROCEED: boolean(decision == "release"),
            Output.DECISION: decision,
            Output.REASON: NONE,
        }
        return {**outputs, **_release(before, number)}

    can_release = before.proposed or not before.approval
    released = [Ending("success", decided("release"))] if can_release else []
    nothing = [Ending("success", decided("nothing"))]
    yield from (released + nothing if before.proposed else nothing + released)
    yield Ending("success", decided("stale"))
    for decision in ("failed", "stale", "held", "refused", "unapproved", "unbuilt"):
        if decision != "unapproved" or before.approval:
            yield Ending("failure", decided(decision))
    yield Ending("failure")
    yield Ending("cut", decided("failed"))  # possibly after the record was opened
    if can_release:
        yield Ending("failure", decided("release"))
        yield Ending("cut", decided("release"))


def monitor(before: Before) -> Iterable[Ending]:
    """The endings of `monitor`."""
    if before.broken or not before.opened:  # a preview, whose record it closes
        yield from _close(before)
        return
    release = _release(before)
    good = {Output.VERIFIED: "true", Output.CAUSE: NONE, **release}
    app, infra = (
        {Output.VERIFIED: "false", Output.CAUSE: cause, **release} for cause in ("app", "infra")
    )
    yield Ending("success", good)
    yield Ending("failure", app)
    yield Ending("failure", good)  # it failed after the commit point
    yield Ending("failure", infra)
    yield Ending("cut", infra)
    yield Ending("cut", good)
    yield Ending("failure")


def _close(before: Before) -> Iterable[Ending]:
    """A monitor that has nothing to verify: it closes the record, where one was opened."""
    release = _release(before, NUMBER if before.opened else NO_NUMBER)
    for cause in ("infra", "app") if before.opened else ("infra",):
        yield Ending("failure", {Output.VERIFIED: "false", Output.CAUSE: cause, **release})
    yield Ending("cut", {Output.VERIFIED: "false", Output.CAUSE: "infra", **release})


def rollback(before: Before) -> Iterable[Ending]:
    """The endings of `rollback`."""

    def restored(what: str, cause: str = NONE) -> dict[str, str]:
        number = NO_NUMBER if cause == NONE and what == "nothing" else NUMBER
        return {Output.RESTORED: what, Output.CAUSE: cause, **_release(before, number)}

    if before.watched == "good":
        yield Ending("success", restored("verified"))
    elif before.opened or before.left:
        for what, cause in _undo(before):
            yield Ending("success", restored(what, cause))
        if before.watched == "cut":  # after the commit point
            yield Ending("success", restored("verified"))
    else:
        yield Ending("success", restored("nothing"))
    cause = before.cause if before.cause not in ("", NONE) else "infra"
    yield Ending("failure", restored("failed", cause))
    if before.opened or before.left:
        yield Ending("failure", restored("taken over", cause))
    yield Ending("cut", restored("failed", cause))
    yield Ending("failure")


def _undo(before: Before) -> Iterable[tuple[str, str]]:
    """What is restored, and the cause of the failure: first the most likely."""
    known = before.cause if before.cause not in ("", NONE) else ""
    causes: tuple[str, ...] = (known,) if known else ("infra",)
    nothing = [("nothing", cause) for cause in causes]
    if before.left and not before.touched:
        # An earlier attempt was rolled back, or left its release: the record has the cause.
        nothing, causes = [("nothing", NONE)], ("app", "infra")
    elif not before.touched or before.preview:
        return nothing
    kept = _kept(before)
    all_of_it = [("all", cause) for cause in causes]
    except_some = [(f"except: {', '.join(kept)}", cause) for cause in causes] if kept else []
    if before.applied and before.touched:
        return [*all_of_it, *except_some, *nothing]  # rarely nothing: the record was not changed
    return [*nothing, *all_of_it, *except_some]


def _kept(before: Before) -> list[str]:
    """Services with `rollback: never`."""
    if before.description is None:
        return []
    services = before.description.services.values()
    return [service.name for service in services
            if service.deploy and service.rollback == "never"]  # fmt: skip
