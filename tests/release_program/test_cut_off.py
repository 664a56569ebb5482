"""Jobs that are killed or cancelled before each of their calls of kubectl, and what follows.

However a run ends, the last known good release or the new one is live afterwards, never a mix, and
the record says which.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.judges.tools import find_program
from tests.release_program.conftest import APP, Outputs, Release

POINTS = {"preflight": 12, "migrate": 14, "deploy": 16, "monitor": 10, "rollback": 20}
"""Calls of kubectl of each command in these tests, or a few more: then it is not cut off."""
AFTER = ("rollback", "watchdog", "failed jobs re-run", "all jobs re-run")
"""What follows: the rollback job of the attempt, or, where the whole run was lost, the watchdog or
another attempt. In that one, where only failed jobs run again, the rollback runs."""
CANCEL = "trap '' INT; kill -INT 0; sleep 0.5; kill -TERM 0; exit 1"
KILL = "kill -KILL 0"


def cut_off(shop: Release, point: int, how: str) -> None:
    """Makes the next command end, with its kubectl, before its call number `point`."""
    folder, kubectl = shop.folder / "bin", find_program("kubectl")
    folder.mkdir(exist_ok=True)
    count = folder / "count"
    count.write_text("")
    script = (
        f"#!/bin/sh\necho >> '{count}'\n"
        f"if [ $(wc -l < '{count}') = {point} ]; then {how}; fi\nexec '{kubectl}' \"$@\"\n"
    )
    (folder / "kubectl").write_text(script, "utf-8")
    (folder / "kubectl").chmod(0o755)
    shop.environment["PATH"] = f"{folder}:/usr/bin:/bin"


def was_cut_off(shop: Release, done: Outputs) -> bool:
    """Whether the command was cut off; the next ones are not."""
    shop.environment.pop("PATH")
    shutil.rmtree(shop.folder / "bin")
    return done.code not in (0, 1)


def assert_one_release(shop: Release, before: dict[str, str], *allowed: int) -> int:
    """Asserts that one of these releases is live as a whole; its number."""
    record = shop.record
    assert (record["state"], record["in_flight"]) == ("good", None)
    assert record["release"] in allowed
    new = {**before, **shop.images(client="c2", server="s2")}
    images = before if record["release"] == 1 else new
    assert shop.cluster.images("shop") == images
    named = {n: s["image"] for n, s in record["services"].items() if s["image"]}
    assert named == {name: images[name] for name in ("client", "server")}
    stored = shop.manifests(record["release"])
    for name in ("client", "server"):
        pod = stored[f"Deployment/{name}"]["spec"]["template"]["spec"]
        assert pod["containers"][0]["image"] == images[name]
    shop.cluster.wait(lambda: shop.cluster.rolled_out("shop"), 60)
    running = {pod.rsplit("-", 2)[0]: image for pod, image in shop.cluster.running("shop").items()}
    assert running.items() >= {(name, images[name]) for name in ("client", "server")}
    for job in shop.cluster.objects("Job", "shop"):
        ended = [c["type"] for c in job["status"].get("conditions") or []]
        assert {"Complete", "Failed"} & set(ended), job["metadata"]["name"]
    return int(record["release"])


def recover(shop: Release, after: str, needs: str) -> dict[str, Outputs]:
    """Runs what follows a run that was cut off."""
    if after == "rollback":
        return {"rollback": shop.run("rollback")}
    shop.ended(shop.run_id, shop.attempt)
    if after == "watchdog":
        left = shop.run("inspect", GITHUB_RUN_ID="900")
        if left.values["left"] == "true":
            return {"inspect": left, "restore": shop.run("restore", GITHUB_RUN_ID="900")}
        return {"inspect": left}
    shop.attempt += 1
    if after == "failed jobs re-run":
        return {"rollback": shop.run("rollback")}
    return shop.attempt_all("", needs)


def interrupted(shop: Release, command: str, point: int, how: str) -> tuple[bool, str]:
    """A release of c2 and s2 of which one job is cut off; whether it was, and the run's needs."""
    shop.build(client="c2", server="s2")
    shop.next_run()
    needs = shop.needs(APP, client="c2", server="s2")
    jobs = ["preflight", "migrate", "deploy", "monitor"]
    if command == "rollback":
        jobs = ["preflight", "migrate", "deploy", "rollback"]
    for job in itertools.takewhile(lambda job: job != command, jobs):
        assert shop.run(job, WFGEN_NEEDS=needs).code == 0
    cut_off(shop, point, how)
    done = shop.run(command, WFGEN_NEEDS=needs)
    if was_cut_off(shop, done):
        return True, needs
    assert done.code == 0, done.log
    for job in jobs[jobs.index(command) + 1 :]:
        assert shop.run(job).code == 0
    return False, needs


