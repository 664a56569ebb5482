"""Good releases, what they leave unchanged, and what a rollback restores."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.e2e.conftest import Observe, format_logs
from tests.e2e.shop import Shop

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
    done = shop.release("client")
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
    done = shop.release("server", "client")
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


def test_go_back_and_resume(shop: Shop, observe: Observe) -> None:
    one = dict(shop.now)
    shop.build("two")
    assert shop.release()["monitor"].code == 0
    shop.environment["WFGEN_GO_BACK"], shop.now = "1", one
    done = shop.release()
    for image in one.values():
        assert f"pull {image}" in done["preflight"].log
        assert f"pulled {image}" in done["preflight"].log
    observe("an operator goes back to release 1", done, serves="one", record="held, release 3")
    shop.environment.clear()
    shop.build("four")
    refused = shop.release()
    assert refused["preflight"].values["proceed"] == "false"
    assert "automatic releases are held" in refused["preflight"].log
    assert shop.serves() == {"server": "one", "client": "one"}
    done = shop.release(WFGEN_FORCE="true")
    assert done["monitor"].code == 0, format_logs(done)
    assert (shop.serves()["client"], shop.record["state"]) == ("four", "good")


def test_stale_run(shop: Shop, observe: Observe) -> None:
    old = shop.sha
    shop.build("two")
    assert shop.release()["monitor"].code == 0
    shop.sha = old
    shop.build("zero")
    done = shop.release(commit=False)
    assert done["preflight"].values["stale"] == "true"
    observe(
        "a run of an older commit starts late", done,
        says="stale, nothing was done", serves="two", record="good, release 2",
    )  # fmt: skip
