"""What a patch puts into a file, dressed as ours: actions pinned, permissions explained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from wfgen.findings import did_you_mean
from wfgen.locks.pins import Pin
from wfgen.release_program import names
from wfgen.text.positions import Route


class Refusal(Exception):
    """A patch that cannot be applied: `field` of the spec, what is wrong, and how to mend it."""

    def __init__(self, route: Route, message: str, hint: str, rule: str = "patch-target") -> None:
        super().__init__(message)
        self.route, self.message, self.hint, self.rule = route, message, hint, rule


def as_ours(value: Any, route: Route, key: str, name: str, locked: Mapping[str, Pin]) -> Any:
    """A value of patch `name` with the lock's commit at each action, a comment at each permission.

    `route` leads to it in the patch, `key` is the one that it will stand at. Raises `Refusal`.
    """
    if isinstance(value, dict):
        values = {
            inner: as_ours(each, (*route, inner), inner, name, locked)
            for inner, each in value.items()
        }
        if key == "permissions":
            return {inner: permission(each, name) for inner, each in values.items()}
        return values
    if isinstance(value, list):
        return [as_ours(each, (*route, i), "", name, locked) for i, each in enumerate(value)]
    if key != "uses" or not isinstance(value, str) or not _needs_pin(value):
        return value
    if value in locked:
        return Markup(str(locked[value]))
    hint = did_you_mean(value, locked)
    hint = hint if hint.startswith("did") else f"add it by: wfgen pins update {value}"
    raise Refusal(route, f"{value} is not in the lock", hint, "unlocked-action")


def permission(level: Any, name: str) -> Any:
    """A permission with a comment on who asks for it, as all of ours have one."""
    return Markup(f"{level} # patch {name}") if level in ("read", "write", "none") else level


def _needs_pin(uses: str) -> bool:
    """Whether it is somebody else's action, without a ref."""
    return "/" in uses and "@" not in uses and not uses.startswith((*names.LOCAL, "docker://"))
