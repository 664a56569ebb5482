"""watchdog.yml under act: what it restores, by what GitHub says of the run that owns a release."""

from __future__ import annotations

import pytest

from tests.act.first import First
from tests.act.releases import applied, assert_on_last_known_good, release_bad
from tests.act.run import Run
from tests.act.runner import Shop

pytestmark = pytest.mark.slow

INSPECTED = {"Inspect production: inspect"}
RESTORED = INSPECTED | {"Restore production: restore"}
LOST = Run(results={"Plan": "success", "Release/Deploy": "cancelled"})
"""The jobs of a run whose runner was lost: none of them notified anybody."""


def test_a_release_of_a_run_that_ended_is_restored(shop: Shop, first: First) -> None:
    """The watchdog is red, since otherwise nobody would notice that it restored."""
    release_bad(shop, undone=False)
    shop.github.requests.clear()
    run = _watch(shop, finished=2)
    assert run.failed == {"Restore production"}
    assert run.ran == RESTORED
    assert "restored: all" in run.texts["Restore production: restore"]
    assert_on_last_known_good(shop, first)
    assert shop.github.messages == [], "the run had notified already"


def test_a_run_that_was_lost_is_notified_of(shop: Shop, first: First) -> None:
    release_bad(shop, undone=False)
    shop.github.requests.clear()
    shop.github.end(2, LOST)
    run = _watch(shop, finished=2)
    assert run.failed == {"Restore production"}
    (message,) = shop.github.messages
    assert message == "production: run 2, attempt 1, ended without a verdict"
    assert_on_last_known_good(shop, first)


def test_a_release_of_a_run_that_goes_on_is_left_alone(shop: Shop) -> None:
    """Whatever other run has ended."""
    release_bad(shop, undone=False)
    shop.github.say(2, "in_progress")
    before = shop.record, len(shop.cluster.requests)
    run = _watch(shop, finished=1)
    assert run.failed == set()
    assert run.ran == INSPECTED
    assert run.results.keys() == {"Inspect production"}
    assert (shop.record, len(shop.cluster.requests)) == before


def test_a_run_that_github_does_not_find_is_no_evidence(shop: Shop, first: First) -> None:
    """Only an operator may then decide that it has ended."""
    release_bad(shop, undone=False)
    shop.github.forget(2)
    before = len(applied(shop.cluster.requests))
    run = _watch(shop, finished=1)
    assert run.failed == {"Inspect production"}
    assert "dispatch this workflow with `force`" in run.texts["Inspect production: inspect"]
    assert "Restore production" not in run.results
    assert len(applied(shop.cluster.requests)) == before

    forced = shop.dispatch(200, "watchdog.yml", force="true")
    assert forced.failed == {"Restore production"}
    assert forced.ran == RESTORED
    assert_on_last_known_good(shop, first)


def test_nothing_is_done_while_no_release_is_in_flight(shop: Shop) -> None:
    run = shop.start("schedule", "watchdog.yml", {}, run=200)
    assert run.failed == set()
    assert run.ran == INSPECTED
    assert run.results.keys() == {"Inspect production"}
    assert shop.cluster.requests == []


def _watch(shop: Shop, finished: int) -> Run:
    """The watchdog that the end of a run starts."""
    payload = {"action": "completed", "workflow_run": {"id": finished, "run_attempt": 1}}
    return shop.start("workflow_run", "watchdog.yml", payload, run=100 + finished)
