"""What a person would look at, written to the log before a rollback takes it away."""

from __future__ import annotations

import base64

from ..contract import Description, Service
from ..hosting.outputs import group, log
from . import kubectl, manifests
from .kubectl import KubectlError, Object

LINES = 40
"""So many lines of each pod's log."""


def show(description: Description, service: Service, objects: list[Object]) -> None:
    """Workloads and pods with their events, logs and those before a restart.

    Whatever the application logged of its Secrets is blotted out: GitHub does that only for the
    secrets of the job itself.
    """
    place = description.place
    try:
        hidden = _secrets(objects)
    except KubectlError as problem:
        log(f"no diagnostics, as nobody knows what to hide in them: {problem}")
        return
    for workload in manifests.workloads_of(service, objects):
        kind, name = workload["kind"], workload["metadata"]["name"]
        labels = workload["spec"].get("selector", {}).get("matchLabels", {})
        container = manifests.container(service, workload)["name"]
        pods = ("-n", place, "-l", ",".join(f"{key}={value}" for key, value in labels.items()))
        logs = ("logs", *pods, "-c", container, "--prefix", "--ignore-errors", f"--tail={LINES}")
        with group(f"diagnostics of {name}"):
            for call in (
                ("get", "pods", *pods, "-o", "wide"),
                ("describe", kind, name, "-n", place),
                ("describe", "pods", *pods),
                (*logs, "--previous"),
                logs,
            ):
                _print(call, hidden)


def _secrets(objects: list[Object]) -> list[str]:
    """The lines of the release's Secrets, longest first; not those too short to tell anything."""
    found: set[str] = set()
    for secret in kubectl.live(thing for thing in objects if thing["kind"] == "Secret"):
        for value in secret.get("data", {}).values():
            found |= {value, *base64.b64decode(value).decode(errors="replace").splitlines()}
    return sorted((text for text in found if len(text) >= 4), key=len, reverse=True)


def _print(call: tuple[str, ...], hidden: list[str]) -> None:
    try:
        text = kubectl.run(*call, attempts=1).rstrip() or "(nothing)"
    except KubectlError as problem:
        text = f"({problem})"
    for secret in hidden:
        text = text.replace(secret, "***")
    log(text)
