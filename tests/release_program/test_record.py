"""What is stored in the cluster, and errors of a cluster that is not set up."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable
from typing import Any

import pytest

from tests.kube_api import FakeCluster
from tests.release_program.conftest import APP, RECORD, Release, describe
from tests.release_program.test_preflight import refused
from wfgen.release_program.cluster import kubectl, manifests
from wfgen.release_program.cluster.kubectl import KubectlError, Object
from wfgen.release_program.contract import Description, from_json
from wfgen.release_program.failure import Failure
from wfgen.release_program.state import stored
from wfgen.release_program.state.record_format import ROLLBACK_FAILED, dump_record, parse_record


@pytest.fixture
def description(cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> Description:
    """Production, with a cluster that this process can use."""
    for name, value in cluster.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("WFGEN_RETRY_SECONDS", "0.01")
    return from_json(Description, describe("production"))


class ByHand:
    """Changes the cluster without a release record."""

    def apply(self, objects: Iterable[Object], *, manager: str = kubectl.MANAGER) -> None:
        kubectl.apply(objects, manager=manager)

    def delete(self, objects: Iterable[Object]) -> None:
        kubectl.delete(objects)

    def renew(self) -> None:
        pass


def large(seed: int) -> list[dict[str, Any]]:
    """Manifests that do not fit into one ConfigMap, even when compressed."""
    text = random.Random(seed)
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"large-{number}", "namespace": "shop"},
            "data": {"text": "".join(text.choices("0123456789abcdefghijklmnopqrstuv", k=700_000))},
        }
        for number in range(3)
    ]


def test_manifests_too_large_for_one_object_are_stored_in_several(
    description: Description, cluster: FakeCluster
) -> None:
    old, new = large(1), large(2)
    stored.write(description, 3, old, ByHand())
    parts = cluster.names("ConfigMap", "shop")
    assert len(parts) > 1
    assert stored.read(description, 3) == old
    assert [len(names) for names in stored.parts(description).values()] == [len(parts)]
    # A write that is cut off leaves the former manifests.
    cluster.fault("PATCH", f"/{RECORD}-3[?]", 403)
    with pytest.raises(KubectlError):
        stored.write(description, 3, new, ByHand())
    assert stored.read(description, 3) == old
    stored.write(description, 3, new, ByHand())
    assert stored.read(description, 3) == new
    cluster.delete("ConfigMap", next(n for n in parts if n != f"{RECORD}-3"), "shop")
    assert stored.read(description, 3) == new
    for name in cluster.names("ConfigMap", "shop"):
        if name not in parts:
            cluster.delete("ConfigMap", name, "shop")
    with pytest.raises(Failure, match="the stored manifests of release 3 are incomplete"):
        stored.read(description, 3)


TODAY = """{
 "format": 1,
 "state": "rollback-failed",
 "release": 3,
 "last": 4,
 "owner": "acme/shop/17",
 "lease": 1767225600.5,
 "services": {
  "web": {
   "sha": "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567",
   "image": "ghcr.io/acme/web@sha256:1",
   "release": 3,
   "repository": "acme/shop"
  }
 },
 "in_flight": {
  "release": 4,
  "sha": "1f0e1c9d8b7a6f5e4d3c2b1a0f9e8d7c6b5a4f3e",
  "services": [
   "web"
  ],
  "images": {
   "web": "ghcr.io/acme/web@sha256:2"
  },
  "started": 1767225000.25,
  "before": "good",
  "touching": true,
  "applied": {
   "web": 1767225010.0
  },
  "created": [
   "ConfigMap/web-2"
  ],
  "changed": [
   "ConfigMap/web-2",
   "Deployment/web"
  ],
  "leftovers": [
   2
  ],
  "contracted": false,
  "cause": "app",
  "go_back": 0
 },
 "failed": [
  {
   "sha": "2222222222222222222222222222222222222222",
   "at": 1767139200.0
  }
 ],
 "releases": [
  {
   "release": 3,
   "sha": "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567",
   "at": 1767139100.0,
   "run": "acme/shop/15",
   "services": {
    "web": {
     "sha": "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567",
     "image": "ghcr.io/acme/web@sha256:1",
     "release": 3,
     "repository": "acme/shop"
    }
   }
  }
 ]
}"""
"""A record as the first version wrote it. Later versions add fields; none of these goes."""


def assert_keeps(new: Any, old: Any) -> None:
    """Asserts that everything that was written before is written still, and the same."""
    if isinstance(old, dict):
        assert new.keys() >= old.keys()
        for name, value in old.items():
            assert_keeps(new[name], value)
    elif isinstance(old, list):
        assert len(new) == len(old)
        for one, other in zip(new, old, strict=True):
            assert_keeps(one, other)
    else:
        assert new == old


def test_a_record_of_the_first_version_is_read_and_written_with_all_its_fields() -> None:
    record = parse_record(TODAY)
    assert (record.state, record.release, record.owner) == (ROLLBACK_FAILED, 3, "acme/shop/17")
    assert record.commit_of("web") == record.releases[0].services["web"].sha
    assert record.in_flight is not None
    assert (record.in_flight.cause, record.in_flight.leftovers) == ("app", [2])
    assert record.failed[0].at == 1767139200.0
    assert_keeps(json.loads(dump_record(record)), json.loads(TODAY))


OLD_SHOP = """{
 "format": 1,
 "state": "STATE",
 "release": 1,
 "last": LAST,
 "owner": "acme/shop/2",
 "lease": 1767225600.5,
 "services": SERVICES,
 "in_flight": IN_FLIGHT,
 "failed": [{"sha": "2222222222222222222222222222222222222222", "at": 1767139200.0}],
 "releases": [
  {"release": 1, "sha": "SHA", "at": 1767139100.0, "run": "acme/shop/2", "services": SERVICES}
 ]
}"""
OLD_SERVICE = '{"sha": "SHA", "image": "IMAGE", "release": 1, "repository": "acme/shop"}'
OLD_FLIGHT = """{
  "release": 2, "sha": "NEW", "services": ["server", "client"], "images": IMAGES,
  "started": 1767225000.25, "before": "good", "touching": true,
  "applied": {"server": 1767225010.0, "client": 1767225011.0},
  "created": [], "changed": ["Deployment/client", "Deployment/server"],
  "leftovers": [], "contracted": false, "cause": "", "go_back": 0
}"""
"""What the version before attempts wrote for the sample project, in good state and in flight."""


def write_old_record(shop: Release, state: str, last: int, flight: str) -> None:
    """Replaces the record by one of the version before attempts."""
    live = shop.record["services"]
    entries = {
        name: json.loads(OLD_SERVICE.replace("SHA", e["sha"]).replace("IMAGE", e["image"]))
        for name, e in live.items()
    }
    text = OLD_SHOP.replace("STATE", state).replace("LAST", str(last))
    text = text.replace("SERVICES", json.dumps(entries)).replace("IN_FLIGHT", flight)
    text = text.replace('"SHA"', json.dumps(live["client"]["sha"]))
    assert not {"seen", "progress", "attempt"} & set(re.findall(r"\w+", text))
    shop.cluster.patch("ConfigMap", RECORD, "shop", {"data": {"record.json": text}})


def test_the_first_run_on_an_old_record_releases(shop: Release) -> None:
    write_old_record(shop, "good", 1, "null")
    done = shop.release(services=APP, client="c2", server="s2")
    assert done["monitor"].has(verified="true", release="2"), done
    assert done["preflight"].values["lkg_sha"] == shop.record["releases"][0]["sha"]
    assert shop.images(client="c2", server="s2").items() <= shop.cluster.images("shop").items()
    assert shop.record["failed"][0]["sha"] == "2" * 40
    assert shop.run("prune").code == 0


@pytest.mark.parametrize("how", ["ended", "unknown", "same-run"])
def test_what_an_older_version_left_in_flight_is_rolled_back(in_flight: Release, how: str) -> None:
    flight = in_flight.record["in_flight"]
    text = OLD_FLIGHT.replace("NEW", flight["sha"]).replace("IMAGES", json.dumps(flight["images"]))
    write_old_record(in_flight, "in-flight", 2, text)
    in_flight.run_id = 3
    if how == "ended":
        in_flight.api.now("GET", "/repos/acme/shop/actions/runs/2", {"status": "completed"})
        done = in_flight.preflight()
        assert done.has(proceed="true", release="3"), done.log
    elif how == "same-run":
        in_flight.run_id = 2
        assert in_flight.run("rollback").has(restored="all", release="2")
    else:
        done = in_flight.preflight()
        assert refused(done), done
        assert "whether acme/shop/2, which owns it, has ended is unknown" in done.log
        return
    assert (
        in_flight.images(client="c1", server="s1").items()
        <= in_flight.cluster.images("shop").items()
    )


NEW = {"version": "of the record", "unknown": {"list": [1, {"nested": None}]}, "config_map": "x"}
"""Fields of a newer version, also with names that this version uses for what it does not store."""


def test_fields_of_a_newer_version_outlive_a_release_and_a_rollback(shop: Release) -> None:
    record = shop.record
    for entry in (
        record,
        record["services"]["server"],
        record["releases"][0],
        record["releases"][0]["services"]["client"],
    ):
        entry.update(NEW)
    record["failed"] = [{"sha": "2" * 40, "at": 0.0, **NEW}]
    shop.change_record(**record)
    shop.cluster.patch("ConfigMap", RECORD, "shop", {"metadata": {"labels": {"new": "label"}}})
    shop.cluster.patch("ConfigMap", RECORD, "shop", {"data": {"new.json": "{}"}})

    assert shop.release(services="client", client="c2")["monitor"].code == 0
    assert shop.record["release"] == 2
    shop.cluster.behave(shop.images(client="bad")["client"], crash_loop=True)
    shop.release("preflight", "client", client="bad")
    shop.change_record(in_flight={**shop.record["in_flight"], **NEW})
    for command in ("migrate", "deploy", "monitor"):
        shop.run(command)
        assert shop.record["in_flight"].items() >= NEW.items()
    assert shop.run("rollback").has(restored="all", cause="app")

    after = shop.record
    for entry in (
        after,
        after["services"]["server"],
        after["releases"][0],
        after["releases"][0]["services"]["client"],
        after["releases"][1]["services"]["server"],
        after["failed"][0],
    ):
        assert entry.items() >= NEW.items()
    # An entry that this version adds is its own: nothing that held for the one before it.
    for entry in (after["services"]["client"], after["releases"][1], after["failed"][1]):
        assert not entry.keys() & NEW.keys()
    config_map = shop.cluster.find("ConfigMap", RECORD, "shop")
    assert config_map is not None
    assert config_map["metadata"]["labels"]["new"] == "label"
    assert config_map["data"]["new.json"] == "{}"
    assert '"nested": null' in shop.run("record").log


def test_fields_of_a_newer_version_outlive_a_takeover(in_flight: Release) -> None:
    """What a failed rollback left belongs to the release that is forced past it."""
    in_flight.change_record(
        state="rollback-failed", in_flight={**in_flight.record["in_flight"], **NEW}, **NEW
    )
    in_flight.environment["WFGEN_FORCE"] = "true"
    assert in_flight.preflight().values["proceed"] == "true"
    record = in_flight.record
    assert record["in_flight"]["release"] == 3
    assert record["in_flight"].items() >= NEW.items()
    # Another run's watchdog takes over, and the rollback fails: the release stays in flight.
    in_flight.cluster.fault("PATCH", "/deployments/server[?]", 403, times=-1)
    in_flight.ended(in_flight.run_id)
    in_flight.run("restore", GITHUB_RUN_ID="500")
    record = in_flight.record
    assert (record["state"], record["owner"]) == ("rollback-failed", "acme/shop/500/1")
    assert record["in_flight"].items() >= NEW.items()
    assert record.items() >= NEW.items()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"format": 2, "in_flight": 1}, "has format 2; this version of wfgen reads format 1"),
        (
            {"in_flight": {"sha": "1"}},
            f"ConfigMap {RECORD}: missing field `release` in `in_flight`",
        ),
        ({"services": {"web": {"sha": "1"}}}, "missing field `image` in `services.web`"),
        ({"failed": [1]}, "`failed` must be an object"),
    ],
)
def test_a_record_that_cannot_be_read_is_left_unchanged(
    shop: Release, change: dict[str, Any], problem: str
) -> None:
    shop.change_record(**change)
    writes = len(shop.writes)
    done = shop.preflight()
    assert refused(done), done
    assert problem in done.log
    assert shop.run("rollback").code == 1
    assert len(shop.writes) == writes


def test_an_expired_token_is_reported_with_its_remedy(shop: Release) -> None:
    shop.cluster.fault("", "", 401, times=-1)
    done = shop.preflight()
    assert refused(done), done
    assert "docs/delivery-setup.md, Cluster access" in done.log


def test_a_missing_namespace_is_reported_with_its_remedy(first: Release) -> None:
    first.description["namespace"] = "nowhere"
    done = first.preflight()
    assert done.code == 1
    assert 'namespaces "nowhere" not found' in done.log
    assert "docs/delivery-setup.md, Namespaces" in done.log
    assert first.run("rollback").values["restored"] == "nothing"


@pytest.mark.parametrize(
    ("message", "heading"),
    [
        ('User "x" cannot patch resource "deployments" in API group "apps"', "Deployer role"),
        ("You must be logged in to the server (Unauthorized)", "Cluster access"),
        ("dial tcp 127.0.0.1:1: connect: connection refused", "Cluster access"),
        ("dial tcp: lookup api.example.com: no such host", "Cluster access"),
        ("x509: certificate signed by unknown authority", "Cluster access"),
        ("getting credentials: exec: executable aws failed", "Cluster access"),
    ],
)
def test_missing_set_up_is_reported_with_a_heading_of_the_page(message: str, heading: str) -> None:
    assert str(KubectlError(message)) == f"{message}. See docs/delivery-setup.md, {heading}"


@pytest.mark.parametrize("before", ["release", "kubectl apply"])
def test_replicas_that_manifests_no_longer_set_stay_unchanged(
    description: Description, cluster: FakeCluster, before: str
) -> None:
    def web(**spec: Any) -> dict[str, Any]:
        labels = {"app": "web"}
        pod = {"containers": [{"name": "web", "image": "web"}]}
        template = {"metadata": {"labels": labels}, "spec": pod}
        spec = {"selector": {"matchLabels": labels}, "template": template, **spec}
        head = {"name": "web", "namespace": "shop"}
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": head, "spec": spec}

    if before == "release":
        kubectl.apply([web(replicas=3)])
    else:
        kubectl.run("apply", "-f", "-", "--validate=false", text=json.dumps(web(replicas=3)))
    for _ in range(3):
        given = web()
        manifests.keep_replicas([given], ByHand())
        kubectl.apply([given])
        live = cluster.find("Deployment", "web", "shop")
        assert live is not None
        assert live["spec"]["replicas"] == 3
    assert "replicas" not in given["spec"]
    # Another client may then change them.
    cluster.patch("Deployment", "web", "shop", {"spec": {"replicas": 5}})
    manifests.keep_replicas([given], ByHand())
    kubectl.apply([given])
    live = cluster.find("Deployment", "web", "shop")
    assert live is not None
    assert live["spec"]["replicas"] == 5
