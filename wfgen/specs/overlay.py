"""Differences between the specs and the manifests that kustomize renders from the overlays."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wfgen.findings import Diagnostic, did_you_mean, nearest
from wfgen.specs import routes
from wfgen.specs.kinds.image import image_name
from wfgen.specs.kinds.project import Environment
from wfgen.specs.kinds.service import Health, Workload
from wfgen.specs.kustomize import Overlays
from wfgen.specs.references import Project, Service, SpecFile
from wfgen.text.positions import Route


def check(project: Project, overlays: Overlays, *, complete: bool = True) -> Iterator[Diagnostic]:
    """Where specs and overlays disagree; yields nothing if no kustomize is installed.

    If the project is not `complete`, because a spec has errors, workloads that no spec names are
    not reported: that spec may name them.
    """
    if overlays.command is None:
        return
    for name, environment in project.spec.environments.items():
        overlay = (environment.overlay or f"kube/overlays/{name}").rstrip("/")
        if not (project.root / overlay).is_dir():
            message = f"no folder `{overlay}` found"
            hint = "create the kustomize overlay of the environment, or set `overlay`"
            route = ("environments", name, "overlay")
            yield project.file.at(route, message, "overlay", hint)
            continue
        manifests, complaint = overlays.build(overlay)
        if complaint:
            message = f"cannot build `{overlay}`: {_without_noise(complaint, project.root)}"
            hint = f"to see the whole error, run `kubectl kustomize {overlay}`"
            yield project.file.at(("environments", name), message, "overlay", hint, key=True)
            continue
        objects = Objects(overlay, manifests)
        yield from _check_environment(project, name, environment, objects, complete=complete)


def _check_environment(
    project: Project, name: str, environment: Environment, objects: Objects, *, complete: bool
) -> Iterator[Diagnostic]:
    services = [
        service
        for service in project.services
        if service.spec.deploy
        and name in (service.spec.only_in or [name])
        and name not in service.spec.external
    ]
    for service in services:
        yield from _check_service(service, objects, preview=environment.preview)
    if environment.preview and environment.url:
        yield from _equal_routes(project.file, name, objects)
    namespace = None if environment.preview else environment.namespace or project.spec.project
    unnamed = _unnamed(services, objects) if complete else ()
    for message, hint in (*unnamed, *_other_namespaces(namespace, objects)):
        yield project.file.at(("environments", name), message, "overlay", hint, key=True)


def _equal_routes(file: SpecFile, name: str, objects: Objects) -> Iterator[Diagnostic]:
    """Routes of different hosts that the preview's host would make one."""
    for one, other in routes.merged(objects.all):
        shown = " and ".join(f"`{r.host}{r.path}` of Ingress `{r.ingress}`" for r in (one, other))
        message = f"in a preview, the routes {shown} in `{objects.overlay}` would be equal"
        hint = "remove one of them in the overlay, or give them different paths"
        yield file.at(("environments", name, "url"), message, "equal-routes", hint)


def _unnamed(services: list[Service], objects: Objects) -> Iterator[tuple[str, str]]:
    """Workloads that a release would apply, but not watch or roll back."""
    named = {
        (workload.kind, workload.name or service.spec.name)
        for service in services
        for workload in service.spec.workloads
    }
    for kind in ("Deployment", "StatefulSet", "DaemonSet", "CronJob"):
        for name in objects.of_kind(kind):
            if (kind, name) not in named:
                yield (
                    f"no spec deploys {kind} `{name}` of `{objects.overlay}`",
                    "add it to `workloads` of its service, or remove it from the overlay",
                )


def _other_namespaces(namespace: str | None, objects: Objects) -> Iterator[tuple[str, str]]:
    """Namespaces in the overlay that a release would replace."""
    if namespace is None:
        return
    for other in sorted(objects.namespaces - {namespace}):
        yield (
            f"`{objects.overlay}` has namespace `{other}`, but releases go to `{namespace}`",
            f"set `namespace: {namespace}` in the overlay, or `namespace` of the environment",
        )


def _without_noise(complaint: str, root: Path) -> str:
    """kustomize's error without the prefix of kubectl's log and without absolute paths."""
    error = re.sub(r'^[A-Z][0-9]{4} .* err="(.*)"$', r"\1", complaint)
    error = error.removeprefix("error: ").replace(f"{root}/", "").replace(f"{root.resolve()}/", "")
    return error if len(error) < 300 else error[:297] + "..."


class Objects:
    """The Kubernetes objects that an overlay renders to."""

    def __init__(self, overlay: str, objects: list[Any]) -> None:
        self.overlay = overlay
        self._objects = objects

    @property
    def all(self) -> list[Any]:
        """Every object."""
        return self._objects

    def of_kind(self, kind: str) -> dict[str, Any]:
        """The objects of a kind, by name."""
        return {
            str(_dig(manifest, "metadata", "name")): manifest
            for manifest in self._objects
            if _dig(manifest, "kind") == kind
        }

    @property
    def namespaces(self) -> set[str]:
        """The namespaces of the objects that have one."""
        names = (_dig(manifest, "metadata", "namespace") for manifest in self._objects)
        return {str(name) for name in names if name}

    def use_secret(self, name: str) -> bool:
        """Whether any object refers to a Secret of this name."""
        return name in _used(self._objects, "Secret")