def points() -> Iterator[Any]:
    """Each call of each command, with two of the four sequels; signals alternate."""
    for command, number in POINTS.items():
        for point, (index, after) in itertools.product(range(1, number + 1), enumerate(AFTER)):
            if (point + index) % 2:
                how = KILL if (point + index // 2) % 2 else CANCEL
                name = f"{command}-{point}-{'killed' if how == KILL else 'cancelled'}-{after}"
                yield pytest.param(command, point, how, after, id=name.replace(" ", "-"))


@pytest.mark.slow
@pytest.mark.parametrize(("command", "point", "how", "after"), [*points()])
def test_a_job_that_is_cut_off_leaves_no_mix_of_releases(
    shop: Release, command: str, point: int, how: str, after: str
) -> None:
    before = shop.cluster.images("shop")
    was_cut, needs = interrupted(shop, command, point, how)
    if not was_cut:
        assert assert_one_release(shop, before, 1, 2) == (1 if command == "rollback" else 2)
        return
    done = recover(shop, after, needs)
    if after == "all jobs re-run":
        assert assert_one_release(shop, before, 2, 3), done
    elif command == "monitor":
        assert_one_release(shop, before, 1, 2)  # before or after the commit point
    else:
        assert_one_release(shop, before, 1)
    if "rollback" in done:
        assert done["rollback"].code == 0, done["rollback"].log


@pytest.mark.parametrize("after", AFTER)
def test_a_runner_that_is_lost_in_an_apply_leaves_no_mix_of_releases(
    shop: Release, after: str
) -> None:
    before = shop.cluster.images("shop")
    was_cut, needs = interrupted(shop, "deploy", 10, KILL)
    assert was_cut
    assert shop.record["in_flight"]["progress"]["writing"]
    assert shop.cluster.images("shop") != before
    done = recover(shop, after, needs)
    assert_one_release(shop, before, 3 if after == "all jobs re-run" else 1)
    if "rollback" in done:
        log = done["rollback"].log
        assert "waiting 60 s for the end of a request that was cut off" in log
        assert done["rollback"].has(release="2", sha=shop.sha, services='["server", "client"]')


def test_a_migration_that_goes_on_in_the_cluster_is_stopped_before_the_record_is_cleared(
    shop: Release,
) -> None:
    shop.cluster.behave(shop.images(server="s2")["server"], job_seconds=3600)
    shop.cluster.world.time_scale = 1  # the deadline of the Job is not near
    shop.build(client="c2", server="s2")
    shop.next_run()
    needs = shop.needs(APP, client="c2", server="s2")
    assert shop.run("preflight", WFGEN_NEEDS=needs).code == 0
    cut_off(shop, 10, CANCEL)
    done = shop.run("migrate")
    assert was_cut_off(shop, done), done.log
    assert "server-migrate-2" in shop.cluster.names("Job", "shop")
    waits: list[str] = []

    def note() -> None:
        waits.append(shop.record["state"])

    shop.cluster.after("DELETE", "/jobs/server-migrate-2", note)
    rolled_back = shop.run("rollback")
    assert rolled_back.has(restored="nothing"), rolled_back.log
    assert waits == ["rolling-back"]
    assert "server-migrate-2" not in shop.cluster.names("Job", "shop")
    assert not [n for n in shop.cluster.names("Pod", "shop") if n.startswith("server-migrate-2")]
    assert (shop.record["state"], shop.record["in_flight"]) == ("good", None)


def test_an_earlier_attempt_that_still_runs_changes_nothing_after_the_takeover(
    shop: Release,
) -> None:
    """Its runner was lost to GitHub, and not to the cluster: it goes on after it was held up."""
    before = shop.cluster.images("shop")
    assert shop.release("migrate", APP, client="c2", server="s2")["migrate"].code == 0
    with shop.cluster.holding("GET", "/deployments/server") as wait:
        shop.start("deploy")
        wait()
        shop.attempt = 2  # another attempt takes the release over
        done = shop.run_beside("rollback", WFGEN_REQUEST_SECONDS="10")
        assert done.has(restored="all"), done.log
    late = shop.end()
    assert late.code == 1
    assert "another run wrote the release record meanwhile" in late.log, late.log
    assert shop.cluster.images("shop") == before
    assert (shop.record["state"], shop.record["release"]) == ("good", 1)
