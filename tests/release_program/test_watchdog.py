"""What is left by a run that is gone."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.release_program.conftest import APP, Release


def test_a_run_that_ended_in_the_middle_is_undone_by_the_watchdog(flying: Release) -> None:
    finished, live = str(flying.run_id), flying.cluster.images("shop")
    done = flying.run("watchdog", GITHUB_RUN_ID="500")
    assert (done.code, flying.cluster.images("shop")) == (0, live)  # the lease still runs
    done = flying.run("watchdog", GITHUB_RUN_ID="500", WFGEN_FINISHED_RUN="1")
    assert (done.code, flying.cluster.images("shop")) == (0, live)
    done = flying.run("watchdog", GITHUB_RUN_ID="500", WFGEN_FINISHED_RUN=finished)
    assert done.code == 1
    assert flying.images(client="c1", server="s1").items() <= flying.cluster.images("shop").items()
    assert flying.record["state"] == "good"
    assert flying.run("watchdog", GITHUB_RUN_ID="501").code == 0


def test_a_run_that_was_silent_for_too_long_is_undone_by_the_watchdog(flying: Release) -> None:
    flying.change_record(lease=time.time() - 1)
    assert flying.run("watchdog", GITHUB_RUN_ID="500").code == 1
    assert flying.images(client="c1", server="s1").items() <= flying.cluster.images("shop").items()


@pytest.mark.parametrize(
    ("number", "command"), [(signal.SIGINT, "rollback"), (signal.SIGKILL, "watchdog")]
)
def test_a_deploy_that_is_cut_off_is_undone(
    shop: Release, number: signal.Signals, command: str
) -> None:
    before = shop.cluster.images("shop")
    shop.release("migrate", APP, client="c2", server="s2")
    with shop.cluster.holding("PATCH", "/deployments/server[?](?!.*dryRun)") as wait:
        process = shop.start("deploy")
        wait()
        os.killpg(process.pid, number)
        assert shop.end(process).code not in (0, 1)
    assert shop.cluster.images("shop") != before
    shop.run(command, WFGEN_FINISHED_RUN=str(shop.run_id))
    assert shop.cluster.images("shop") == before
    assert shop.record["state"] == "good"
