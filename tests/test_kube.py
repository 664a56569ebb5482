"""The rendered manifests of the sample have the properties that the pipeline needs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests import kube_schema

Object = dict[str, Any]
KUBE = Path(__file__).resolve().parents[1] / "kube"
NAME = "app.kubernetes.io/name"
NAMESPACES = {"production": "shop", "staging": "shop-pr-0"}
HOSTS = {"production": "shop.example.com", "staging": "pr-0.preview.example.com"}
POSTGRES_PATHS = {"/tmp", "/var/run/postgresql", "/var/lib/postgresql/data"}
# service and container: kind, image in the manifest, port (as in the specs), writable paths
WORKLOADS = {
    "client": ("Deployment", "client", 8080, {"/tmp"}),
    "server": ("Deployment", "server", 8000, {"/tmp"}),
    "redis": ("StatefulSet", "redis:7.4.1", 6379, {"/data"}),
    "postgres": ("StatefulSet", "postgres:17.2", 5432, POSTGRES_PATHS),
}
KINDS = ("Deployment", "StatefulSet")
SECRETS = ["postgres-secrets", "server-secrets"]


def render(directory: Path) -> list[Object]:
    """The objects that ``kubectl apply -k`` sends. Without kubectl, skips; with CI=true, fails."""
    if shutil.which("kubectl") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("kubectl not found; with CI=true, no test may be skipped")
        pytest.skip("kubectl not found")
    text = subprocess.check_output(["kubectl", "kustomize", directory], text=True)
    return list(YAML(typ="safe").load_all(text))


def of_kind(objects: list[Object], *kinds: str) -> dict[str, Object]:
    return {item["metadata"]["name"]: item for item in objects if item["kind"] in kinds}


def pod(workload: Object) -> Any:
    return workload["spec"]["template"]["spec"]


def container(workload: Object) -> Any:
    (only,) = pod(workload)["containers"] + pod(workload).get("initContainers", [])
    return only


def values(node: Any, *keys: str) -> Iterator[Any]:
    """The values of these keys at any depth."""
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key in keys)
    if isinstance(node, dict | list):
        for value in node.values() if isinstance(node, dict) else node:
            yield from values(value, *keys)


def references(objects: list[Object], *keys: str) -> set[str]:
    """The names in references of workloads that have one of these keys."""
    templates = [workload["spec"]["template"] for workload in of_kind(objects, *KINDS).values()]
    return {ref.get("name") or ref["secretName"] for ref in values(templates, *keys)}


@pytest.fixture(scope="module", params=NAMESPACES)
def overlay(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def objects(overlay: str) -> list[Object]:
    return render(KUBE / "overlays" / overlay)


@pytest.fixture(params=WORKLOADS)
def workload(request: pytest.FixtureRequest, objects: list[Object]) -> Object:
    return of_kind(objects, *KINDS)[request.param]


def test_objects_are_valid_and_in_the_namespace(overlay: str, objects: list[Object]) -> None:
    for item in objects:
        kube_schema.validate(item)
        assert item["metadata"]["namespace"] == NAMESPACES[overlay], item["metadata"]["name"]
    assert set(of_kind(objects, *KINDS)) == set(of_kind(objects, "Service")) == set(WORKLOADS)


def test_workload_has_the_name_image_port_and_writable_paths(workload: Object) -> None:
    spec = container(workload)
    paths = {mount["mountPath"] for mount in spec["volumeMounts"] if not mount.get("readOnly")}
    actual = (workload["kind"], spec["image"], *values(spec["ports"], "containerPort"), paths)
    assert actual == WORKLOADS[workload["metadata"]["name"]] == WORKLOADS[spec["name"]]


def test_container_has_probes_and_resources(overlay: str, workload: Object) -> None:
    spec = container(workload)
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= set(spec)
    assert set(spec["resources"]["requests"]) == {"cpu", "memory"}
    # A preview's namespace has a quota, which rejects pods without these limits.
    limits = {"cpu", "memory"} if overlay == "staging" else {"memory"}
    assert set(spec["resources"]["limits"]) == limits
    if spec["name"] == "server":  # a restart does not help it if the database is down
        assert spec["readinessProbe"]["httpGet"]["path"] == "/readyz"
        assert spec["livenessProbe"]["httpGet"]["path"] == "/healthz"


def test_pod_meets_the_restricted_pod_security_standard(workload: Object) -> None:
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted"""
    context = pod(workload)["securityContext"]
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert context["runAsNonRoot"] is True
    assert min(context["runAsUser"], context["runAsGroup"]) > 0
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod(workload))
    assert set().union(*pod(workload)["volumes"]) <= {"name", "configMap", "emptyDir"}
    # Beyond the standard: a read-only root, and no token for an API that nothing here calls.
    assert pod(workload)["automountServiceAccountToken"] is False
    assert container(workload)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_rollout_keeps_the_old_pods_and_gives_up_in_time(workload: Object) -> None:
    spec = workload["spec"]
    assert spec["minReadySeconds"] > 0
    assert pod(workload)["terminationGracePeriodSeconds"] >= 30
    if workload["kind"] == "StatefulSet":  # which has no deadline
        return
    assert 120 <= spec["progressDeadlineSeconds"] <= 180
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    keys = {spread["topologyKey"] for spread in pod(workload)["topologySpreadConstraints"]}
    assert keys == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}
    # A pod may use all of the time that its startup probe allows.
    probe = container(workload)["startupProbe"]
    needed = probe["periodSeconds"] * probe["failureThreshold"] + spec["minReadySeconds"]
    assert needed < spec["progressDeadlineSeconds"]


