"""What is stored in the cluster, and errors of a cluster that is not set up."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from tests.kube_api import FakeCluster
from tests.release_program.conftest import RECORD, Release, describe
from tests.release_program.test_preflight import refused
from wfgen.release_program.cluster import kubectl, manifests
from wfgen.release_program.cluster.kubectl import KubectlError
from wfgen.release_program.contract import Description, parse
from wfgen.release_program.hosting.outputs import Failure
from wfgen.release_program.state import stored


@pytest.fixture
def description(cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> Description:
    """Production, with a cluster that this process can use."""
    for name, value in cluster.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("WFGEN_RETRY_SECONDS", "0.01")
    return parse(describe("production"))


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
    stored.write(description, 3, old)
    parts = cluster.names("ConfigMap", "shop")
    assert len(parts) > 1
    assert stored.read(description, 3) == old
    assert [len(names) for names in stored.parts(description).values()] == [len(parts)]
    # A write that is cut off leaves the former manifests.
    cluster.fault("PATCH", f"/{RECORD}-3[?]", 403)
    with pytest.raises(KubectlError):
        stored.write(description, 3, new)
    assert stored.read(description, 3) == old
    stored.write(description, 3, new)
    assert stored.read(description, 3) == new
    cluster.delete("ConfigMap", next(n for n in parts if n != f"{RECORD}-3"), "shop")
    assert stored.read(description, 3) == new
    for name in cluster.names("ConfigMap", "shop"):
        if name not in parts:
            cluster.delete("ConfigMap", name, "shop")
    with pytest.raises(Failure, match="the manifests of release 3 are not whole"):
        stored.read(description, 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "its format is 2, and not 1"),
        ({"wholly_new": True}, "wholly_new"),
        ({"in_flight": {"wholly_new": True}}, "wholly_new"),
    ],
)
def test_a_record_of_another_version_is_left_unchanged(
    shop: Release, change: dict[str, Any], message: str
) -> None:
    shop.change_record(**change)
    writes = len(shop.writes)
    done = shop.preflight()
    assert refused(done), done
    assert "another version of wfgen wrote the release record" in done.log
    assert message in done.log
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
        manifests.keep_replicas([given])
        kubectl.apply([given])
        live = cluster.find("Deployment", "web", "shop")
        assert live is not None
        assert live["spec"]["replicas"] == 3
    assert "replicas" not in given["spec"]
    # Another client may then change them.
    cluster.patch("Deployment", "web", "shop", {"spec": {"replicas": 5}})
    manifests.keep_replicas([given])
    kubectl.apply([given])
    live = cluster.find("Deployment", "web", "shop")
    assert live is not None
    assert live["spec"]["replicas"] == 5
