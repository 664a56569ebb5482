"""The manifests of a release: the overlay by kustomize, with digests, secrets and the namespace.

kustomize does all of it through a layer of its own above the overlay, so that references to
what gets a hash in its name are followed: https://kubectl.docs.kubernetes.io/references/kustomize/
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..contract import Description, Service
from ..failure import Failure
from . import kubectl
from .kubectl import Object

OWNED = {"app.kubernetes.io/managed-by": "wfgen"}
"""The label of everything that we apply; on objects alone, never on pods or selectors."""

NAME = "app.kubernetes.io/name"


def render(
    description: Description,
    services: list[Service],
    images: Mapping[str, str],
    *,
    with_secrets: bool = True,
) -> list[Object]:
    """The objects of these services and those that belong to no service.

    Reads the secrets' values from SECRET_<KEY>. Raises `Failure` where an image or a secret would
    not get into the manifests.
    """
    if with_secrets:
        _check_values(description, services)
    with tempfile.TemporaryDirectory(prefix="wfgen-") as folder:
        layer = _layer(description, services, images, Path(folder))
        path = Path(folder, "kustomization.yaml")
        path.write_text(json.dumps(layer), "utf-8")  # JSON is YAML
        text = kubectl.run("kustomize", folder, "--load-restrictor=LoadRestrictionsNone")
    everything = list(
        kubectl.parse(
            kubectl.run(
                "create", "--dry-run=client", "--validate=false", "-o", "json", "-f", "-", text=text
            )
        )
    )
    wanted = {service.name for service in services}
    objects = [thing for thing in everything if owner(description, thing) in (*wanted, None)]
    for service in services:
        _check_images(service, images.get(service.name), objects)
        _check_secret(service, objects)
        _check_probe(service, objects)
    leave_replicas(services, objects)
    if description.preview and description.address:
        host = re.sub(r"^https://|/.*$", "", description.address)
        for thing in objects:
            if thing["kind"] == "Ingress":
                _give_host(host, thing)
    return objects


def leave_replicas(services: list[Service], objects: list[Object]) -> None:
    """Takes out the number of replicas where an autoscaler decides it."""
    for service in services:
        for thing in workloads_of(service, objects):
            if service.autoscaled:
                thing["spec"].pop("replicas", None)


def keep_replicas(objects: list[Object]) -> None:
    """Sees to it that a number of copies stays which the objects do not give any more.

    What its last manager no longer applies falls back to 1 until an autoscaler looks, so another
    manager takes it over first. From client-side apply kubectl has to migrate the object before
    that, and meanwhile the number that is live is applied.
    https://kubernetes.io/docs/reference/using-api/server-side-apply/#transferring-ownership
    """
    silent = {kubectl.key(t): t for t in objects if t["kind"] in ("Deployment", "StatefulSet")}
    silent = {name: t for name, t in silent.items() if "replicas" not in t["spec"]}
    for thing in kubectl.live(silent.values(), "--show-managed-fields"):
        owners = {
            entry["manager"]
            for entry in thing["metadata"].get("managedFields", [])
            if "f:replicas" in entry.get("fieldsV1", {}).get("f:spec", {})
        }
        number = {"replicas": thing["spec"]["replicas"]}
        if owners == {kubectl.MANAGER}:
            head = {key: thing["metadata"][key] for key in ("name", "namespace")}
            kept = {"apiVersion": thing["apiVersion"], "kind": thing["kind"], "metadata": head}
            kubectl.apply([{**kept, "spec": number}], manager=f"{kubectl.MANAGER}-replicas")
        elif owners == {"kubectl-client-side-apply"}:
            silent[kubectl.key(thing)]["spec"].update(number)


def owner(description: Description, thing: Object) -> str | None:
    """The service that an object belongs to: by workload name, else by label; None for all."""
    for service in description.services.values():
        for workload in service.workloads:
            if (thing["kind"], thing["metadata"]["name"]) == (workload.kind, workload.name):
                return service.name
    name = thing["metadata"].get("labels", {}).get(NAME)
    return name if name in description.services else None


def of_service(description: Description, service: Service, objects: list[Object]) -> list[Object]:
    """The objects of one service."""
    return [thing for thing in objects if owner(description, thing) == service.name]


def shared(description: Description, objects: list[Object]) -> list[Object]:
    """The objects that belong to no service."""
    return [thing for thing in objects if owner(description, thing) is None]


def workloads_of(service: Service, objects: list[Object]) -> list[Object]:
    """The objects that run the service's image."""
    names = [(workload.kind, workload.name) for workload in service.workloads]
    return [thing for thing in objects if (thing["kind"], thing["metadata"]["name"]) in names]


