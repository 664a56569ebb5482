"""The manifests of a release: the overlay, with image digests, secrets and the namespace.

A temporary kustomization on top of the overlay adds them, so kustomize also updates references to
objects whose name gets a hash: https://kubectl.docs.kubernetes.io/references/kustomize/
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .. import names
from ..contract import Description, Service
from ..failure import Failure
from . import kubectl
from .kubectl import Object
from .writer import Writer

OWNED = {"app.kubernetes.io/managed-by": "wfgen"}
"""Label of every object that wfgen applies; never on pods or in selectors."""

NAME = "app.kubernetes.io/name"


def render(
    description: Description,
    services: list[Service],
    images: Mapping[str, str],
    *,
    with_secrets: bool = True,
) -> list[Object]:
    """The objects of these services and those of no service.

    Reads the values of secrets from SECRET_<NAME>. Raises `Failure` where a value is missing, or an
    image or a Secret does not get into the manifests.
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
    objects = [m for m in everything if owner(description, m) in (*wanted, None)]
    for service in services:
        _check_images(service, images.get(service.name), objects)
        _check_secret(service, objects)
        _check_probe(service, objects)
    leave_replicas(services, objects)
    if description.preview and description.address:
        host = re.sub(r"^https://|/.*$", "", description.address)
        for manifest in objects:
            if manifest["kind"] == "Ingress":
                _give_host(host, manifest)
    return objects


def leave_replicas(services: list[Service], objects: list[Object]) -> None:
    """Removes `replicas` where an autoscaler sets it."""
    for service in services:
        for workload in workloads_of(service, objects):
            if service.autoscaled:
                workload["spec"].pop("replicas", None)


def keep_replicas(objects: list[Object], writer: Writer) -> None:
    """Keeps the live number of replicas of workloads whose manifests do not set it.

    When its last field manager stops applying `replicas`, the API server resets it to 1 until an
    autoscaler acts, so another manager takes the field over first. Where client-side apply owns
    the field, kubectl must migrate it before that; then the live number is applied.
    https://kubernetes.io/docs/reference/using-api/server-side-apply/#transferring-ownership
    """
    unset = {
        kubectl.key(workload): workload
        for workload in objects
        if workload["kind"] in ("Deployment", "StatefulSet") and "replicas" not in workload["spec"]
    }
    for live in kubectl.live(unset.values(), "--show-managed-fields"):
        managers = {
            entry["manager"]
            for entry in live["metadata"].get("managedFields", [])
            if "f:replicas" in entry.get("fieldsV1", {}).get("f:spec", {})
        }
        replicas = {"replicas": live["spec"]["replicas"]}
        if managers == {kubectl.MANAGER}:
            metadata = {name: live["metadata"][name] for name in ("name", "namespace")}
            head = {"apiVersion": live["apiVersion"], "kind": live["kind"], "metadata": metadata}
            writer.apply([{**head, "spec": replicas}], manager=f"{kubectl.MANAGER}-replicas")
        elif managers == {"kubectl-client-side-apply"}:
            unset[kubectl.key(live)]["spec"].update(replicas)


def owner(description: Description, manifest: Object) -> str | None:
    """The service that an object belongs to, by workload name, else by label; None if to none."""
    for service in description.services.values():
        for workload in service.workloads:
            if (manifest["kind"], manifest["metadata"]["name"]) == (workload.kind, workload.name):
                return service.name
    name = manifest["metadata"].get("labels", {}).get(NAME)
    return name if name in description.services else None


def of_service(description: Description, service: Service, objects: list[Object]) -> list[Object]:
    """The objects of one service."""
    return [manifest for manifest in objects if owner(description, manifest) == service.name]


def shared(description: Description, objects: list[Object]) -> list[Object]:
    """The objects that belong to no service."""
    return [manifest for manifest in objects if owner(description, manifest) is None]


def workloads_of(service: Service, objects: list[Object]) -> list[Object]:
    """The objects that run the service's image."""
    keys = [(workload.kind, workload.name) for workload in service.workloads]
    return [m for m in objects if (m["kind"], m["metadata"]["name"]) in keys]