def test_label_transformers_leave_selectors_and_pods_alone(objects: list[Object]) -> None:
    """A label that changes with a release would restart pods, and selectors are immutable."""
    for item in objects:
        labels = item["metadata"]["labels"]
        assert (NAME in labels, labels["app.kubernetes.io/part-of"]) == (True, "shop"), item
        if item["kind"] != "NetworkPolicy":  # they also select pods of other services
            for inner in values(item.get("spec"), "labels", "matchLabels"):
                assert inner == {NAME: labels[NAME]}, item["metadata"]["name"]
    for path in KUBE.rglob("kustomization.yaml"):
        kustomization = YAML(typ="safe").load(path)
        assert not {"commonLabels", "namePrefix", "nameSuffix"} & set(kustomization), path
        (labels,) = kustomization["labels"]
        assert labels == {"pairs": labels["pairs"], "includeSelectors": False}, path


def test_config_maps_have_hashed_names_and_there_is_no_secret(objects: list[Object]) -> None:
    assert not of_kind(objects, "Secret")
    assert sorted(references(objects, "secretKeyRef", "secretRef", "secret")) == SECRETS
    names = references(objects, "configMapKeyRef", "configMapRef", "configMap")
    assert names == set(of_kind(objects, "ConfigMap"))
    assert all(re.fullmatch(r"[a-z]+-config-[0-9a-z]{10}", name) for name in names)


def test_service_leads_to_the_pods(workload: Object, objects: list[Object]) -> None:
    name, template = workload["metadata"]["name"], workload["spec"]["template"]
    service = of_kind(objects, "Service")[name]["spec"]
    assert service["selector"] == template["metadata"]["labels"] == {NAME: name}
    (port,), (target,) = service["ports"], container(workload)["ports"]
    assert (port["targetPort"], port["port"]) == (target["name"], target["containerPort"])


def test_ingress_has_tls_and_existing_backends(overlay: str, objects: list[Object]) -> None:
    spec = of_kind(objects, "Ingress")["shop"]["spec"]
    (tls,), (rule,) = spec["tls"], spec["rules"]
    assert spec["ingressClassName"] == "nginx"
    assert tls["hosts"] == [rule["host"]] == [HOSTS[overlay]]
    assert tls.get("secretName") == ("shop-tls" if overlay == "production" else None)
    paths = {entry["path"]: entry["backend"]["service"] for entry in rule["http"]["paths"]}
    names = {path: backend["name"] for path, backend in paths.items()}
    assert names == {"/api": "server", "/": "client"}
    for backend in paths.values():
        (port,) = of_kind(objects, "Service")[backend["name"]]["spec"]["ports"]
        assert backend["port"] == {"name": port["name"]}


