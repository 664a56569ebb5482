"""Validation by the API server, as far as releases can fail it."""

from __future__ import annotations

import re
from typing import Any

from tests.kube_api.defaults import pod_template
from tests.kube_api.errors import ApiError, bad_request, invalid
from tests.kube_api.resources import Object, Resource

REJECT = "test.wfgen/reject"
"""An annotation: the object is refused with its value as the reason."""
NO_DRY_RUN = "test.wfgen/no-dry-run"
"""An annotation: a webhook with side effects admits the object, and refuses dry runs of it.

https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#side-effects
"""
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
"""The only fields that may change in the specs of these kinds."""
_FIXED = {"Deployment": "selector", "ReplicaSet": "selector", "DaemonSet": "selector"}


def admit(obj: Object, dry_run: bool) -> None:
    """Calls the webhooks. Raises 400 where one of them does not support dry runs."""
    if dry_run and NO_DRY_RUN in (obj["metadata"].get("annotations") or {}):
        raise bad_request('admission webhook "hook.test.wfgen" does not support dry run')


def check(resource: Resource, obj: Object, live: Object | None) -> None:
    """Raises 422 for an invalid object, 400 for wrong types."""
    metadata = obj["metadata"]
    _types(obj)
    problems: Problems = []
    name = metadata.get("name", "")
    if not _NAME.fullmatch(name):
        problems.append(("metadata.name", f'Invalid value: "{name}": a lowercase RFC 1123 name'))
    problems += _labels("metadata", metadata)
    if reason := (metadata.get("annotations") or {}).get(REJECT):
        problems.append((f"metadata.annotations[{REJECT}]", f"Invalid value: {reason}"))
    if resource.kind in ("ConfigMap", "Secret"):
        problems += _size(obj)
    spec = obj.get("spec") or {}
    if resource.kind in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"):
        problems += _selector(spec)
    template = pod_template(obj)
    if template is not None or resource.kind in ("Job", "CronJob"):
        where = {"Pod": "spec", "CronJob": "spec.jobTemplate.spec.template.spec"}
        problems += _pod(where.get(resource.kind, "spec.template.spec"), template or {}, resource)
    if resource.kind == "HorizontalPodAutoscaler" and spec.get("maxReplicas", 0) < spec.get(
        "minReplicas", 1
    ):
        problems.append(("spec.maxReplicas", "Invalid value: must not be less than `minReplicas`"))
    if live is not None:
        problems += _changes(resource.kind, obj, live)
    if problems:
        raise invalid(resource, name, problems)


def _types(obj: Object) -> None:
    for field in ("labels", "annotations"):
        for key, value in (obj["metadata"].get(field) or {}).items():
            if not isinstance(value, str):
                raise _decoding(obj, f"metadata.{field}.{key}", value)
    if obj["kind"] in ("ConfigMap", "Secret"):
        for key, value in (obj.get("data") or {}).items():
            if not isinstance(value, str):
                raise _decoding(obj, f"data.{key}", value)


def _decoding(obj: Object, field: str, value: Any) -> ApiError:
    return bad_request(
        f"{obj['kind']} in version {obj.get('apiVersion')!r} cannot be handled as a "
        f"{obj['kind']}: json: cannot unmarshal {type(value).__name__} into Go struct field "
        f"{field} of type string"
    )


def _labels(where: str, metadata: Object) -> Problems:
    problems: Problems = []
    for name, value in (metadata.get("labels") or {}).items():
        if not _LABEL_NAME.fullmatch(name):
            problems.append((f"{where}.labels", f'Invalid value: "{name}": not a qualified name'))
        if not _LABEL.fullmatch(value):
            problems.append(
                (f"{where}.labels", f'Invalid value: "{value}": not a valid label value')
            )
    return problems


def _size(obj: Object) -> Problems:
    data = {**(obj.get("data") or {}), **(obj.get("binaryData") or {})}
    if sum(len(key) + len(value.encode()) for key, value in data.items()) > SIZE:
        where = "data" if obj["kind"] == "Secret" else ""
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
    problems: Problems = _labels(
        where.replace(".spec", ".metadata"), template.get("metadata") or {}
    )
    containers = spec.get("containers") or []
    if not containers:
        problems.append((f"{where}.containers", "Required value"))
    names: set[str] = set()
    volumes = {volume.get("name") for volume in spec.get("volumes") or []}
    for index, container in enumerate(containers):
        here = f"{where}.containers[{index}]"
        if not container.get("name"):
            problems.append((f"{here}.name", "Required value"))
        elif container["name"] in names:
            problems.append((f"{here}.name", f'Duplicate value: "{container["name"]}"'))
        names.add(container.get("name", ""))
        if not container.get("image"):
            problems.append((f"{here}.image", "Required value"))
        for mount in container.get("volumeMounts") or []:
            if resource.kind != "StatefulSet" and mount.get("name") not in volumes:
                problems.append((f"{here}.volumeMounts", f'Not problems: "{mount.get("name")}"'))
    policy = spec.get("restartPolicy")
    if resource.kind in ("Job", "CronJob") and policy not in ("Never", "OnFailure"):
        text = f'Required value: valid values: "OnFailure", "Never", not "{policy}"'
        problems.append((f"{where}.restartPolicy", text))
    elif resource.kind not in ("Job", "CronJob", "Pod") and policy != "Always":
        text = f'Unsupported value: "{policy}": supported values: "Always"'
        problems.append((f"{where}.restartPolicy", text))
    return problems


def _changes(kind: str, obj: Object, live: Object) -> Problems:
    new, old = obj.get("spec") or {}, live.get("spec") or {}
    if kind in ("ConfigMap", "Secret") and live.get("immutable"):
        if (obj.get("data"), obj.get("immutable")) != (live.get("data"), True):
            return [("data", "Forbidden: field is immutable when `immutable` is set")]
    elif kind == "Secret" and obj.get("type") != live.get("type"):
        return [("type", f'Invalid value: "{obj.get("type")}": field is immutable')]
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
