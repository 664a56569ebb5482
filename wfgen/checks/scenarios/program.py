"""The possible endings of each command of the release program, with their outputs.

The order matters: `wfgen simulate` takes the first ending of a kind unless an option names another.
tests/safety/test_program.py compares the outputs with those that the program writes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain, combinations
from typing import Literal

from wfgen.release_program.contract import Description
from wfgen.release_program.state.outcome import Verdict

SHA = "1f0e1c9d8b7a6f5e4d3c2b1a0f9e8d7c6b5a4f3e"
"""The commit of the run."""
GOOD_SHA = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"
"""The commit of the last known good release."""
DIGEST = "sha256:" + "5a" * 32
_TOGETHER = 4
"""Builds that are tried in all combinations; beyond it, all or none of them run."""

Kind = Literal["success", "failure", "cut"]
"""How a command ends; "cut" if its job timed out or the run was cancelled while it ran."""


@dataclass(frozen=True)
class Ending:
    """A way in which a command ends, and its outputs by then."""

    kind: Kind
    outputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Before:
    """The state before a command: event, environment, and effects of earlier commands."""

    event: str
    trusted: bool = True
    labelled: bool = True
    description: Description | None = None
    services: tuple[str, ...] = ()
    """The services that the pipeline may build; () for all of the environment."""
    varied: frozenset[str] | None = None
    """The services whose builds run in some runs and not in others; None for all."""
    opened: bool = False
    """Whether the record says that this run's release is in flight."""
    touched: bool = False
    """Whether manifests may have been applied."""
    applied: bool = False
    """Whether the deploy itself began."""
    watched: str = ""
    """How the monitor ended: "", good, bad or cut."""
    cause: str = ""
    """The monitor's output `cause`."""
    undone: bool = False
    """Whether an earlier attempt of this run was rolled back."""
    app: bool = True
    """Whether the revert gets a GitHub App's token, without which it opens an issue."""
    verdict: Verdict | None = None
    """The verdict that the job of the verdict or gate reaches from its `needs`."""


def endings(command: str, before: Before) -> tuple[Ending, ...]:
    """All endings of a command that differ, the default first."""
    return tuple(_ENDINGS.get(command, _plain)(before))


def _plain(_: Before) -> Iterable[Ending]:
    return Ending("success"), Ending("failure"), Ending("cut")


def _plan(before: Before) -> Iterable[Ending]:
    for services, build in _changes(before):
        yield Ending(
            "success",
            {
                "any": "true" if services else "false",
                "sha": SHA,
                "services": json.dumps(services),
                "build": json.dumps(build),
                "images": "{}",
                "previous": "",
                "go_back": "1" if before.event == "go_back" else "",
                "trusted": "true" if before.trusted or not _is_preview(before) else "false",
                "number": "7" if _is_preview(before) else "",
            },
        )
    yield from (Ending("failure"), Ending("cut"))


def _changes(before: Before) -> Iterable[tuple[list[str], list[str]]]:
    """The services that are released and built: first all, then none, then some."""
    if before.description is None:
        return [([], [])]
    candidates = [
        service
        for service in before.description.services.values()
        if not before.services or service.name in before.services
    ]
    deployed = [service.name for service in candidates if service.deploy]
    built = [service.name for service in candidates if service.built]
    if before.event == "go_back":
        return [(deployed, [])]
    varied = [name for name in built if before.varied is None or name in before.varied]
    some = [list(subset) for subset in _subsets(varied) if list(subset) != built]
    builds = [built, *some]
    if _is_preview(before) and not (before.trusted and before.labelled):
        return [([], subset) for subset in builds]
    if _is_preview(before):  # unchanged services run the base branch's images
        return [(deployed, subset) for subset in builds]
    changes = [(deployed, built), ([], [])]
    # Without any build, only manifests changed.
    changes += [
        ([name for name in subset if name in deployed] or deployed, subset) for subset in some
    ]
    alone = [name for name in built if name not in deployed]
    return changes + ([([], alone)] if alone else [])


def _subsets(names: list[str]) -> Iterable[tuple[str, ...]]:
    sizes = range(len(names), -1, -1) if len(names) <= _TOGETHER else (1, 0)
    return chain.from_iterable(combinations(names, size) for size in sizes)


def _is_preview(before: Before) -> bool:
    return before.description is not None and before.description.preview


