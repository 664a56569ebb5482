"""Releases under random faults: a failing API server, killed jobs, bad images.

In the end the old release or the new one is live, never a mix, and the record names it: once the
API server has recovered and the watchdog has run, as it does on its schedule.
"""

from __future__ import annotations

import functools
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import sampling
from tests.kube_api import FakeCluster
from tests.kube_api.api import Answer, Api, Request
from tests.release_program.conftest import APP, RECORD, Outputs, Release, Start

PATHS = (f"/{RECORD}", "/configmaps", "/deployments/server", "/deployments/client", "/pods", "/")
IMAGES: tuple[dict[str, Any], ...] = (
    {}, {}, {"pull_error": True}, {"crash_loop": True}, {"never_ready": True},
    {"http": {"/healthz": 503}}, {"crash_loop": True, "crashes": 1},
    {"once_healthy": {"crash_loop": True}}, {"once_healthy": {"never_ready": True}},
)  # fmt: skip
"""Behaviours of images, the first two of them good. `once_healthy` applies after the first health
check."""


@dataclass(frozen=True)
class Death:
    """A job is killed at the `number`th request of a kind, before or after it takes effect."""

    command: str
    kind: str
    """A regular expression for verb and path."""
    number: int
    after: bool


@dataclass(frozen=True)
class Trouble:
    """Everything that goes wrong with one release."""

    faults: list[dict[str, Any]]
    death: Death | None
    server: dict[str, Any]
    client: dict[str, Any]


FAULTS = st.fixed_dictionaries(
    {
        "verb": st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", ""]),
        "path": st.sampled_from(PATHS),
        "status": st.sampled_from([403, 409, 429, 500, 503, 504]),
        "times": st.integers(1, 8),
        "after": st.booleans(),
        "reset": st.booleans(),
        "slow": st.sampled_from([0.0, 0.0, 0.3]),
    }
)
ANY = st.booleans()
COMMANDS = ["preflight", "migrate", "deploy", "monitor", "rollback"]
TROUBLES = st.builds(
    Trouble,
    st.lists(FAULTS, max_size=3),
    st.none()
    | st.builds(Death, st.sampled_from(COMMANDS), st.just("PUT|PATCH"), st.integers(1, 9), ANY)
    | st.builds(Death, st.sampled_from(COMMANDS), st.just(""), st.integers(1, 40), ANY),
    st.sampled_from(IMAGES),
    st.sampled_from(IMAGES),
)


class Doomed(Release):
    """A release with one job that is killed."""

    death: Death | None = None

    def run(self, command: str, **environment: str) -> Outputs:
        if self.death is None or self.death.command != command:
            return super().run(command, **environment)
        death, self.death = self.death, None
        with killing(self.start(command, **environment), death):
            return self.end()


@contextmanager
def killing(group: int, death: Death) -> Iterator[None]:
    """Kills a process group at one of the requests from now on."""
    count, answer = 0, Api.answer

    def counted(api: Api, request: Request) -> Answer:
        nonlocal count
        hit = bool(re.match(death.kind, f"{request.verb} {request.address}"))
        count += hit
        due = hit and count == death.number
        if due and not death.after:
            os.killpg(group, signal.SIGKILL)
            return Answer(500, "", reset=True)
        done = answer(api, request)
        if due:
            os.killpg(group, signal.SIGKILL)
        return done

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Api, "answer", counted)
        yield


def settle(shop: Release) -> None:
    """Removes the faults and runs the watchdog, as often as a release is in flight."""
    shop.cluster.api.faults.due.clear()
    for run in (900, 901):
        if shop.record["in_flight"]:
            shop.ended(shop.run_id)
            shop.ended(900)
            shop.run("restore", GITHUB_RUN_ID=str(run), WFGEN_FORCE="true")


def check(folder: Path, server: FakeCluster, start: Start, trouble: Trouble) -> int:
    """Releases c2 and s2 over c1 and s1; the release that is then live."""
    shop = Doomed(folder, server, start)
    shop.environment.update(WFGEN_RETRY_SECONDS="0.01", WFGEN_POLL_SECONDS="0.2")
    for service in shop.description["services"].values():
        service.update(timeout_seconds=4, bake_seconds=1.5)
    before = server.images("shop")
    new = {**before, **shop.images(client="c2", server="s2")}
    for name in ("server", "client"):
        how = dict(getattr(trouble, name))
        later = functools.partial(server.behave, new[name], **how.pop("once_healthy", {}))
        server.after("GET", f"/pods/{name}-.*/proxy/", later)
        server.behave(new[name], **how)
    for fault in trouble.faults:
        server.fault(**fault)
    shop.death = trouble.death
    done = shop.release(services=APP, client="c2", server="s2")
    settle(shop)

    record, outputs = shop.record, {name: result.values for name, result in done.items()}
    assert (record["state"], record["in_flight"]) == ("good", None), outputs
    assert record["release"] in (1, 2), outputs
    images = new if record["release"] == 2 else before
    assert server.images("shop") == images, outputs
    assert {n: s["image"] for n, s in record["services"].items() if s["image"]} == {
        name: images[name] for name in ("client", "server")
    }
    stored = shop.manifests(record["release"])
    for name in ("client", "server"):
        pod = stored[f"Deployment/{name}"]["spec"]["template"]["spec"]
        assert pod["containers"][0]["image"] == images[name]
    running = {pod.rsplit("-", 2)[0]: image for pod, image in server.running("shop").items()}
    assert running.items() >= {(name, images[name]) for name in ("client", "server")}
    if outputs.get("monitor", {}).get("verified") == "true":
        assert record["release"] == 2
    if outputs.get("rollback", {}).get("restored") == "all":
        assert record["release"] == 1
    return int(record["release"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("death", "client", "release"),
    [
        # The first write is the fence of the stored manifests, the second the commit point.
        (Death("monitor", f"PUT .*/{RECORD}", 1, after=True), {}, 1),
        (Death("monitor", f"PUT .*/{RECORD}", 2, after=True), {}, 2),
        (Death("rollback", "PATCH .*/deployments/client", 1, after=True), {"crash_loop": True}, 1),
    ],
    ids=["before-the-commit-point", "after-the-commit-point", "while-rolling-back"],
)
def test_a_killed_job_leaves_no_mix_of_releases(
    tmp_path: Path,
    server: FakeCluster,
    released: tuple[Start, dict[str, Outputs]],
    death: Death,
    client: dict[str, Any],
    release: int,
) -> None:
    trouble = Trouble([], death, {}, client)
    assert check(tmp_path, server, released[0], trouble) == release


@pytest.mark.slow
@sampling.examples(80)
@given(TROUBLES)
def test_random_faults_leave_no_mix_of_releases(
    tmp_path_factory: pytest.TempPathFactory,
    server: FakeCluster,
    released: tuple[Start, dict[str, Outputs]],
    trouble: Trouble,
) -> None:
    check(tmp_path_factory.mktemp("trouble"), server, released[0], trouble)
