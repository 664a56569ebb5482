"""Discovery by kubectl: versions, groups, resources, and OpenAPI.

https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

from tests.kube_api.resources import RESOURCES, Object, Resource

VERSION = {
    "major": "1",
    "minor": "32",
    "gitVersion": "v1.32.4",
    "gitCommit": "0" * 40,
    "gitTreeState": "clean",
    "buildDate": "2025-04-22T15:58:55Z",
    "goVersion": "go1.23.6",
    "compiler": "gc",
    "platform": "linux/amd64",
}
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
"""With it, kubectl sends two requests instead of one for each group."""

_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update"]
_SUBRESOURCES = {"pods": ("log", "proxy")}


def answer(path: str, accept: str) -> tuple[str, Any] | None:
    """Media type and body for a discovery request; None for other paths."""
    plain = "application/json"
    if path == "/version":
        return plain, VERSION
    if path in ("/api", "/apis"):
        if "as=APIGroupDiscoveryList" in accept and "v=v2," in f"{accept},":
            return AGGREGATED, _aggregated(core=path == "/api")
        return plain, _groups(core=path == "/api")
    if path == "/openapi/v2":
        return plain, {"swagger": "2.0", "info": {"title": "fake", "version": "v1"}, "paths": {}}
    if path == "/openapi/v3":
        return plain, {"paths": {name: {"serverRelativeURL": url} for name, url in _urls().items()}}
    if path.startswith("/openapi/v3/"):
        document = _documents().get(path.removeprefix("/openapi/v3/"))
        return (plain, document) if document else None
    listed = _resource_lists().get(path)
    return (plain, listed) if listed else None


def _by_group() -> dict[tuple[str, str], list[Resource]]:
    groups: dict[tuple[str, str], list[Resource]] = {}
    for resource in RESOURCES:
        groups.setdefault((resource.group, resource.version), []).append(resource)
    return groups


@cache
def _aggregated(*, core: bool) -> Object:
    items = []
    for (group, version), resources in _by_group().items():
        if (group == "") is not core:
            continue
        described = [
            {
                "resource": r.plural,
                "responseKind": {"group": r.group, "version": r.version, "kind": r.kind},
                "scope": "Namespaced" if r.namespaced else "Cluster",
                "singularResource": r.kind.lower(),
                "shortNames": [r.short] if r.short else [],
                "verbs": _VERBS,
                "subresources": [
                    {"subresource": name, "responseKind": {"kind": r.kind}, "verbs": ["get"]}
                    for name in _SUBRESOURCES.get(r.plural, ())
                ],
            }
            for r in resources
        ]
        version_of = {"version": version, "resources": described, "freshness": "Current"}
        items.append({"metadata": {"name": group}, "versions": [version_of]})
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    }


@cache
def _groups(*, core: bool) -> Object:
    if core:
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
    groups = []
    for group, version in _by_group():
        served = {"groupVersion": f"{group}/{version}", "version": version}
        if group:
            groups.append({"name": group, "versions": [served], "preferredVersion": served})
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


@cache
def _resource_lists() -> dict[str, Object]:
    return {
        resources[0].prefix: {
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": resources[0].api_version,
            "resources": [
                {
                    "name": r.plural,
                    "singularName": r.kind.lower(),
                    "namespaced": r.namespaced,
                    "kind": r.kind,
                    "shortNames": [r.short] if r.short else [],
                    "verbs": _VERBS,
                }
                for r in resources
            ],
        }
        for resources in _by_group().values()
    }


@cache
def _documents() -> dict[str, Object]:
    """OpenAPI without schemas: kubectl only asks whether PATCH knows dryRun and fieldValidation.

    Fields are then the server's to check, as in a real cluster.
    """
    documents = {}
    for resources in _by_group().values():
        paths = {}
        for r in resources:
            place = "/namespaces/{namespace}" if r.namespaced else ""
            kind = {"group": r.group, "version": r.version, "kind": r.kind}
            names = ("dryRun", "fieldManager", "fieldValidation", "force")
            paths[f"{r.prefix}{place}/{r.plural}/{{name}}"] = {
                "patch": {
                    "x-kubernetes-action": "patch",
                    "x-kubernetes-group-version-kind": kind,
                    "parameters": [
                        {"name": name, "in": "query", "schema": {"type": "string"}}
                        for name in names
                    ],
                }
            }
        documents[resources[0].prefix.strip("/")] = {
            "openapi": "3.0.0",
            "info": {"title": "fake", "version": "v1"},
            "paths": paths,
            "components": {"schemas": {}},
        }
    return documents


@cache
def _urls() -> dict[str, str]:
    """The paths of the documents; with the hash, kubectl caches them."""
    return {
        name: f"/openapi/v3/{name}?hash={hashlib.sha256(str(document).encode()).hexdigest()[:16]}"
        for name, document in _documents().items()
    }
