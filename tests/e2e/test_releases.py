"""Good releases, what they leave unchanged, and what a rollback restores."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.e2e.conftest import Observe
from tests.e2e.kube import Object
from tests.e2e.shop import APP, LISTEN, Shop, git

pytestmark = pytest.mark.e2e
CLIENT = "kube/bases/client/deployment.yaml"


def test_good_release(shop: Shop, observe: Observe) -> None:
    shop.build("two")
    done = shop.release()
    assert "| client |" in done["monitor"].summary
    observe("a good release", done, says="is good", serves="two", record="good, release 2")
    assert shop.kube.images().items() >= shop.now.items()


def test_service_that_was_not_rebuilt(shop: Shop, observe: Observe) -> None:
    before = {n for n in shop.kube.names("pods") if n.startswith(("client", "redis", "postgres"))}
    shop.build("two", "server")
    done = shop.release()
    observe(
        "one service changed: the pods of the others keep running", done,
        serves={"server": "two", "client": "one"}, record="good, release 2",
    )  # fmt: skip
    assert before <= set(shop.kube.names("pods"))


def test_bad_release_that_adds_things(shop: Shop, observe: Observe) -> None:
    before = shop.kube.get("deployment", "client")["spec"]
    _add_things(shop)
    shop.build("two", "client", CRASH="0s")
    done = shop.release()
    assert "(exit code 3)" in done["monitor"].log
    observe(
        "a bad release adds an environment variable, a sidecar and a volume", done,
        says="(exit code 3)", restored="all", serves="one", record="good, release 1",
    )  # fmt: skip
    assert shop.kube.get("deployment", "client")["spec"] == before


def _add_things(shop: Shop) -> None:
    path = shop.checkout / CLIENT
    client = yaml.safe_load(path.read_text())
    spec = client["spec"]["template"]["spec"]
    spec["containers"][0]["env"] = [{"name": "ADDED", "value": "by the bad release"}]
    spec["containers"].append(
        {
            "name": "sidecar",
            "image": shop.image("client", "sidecar", LISTEN=":9090"),
            "volumeMounts": [{"name": "added", "mountPath": "/added"}],
        }
    )
    spec["volumes"].append({"name": "added", "emptyDir": {}})
    path.write_text(json.dumps(client))


def test_autoscaled_service(shop: Shop, observe: Observe) -> None:
    scale = json.dumps({"spec": {"minReplicas": 3}})
    shop.kube.run("patch", "hpa", "server", "-p", scale)
    shop.kube.wait(lambda: len(shop.kube.pods("server")) == 3, 60)
    shop.build("two", "server")
    shop.build("two", "client", CRASH="0s")
    done = shop.release()
    observe(
        "a bad release of an autoscaled service is rolled back", done,
        says="(exit code 3)", restored="all", serves="one", record="good, release 1",
    )  # fmt: skip
    assert shop.kube.get("deployment", "server")["spec"]["replicas"] == 3


def test_adoption(first: Shop, observe: Observe) -> None:
    first.build("one")
    first.apply_by_hand()
    scale = json.dumps({"spec": {"minReplicas": 3}})
    first.kube.run("patch", "hpa", "server", "-p", scale)
    first.kube.wait(lambda: len(first.kube.pods("server")) == 3, 60)
    before = {name: first.kube.get("deployment", name)["spec"] for name in ("server", "client")}
    _add_things(first)
    first.build("two", "client", CRASH="0s")
    done = first.release("server", "client")
    observe(
        "the first release of an application that was applied by hand fails", done,
        says="they are release 0", restored="all", serves="one", record="good, release 0",
    )  # fmt: skip
    after = {name: first.kube.get("deployment", name)["spec"] for name in ("server", "client")}
    assert after == before


def test_new_cluster(first: Shop, observe: Observe) -> None:
    git(first.checkout, "tag", "deploy/production/41")
    git(first.checkout, "tag", "deploy/production/9999999")
    first.build("one")
    done = first.release()
    assert "[9999999]" in done["preflight"].log
    observe(
        "the cluster is new, and the newest tag is of release 41", done,
        says="tags with a number above 999999 are ignored", serves="one", record="good, release 42",
    )  # fmt: skip


def test_services_side_by_side(shop: Shop, observe: Observe) -> None:
    shop.description["services"]["client"]["depends_on"] = []
    shop.build("two", READY_AFTER="15s")
    done = shop.release()
    begun = max(_begin_of(shop, name) for name in APP)
    ready = min(min(map(_ready_since, shop.kube.pods(name))) for name in APP)
    assert begun < ready, "a service waited for one that it does not depend on"
    observe(
        "two services that do not depend on one another start slowly", done,
        serves="two", record="good, release 2",
    )  # fmt: skip


def _begin_of(shop: Shop, service: str) -> str:
    """When the rollout of a service began, in UTC; such times sort as texts."""
    return min(str(pod["metadata"]["creationTimestamp"]) for pod in shop.kube.pods(service))


def _ready_since(pod: Object) -> str:
    return next(
        str(condition["lastTransitionTime"])
        for condition in pod["status"]["conditions"]
        if condition["type"] == "Ready"
    )


def test_go_back_and_resume(shop: Shop, observe: Observe) -> None:
    one = dict(shop.now)
    shop.build("two")
    assert shop.release()["monitor"].code == 0
    done = shop.return_to(1).release()
    for image in one.values():
        assert f"pull {image}" in done["preflight"].log
        assert f"pulled {image}" in done["preflight"].log
    observe("an operator goes back to release 1", done, serves="one", record="held, release 3")
    shop.build("four")
    done = shop.release()
    observe(
        "a push while an operator holds release 1", done,
        says="automatic releases are held",
        restored="nothing", serves="one", record="held, release 3",
    )  # fmt: skip
    done = shop.release(force=True)
    observe(
        "an operator resumes releases with `force`", done, serves="four", record="good, release 4"
    )


def test_stale_run(shop: Shop, observe: Observe) -> None:
    shop.build("zero")
    old = shop.begin()
    shop.build("two")
    assert shop.release()["monitor"].code == 0
    done = old.release()
    assert done["preflight"].values["decision"] == "stale"
    observe(
        "a run of an older commit starts late", done,
        says="stale, nothing was done", serves="two", record="good, release 2",
    )  # fmt: skip


def test_revert_before_the_release_that_it_reverts(shop: Shop, observe: Observe) -> None:
    one = dict(shop.now)
    shop.build("two")
    waiting = shop.begin()
    shop.now = one
    git(shop.checkout, "revert", "--no-edit", "HEAD")
    shop.sha = git(shop.checkout, "rev-parse", "HEAD")
    revert = shop.begin(commit=False)
    assert revert.services == [], "the plan compares with what is live, which the revert equals"
    done = revert.release()
    assert done["preflight"].values["decision"] == "nothing"
    observe(
        "a revert is pushed while the release that it reverts waits for approval", done,
        says="nothing, nothing was done", serves="one", record="good, release 1",
    )  # fmt: skip
    assert {shop.record["services"][name]["seen"] for name in APP} == {revert.sha}
    done = waiting.release()
    assert done["preflight"].values["decision"] == "stale"
    observe(
        "the release that was reverted meanwhile is approved", done,
        says="was found equal to what is live at", serves="one", record="good, release 1",
    )  # fmt: skip


def test_history_that_was_rewritten(shop: Shop, observe: Observe, tmp_path: Path) -> None:
    origin, good = tmp_path / "origin.git", shop.sha
    git(tmp_path, "clone", "--quiet", "--bare", str(shop.checkout), str(origin))
    git(shop.checkout, "remote", "set-url", "origin", str(origin))
    shop.build("two")
    assert shop.release()["monitor"].code == 0
    git(shop.checkout, "reset", "--quiet", "--hard", good)
    shop.build("three")
    run = shop.begin()
    done = run.release()
    assert done["preflight"].values["decision"] == "stale"
    observe(
        "neither the commit nor the live one contains the other, and the default branch has none",
        done, says="main does not show which is newer",
        restored="nothing", serves="two", record="good, release 2",
    )  # fmt: skip
    git(shop.checkout, "push", "--quiet", "origin", "main")
    run.again(failed_only=True).release()
    observe(
        "the default branch was rewritten, and has the commit but not the live one",
        run.of_attempt(),
        says="which main no longer contains", serves="three", record="good, release 3",
    )  # fmt: skip


def test_release_outside_the_approval(shop: Shop, observe: Observe) -> None:
    shop.build("two")
    run = shop.begin()
    run.approved = ["client"]
    done = run.release()
    assert done["preflight"].values["decision"] == "unapproved"
    observe(
        "a service changed that the approved proposal does not have", done,
        says="server changed too, which is outside the approved proposal",
        restored="nothing", serves="one", record="good, release 1",
    )  # fmt: skip
    run.again(failed_only=False).release()
    assert run.services == list(LISTEN)
    observe(
        "it is re-run with all jobs, and everything is approved", run.of_attempt(),
        serves="two", record="good, release 2",
    )  # fmt: skip


def test_image_that_was_not_built(shop: Shop, observe: Observe) -> None:
    shop.build("two")
    run = shop.begin()
    run.needs["build_client"] = {"result": "skipped", "outputs": {}}
    done = run.release()
    assert done["preflight"].values["decision"] == "unbuilt"
    observe(
        "a service changed that the run did not build, since a tag said that it had not", done,
        says="this run did not build client, which the release needs. Re-run all jobs",
        restored="nothing", serves="one", record="good, release 1",
    )  # fmt: skip
    run.again(failed_only=False).release()
    observe("it is re-run with all jobs", run.of_attempt(), serves="two", record="good, release 2")
