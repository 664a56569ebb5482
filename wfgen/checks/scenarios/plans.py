"""What a plan can propose, by the event that started the run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import chain, combinations

from wfgen.checks.scenarios.ending import REQUESTS, SHA, Before, Ending
from wfgen.release_program.names import NO_NUMBER, NONE, Output

_TOGETHER = 4
"""Builds that are tried in all combinations; beyond it, all or none of them run."""
_WITH_PREVIEW = ("pull_request", "label_added")
"""Kinds of events that start a preview."""


def plan(before: Before) -> Iterable[Ending]:
    """The endings of `plan`."""
    held: list[tuple[list[str], list[str], str]] = (
        [([], [], "true")] if before.event == "push" else []
    )
    for services, build, hold in [*((*change, "false") for change in _changes(before)), *held]:
        yield Ending(
            "success",
            {
                Output.PROPOSED: boolean(bool(services)),
                Output.SHA: SHA,
                Output.SCOPE: json.dumps(before.scope),
                Output.SERVICES: json.dumps(services),
                Output.BUILD: json.dumps(build),
                Output.IMAGES: "{}",
                Output.PREVIOUS: NONE,
                Output.GO_BACK: "1" if before.event == "go_back" else NO_NUMBER,
                Output.TRUSTED: boolean(before.trusted and before.event != "merge_group"),
                Output.NUMBER: "7" if _has_number(before) else NO_NUMBER,
                Output.HELD: hold,
            },
        )
    yield from (Ending("failure"), Ending("cut"))


def boolean(value: bool) -> str:
    """A truth value as an output has it."""
    return "true" if value else "false"


def _has_number(before: Before) -> bool:
    return before.event in REQUESTS and before.event != "merge_group"


def _changes(before: Before) -> list[tuple[list[str], list[str]]]:
    """The services that are proposed and built: first all, then none, then some."""
    if before.description is None:
        return [([], [])]
    services = before.description.services.values()
    built = [s.name for s in services if s.built and s.name in (before.services or (s.name,))]
    deployed = before.scope
    if before.event == "go_back":
        return [(deployed, [])]
    if before.event == "rerun_all":
        return [(deployed, built)]
    if before.event in ("dispatch", "force"):
        return [(deployed, built), (deployed, [])]
    varied = [name for name in built if before.varied is None or name in before.varied]
    some = [list(subset) for subset in _subsets(varied) if list(subset) != built]
    if before.event in REQUESTS:
        preview = before.preview and before.event in _WITH_PREVIEW
        return [(deployed if preview else [], subset) for subset in [built, *some]]
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
