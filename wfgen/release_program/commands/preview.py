"""Previews: a namespace per pull request, made, found and deleted by its labels."""

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
"""What one preview may use. The cluster then admits no pod that leaves one of these out.

https://kubernetes.io/docs/concepts/policy/resource-quotas/
"""


def namespace() -> int:
    """Creates the preview's namespace with its quota, unless the pull request is closed."""
    description = load()
    if os.environ.get(Variable.TOKEN) and not github.pull_request_is_open(description.number):
        raise Failure(f"pull request {description.number} is closed; no preview is made")
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
    place = {
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
    kubectl.apply([place])
    kubectl.apply([quota])
    until = time.strftime("%F %H:%M UTC", time.gmtime(expires))
    log(f"namespace {description.place}, until {until}")
    return 0


def teardown() -> int:
    """Deletes the preview's namespace, if its labels say that it is one of ours."""
    description = load()
    found = kubectl.get("namespace", description.place, "default")
    if found is None:
        log(f"there is no namespace {description.place}")
        return 0
    _refuse_foreign(description)
    kubectl.delete([{k: found[k] for k in ("apiVersion", "kind", "metadata")}])
    log(f"deleted namespace {description.place}")
    return 0


def previews() -> int:
    """Lists the previews of this repository."""
    description = load()
    selector = ",".join(f"{name}={value}" for name, value in _labels(description).items())
    found = [_facts(thing) for thing in kubectl.select("namespaces", "default", selector)]
    write_output(Output.NAMESPACES, json.dumps(sorted(found, key=lambda each: int(each["number"]))))
    log(f"{len(found)} previews")
    return 0


def _facts(thing: Object) -> dict[str, str]:
    labels = thing["metadata"]["labels"]
    return {
        "number": labels[NUMBER],
        "expires": labels.get(EXPIRES, "0"),
        "run": labels.get("wfgen/run", "0"),
    }


def _labels(description: Description) -> dict[str, str]:
    """What tells our previews: a label's value has neither slashes nor more than 63 characters."""
    repository = os.environ.get(Variable.REPOSITORY, "by-hand").replace("/", ".")
    return {OF: f"{repository}.{description.environment}"[-63:].lstrip(".-_")}


def _refuse_foreign(description: Description) -> None:
    found = kubectl.get("namespace", description.place, "default")
    wanted = {**_labels(description), NUMBER: description.number}
    labels = found["metadata"].get("labels", {}) if found else wanted
    if any(labels.get(name) != value for name, value in wanted.items()):
        raise Failure(
            f"namespace {description.place} is not a preview of this repository; left alone"
        )
