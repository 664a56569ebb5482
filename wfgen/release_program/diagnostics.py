"""What a person would look at, written to the log before a rollback takes it away."""

from __future__ import annotations

from . import kubectl, manifests
from .description import Description, Service
from .kubectl import KubectlError, Object
from .outputs import group, log


def show(description: Description, service: Service, objects: list[Object]) -> None:
    """Pods, their events, their logs and those before a restart. No Secret is read."""
    place = description.place
    for workload in manifests.workloads_of(service, objects):
        name = workload["metadata"]["name"]
        labels = workload["spec"].get("selector", {}).get("matchLabels", {})
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        with group(f"diagnostics of {name}"):
            _print("get", "pods", "-n", place, "-l", selector, "-o", "wide")
            try:
                pods = kubectl.select("pods", place, selector, attempts=1)
            except KubectlError as problem:
                log(f"no pods: {problem}")
                continue
            for pod in pods[-5:]:
                own = pod["metadata"]["name"]
                container = manifests.container(service, workload)["name"]
                field = f"involvedObject.name={own}"
                _print("get", "events", "-n", place, "--field-selector", field)
                for more in (("--previous",), ()):
                    _print("logs", own, "-n", place, "-c", container, "--tail=40", *more)


def _print(*arguments: str) -> None:
    try:
        log(kubectl.run(*arguments, attempts=1).rstrip() or "(nothing)")
    except KubectlError as problem:
        log(f"({problem})")
