"""The order in which a release applies its services."""

from __future__ import annotations

import functools
import itertools
import json
import threading
from typing import Any

import pytest

from tests.release_program.conftest import Release
from wfgen.release_program.commands._side_by_side import Deployment
from wfgen.release_program.contract import Description, from_json

INSIDE, OUTSIDE = [f"in-{n}" for n in range(4)], [f"out-{n}" for n in range(4)]


def service(name: str, **values: Any) -> dict[str, Any]:
    """The description of a service that depends on nothing, has no health check and no image."""
    workload = {"kind": "Deployment", "name": name, "container": name}
    return {
        "image": name, "repository": None, "built": False, "deploy": True, "watch": [],
        "manifests": [], "depends_on": [], "workloads": [workload], "health": None, "secrets": {},
        "replicas": None, "autoscaled": False, "migrate": None, "external": None,
        "rollback": "auto", "timeout_seconds": 60, "bake_seconds": 0.3, **values,
    }  # fmt: skip


def deployment(name: str) -> dict[str, Any]:
    """A Deployment with one container, of the same name."""
    labels = {"app": name}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": name, "image": name}]}}
    spec = {"selector": {"matchLabels": labels}, "template": pod, "replicas": 1}
    metadata = {"name": name, "labels": {"app.kubernetes.io/name": name}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def test_eight_independent_dependencies_are_waited_for_at_once(first: Release) -> None:
    """Four in the cluster and four outside, none of which is ready before all have begun."""
    outside = {"secret": "URL", "image": "asks", "command": ["true"]}
    services = {name: service(name) for name in INSIDE}
    for name in OUTSIDE:
        services[name] = service(name, external=outside, secrets={"URL": "URL"}, workloads=[])
    services["web"] = service("web", depends_on=[*INSIDE, *OUTSIDE])
    overlay = first.checkout / "kube/overlays/eight"
    overlay.mkdir()
    for name in (*INSIDE, "web"):
        (overlay / f"{name}.yaml").write_text(json.dumps(deployment(name)), "utf-8")
    resources = [f"{name}.yaml" for name in (*INSIDE, "web")]
    (overlay / "kustomization.yaml").write_text(json.dumps({"resources": resources}), "utf-8")
    first.commit()
    first.description.update(services=services, overlay="kube/overlays/eight", watch=[])
    first.environment["SECRET_URL"] = "tcp://outside.example.com"
    first.cluster.behave("in-", never_ready=True)
    first.cluster.behave("asks", job_seconds=3600)
    first.cluster.world.time_scale = 1  # no deadline is near
    begun = threading.Lock()
    left = set(INSIDE) | set(OUTSIDE)

    def begin(name: str) -> None:
        with begun:
            left.discard(name)
            if not left:
                first.cluster.behave("in-")
                first.cluster.behave("asks", job_seconds=0.1)

    for name in INSIDE:
        path = f"/deployments/{name}[?](?!.*dryRun)"
        first.cluster.after("PATCH", path, functools.partial(begin, name))
    for name in OUTSIDE:
        first.cluster.after("PATCH", f"/jobs/{name}-check-", functools.partial(begin, name))
    done = first.release("deploy")
    assert done["deploy"].code == 0, done
    assert not left
    applied = [write for write in first.writes if "/deployments/" in write]
    assert applied[-1].endswith("/deployments/web")


class Recorder(Deployment):
    """Notes the order of starts and ends, instead of changing a cluster."""

    def __init__(self, description: Description, slow: str) -> None:
        self._description = description
        self.order: list[str] = []
        self.slow = slow
        self.looks: dict[str, itertools.count[int]] = {}
        self._watches: Any = self.looks
        self._checks = {}
        self._fence: Any = self

    def renew(self) -> None:
        """Nothing."""

    def _start(self, service: Any, *, wait: bool) -> None:
        self.order.append(service.name + (" and wait" if wait else ""))
        if wait:
            self.looks[service.name] = itertools.count(0 if service.name == self.slow else 5)

    def _look(self) -> set[str]:
        ready = {name for name, looks in self.looks.items() if next(looks) >= 5}
        for name in ready:
            del self.looks[name]
        return ready


@pytest.mark.parametrize(
    ("released", "order"),
    [
        ("a b c d", ["a and wait", "b and wait", "d", "c"]),
        ("a c d", ["a and wait", "d", "c"]),  # c depends on a by way of b, which is not released
        ("c d", ["c", "d"]),
    ],
)
def test_a_service_waits_only_for_what_is_released_with_it(
    monkeypatch: pytest.MonkeyPatch, released: str, order: list[str]
) -> None:
    """`a` is slow: `d`, which depends on nothing, does not wait for it."""
    monkeypatch.setenv("WFGEN_POLL_SECONDS", "0")
    needs: dict[str, list[str]] = {"a": [], "b": ["a"], "c": ["b"], "d": []}
    if "b" in released:
        needs["b"] = []
    described: dict[str, Any] = {
        "project": "p", "environment": "e", "preview": False, "namespace": "n", "overlay": "o",
        "watch": [], "url": None, "default_branch": "main", "label": None,
        "time_to_live_hours": 1, "revert": {"auto_merge": False}, "notify": [],
        "services": {name: service(name, depends_on=on) for name, on in needs.items()},
    }  # fmt: skip
    if "b" in released:
        described["services"]["c"]["depends_on"] = ["a", "b"]
    description = from_json(Description, described)
    recorder = Recorder(description, slow="a")
    recorder.apply(description.in_order(released.split()), awaited=())
    assert recorder.order == order
