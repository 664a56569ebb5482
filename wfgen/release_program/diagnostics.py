"""What a person would look at, written to the log before a rollback takes it away."""

from __future__ import annotations

from . import kubectl, manifests
from .description import Description, Service
from .kubectl import KubectlError, Object
from .outputs import group, log

LINES = 40
"""So many lines of each pod's log."""


def show(description: Description, service: Service, objects: list[Object]) -> None:
    """Workloads and pods with their events, logs and those before a restart. No Secret is read."""
    place = description.place
    for workload in manifests.workloads_of(service, objects):
        kind, name = workload["kind"], workload["metadata"]["name"]
        labels = workload["spec"].get("selector", {}).get("matchLabels", {})
        container = manifests.container(service, workload)["name"]
        pods = ("-n", place, "-l", ",".join(f"{key}={value}" for key, value in labels.items()))
        logs = ("logs", *pods, "-c", container, "--prefix", "--ignore-errors", f"--tail={LINES}")
        with group(f"diagnostics of {name}"):
            _print("get", "pods", *pods, "-o", "wide")
            _print("describe", kind, name, "-n", place)
            _print("describe", "pods", *pods)
            _print(*logs, "--previous")
            _print(*logs)


def _print(*arguments: str) -> None:
    try:
        log(kubectl.run(*arguments, attempts=1).rstrip() or "(nothing)")
    except KubectlError as problem:
        log(f"({problem})")
