"""The resources of the fake: one table, for discovery and routing."""

from __future__ import annotations

from typing import Any, NamedTuple

Object = dict[str, Any]


class Resource(NamedTuple):
    """A resource of the API. `counts`: `metadata.generation` increases when its spec changes."""

    group: str
    version: str
    plural: str
    kind: str
    short: str = ""
    namespaced: bool = True
    counts: bool = False

    @property
    def api_version(self) -> str:
        """Group and version, as in manifests."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def prefix(self) -> str:
        """The prefix of the group and version in URLs."""
        return f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"

    @property
    def qualified(self) -> str:
        """The name of the resource in messages of the API server."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


class Key(NamedTuple):
    """The key of an object; `namespace` is "" for cluster-scoped ones."""

    plural: str
    namespace: str
    name: str


RESOURCES = (
    Resource("", "v1", "namespaces", "Namespace", "ns", namespaced=False),
    Resource("", "v1", "pods", "Pod", "po"),
    Resource("", "v1", "services", "Service", "svc"),
    Resource("", "v1", "configmaps", "ConfigMap", "cm"),
    Resource("", "v1", "secrets", "Secret"),
    Resource("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", "pvc"),
    Resource("", "v1", "serviceaccounts", "ServiceAccount", "sa"),
    Resource("", "v1", "events", "Event", "ev"),
    Resource("", "v1", "resourcequotas", "ResourceQuota", "quota"),
    Resource("", "v1", "limitranges", "LimitRange", "limits"),
    Resource("apps", "v1", "deployments", "Deployment", "deploy", counts=True),
    Resource("apps", "v1", "replicasets", "ReplicaSet", "rs", counts=True),
    Resource("apps", "v1", "statefulsets", "StatefulSet", "sts", counts=True),
    Resource("apps", "v1", "daemonsets", "DaemonSet", "ds", counts=True),
    Resource("apps", "v1", "controllerrevisions", "ControllerRevision"),
    Resource("batch", "v1", "jobs", "Job", counts=True),
    Resource("batch", "v1", "cronjobs", "CronJob", "cj", counts=True),
    Resource("networking.k8s.io", "v1", "ingresses", "Ingress", "ing", counts=True),
    Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", "netpol", counts=True),
    Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", "pdb", counts=True),
    Resource("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", "hpa"),
)
BY_PLURAL = {resource.plural: resource for resource in RESOURCES}
BY_KIND = {resource.kind: resource for resource in RESOURCES}


def find(prefix: str, plural: str) -> Resource | None:
    """The resource at a URL's prefix (/api/v1, /apis/apps/v1), or None."""
    resource = BY_PLURAL.get(plural)
    return resource if resource and resource.prefix == prefix else None


def key_of(obj: Object) -> Key:
    """The key of an object in a manifest; the namespace is `default` if it has none."""
    resource, metadata = BY_KIND[obj["kind"]], obj["metadata"]
    namespace = metadata.get("namespace") or "default"
    return Key(resource.plural, namespace if resource.namespaced else "", metadata["name"])
