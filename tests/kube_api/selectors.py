"""Label and field selectors.

https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
"""

from __future__ import annotations

import re
from typing import Any

from tests.kube_api.errors import bad_request
from tests.kube_api.resources import Object

_PARTS = re.compile(r",(?![^()]*\))")
_SET = re.compile(r"(\S+)\s+(in|notin)\s+\(([^)]*)\)")
_EQUAL = re.compile(r"([^=!]+?)\s*(==|=|!=)\s*(.*)")
_NONE = object()


def by_labels(text: str, labels: dict[str, str]) -> bool:
    """Whether labels match a selector in the notation of URLs."""
    return all(_label(part.strip(), labels) for part in _PARTS.split(text) if part.strip())


def _label(part: str, labels: dict[str, str]) -> bool:
    if match := _SET.fullmatch(part):
        name, how, values = match.groups()
        wanted = [value.strip() for value in values.split(",")]
        return (labels.get(name, _NONE) in wanted) == (how == "in")
    if match := _EQUAL.fullmatch(part):
        name, how, value = match.groups()
        return (labels.get(name, _NONE) == value) == (how != "!=")
    return part[1:] not in labels if part.startswith("!") else part in labels


def by_fields(text: str, obj: Object) -> bool:
    """Whether an object matches a field selector. Raises 400 for an invalid one."""
    for part in filter(None, text.split(",")):
        match = _EQUAL.fullmatch(part)
        if not match:
            raise bad_request(f"invalid field selector {part!r}")
        name, how, value = match.groups()
        if (str(_at(obj, name)) == value) != (how != "!="):
            return False
    return True


def _at(obj: Any, name: str) -> Any:
    for step in name.split("."):
        obj = obj.get(step, "") if isinstance(obj, dict) else ""
    return obj


def by_selector(selector: Object, labels: dict[str, str]) -> bool:
    """Whether labels match a `LabelSelector` object."""
    for name, value in (selector.get("matchLabels") or {}).items():
        if labels.get(name) != value:
            return False
    for rule in selector.get("matchExpressions") or []:
        exists, values = rule["key"] in labels, rule.get("values") or []
        fits = labels.get(rule["key"]) in values
        matches = {"In": fits, "NotIn": not fits, "Exists": exists, "DoesNotExist": not exists}
        if not matches[rule["operator"]]:
            return False
    return True