def pod_spec(workload: Object) -> Object:
    """The pod's spec in a workload's template."""
    spec = workload["spec"]
    if workload["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    found: Object = spec["template"]["spec"]
    return found


def container(service: Service, workload: Object) -> Object:
    """The container that runs the service's image. Raises `Failure` where there is none."""
    names = {w.name: w.container for w in service.workloads if w.kind == workload["kind"]}
    name = names[workload["metadata"]["name"]]
    for found in pod_spec(workload)["containers"]:
        if found["name"] == name:
            return dict(found)
    raise Failure(f"{kubectl.key(workload)} has no container {name}")


def clean(thing: Object) -> Object:
    """An object as it could have been applied: without what the server and controllers wrote."""
    metadata = thing["metadata"]
    kept = {key: metadata[key] for key in ("name", "namespace", "labels") if key in metadata}
    annotations = {
        key: value
        for key, value in metadata.get("annotations", {}).items()
        if not key.startswith(("kubectl.kubernetes.io/", "deployment.kubernetes.io/"))
    }
    if annotations:
        kept["annotations"] = annotations
    spec = {k: v for k, v in thing.items() if k not in ("status", "metadata")}
    return {**spec, "metadata": kept}


def _layer(
    description: Description, services: list[Service], images: Mapping[str, str], folder: Path
) -> dict[str, Any]:
    overlay = Path(description.overlay).resolve()
    if not overlay.is_dir():
        raise Failure(f"no overlay {description.overlay} in this checkout")
    layer: dict[str, Any] = {
        "resources": [os.path.relpath(overlay, folder.resolve())],
        "namespace": description.place,
        "labels": [{"pairs": OWNED, "includeSelectors": False}],
        "images": [
            {"name": service.image, "newName": name, "digest": digest}
            for service in services
            for name, _, digest in [images.get(service.name, "").partition("@")]
            if digest
        ],
        "replicas": [
            {"name": workload.name, "count": service.replicas}
            for service in services
            if service.replicas is not None
            for workload in service.workloads
            if workload.kind in ("Deployment", "StatefulSet")
        ],
        "secretGenerator": list(_secrets(services, folder)),
    }
    return layer


def _secrets(services: list[Service], folder: Path) -> Iterator[dict[str, Any]]:
    """Files and not literals, which lose quotes; they vanish with the folder."""
    for service in services:
        values = {key: os.environ.get(f"SECRET_{key}", "") for key in service.secrets}
        given = {key: value for key, value in values.items() if value}
        for key, value in given.items():
            path = folder / f"{service.name}.{key}"
            path.touch(mode=0o600)
            path.write_text(value, "utf-8")
        if given:
            yield {
                "name": f"{service.name}-secrets",
                "files": [f"{key}={service.name}.{key}" for key in given],
                "options": {"labels": {NAME: service.name}},
            }


def _check_values(description: Description, services: list[Service]) -> None:
    """A value that is missing would show itself only in pods that cannot start."""
    keys = {key for service in services for key in service.secrets}
    missing = sorted(key for key in keys if not os.environ.get(f"SECRET_{key}"))
    if missing:
        suffix = description.environment.upper().replace("-", "_")
        names = ", ".join(f"{key}_{suffix}" for key in missing)
        raise Failure(f"GitHub secret missing: {names}. See docs/delivery-setup.md, Secrets")


def _give_host(host: str, ingress: Object) -> None:
    """Puts a preview's own host wherever its overlay names one; what names none stays so."""
    for rule in ingress["spec"].get("rules", []):
        if "host" in rule:
            rule["host"] = host
    for entry in ingress["spec"].get("tls", []):
        if "hosts" in entry:
            entry["hosts"] = [host]


def _check_images(service: Service, reference: str | None, objects: list[Object]) -> None:
    """An image that is set on a name which nothing has rolls nothing out, and the run is green."""
    for thing in workloads_of(service, objects):
        runs = container(service, thing)["image"]
        if reference and runs != reference:
            raise Failure(
                f"{kubectl.key(thing)} runs {runs} and not {reference}: "
                f"no container of it has the image name {service.image}"
            )


def _check_probe(service: Service, objects: list[Object]) -> None:
    """gRPC health is what the kubelet's probe finds: without one, every copy would be well."""
    if service.health is None or service.health.type != "grpc":
        return
    for thing in workloads_of(service, objects):
        probe = container(service, thing).get("readinessProbe", {})
        if probe.get("grpc", {}).get("port") != service.health.port:
            raise Failure(
                f"{kubectl.key(thing)} has no readinessProbe by grpc on port {service.health.port}"
            )


def _check_secret(service: Service, objects: list[Object]) -> None:
    """kustomize leaves a reference alone, without a word, where it does not take it for ours."""
    plain = f"{service.name}-secrets"
    made = [t["metadata"]["name"] for t in objects if t["kind"] == "Secret"]
    if not any(re.fullmatch(rf"{re.escape(plain)}-[a-z0-9]{{10}}", name) for name in made):
        return
    for thing in workloads_of(service, objects):
        if f'"name": "{plain}"' in json.dumps(pod_spec(thing)):
            raise Failure(f"{kubectl.key(thing)} uses {plain}, not the Secret of this release")
