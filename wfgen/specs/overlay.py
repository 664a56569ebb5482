"""Whether the overlays contain what the specs name: kustomize renders them, we look."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wfgen.findings import Diagnostic, did_you_mean
from wfgen.specs.kinds.image import image_name
from wfgen.specs.kinds.service import Health
from wfgen.specs.kustomize import Overlays
from wfgen.specs.references import Project, Service, SpecFile
from wfgen.text.positions import Route
from wfgen.text.reader import all_texts


def check(project: Project, overlays: Overlays, *, complete: bool = True) -> Iterator[Diagnostic]:
    """What specs name and overlays do not contain; nothing where no kustomize is installed.

    Where the project is not `complete`, as a spec has mistakes, nobody is blamed for what only
    that spec may name.
    """
    if overlays.command is None:
        return
    for name, environment in project.spec.environments.items():
        overlay = (environment.overlay or f"kube/overlays/{name}").rstrip("/")
        if not (project.root / overlay).is_dir():
            yield project.file.at(
                ("environments", name, "overlay"),
                f"no folder {overlay}",
                "overlay",
                "write the kustomize overlay of the environment, or name it in `overlay`",
            )
            continue
        text, complaint = overlays.build(overlay)
        if complaint:
            message = f"{overlay}: {_without_noise(complaint, project.root)}"
            hint = f"see all of it by: kubectl kustomize {overlay}"
            yield project.file.at(("environments", name), message, "overlay", hint, key=True)
            continue
        objects = Objects(overlay, text)
        here = [
            service
            for service in project.services
            if service.spec.deploy
            and name in (service.spec.only_in or [name])
            and name not in service.spec.external
        ]
        for service in here:
            yield from _check_service(service, objects, preview=environment.preview)
        namespace = None if environment.preview else environment.namespace or project.spec.project
        unnamed = _unnamed(here, objects) if complete else ()
        for message, hint in (*unnamed, *_elsewhere(namespace, objects)):
            yield project.file.at(("environments", name), message, "overlay", hint, key=True)


def _unnamed(services: list[Service], objects: Objects) -> Iterator[tuple[str, str]]:
    """Workloads that a release would apply and nobody would watch or roll back."""
    named = {
        (workload.kind, workload.name or service.spec.name)
        for service in services
        for workload in service.spec.workloads
    }
    for kind in ("Deployment", "StatefulSet", "DaemonSet", "CronJob"):
        for name in objects.of_kind(kind):
            if (kind, name) not in named:
                yield (
                    f"{objects.overlay} has {kind} {name}, which no spec deploys here",
                    "name it in `workloads` of its service, or take it out of the overlay",
                )


def _elsewhere(namespace: str | None, objects: Objects) -> Iterator[tuple[str, str]]:
    """Namespaces that the overlay names, and a release would replace."""
    if namespace is None:
        return
    for other in sorted(objects.namespaces - {namespace}):
        yield (
            f"{objects.overlay} is for namespace {other}, a release puts all into {namespace}",
            f"set `namespace: {namespace}` there, or `namespace` of the environment",
        )


def _without_noise(complaint: str, root: Path) -> str:
    """What kustomize says, without the form of kubectl's log and the machine's own paths."""
    said = re.sub(r'^[A-Z][0-9]{4} .* err="(.*)"$', r"\1", complaint)
    said = said.removeprefix("error: ").replace(f"{root}/", "").replace(f"{root.resolve()}/", "")
    return said if len(said) < 300 else said[:297] + "..."


class Objects:
    """The Kubernetes objects that an overlay makes."""

    def __init__(self, overlay: str, text: bytes) -> None:
        self.overlay = overlay
        self._objects: list[Any] = all_texts(text)

    def of_kind(self, kind: str) -> dict[str, Any]:
        """The objects of a kind by name."""
        found = [each for each in self._objects if _dig(each, "kind") == kind]
        return {str(_dig(each, "metadata", "name")): each for each in found}

    @property
    def namespaces(self) -> set[str]:
        """The namespaces that objects name."""
        found = (_dig(each, "metadata", "namespace") for each in self._objects)
        return {str(each) for each in found if each}

    def name(self, text: str) -> bool:
        """Whether a value of any object is just this text."""
        return any(_has(each, text) for each in self._objects)


def _dig(node: Any, *keys: str) -> Any:
    """What lies at the end of nested keys; None where something is missing."""
    for key in keys:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def _has(node: Any, text: str) -> bool:
    if isinstance(node, dict):
        return any(_has(value, text) for value in node.values())
    return any(_has(value, text) for value in node) if isinstance(node, list) else node == text


def _check_service(service: Service, objects: Objects, *, preview: bool) -> Iterator[Diagnostic]:
    spec, file, overlay = service.spec, service.file, objects.overlay
    secret = f"{spec.name}-secrets"
    if spec.secrets and not objects.name(secret):
        message = f"nothing in {overlay} uses Secret {secret}: the values would reach no pod"
        hint = f"add to the container: envFrom: [{{secretRef: {{name: {secret}}}}}]"
        yield file.at(("secrets",), message, "unused-secret", hint, key=True)
    for index, workload in enumerate(spec.workloads):
        route: Route = ("workloads", index) if "workloads" in spec.model_fields_set else ("name",)
        name, container = workload.name or spec.name, workload.container or spec.name
        title = f"{workload.kind} {name}"
        there = objects.of_kind(workload.kind)
        if name not in there:
            message = f"{overlay} has no {title}"
            near = did_you_mean(name, there)
            hint = "add it, or name another in `workloads`; wfgen new writes a first one"
            hint = near if near.startswith("did") else hint
            yield file.at((*route, "name"), message, "unknown-workload", hint)
            continue
        images = _images(there[name], workload.kind)
        if container not in images:
            message = f"{title} in {overlay} has no container {container}"
            hint = did_you_mean(container, images, "it has no containers at all")
            yield file.at((*route, "container"), message, "unknown-container", hint)
        elif images[container] != spec.manifest_image:
            wanted = f"does not run image {spec.manifest_image}"
            message = f"container {container} of {title} in {overlay} {wanted}"
            hint = (
                f"it runs {images[container]}; name that in `image.manifest`, or mend the manifest"
            )
            field = "manifest" if spec.image.manifest or spec.build else "reference"
            yield file.at(("image", field), message, "unknown-image", hint)
        if isinstance(spec.health, Health) and spec.health.grpc is not None:
            yield from _check_probe(
                file, title, _containers(there[name], workload.kind), container, spec.health.grpc
            )
        if spec.autoscaled and not preview:
            yield from _check_autoscaler(file, workload.kind, name, objects)
        yield from _check_generated(file, route, title, there[name], objects)


def _check_probe(
    file: SpecFile, title: str, containers: list[Any], name: str, port: int
) -> Iterator[Diagnostic]:
    """gRPC health is what the kubelet's probe finds: without one, every copy would be well."""
    asked = [
        _dig(each, "readinessProbe", "grpc", "port")
        for each in containers
        if _dig(each, "name") == name
    ]
    if asked and asked != [str(port)]:
        message = f"container {name} of {title} has no readinessProbe by grpc on port {port}"
        hint = f"add `readinessProbe: {{grpc: {{port: {port}}}}}` to it"
        yield file.at(("health", "grpc"), message, "no-probe", hint)


