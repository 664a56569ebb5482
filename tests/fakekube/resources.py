"""The resources that the fake knows, and how discovery tells kubectl of them."""

from __future__ import annotations

from typing import Any, NamedTuple


class Resource(NamedTuple):
    """A kind of object, as discovery names it."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version


def _of(group: str, version: str, **kinds: str) -> list[Resource]:
    return [Resource(group, version, plural, kind) for plural, kind in kinds.items()]


RESOURCES = [
    Resource("", "v1", "namespaces", "Namespace", namespaced=False),
    *_of(
        "",
        "v1",
        pods="Pod",
        services="Service",
        configmaps="ConfigMap",
        secrets="Secret",
        persistentvolumeclaims="PersistentVolumeClaim",
        serviceaccounts="ServiceAccount",
        events="Event",
        resourcequotas="ResourceQuota",
    ),
    *_of(
        "apps",
        "v1",
        deployments="Deployment",
        replicasets="ReplicaSet",
        statefulsets="StatefulSet",
        daemonsets="DaemonSet",
        controllerrevisions="ControllerRevision",
    ),
    *_of("batch", "v1", jobs="Job", cronjobs="CronJob"),
    *_of("networking.k8s.io", "v1", ingresses="Ingress", networkpolicies="NetworkPolicy"),
    *_of("policy", "v1", poddisruptionbudgets="PodDisruptionBudget"),
    *_of("autoscaling", "v2", horizontalpodautoscalers="HorizontalPodAutoscaler"),
]
BY_PLURAL = {resource.plural: resource for resource in RESOURCES}
GROUPS = sorted({(r.group, r.version) for r in RESOURCES if r.group})


def discovery(path: str) -> dict[str, Any] | None:
    """The answer to a discovery request; None where the path is another one."""
    if path == "/version":
        return {"major": "1", "minor": "32", "gitVersion": "v1.32.0"}
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        groups = [
            {
                "name": group,
                "versions": [{"groupVersion": f"{group}/{version}", "version": version}],
                "preferredVersion": {"groupVersion": f"{group}/{version}", "version": version},
            }
            for group, version in GROUPS
        ]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
    group, version = ("", "v1") if path == "/api/v1" else ("?", "?")
    if path.startswith("/apis/") and path.count("/") == 3:
        _, _, group, version = path.split("/")
    found = [r for r in RESOURCES if (r.group, r.version) == (group, version)]
    if not found:
        return None
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": found[0].api_version,
        "resources": [
            {
                "name": r.plural,
                "singularName": r.kind.lower(),
                "namespaced": r.namespaced,
                "kind": r.kind,
                "verbs": ["create", "delete", "get", "list", "patch", "update", "watch"],
            }
            for r in found
        ],
    }


def openapi_v3(path: str) -> dict[str, Any]:
    """Just enough for kubectl to leave the validation of fields to the server."""
    if path == "/openapi/v3":
        groups = {"api/v1": {"serverRelativeURL": "/openapi/v3/api/v1"}}
        for group, version in GROUPS:
            name = f"apis/{group}/{version}"
            groups[name] = {"serverRelativeURL": f"/openapi/v3/{name}"}
        return {"paths": groups}
    paths: dict[str, Any] = {}
    for r in RESOURCES:
        prefix = f"apis/{r.api_version}" if r.group else "api/v1"
        if path != f"/openapi/v3/{prefix}":
            continue
        kind = {"group": r.group, "version": r.version, "kind": r.kind}
        parameters = [
            {"name": name, "in": "query", "schema": {"type": "string"}}
            for name in ("dryRun", "fieldManager", "fieldValidation")
        ]
        paths[f"/{prefix}/namespaces/{{namespace}}/{r.plural}/{{name}}"] = {
            "patch": {"x-kubernetes-group-version-kind": kind, "parameters": parameters}
        }
    return {"openapi": "3.0.0", "info": {"title": "fake", "version": "1"}, "paths": paths}
