"""The possible endings of each command of the release program, with their outputs.

The order matters: `wfgen simulate` takes the first ending of a kind unless an option names another.
tests/safety/test_program.py compares the outputs with those that the program writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from wfgen.checks.scenarios.ending import DIGEST, Before, Ending
from wfgen.checks.scenarios.plans import plan
from wfgen.checks.scenarios.releases import monitor, preflight, rollback
from wfgen.release_program.names import NONE, Output


def endings(command: str, before: Before) -> tuple[Ending, ...]:
    """All endings of a command that differ, the default first."""
    return tuple(_ENDINGS.get(command, _plain)(before))


def _plain(_: Before) -> Iterable[Ending]:
    return Ending("success"), Ending("failure"), Ending("cut")


def _build(_: Before) -> Iterable[Ending]:
    yield Ending("success", {Output.DIGEST: DIGEST})
    yield from (Ending("failure"), Ending("cut"))


def _approve(before: Before) -> Iterable[Ending]:
    yield Ending("success", {Output.APPROVED_BY: "octocat"})
    if before.description and before.description.approval == "report":
        yield Ending("success", {Output.APPROVED_BY: "nobody"})
    yield Ending("failure", {Output.APPROVED_BY: "nobody"})
    yield from (Ending("failure"), Ending("cut"))


def _inspect(_: Before) -> Iterable[Ending]:
    for left in ("false", "true"):
        yield Ending("success", {Output.LEFT: left})
    for left in ("false", "true"):  # a release in flight is overdue
        yield Ending("failure", {Output.LEFT: left})
    yield Ending("cut", {Output.LEFT: "false"})


def _revert(before: Before) -> Iterable[Ending]:
    opened = {"pull-request": "pull/8", "issue": "issues/8"}
    for reverted, path in opened.items():
        if before.app or reverted == "issue":
            address = f"https://github.com/acme/shop/{path}"
            outputs = {
                Output.REVERTED: reverted,
                Output.ADDRESS: address,
                Output.REASON: NONE,
            }
            yield Ending("success", outputs)
    reason = "what failed is a revert"
    outputs = {Output.REVERTED: NONE, Output.ADDRESS: NONE, Output.REASON: reason}
    yield Ending("success", outputs)
    yield from (Ending("failure"), Ending("cut"))


def _verdict(before: Before) -> Iterable[Ending]:
    if before.verdict is None:
        return _plain(before)
    return Ending("success" if before.verdict.good else "failure"), Ending("cut")


def _previews(_: Before) -> Iterable[Ending]:
    yield Ending("success", {Output.NAMESPACES: "[]"})
    yield from (Ending("failure"), Ending("cut"))


def _closed(_: Before) -> Iterable[Ending]:
    yield Ending("success", {Output.NUMBERS: '["7"]'})
    yield Ending("success", {Output.NUMBERS: "[]"})
    yield from (Ending("failure"), Ending("cut"))


_ENDINGS: Mapping[str, Callable[[Before], Iterable[Ending]]] = {
    "plan": plan,
    "build": _build,
    "approve": _approve,
    "preflight": preflight,
    "monitor": monitor,
    "rollback": rollback,
    "inspect": _inspect,
    "restore": _plain,
    "revert": _revert,
    "verdict": _verdict,
    "gate": _verdict,
    "previews": _previews,
    "closed": _closed,
}
