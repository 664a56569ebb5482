"""Whether the overlays contain what the specs name: kustomize renders them, we look."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from wfgen.diagnostics import Diagnostic, did_you_mean
from wfgen.errors import InvalidSpecs
from wfgen.kinds.service import ServiceSpec, Workload, image_name
from wfgen.kustomize import Overlays
from wfgen.references import Project, Service, SpecFile

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Objects = list[dict[str, Any]]


def check(project: Project, overlays: Overlays) -> list[str]:
    """Notes on what could not be checked; raises `InvalidSpecs` for what does not fit."""
    if overlays.command is None:
        return ["neither kubectl nor kustomize is here: the overlays were not looked at"]
    problems: list[Diagnostic] = []
    for name, environment in project.spec.environments.items():
        overlay = (environment.overlay or f"kube/overlays/{name}").rstrip("/")
        if not (project.root / overlay).is_dir():
            problems.append(
                project.file.at(
                    ("environments", name, "overlay"), f"no folder {overlay}", "overlay",
                    "write the kustomize overlay of the environment, or name it in `overlay`",
                )
            )  # fmt: skip
            continue
        text, complaint = overlays.build(overlay)
        if complaint:
            problems.append(
                project.file.at(
                    ("environments", name), f"{overlay}: {complaint}", "overlay",
                    f"try: kubectl kustomize {overlay}", key=True,
                )
            )  # fmt: skip
            continue
        objects = [o for o in yaml.load_all(text, Loader=Loader) if isinstance(o, dict)]
        for service in project.services:
            if service.spec.deploy and (not service.spec.only_in or name in service.spec.only_in):
                problems += _check_service(project, service, name, overlay, objects)
    if problems:
        raise InvalidSpecs(problems)
    return []


def _check_service(
    project: Project, service: Service, environment: str, overlay: str, objects: Objects
) -> Iterator[Diagnostic]:
    spec, file = service.spec, service.file
    if environment in spec.external:
        return
    image = spec.manifest_image
    for index, workload in enumerate(spec.workloads):
        name = workload.name or spec.name
        found = next(
            (o for o in objects if o["kind"] == workload.kind and o["metadata"]["name"] == name), None
        )
        if found is None:
            there = [o["metadata"]["name"] for o in objects if o["kind"] == workload.kind]
            yield _at_workload(
                file, spec, index, "name", f"{overlay} has no {workload.kind} {name}",
                "unknown-workload", did_you_mean(name, there),
            )  # fmt: skip
            continue
        containers = {c["name"]: c for c in _containers(found)}
        container = workload.container or spec.name
        if container not in containers:
            yield _at_workload(
                file, spec, index, "container",
                f"{workload.kind} {name} in {overlay} has no container {container}",
                "unknown-container", did_you_mean(container, containers),
            )  # fmt: skip
        elif image_name(containers[container].get("image", "")) != image:
            there = [image_name(str(c.get("image", ""))) for c in containers.values()]
            yield file.at(
                ("image", "manifest" if spec.image.manifest else "reference"),
                f"container {container} of {workload.kind} {name} in {overlay} does not run image {image}",
                "unknown-image",
                f"it runs {', '.join(there)}; set `image.manifest`, or mend the manifest",
            )  # fmt: skip
        if spec.autoscaled and not project.spec.environments[environment].preview:
            yield from _check_autoscaler(file, workload, name, overlay, objects)
        yield from _check_generated(file, name, overlay, found, objects)


def _check_autoscaler(
    file: SpecFile, workload: Workload, name: str, overlay: str, objects: Objects
) -> Iterator[Diagnostic]:
    targets = [
        o["spec"]["scaleTargetRef"]["name"]
        for o in objects
        if o["kind"] == "HorizontalPodAutoscaler"
        and o["spec"]["scaleTargetRef"]["kind"] == workload.kind
    ]
    if name not in targets:
        yield file.at(
            ("autoscaled",), f"{overlay} has no HorizontalPodAutoscaler for {workload.kind} {name}",
            "unknown-autoscaler", "add one, or give `replicas`",
        )  # fmt: skip


def _check_generated(
    file: SpecFile, name: str, overlay: str, workload: dict[str, Any], objects: Objects
) -> Iterator[Diagnostic]:
    """A ConfigMap that changes under its name cannot be rolled back: it must carry a hash."""
    used = set(_config_maps(workload))
    for found in objects:
        own = found["metadata"]["name"]
        if found["kind"] == "ConfigMap" and own in used and not _hashed(own):
            yield file.at(
                (), f"{name} in {overlay} uses ConfigMap {own}, whose name has no hash of its content",
                "unhashed-config", "make it by kustomize's configMapGenerator",
            )  # fmt: skip


def _hashed(name: str) -> bool:
    """Whether kustomize put a hash at the end: ten letters and digits of its own alphabet."""
    end = name.rpartition("-")[2]
    return len(end) == 10 and set(end) <= set("bcdfghkmt2456789")


def _config_maps(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("configMapRef", "configMapKeyRef", "configMap") and isinstance(value, dict):
                yield str(value.get("name", ""))
            yield from _config_maps(value)
    elif isinstance(node, list):
        for value in node:
            yield from _config_maps(value)


def _at_workload(
    file: SpecFile, spec: ServiceSpec, index: int, field: str, message: str, rule: str, hint: str
) -> Diagnostic:
    route = ("workloads", index, field) if "workloads" in spec.model_fields_set else ("name",)
    return file.at(route, message, rule, hint)


def _containers(workload: dict[str, Any]) -> list[dict[str, Any]]:
    spec = workload["spec"]
    if workload["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    containers: list[dict[str, Any]] = spec["template"]["spec"]["containers"]
    return containers
