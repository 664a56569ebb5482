"""The namespace of a preview: one per pull request, known by its labels."""

from __future__ import annotations

import json
import os
import time

from ..cluster import kubectl
from ..cluster.kubectl import Object
from ..contract import Description, load
from ..failure import Failure
from ..hosting import github
from ..hosting.outputs import log, write_output
from ..names import Output, Variable

OF = "wfgen/preview-of"
NUMBER = "wfgen/pull-request"
EXPIRES = "wfgen/expires"

QUOTA = {
    "pods": "20",
    "requests.cpu": "2",
    "requests.memory": "4Gi",
    "limits.memory": "8Gi",
    "persistentvolumeclaims": "6",
    "requests.storage": "20Gi",
}
"""What one preview may use. The cluster rejects pods that do not specify one of these.

https://kubernetes.io/docs/concepts/policy/resource-quotas/
"""


def namespace() -> int:
    """Creates the preview's namespace with its quota, unless the pull request is closed."""
    description = load()
    if os.environ.get(Variable.TOKEN) and not github.pull_request_is_open(description.number):
        raise Failure(f"pull request {description.number} is closed: no preview")
    expires = int(time.time()) + description.time_to_live_hours * 3600
    labels = {
        **_labels(description),
        NUMBER: description.number,
        EXPIRES: str(expires),
        "wfgen/sha": os.environ[Variable.SHA][:63],
        "wfgen/run": os.environ.get(Variable.RUN_ID, "0"),
        "pod-security.kubernetes.io/enforce": "restricted",
    }
    _refuse_foreign(description)
    preview = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": description.place, "labels": labels},
    }
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "preview", "namespace": description.place},
        "spec": {"hard": QUOTA},
    }
    kubectl.apply([preview])
    kubectl.apply([quota])
    until = time.strftime("%F %H:%M UTC", time.gmtime(expires))
    log(f"namespace {description.place} expires {until}")
    return 0


def teardown() -> int:
    """Deletes the preview's namespace, unless its labels belong to another owner."""
    description = load()
    live = kubectl.get("namespace", description.place, "default")
    if live is None:
        log(f"namespace {description.place} does not exist")
        return 0
    _refuse_foreign(description)
    kubectl.delete([{k: live[k] for k in ("apiVersion", "kind", "metadata")}])
    log(f"deleted namespace {description.place}")
    return 0


def previews() -> int:
    """Lists the previews of this repository."""
    description = load()
    selector = ",".join(f"{name}={value}" for name, value in _labels(description).items())
    namespaces = kubectl.select("namespaces", "default", selector)
    facts = sorted(map(_facts, namespaces), key=lambda preview: int(preview["number"]))
    write_output(Output.NAMESPACES, json.dumps(facts))
    log(f"{len(facts)} previews")
    return 0


def _facts(namespace: Object) -> dict[str, str]:
    labels = namespace["metadata"]["labels"]
    return {
        "number": labels[NUMBER],
        "expires": labels.get(EXPIRES, "0"),
        "run": labels.get("wfgen/run", "0"),
    }


def _labels(description: Description) -> dict[str, str]:
    """Labels of this repository's previews. A value has no slash, and at most 63 characters."""
    repository = os.environ.get(Variable.REPOSITORY, "by-hand").replace("/", ".")
    return {OF: f"{repository}.{description.environment}"[-63:].lstrip(".-_")}


def _refuse_foreign(description: Description) -> None:
    live = kubectl.get("namespace", description.place, "default")
    wanted = {**_labels(description), NUMBER: description.number}
    labels = live["metadata"].get("labels", {}) if live else wanted
    if any(labels.get(name) != value for name, value in wanted.items()):
        raise Failure(
            f"namespace {description.place} is not a preview of this repository; nothing changed"
        )
