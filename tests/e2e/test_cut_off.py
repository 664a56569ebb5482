"""Runs that are cancelled, killed, re-run or collide: what rolls back, and what is live."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from tests.e2e.conftest import Observe
from tests.e2e.runs import Interruption, Run
from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e
PHASES = ("preflight", "migrate", "deploy", "monitor", "rollback")


def _reached(phase: str) -> Callable[[Shop, str], bool]:
    """Whether a command is in the middle of its work."""

    def is_reached(shop: Shop, log: str) -> bool:
        if phase == "migrate":
            return f"server-migrate-{shop.record['last']}" in shop.kube.names("jobs")
        if phase == "rollback":
            return bool(shop.record["state"] == "rolling-back")
        if phase == "monitor":
            return bool(log)  # what its first look at the cluster found
        pod = shop.kube.get("deployment", "server")["spec"]["template"]["spec"]
        return bool(pod["containers"][0]["image"] in shop.now.values())

    return is_reached


def _cut(phase: str, number: signal.Signals, *, lost: bool = False) -> Interruption:
    # What preflight does after it has opened the release takes less than a second.
    reached = None if phase == "preflight" else _reached(phase)
    return Interruption(phase, number, reached, lost)


def _begin(shop: Shop, name: str, phase: str = "") -> Run:
    """A run of a release to cut off; a bad one if that happens in its rollback."""
    shop.build(name, "server", **({"MIGRATE_SECONDS": "300"} if phase == "migrate" else {}))
    shop.build(name, "client", **({"CRASH": "0s"} if phase == "rollback" else {}))
    return shop.begin()


@pytest.mark.parametrize("phase", PHASES)
def test_cut_off(shop: Shop, observe: Observe, phase: str) -> None:
    place = f"at the end of {phase}" if phase == "preflight" else f"in {phase}"
    if phase != "rollback":  # the rollback continues when its run is cancelled
        done = _begin(shop, "two", phase).release(cut=_cut(phase, signal.SIGINT))
        observe(
            f"the run is cancelled {place}", done,
            restored="all" if phase in ("deploy", "monitor") else "nothing",
            serves="one", record="good, release 1",
        )  # fmt: skip
        assert not _unfinished(shop), "a Job outlived the record of its release"
    run = _begin(shop, "three", phase)
    done = run.release(cut=_cut(phase, signal.SIGKILL))
    done.update(shop.watch(run))
    observe(
        f"the run is force-cancelled {place}; the watchdog rolls back", done,
        says="was left unfinished", restored="failed" if phase == "rollback" else "",
        serves="one", record="good, release 1",
    )  # fmt: skip
    assert not _unfinished(shop)


def _unfinished(shop: Shop) -> list[str]:
    """The names of Jobs that have not ended."""
    return [
        job["metadata"]["name"]
        for job in shop.kube.objects("job")
        if not any(c["status"] == "True" for c in job["status"].get("conditions", ()))
    ]


@pytest.mark.parametrize("phase", ["migrate", "deploy"])
def test_runner_that_is_lost(shop: Shop, observe: Observe, phase: str) -> None:
    run = _begin(shop, "two")
    done = run.release(cut=_cut(phase, signal.SIGKILL, lost=True))
    observe(
        f"the runner of job deploy is lost in {phase}; job rollback has another one", done,
        restored="nothing" if phase == "migrate" else "all",
        serves="one", record="good, release 1",
    )  # fmt: skip
    done = run.again(failed_only=True).release()
    observe(
        f"its failed jobs are re-run ({phase})", done,
        restored="nothing" if phase == "migrate" else "all",
        serves="two", record="good, release 3",
    )  # fmt: skip


def test_cut_off_after_the_commit_point(shop: Shop, observe: Observe) -> None:
    done = _begin(shop, "two").release(cut=Interruption("monitor", signal.SIGINT))
    observe(
        "the run is cancelled after the commit point", done, serves="two", record="good, release 2"
    )
    done = _begin(shop, "three").release(cut=Interruption("monitor", signal.SIGKILL, lost=True))
    observe(
        "the runner of job monitor is lost after the commit point", done,
        says="was verified and is live", restored="verified",
        serves="three", record="good, release 3",
    )  # fmt: skip


@pytest.mark.parametrize("failed_only", [True, False])
@pytest.mark.releases(6)
def test_re_run(shop: Shop, observe: Observe, failed_only: bool) -> None:
    which = "its failed jobs are" if failed_only else "all its jobs are"
    run = _begin(shop, "two")
    run.release(cut=_cut("deploy", signal.SIGKILL))
    done = run.again(failed_only=failed_only).release()
    observe(
        f"the run is force-cancelled in deploy; {which} re-run", done,
        says="unfinished: rolling it back", serves="two", record="good, release 3",
    )  # fmt: skip
    run = _begin(shop, "three")
    run.release(cut=_cut("monitor", signal.SIGKILL))
    done = run.again(failed_only=failed_only).release()
    if failed_only:  # deploy succeeded, and does not run again
        observe(
            f"the run is force-cancelled in monitor; {which} re-run", done,
            restored="all", serves="two", record="good, release 3",
        )  # fmt: skip
        done = run.again(failed_only=False).release()
        which = "then all its jobs are"
    observe(
        f"the run is force-cancelled in monitor; {which} re-run", done,
        restored="all" if failed_only else "", serves="three", record="good, release 5",
    )  # fmt: skip


def test_unfinished_release_before_another_bad_one(shop: Shop, observe: Observe) -> None:
    left = _begin(shop, "two")
    left.release(cut=_cut("deploy", signal.SIGKILL))
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
    mine = shop.begin()
    done = mine.release(until="deploy")
    shop.kube.wait(lambda: shop.serves()["client"] == "two", 120)
    other = shop.begin()
    meanwhile = other.release()
    done.update({f"another run: {name}": end for name, end in meanwhile.items()})
    observe(
        "another run starts while a release is in flight", done,
        says="which owns it, still runs", restored="taken over",
        serves={"server": "one", "client": "two"}, record="in-flight, release 1",
    )  # fmt: skip
    shop.github.forget(mine.number, mine.attempt)
    other.again(failed_only=False).release()
    observe(
        "another run starts, and GitHub does not find the run of the release in flight",
        other.of_attempt(),
        says="is unknown. Possibly another repository releases to this environment",
        restored="taken over",
        serves={"server": "one", "client": "two"}, record="in-flight, release 1",
    )  # fmt: skip
    forced = shop.begin(force=True)
    observe(
        "its operator dispatches the release with `force`", forced.release(),
        says="unfinished: rolling it back",
        serves={"server": "one", "client": "two"}, record="good, release 3",
    )  # fmt: skip
    before = set(mine.done)
    done = mine.release()
    observe(
        "the first run goes on", {n: o for n, o in done.items() if n not in before},
        says="this run has no release in flight", restored="nothing",
        serves={"server": "one", "client": "two"}, record="good, release 3",
    )  # fmt: skip


def test_two_runs_at_once(shop: Shop, observe: Observe) -> None:
    shop.build("two", "client")
    runs = [shop.begin(commit=number == 0) for number in range(2)]
    started = [run.start("preflight") for run in runs]
    ended = [run.keep("preflight", each.end()) for run, each in zip(runs, started, strict=True)]
    won = [run for run, outputs in zip(runs, ended, strict=True) if outputs.code == 0]
    assert len(won) == 1, [outputs.log for outputs in ended]
    done = won[0].release()
    observe(
        "two runs start at the same time: one is refused, the other continues", done,
        serves={"server": "one", "client": "two"}, record="good, release 2",
    )  # fmt: skip
