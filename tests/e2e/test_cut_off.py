"""Runs that are cancelled, killed or collide with another: what rolls back, and what is live."""

from __future__ import annotations

import json
import signal
import time

import pytest

from tests.e2e.conftest import Observe
from tests.e2e.shop import JOBS, Outputs, Shop

pytestmark = pytest.mark.e2e


def _sign(shop: Shop, phase: str) -> bool:
    """Whether a job is in the middle of its work."""
    if phase == "preflight":
        return bool(shop.record["state"] == "in-flight")
    if phase == "migrate":
        return f"server-migrate-{shop.record['last']}" in shop.kube.names("jobs")
    if phase == "rollback":
        return bool(shop.record["state"] == "rolling-back")
    deployment = shop.kube.get("deployment", "server")
    return bool(
        deployment["spec"]["template"]["spec"]["containers"][0]["image"] in shop.now.values()
    )


def _cut_off(shop: Shop, phase: str, number: signal.Signals) -> dict[str, Outputs]:
    """A release of another image that is cut off in a job."""
    crash = {"CRASH": "0s"} if phase == "rollback" else {}
    shop.build("two", "server")
    shop.build("two", "client", **crash)
    shop.run_id += 1
    shop.commit()
    inputs = {
        "WFGEN_SERVICES": json.dumps(list(shop.description["services"])),
        "WFGEN_IMAGES": json.dumps(shop.now),
    }
    done: dict[str, Outputs] = {}
    for command in (*JOBS, "rollback"):
        environment = inputs if command == "preflight" else {}
        if command != phase or phase == "preflight":
            done[command] = shop.run(command, **environment)
            if command != phase:
                continue
            # Its last act sets the record to in-flight: then it can only be cut off after its end.
            assert _sign(shop, phase)
            return done
        process = shop.start(command, **environment)
        if phase == "monitor":
            assert process.stdout is not None
            process.stdout.readline()  # what the first look at the cluster found
        else:
            shop.kube.wait(lambda: _sign(shop, phase), 60)
        done[command] = shop.cut_off(process, number)
        assert done[command].code not in (0, 1), done[command].log
        return done
    raise AssertionError(phase)


@pytest.mark.parametrize("phase", [*JOBS, "rollback"])
def test_cut_off(shop: Shop, observe: Observe, phase: str) -> None:
    place = "at the end of preflight" if phase == "preflight" else f"in {phase}"
    if phase != "rollback":  # the rollback continues when its run is cancelled
        done = _cut_off(shop, phase, signal.SIGINT)
        done["rollback"] = shop.run("rollback")
        observe(
            f"the run is cancelled {place}", done,
            restored="all" if phase in ("deploy", "monitor") else "nothing",
            serves="one", record="good, release 1",
        )  # fmt: skip
    done = _cut_off(shop, phase, signal.SIGKILL)
    finished = str(shop.run_id)
    done["watchdog"] = shop.run("watchdog", GITHUB_RUN_ID="500", WFGEN_FINISHED_RUN=finished)
    assert done["watchdog"].code == 1, done["watchdog"].log
    observe(
        f"the runner is lost {place}; the watchdog rolls back", done,
        says="was left unfinished", restored="failed" if phase == "rollback" else "",
        serves="one", record="good, release 1",
    )  # fmt: skip


def test_unfinished_release_before_another_bad_one(shop: Shop, observe: Observe) -> None:
    shop.environment["WFGEN_LEASE_SECONDS"] = "5"
    _cut_off(shop, "deploy", signal.SIGKILL)
    shop.environment.clear()
    shop.kube.wait(lambda: time.time() > shop.record["lease"], 30)
    shop.build("three", "server")
    shop.build("three", "client", CRASH="0s")
    done = shop.release()
    observe(
        "a bad release follows one that a killed run left unfinished", done,
        says="unfinished: rolling it back",
        restored="all", serves="one", record="good, release 1",
    )  # fmt: skip


def test_another_run_meanwhile(shop: Shop, observe: Observe) -> None:
    shop.build("two", "client")
    done = shop.release("client", until="deploy")
    mine = shop.run_id
    shop.run_id = 900
    inputs = {"WFGEN_SERVICES": '["client"]', "WFGEN_IMAGES": json.dumps(shop.now)}
    done["preflight of another run"] = shop.run("preflight", **inputs)
    assert done["preflight of another run"].values["proceed"] == "false"
    done["rollback of another run"] = shop.run("rollback")
    assert done["rollback of another run"].values["restored"] == "taken over"
    shop.run_id = mine
    done["monitor"] = shop.run("monitor")
    observe(
        "another run starts while a release is in flight", done,
        says="Otherwise another repository releases to this environment",
        serves={"server": "one", "client": "two"}, record="good, release 2",
    )  # fmt: skip


def test_two_runs_at_once(shop: Shop, observe: Observe) -> None:
    shop.build("two", "client")
    shop.commit()
    inputs = {"WFGEN_SERVICES": '["client"]', "WFGEN_IMAGES": json.dumps(shop.now)}
    runs = {
        str(number): shop.start("preflight", GITHUB_RUN_ID=str(number), **inputs)
        for number in (7, 8)
    }
    logs = {number: process.communicate(timeout=60)[0] for number, process in runs.items()}
    won = [number for number, process in runs.items() if process.returncode == 0]
    assert len(won) == 1, logs
    shop.run_id = int(won[0])
    done = {"deploy": shop.run("deploy"), "monitor": shop.run("monitor")}
    observe(
        "two runs start at the same time: one is refused, the other continues", done,
        serves={"server": "one", "client": "two"}, record="good, release 2",
    )  # fmt: skip
