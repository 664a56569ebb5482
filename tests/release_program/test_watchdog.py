"""What the watchdog does with the release of a run that ended."""

from __future__ import annotations

import time

from tests.release_program.conftest import Release


def runs_the_first_release(shop: Release) -> bool:
    """Whether release 1 is live, also by the record."""
    images = shop.images(client="c1", server="s1").items()
    record = shop.record
    live = (record["state"], record["in_flight"], record["release"]) == ("good", None, 1)
    return live and images <= shop.cluster.images("shop").items()


def test_the_watchdog_rolls_back_only_what_an_ended_attempt_left(in_flight: Release) -> None:
    live, writes = in_flight.cluster.images("shop"), len(in_flight.writes)
    in_flight.change_record(lease=time.time() - 1)  # a lease alone proves nothing
    writes = len(in_flight.writes)
    done = in_flight.run("inspect", GITHUB_RUN_ID="500")
    assert (done.code, done.values["left"]) == (1, "false")  # unknown is not good
    assert in_flight.run("restore", GITHUB_RUN_ID="500").code == 1
    in_flight.ended(in_flight.run_id, status="in_progress")
    assert in_flight.run("restore", GITHUB_RUN_ID="500").code == 0
    assert in_flight.run("restore", GITHUB_RUN_ID="500", WFGEN_FORCE="true").code == 1
    assert (len(in_flight.writes), in_flight.cluster.images("shop")) == (writes, live)
    in_flight.ended(in_flight.run_id)
    done = in_flight.run("inspect", GITHUB_RUN_ID="500")
    assert (done.code, done.values["left"]) == (0, "true")
    assert in_flight.run("restore", GITHUB_RUN_ID="500").code == 1
    assert runs_the_first_release(in_flight)
    assert in_flight.run("restore", GITHUB_RUN_ID="501").code == 0


def test_force_restores_what_an_unknown_owner_left(in_flight: Release) -> None:
    assert in_flight.run("restore", GITHUB_RUN_ID="500", WFGEN_FORCE="true").code == 1
    assert runs_the_first_release(in_flight)