def test_only_the_server_reaches_redis_and_postgres(objects: list[Object]) -> None:
    for name, pods in {"redis": ["server"], "postgres": ["server", "server-migrate"]}.items():
        spec = of_kind(objects, "NetworkPolicy")[name]["spec"]
        assert spec["podSelector"] == {"matchLabels": {NAME: name}}
        sources = [{"podSelector": {"matchLabels": {NAME: label}}} for label in pods]
        assert spec["ingress"] == [{"from": sources, "ports": [{"protocol": "TCP", "port": name}]}]


def test_data_is_on_volumes_that_are_kept(overlay: str, objects: list[Object]) -> None:
    for name, workload in of_kind(objects, "StatefulSet").items():
        retention = workload["spec"]["persistentVolumeClaimRetentionPolicy"]
        assert retention == {"whenDeleted": "Retain", "whenScaled": "Retain"}, name
        (claim,) = workload["spec"]["volumeClaimTemplates"]
        size = "1Gi" if overlay == "staging" else {"redis": "2Gi", "postgres": "10Gi"}[name]
        assert claim["spec"]["resources"]["requests"] == {"storage": size}, name
    data = {key: value for part in values(objects, "data") for key, value in part.items()}
    assert data["PGDATA"].startswith("/var/lib/postgresql/data/"), (
        "initdb requires an empty directory"
    )
    assert {"dir /data", "appendonly yes"} <= set(data["redis.conf"].splitlines())


def test_replicas_have_one_owner(overlay: str, objects: list[Object]) -> None:
    workloads = of_kind(objects, *KINDS)
    replicas = {name: workload["spec"].get("replicas") for name, workload in workloads.items()}
    scalers = of_kind(objects, "HorizontalPodAutoscaler")
    budgets = set(of_kind(objects, "PodDisruptionBudget"))
    if overlay == "staging":
        assert (set(replicas.values()), scalers, budgets) == ({1}, {}, set())
        return
    # With a number for the server, every release would overwrite that of the autoscaler.
    assert replicas == {"client": 2, "server": None, "redis": 1, "postgres": 1}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "server"}
    assert scalers["server"]["spec"]["scaleTargetRef"] == target
    assert scalers["server"]["spec"]["minReplicas"] > 1
    assert budgets == {"client", "server"}


def test_release_puts_digest_and_secret_into_workloads(overlay: str, tmp_path: Path) -> None:
    """A release adds such a layer; without its ``namespace``, references stay without hashes."""
    namespace, digest = NAMESPACES[overlay].replace("pr-0", "pr-7"), "sha256:" + "1" * 64
    layer = {
        "resources": [os.path.relpath(KUBE / "overlays" / overlay, tmp_path.resolve())],
        "namespace": namespace,
        "images": [{"name": "server", "newName": "registry.example/server", "digest": digest}],
        "secretGenerator": [{"name": name, "literals": [f"A={name}"]} for name in SECRETS],
    }
    (tmp_path / "kustomization.yaml").write_text(json.dumps(layer), encoding="utf-8")
    objects = render(tmp_path)
    assert {item["metadata"]["namespace"] for item in objects} == {namespace}
    server = container(of_kind(objects, "Deployment")["server"])
    assert server["image"] == f"registry.example/server@{digest}"
    names = references(objects, "secretKeyRef")
    assert names == set(of_kind(objects, "Secret"))
    assert sorted(name.rpartition("-")[0] for name in names) == SECRETS


def test_preview_placeholder_is_only_in_namespace_and_host() -> None:
    """The release replaces each namespace, and the host in the rule and the TLS of the Ingress."""
    objects = render(KUBE / "overlays" / "staging")
    assert json.dumps(objects).count("pr-0") == len(objects) + 2
