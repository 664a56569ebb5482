"""Logs what explains a failed rollout, before a rollback removes it."""

from __future__ import annotations

import base64

from ..contract import Description, Service
from ..hosting.outputs import group, log
from . import kubectl, manifests
from .kubectl import KubectlError, Object

LINES = 40
"""Number of log lines of each pod."""


def show(description: Description, service: Service, objects: list[Object]) -> None:
    """Logs workloads and pods with their events, their logs, and the logs before a restart.

    Values of the release's Secrets are replaced by `***`: GitHub masks only the job's own secrets.
    """
    place = description.place
    try:
        hidden = _secrets(objects)
    except KubectlError as problem:
        log(f"no diagnostics: cannot read the Secrets whose values must be masked: {problem}")
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
    """Values of the release's Secrets, encoded and line by line; longest first.

    Those of less than four characters are left out: they would mask ordinary text.
    """
    values: set[str] = set()
    for secret in kubectl.live(m for m in objects if m["kind"] == "Secret"):
        for value in secret.get("data", {}).values():
            values |= {value, *base64.b64decode(value).decode(errors="replace").splitlines()}
    return sorted((value for value in values if len(value) >= 4), key=len, reverse=True)


def _print(call: tuple[str, ...], hidden: list[str]) -> None:
    try:
        text = kubectl.run(*call, attempts=1).rstrip() or "(nothing)"
    except KubectlError as problem:
        text = f"({problem})"
    for secret in hidden:
        text = text.replace(secret, "***")
    log(text)
