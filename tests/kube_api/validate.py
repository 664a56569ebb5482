"""What the API server refuses, as far as release programs can run into it."""

from __future__ import annotations

import re
from typing import Any

from tests.kube_api.defaults import pod_template
from tests.kube_api.errors import ApiError, bad_request, invalid
from tests.kube_api.resources import Object, Resource

REJECT = "test.wfgen/reject"
"""An annotation whose value is why the object is refused."""
SIZE = 1024 * 1024
"""https://kubernetes.io/docs/concepts/configuration/configmap/ and .../secret/, in bytes."""

Problems = list[tuple[str, str]]

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_LABEL_NAME = re.compile(
    r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?"
)
_LABEL = re.compile(r"([A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?)?")
_MUTABLE = {
    "StatefulSet": [
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
        "revisionHistoryLimit",
    ],
    "Job": [
        "parallelism",
        "completions",
        "suspend",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
    ],
    "PersistentVolumeClaim": ["resources", "volumeAttributesClassName"],
}
"""All that may change in the specs of these kinds."""
_FIXED = {"Deployment": "selector", "ReplicaSet": "selector", "DaemonSet": "selector"}


def check(resource: Resource, thing: Object, live: Object | None) -> None:
    """Raises 422 (400 for wrong types) for what is not allowed."""
    metadata = thing["metadata"]
    _types(thing)
    problems: Problems = []
    name = metadata.get("name", "")
    if not _NAME.fullmatch(name):
        problems.append(("metadata.name", f'Invalid value: "{name}": a lowercase RFC 1123 name'))
    problems += _labels("metadata", metadata)
    if reason := (metadata.get("annotations") or {}).get(REJECT):
        problems.append((f"metadata.annotations[{REJECT}]", f"Invalid value: {reason}"))
    if resource.kind in ("ConfigMap", "Secret"):
        problems += _size(thing)
    spec = thing.get("spec") or {}
    if resource.kind in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"):
        problems += _selector(spec)
    template = pod_template(thing)
    if template is not None or resource.kind in ("Job", "CronJob"):
        where = {"Pod": "spec", "CronJob": "spec.jobTemplate.spec.template.spec"}
        problems += _pod(where.get(resource.kind, "spec.template.spec"), template or {}, resource)
    if resource.kind == "HorizontalPodAutoscaler" and spec.get("maxReplicas", 0) < spec.get(
        "minReplicas", 1
    ):
        problems.append(("spec.maxReplicas", "Invalid value: must not be less than `minReplicas`"))
    if live is not None:
        problems += _changes(resource.kind, thing, live)
    if problems:
        raise invalid(resource, name, problems)


def _types(thing: Object) -> None:
    for field in ("labels", "annotations"):
        for key, value in (thing["metadata"].get(field) or {}).items():
            if not isinstance(value, str):
                raise _decoding(thing, f"metadata.{field}.{key}", value)
    if thing["kind"] in ("ConfigMap", "Secret"):
        for key, value in (thing.get("data") or {}).items():
            if not isinstance(value, str):
                raise _decoding(thing, f"data.{key}", value)


def _decoding(thing: Object, field: str, value: Any) -> ApiError:
    return bad_request(
        f"{thing['kind']} in version {thing.get('apiVersion')!r} cannot be handled as a "
        f"{thing['kind']}: json: cannot unmarshal {type(value).__name__} into Go struct field "
        f"{field} of type string"
    )


def _labels(where: str, metadata: Object) -> Problems:
    found: Problems = []
    for name, value in (metadata.get("labels") or {}).items():
        if not _LABEL_NAME.fullmatch(name):
            found.append((f"{where}.labels", f'Invalid value: "{name}": not a qualified name'))
        if not _LABEL.fullmatch(value):
            found.append((f"{where}.labels", f'Invalid value: "{value}": not a valid label value'))
    return found


def _size(thing: Object) -> Problems:
    data = {**(thing.get("data") or {}), **(thing.get("binaryData") or {})}
    if sum(len(key) + len(value.encode()) for key, value in data.items()) > SIZE:
        where = "data" if thing["kind"] == "Secret" else ""
        return [(where, f"Too long: may not be more than {SIZE} bytes")]
    return []


def _selector(spec: Object) -> Problems:
    selector = spec.get("selector") or {}
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        return [("spec.selector", "Required value")]
    template = spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    for name, value in (selector.get("matchLabels") or {}).items():
        if labels.get(name) != value:
            text = "Invalid value: `selector` does not match template `labels`"
            return [("spec.template.metadata.labels", text)]
    return []


def _pod(where: str, template: Object, resource: Resource) -> Problems:
    spec = template.get("spec") or {}
    found: Problems = _labels(where.replace(".spec", ".metadata"), template.get("metadata") or {})
    containers = spec.get("containers") or []
    if not containers:
        found.append((f"{where}.containers", "Required value"))
    names: set[str] = set()
    volumes = {volume.get("name") for volume in spec.get("volumes") or []}
    for index, container in enumerate(containers):
        here = f"{where}.containers[{index}]"
        if not container.get("name"):
            found.append((f"{here}.name", "Required value"))
        elif container["name"] in names:
            found.append((f"{here}.name", f'Duplicate value: "{container["name"]}"'))
        names.add(container.get("name", ""))
        if not container.get("image"):
            found.append((f"{here}.image", "Required value"))
        for mount in container.get("volumeMounts") or []:
            if resource.kind != "StatefulSet" and mount.get("name") not in volumes:
                found.append((f"{here}.volumeMounts", f'Not found: "{mount.get("name")}"'))
    policy = spec.get("restartPolicy")
    if resource.kind in ("Job", "CronJob") and policy not in ("Never", "OnFailure"):
        text = f'Required value: valid values: "OnFailure", "Never", not "{policy}"'
        found.append((f"{where}.restartPolicy", text))
    elif resource.kind not in ("Job", "CronJob", "Pod") and policy != "Always":
        text = f'Unsupported value: "{policy}": supported values: "Always"'
        found.append((f"{where}.restartPolicy", text))
    return found


def _changes(kind: str, thing: Object, live: Object) -> Problems:
    new, old = thing.get("spec") or {}, live.get("spec") or {}
    if kind in ("ConfigMap", "Secret") and live.get("immutable"):
        if (thing.get("data"), thing.get("immutable")) != (live.get("data"), True):
            return [("data", "Forbidden: field is immutable when `immutable` is set")]
    elif kind == "Secret" and thing.get("type") != live.get("type"):
        return [("type", f'Invalid value: "{thing.get("type")}": field is immutable')]
    elif kind in _FIXED and new.get(_FIXED[kind]) != old.get(_FIXED[kind]):
        return [(f"spec.{_FIXED[kind]}", "Invalid value: field is immutable")]
    elif kind in _MUTABLE:
        fixed = (set(new) | set(old)) - set(_MUTABLE[kind])
        changed = sorted(field for field in fixed if new.get(field) != old.get(field))
        if changed and kind == "Job":
            return [(f"spec.{field}", "Invalid value: field is immutable") for field in changed]
        if changed:
            allowed = ", ".join(f"'{field}'" for field in _MUTABLE[kind])
            text = f"Forbidden: updates to {kind.lower()} spec for fields other than {allowed}"
            return [("spec", f"{text} are forbidden")]
    return []
