"""What the watchdog does with the release of a run that ended."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.release_program.conftest import APP, Release


def test_the_watchdog_rolls_back_the_release_of_a_run_that_ended_early(in_flight: Release) -> None:
    finished, live = str(in_flight.run_id), in_flight.cluster.images("shop")
    done = in_flight.run("watchdog", GITHUB_RUN_ID="500")
    assert (done.code, in_flight.cluster.images("shop")) == (0, live)  # the lease has not expired
    done = in_flight.run("watchdog", GITHUB_RUN_ID="500", WFGEN_FINISHED_RUN="1")
    assert (done.code, in_flight.cluster.images("shop")) == (0, live)
    done = in_flight.run("watchdog", GITHUB_RUN_ID="500", WFGEN_FINISHED_RUN=finished)
    assert done.code == 1
    assert (
        in_flight.images(client="c1", server="s1").items()
        <= in_flight.cluster.images("shop").items()
    )
    assert in_flight.record["state"] == "good"
    assert in_flight.run("watchdog", GITHUB_RUN_ID="501").code == 0


def test_the_watchdog_rolls_back_the_release_of_a_run_whose_lease_expired(
    in_flight: Release,
) -> None:
    in_flight.change_record(lease=time.time() - 1)
    assert in_flight.run("watchdog", GITHUB_RUN_ID="500").code == 1
    assert (
        in_flight.images(client="c1", server="s1").items()
        <= in_flight.cluster.images("shop").items()
    )


@pytest.mark.parametrize(
    ("number", "command"), [(signal.SIGINT, "rollback"), (signal.SIGKILL, "watchdog")]
)
def test_a_deploy_that_is_cut_off_is_undone(
    shop: Release, number: signal.Signals, command: str
) -> None:
    before = shop.cluster.images("shop")
    shop.release("migrate", APP, client="c2", server="s2")
    with shop.cluster.holding("PATCH", "/deployments/server[?](?!.*dryRun)") as wait:
        group = shop.start("deploy")
        wait()
        os.killpg(group, number)
        assert shop.end().code not in (0, 1)
    assert shop.cluster.images("shop") != before
    shop.run(command, WFGEN_FINISHED_RUN=str(shop.run_id))
    assert shop.cluster.images("shop") == before
    assert shop.record["state"] == "good"