def _build(_: Before) -> Iterable[Ending]:
    yield Ending("success", {"digest": DIGEST})
    yield from (Ending("failure"), Ending("cut"))


def _images(_: Before) -> Iterable[Ending]:
    yield Ending("success", {"images": "{}"})
    yield from (Ending("failure"), Ending("cut"))


def _preflight(_: Before) -> Iterable[Ending]:
    known = {"stale": "false", "lkg_sha": GOOD_SHA}
    number = {**known, "release": "2"}
    yield Ending("success", {**number, "proceed": "true"})
    yield Ending("success", {**known, "proceed": "false", "stale": "true"})
    yield Ending("failure", {**known, "proceed": "false"})
    yield Ending("failure", {**known, "proceed": ""})  # the record was being written
    yield Ending("failure", {**number, "proceed": "true"})  # a step after it failed
    yield Ending("cut", {**known, "proceed": ""})
    yield Ending("cut", {**known, "proceed": "false"})
    yield Ending("cut", {**number, "proceed": "true"})


def _monitor(before: Before) -> Iterable[Ending]:
    if not before.undone:
        yield Ending("success", {"verified": "true", "cause": ""})
        yield Ending("failure", {"verified": "false", "cause": "app"})
        yield Ending("failure", {"verified": "true", "cause": ""})  # a step after it failed
    yield Ending("failure", {"verified": "false", "cause": "infra"})
    yield Ending("cut", {"verified": "false", "cause": "infra"})
    if not before.undone:
        yield Ending("cut", {"verified": "true", "cause": ""})


def _rollback(before: Before) -> Iterable[Ending]:
    if before.undone or not before.opened:
        yield Ending("success", {"restored": "nothing"})
    elif before.watched == "good":
        yield Ending("success", {"restored": "verified"})
    else:
        yield from _undo(before)
    yield Ending("failure", {"restored": "failed"})
    if before.opened:
        yield Ending("failure", {"restored": "taken over"})
    yield Ending("cut", {"restored": "failed"})


def _undo(before: Before) -> Iterable[Ending]:
    cause = {"cause": before.cause or "infra"}
    possible = [Ending("success", {"restored": "nothing", **cause})]
    if before.touched and not _is_preview(before):
        possible.append(Ending("success", {"restored": "all", **cause}))
        if kept := _kept(before):
            possible.append(Ending("success", {"restored": f"except: {', '.join(kept)}", **cause}))
    if before.applied and len(possible) > 1:
        possible.append(
            possible.pop(0)
        )  # the less likely ending comes last: the dry run was refused
    yield from possible
    if before.watched == "cut":  # after the commit point
        yield Ending("success", {"restored": "verified"})


def _kept(before: Before) -> list[str]:
    """Services with `rollback: never`."""
    if before.description is None:
        return []
    services = before.description.services.values()
    return [service.name for service in services
            if service.deploy and service.rollback == "never"]  # fmt: skip


def _revert(before: Before) -> Iterable[Ending]:
    opened = {"pull-request": "pull/8", "issue": "issues/8"}
    for reverted, path in opened.items():
        if before.app or reverted == "issue":
            address = f"https://github.com/acme/shop/{path}"
            yield Ending("success", {"reverted": reverted, "address": address, "reason": ""})
    yield Ending(
        "success", {"reverted": "none", "address": "", "reason": "what failed is a revert"}
    )
    yield from (Ending("failure"), Ending("cut"))


def _verdict(before: Before) -> Iterable[Ending]:
    if before.verdict is None:
        return _plain(before)
    return Ending("success" if before.verdict.good else "failure"), Ending("cut")


def _previews(_: Before) -> Iterable[Ending]:
    yield Ending("success", {"namespaces": "[]"})
    yield from (Ending("failure"), Ending("cut"))


def _closed(_: Before) -> Iterable[Ending]:
    yield Ending("success", {"numbers": '["7"]'})
    yield Ending("success", {"numbers": "[]"})
    yield from (Ending("failure"), Ending("cut"))


_ENDINGS: Mapping[str, Callable[[Before], Iterable[Ending]]] = {
    "plan": _plan,
    "build": _build,
    "images": _images,
    "preflight": _preflight,
    "monitor": _monitor,
    "rollback": _rollback,
    "revert": _revert,
    "verdict": _verdict,
    "gate": _verdict,
    "previews": _previews,
    "closed": _closed,
}