def _check_autoscaler(
    file: SpecFile, kind: str, name: str, objects: Objects
) -> Iterator[Diagnostic]:
    targets = [
        _dig(each, "spec", "scaleTargetRef")
        for each in objects.of_kind("HorizontalPodAutoscaler").values()
    ]
    if not any((_dig(each, "kind"), _dig(each, "name")) == (kind, name) for each in targets):
        message = f"{objects.overlay} has no HorizontalPodAutoscaler for {kind} {name}"
        hint = "add one, or give `replicas`"
        yield file.at(("autoscaled",), message, "unknown-autoscaler", hint)


def _check_generated(
    file: SpecFile, route: Route, title: str, workload: Any, objects: Objects
) -> Iterator[Diagnostic]:
    """What changes under its name cannot be rolled back: it must carry a hash."""
    for kind, generator in (("ConfigMap", "configMapGenerator"), ("Secret", "secretGenerator")):
        for name in sorted(set(_used(workload, kind)) & set(objects.of_kind(kind))):
            if not _hashed(name):
                message = f"{title} in {objects.overlay} uses {kind} {name}, whose name has no hash"
                hint = f"make it by kustomize's {generator}, so that a rollback finds the old one"
                yield file.at(route, message, "unhashed-config", hint)


def _hashed(name: str) -> bool:
    """Whether kustomize put a hash at the end: ten letters and digits of its own alphabet."""
    end = name.rpartition("-")[2]
    return len(end) == 10 and set(end) <= set("bcdfghkmt2456789")


def _used(node: Any, kind: str) -> Iterator[str]:
    """The names of the ConfigMaps, or Secrets, that a workload uses."""
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
    found = _dig(workload, *above, "spec", "template", "spec", "containers")
    return found if isinstance(found, list) else []


def _images(workload: Any, kind: str) -> dict[str, str]:
    """The containers of a workload, each with its image's name."""
    return {
        str(_dig(each, "name")): image_name(str(_dig(each, "image") or ""))
        for each in _containers(workload, kind)
    }