def pod_spec(workload: Object) -> Object:
    """The pod's spec in a workload's template."""
    spec = workload["spec"]
    if workload["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    pod: Object = spec["template"]["spec"]
    return pod


def container(service: Service, workload: Object) -> Object:
    """A copy of the container that runs the service's image. Raises `Failure` if there is none."""
    containers = {w.name: w.container for w in service.workloads if w.kind == workload["kind"]}
    name = containers[workload["metadata"]["name"]]
    for candidate in pod_spec(workload)["containers"]:
        if candidate["name"] == name:
            return dict(candidate)
    raise Failure(f"{kubectl.key(workload)} has no container {name}")


def clean(live: Object) -> Object:
    """A manifest of a live object: without what the API server and controllers wrote."""
    metadata = live["metadata"]
    kept = {key: metadata[key] for key in ("name", "namespace", "labels") if key in metadata}
    annotations = {
        key: value
        for key, value in metadata.get("annotations", {}).items()
        if not key.startswith(("kubectl.kubernetes.io/", "deployment.kubernetes.io/"))
    }
    if annotations:
        kept["annotations"] = annotations
    spec = {k: v for k, v in live.items() if k not in ("status", "metadata")}
    return {**spec, "metadata": kept}


def _layer(
    description: Description, services: list[Service], images: Mapping[str, str], folder: Path
) -> dict[str, Any]:
    overlay = Path(description.overlay).resolve()
    if not overlay.is_dir():
        raise Failure(f"overlay {description.overlay} not found in this checkout")
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
    """Entries of `secretGenerator`, by files in the temporary folder: literals lose quotes."""
    for service in services:
        values = {key: _value(stored) for key, stored in service.secrets.items()}
        given = {key: value for key, value in values.items() if value}
        for key, value in given.items():
            path = folder / f"{service.name}.{key}"
            path.touch(mode=0o600)
            path.write_text(value, "utf-8")
        if given:
            yield {
                "name": service.secret,
                "files": [f"{key}={service.name}.{key}" for key in given],
                "options": {"labels": {NAME: service.name}},
            }


def _check_values(description: Description, services: list[Service]) -> None:
    """Raises `Failure` for missing secrets: later they only show as pods that cannot start."""
    needed = {stored for service in services for stored in service.secrets.values()}
    if missing := sorted(stored for stored in needed if not _value(stored)):
        raise Failure(
            f"secrets missing in the GitHub environment {description.environment}: "
            f"{', '.join(missing)}. See docs/delivery-setup.md, Secrets"
        )


def _value(stored: str) -> str:
    """The value of a GitHub secret; '' where it is missing."""
    return os.environ.get(names.secret_variable(stored), "")


def secret_of(service: Service, objects: list[Object]) -> str:
    """The full name of a service's Secret: with its hash, where the release makes it."""
    made = re.compile(rf"{re.escape(service.secret)}-[a-z0-9]{{10}}")
    secrets = [m["metadata"]["name"] for m in objects if m["kind"] == "Secret"]
    return next((name for name in secrets if made.fullmatch(name)), service.secret)


def _give_host(host: str, ingress: Object) -> None:
    """Replaces every host of a preview's Ingress by the preview's host."""
    for rule in ingress["spec"].get("rules", []):
        if "host" in rule:
            rule["host"] = host
    for entry in ingress["spec"].get("tls", []):
        if "hosts" in entry:
            entry["hosts"] = [host]


def _check_images(service: Service, reference: str | None, objects: list[Object]) -> None:
    """Raises `Failure` where an image was not set: nothing would roll out, and the run be green."""
    for workload in workloads_of(service, objects):
        image = container(service, workload)["image"]
        if reference and image != reference:
            raise Failure(
                f"{kubectl.key(workload)} has image {image}, not {reference}: none of its "
                f"containers has the image name {service.image}"
            )


def _check_probe(service: Service, objects: list[Object]) -> None:
    """Raises `Failure` for gRPC health without a probe: then every pod would count as ready."""
    if service.health is None or service.health.type != "grpc":
        return
    for workload in workloads_of(service, objects):
        probe = container(service, workload).get("readinessProbe", {})
        if probe.get("grpc", {}).get("port") != service.health.port:
            raise Failure(
                f"{kubectl.key(workload)} has no gRPC readinessProbe on port {service.health.port}"
            )


def _check_secret(service: Service, objects: list[Object]) -> None:
    """Raises `Failure` where kustomize did not update a reference to the service's Secret."""
    if secret_of(service, objects) == service.secret:
        return
    for workload in workloads_of(service, objects):
        if service.secret in _secrets_used(pod_spec(workload)):
            raise Failure(
                f"{kubectl.key(workload)} uses {service.secret}, not the Secret of this release"
            )


def _secrets_used(node: Any) -> Iterator[str]:
    """The names of the Secrets that a pod refers to, in variables and volumes."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("secretRef", "secretKeyRef", "secret") and isinstance(value, dict):
                yield str(value.get("name") or value.get("secretName"))
            yield from _secrets_used(value)
    elif isinstance(node, list):
        for value in node:
            yield from _secrets_used(value)
