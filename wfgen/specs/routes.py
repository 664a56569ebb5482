"""Routes of Ingresses that become equal in a preview, whose `url` replaces every host."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Manifest = Any
"""An object of an overlay, every scalar as a text; its shape is not checked."""


@dataclass(frozen=True)
class IngressRoute:
    """A rule of an Ingress, with one of its paths."""

    ingress: str
    host: str
    path: str
    type: str
    controller: str
    """What serves the Ingress: its class."""

    @property
    def without_host(self) -> tuple[str, str, str]:
        """What differs from every other route of one host.

        With type `Prefix`, `/a/` is the same path as `/a`:
        https://kubernetes.io/docs/concepts/services-networking/ingress/#path-types
        """
        path = self.path.rstrip("/") if self.type == "Prefix" else self.path
        return self.controller, self.type, path


def merged(objects: Iterable[Manifest]) -> Iterator[tuple[IngressRoute, IngressRoute]]:
    """Pairs of routes that differ only in their hosts, each once, beside the first of its kind."""
    first: dict[tuple[str, str, str], IngressRoute] = {}
    reported = set()
    for route in _routes(objects):
        other = first.setdefault(route.without_host, route)
        if other.host != route.host and (other, route) not in reported:
            reported.add((other, route))
            yield other, route


def _routes(objects: Iterable[Manifest]) -> Iterator[IngressRoute]:
    for manifest in objects:
        if not isinstance(manifest, dict) or manifest.get("kind") != "Ingress":
            continue
        spec, metadata = _mapping(manifest, "spec"), _mapping(manifest, "metadata")
        annotated = _mapping(metadata, "annotations").get("kubernetes.io/ingress.class", "")
        controller = str(spec.get("ingressClassName") or annotated)
        for rule in _list(spec, "rules"):
            host = str(rule.get("host") or "")
            for entry in _list(_mapping(rule, "http"), "paths") if host else ():
                path, kind = str(entry.get("path") or "/"), str(entry.get("pathType") or "")
                yield IngressRoute(str(metadata.get("name")), host, path, kind, controller)


def _mapping(node: Manifest, key: str) -> dict[str, Any]:
    value = node.get(key)
    return value if isinstance(value, dict) else {}


def _list(node: Manifest, key: str) -> list[dict[str, Any]]:
    value = node.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
