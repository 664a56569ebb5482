"""What each command of the release program can say and do, by how it ends.

The order counts: the first of a kind is what `wfgen simulate` takes where nobody says more. What
is written here is held to the program's own words by a test.
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
"""So many builds are tried in all combinations; more of them one by one."""

Kind = Literal["success", "failure", "cut"]
"""How a command ends; cut: its job timed out, or the run was cancelled, while it ran."""


@dataclass(frozen=True)
class Said:
    """One way in which a command ends, and its outputs by then."""

    kind: Kind
    outputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Before:
    """What a command finds: the event, the environment, and what the commands before it did."""

    event: str
    trusted: bool = True
    labelled: bool = True
    description: Description | None = None
    services: tuple[str, ...] = ()
    """The services that the pipeline may build; () for all of the environment."""
    varied: frozenset[str] | None = None
    """The services whose builds come and go; None for all."""
    opened: bool = False
    """Whether the record says that this run's release is in flight."""
    touched: bool = False
    """Whether manifests may have been applied."""
    applied: bool = False
    """Whether the deploy itself began."""
    watched: str = ""
    """How the monitor ended: "", good, bad or cut."""
    cause: str = ""
    """What the monitor blamed."""
    undone: bool = False
    """Whether an earlier attempt of this run was rolled back."""
    verdict: Verdict | None = None
    """What the run's own verdict, or gate, comes to with what it knows."""


def endings(command: str, before: Before) -> tuple[Said, ...]:
    """All endings of a command that differ, the default first."""
    return tuple(_ENDINGS.get(command, _plain)(before))


def _plain(_: Before) -> Iterable[Said]:
    return Said("success"), Said("failure"), Said("cut")


def _plan(before: Before) -> Iterable[Said]:
    for services, build in _changes(before):
        yield Said(
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
    yield from (Said("failure"), Said("cut"))


def _changes(before: Before) -> Iterable[tuple[list[str], list[str]]]:
    """What is to be released and to be built: all first, then nothing, then some."""
    if before.description is None:
        return [([], [])]
    mine = [
        service
        for service in before.description.services.values()
        if not before.services or service.name in before.services
    ]
    deployed = [service.name for service in mine if service.deploy]
    built = [service.name for service in mine if service.built]
    if before.event == "go_back":
        return [(deployed, [])]
    varied = [name for name in built if before.varied is None or name in before.varied]
    some = [list(each) for each in _subsets(varied) if list(each) != built]
    builds = [built, *some]
    if _is_preview(before) and not (before.trusted and before.labelled):
        return [([], each) for each in builds]
    if _is_preview(before):  # what the pull request did not change runs as the base has it
        return [(deployed, each) for each in builds]
    changes = [(deployed, built), ([], [])]
    # No build at all: only manifests changed.
    changes += [([name for name in each if name in deployed] or deployed, each) for each in some]
    alone = [name for name in built if name not in deployed]
    return changes + ([([], alone)] if alone else [])


def _subsets(names: list[str]) -> Iterable[tuple[str, ...]]:
    sizes = range(len(names), -1, -1) if len(names) <= _TOGETHER else (1, 0)
    return chain.from_iterable(combinations(names, size) for size in sizes)


def _is_preview(before: Before) -> bool:
    return before.description is not None and before.description.preview


def _build(_: Before) -> Iterable[Said]:
    yield Said("success", {"digest": DIGEST})
    yield from (Said("failure"), Said("cut"))


def _images(_: Before) -> Iterable[Said]:
    yield Said("success", {"images": "{}"})
    yield from (Said("failure"), Said("cut"))


def _preflight(_: Before) -> Iterable[Said]:
    known = {"stale": "false", "lkg_sha": GOOD_SHA}
    number = {**known, "release": "2"}
    yield Said("success", {**number, "proceed": "true"})
    yield Said("success", {**known, "proceed": "false", "stale": "true"})
    yield Said("failure", {**known, "proceed": "false"})
    yield Said("failure", {**known, "proceed": ""})  # the record was being written
    yield Said("failure", {**number, "proceed": "true"})  # a step after it failed
    yield Said("cut", {**known, "proceed": ""})
    yield Said("cut", {**known, "proceed": "false"})
    yield Said("cut", {**number, "proceed": "true"})


def _monitor(before: Before) -> Iterable[Said]:
    if not before.undone:
        yield Said("success", {"verified": "true", "cause": ""})
        yield Said("failure", {"verified": "false", "cause": "app"})
        yield Said("failure", {"verified": "true", "cause": ""})  # a step after it failed
    yield Said("failure", {"verified": "false", "cause": "infra"})
    yield Said("cut", {"verified": "false", "cause": "infra"})
    if not before.undone:
        yield Said("cut", {"verified": "true", "cause": ""})


def _rollback(before: Before) -> Iterable[Said]:
    if before.undone or not before.opened:
        yield Said("success", {"restored": "nothing"})
    elif before.watched == "good":
        yield Said("success", {"restored": "verified"})
    else:
        yield from _undo(before)
    yield Said("failure", {"restored": "failed"})
    if before.opened:
        yield Said("failure", {"restored": "taken over"})
    yield Said("cut", {"restored": "failed"})


def _undo(before: Before) -> Iterable[Said]:
    cause = {"cause": before.cause or "infra"}
    ways = [Said("success", {"restored": "nothing", **cause})]
    if before.touched and not _is_preview(before):
        ways.append(Said("success", {"restored": "all", **cause}))
        if kept := _kept(before):
            ways.append(Said("success", {"restored": f"except: {', '.join(kept)}", **cause}))
    if before.applied and len(ways) > 1:
        ways.append(ways.pop(0))  # less likely then: the dry run was refused
    yield from ways
    if before.watched == "cut":  # after the commit point
        yield Said("success", {"restored": "verified"})


def _kept(before: Before) -> list[str]:
    """Services that are never rolled back."""
    if before.description is None:
        return []
    services = before.description.services.values()
    return [each.name for each in services if each.deploy and each.rollback == "never"]


def _revert(_: Before) -> Iterable[Said]:
    address = {"address": "https://github.com/acme/shop/pull/8", "reason": ""}
    yield Said("success", {"reverted": "pull-request", **address})
    yield Said("success", {"reverted": "issue", **address})
    yield Said("success", {"reverted": "none", "address": "", "reason": "what failed is a revert"})
    yield from (Said("failure"), Said("cut"))


def _verdict(before: Before) -> Iterable[Said]:
    if before.verdict is None:
        return _plain(before)
    return Said("success" if before.verdict.good else "failure"), Said("cut")


def _previews(_: Before) -> Iterable[Said]:
    yield Said("success", {"namespaces": "[]"})
    yield from (Said("failure"), Said("cut"))


def _closed(_: Before) -> Iterable[Said]:
    yield Said("success", {"numbers": '["7"]'})
    yield Said("success", {"numbers": "[]"})
    yield from (Said("failure"), Said("cut"))


_ENDINGS: Mapping[str, Callable[[Before], Iterable[Said]]] = {
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