def _dig(node: Any, *keys: str) -> Any:
    """The value at nested keys; None if one is missing."""
    for key in keys:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def _check_service(service: Service, objects: Objects, *, preview: bool) -> Iterator[Diagnostic]:
    spec, file, overlay = service.spec, service.file, objects.overlay
    secret = spec.kubernetes_secret
    if spec.secrets and not objects.use_secret(secret):
        message = f"no workload in `{overlay}` uses Secret `{secret}`: its values reach no pod"
        hint = f"add `envFrom: [{{secretRef: {{name: {secret}}}}}]` to the container"
        yield file.at(("secrets",), message, "unused-secret", hint, key=True)
    for index, workload in enumerate(spec.workloads):
        route: Route = ("workloads", index) if "workloads" in spec.model_fields_set else ("name",)
        name, manifests = workload.name or spec.name, objects.of_kind(workload.kind)
        if name not in manifests:
            message = f"no {workload.kind} `{name}` found in `{overlay}`"
            near = nearest(name, manifests)
            hint = "add it (`wfgen new` generates a first version), or set `workloads`"
            hint = f"did you mean `{near}`?" if near else hint
            yield file.at((*route, "name"), message, "unknown-workload", hint)
            continue
        yield from _check_workload(service, route, workload, manifests[name], objects)
        if spec.autoscaled and not preview:
            yield from _check_autoscaler(file, workload.kind, name, objects)


def _check_workload(
    service: Service, route: Route, workload: Workload, manifest: Any, objects: Objects
) -> Iterator[Diagnostic]:
    spec, file = service.spec, service.file
    title = f"{workload.kind} `{workload.name or spec.name}`"
    container = workload.container or spec.name
    containers = _containers(manifest, workload.kind)
    images = {
        str(_dig(each, "name")): image_name(str(_dig(each, "image") or "")) for each in containers
    }
    if container not in images:
        message = f"no container `{container}` found in {title} of `{objects.overlay}`"
        hint = did_you_mean(container, images, "the workload has no containers")
        yield file.at((*route, "container"), message, "unknown-container", hint)
    elif images[container] != spec.manifest_image:
        place = f"container `{container}` of {title} in `{objects.overlay}`"
        message = f"{place} runs image `{images[container]}`, expected `{spec.manifest_image}`"
        hint = f"set `image: {{manifest: {images[container]}}}`, or change the manifest"
        field = "manifest" if spec.image.manifest or spec.build else "reference"
        yield file.at(("image", field), message, "unknown-image", hint)
    if isinstance(spec.health, Health) and spec.health.grpc is not None:
        yield from _check_probe(file, title, containers, container, spec.health.grpc)
    yield from _check_generated(file, route, title, manifest, objects)


def _check_probe(
    file: SpecFile, title: str, containers: list[Any], name: str, port: int
) -> Iterator[Diagnostic]:
    """gRPC health is the result of the kubelet's probe: without one, every pod would be ready."""
    ports = [
        _dig(container, "readinessProbe", "grpc", "port")
        for container in containers
        if _dig(container, "name") == name
    ]
    if ports and ports != [str(port)]:
        message = f"container `{name}` of {title} has no gRPC readiness probe on port {port}"
        hint = f"add `readinessProbe: {{grpc: {{port: {port}}}}}` to the container"
        yield file.at(("health", "grpc"), message, "no-probe", hint)


def _check_autoscaler(
    file: SpecFile, kind: str, name: str, objects: Objects
) -> Iterator[Diagnostic]:
    targets = [
        _dig(autoscaler, "spec", "scaleTargetRef")
        for autoscaler in objects.of_kind("HorizontalPodAutoscaler").values()
    ]
    if not any((_dig(target, "kind"), _dig(target, "name")) == (kind, name) for target in targets):
        message = f"no HorizontalPodAutoscaler for {kind} `{name}` found in `{objects.overlay}`"
        yield file.at(("autoscaled",), message, "unknown-autoscaler", "add one, or set `replicas`")


def _check_generated(
    file: SpecFile, route: Route, title: str, workload: Any, objects: Objects
) -> Iterator[Diagnostic]:
    """A ConfigMap or Secret that changes under the same name cannot be rolled back."""
    for kind, generator in (("ConfigMap", "configMapGenerator"), ("Secret", "secretGenerator")):
        for name in sorted(set(_used(workload, kind)) & set(objects.of_kind(kind))):
            if not _hashed(name):
                place = f"{title} in `{objects.overlay}`"
                message = f"{place} uses {kind} `{name}`, whose name has no content hash"
                hint = (
                    f"generate it with kustomize's `{generator}`, so that a rollback finds the "
                    "previous version"
                )
                yield file.at(route, message, "unhashed-config", hint)


def _hashed(name: str) -> bool:
    """Whether the name ends with a hash of kustomize: ten characters of its alphabet."""
    end = name.rpartition("-")[2]
    return len(end) == 10 and set(end) <= set("bcdfghkmt2456789")


def _used(node: Any, kind: str) -> Iterator[str]:
    """The names of the ConfigMaps or Secrets that a workload refers to."""
    first = kind[0].lower() + kind[1:]
    if isinstance(node, dict):
        for key, value in node.items():
            if key in (f"{first}Ref", f"{first}KeyRef", first) and isinstance(value, dict):
                yield str(value.get("name") or value.get("secretName") or "")
            yield from _used(value, kind)
    elif isinstance(node, list):
        for value in node:
            yield from _used(value, kind)


def _containers(workload: Any, kind: str) -> list[Any]:
    above = ("spec", "jobTemplate") if kind == "CronJob" else ()
    containers = _dig(workload, *above, "spec", "template", "spec", "containers")
    return containers if isinstance(containers, list) else []
