"""Values of a patch in the style of generated files: pinned actions, commented permissions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from wfgen.findings import did_you_mean
from wfgen.locks.pins import Pin
from wfgen.release_program import names
from wfgen.text.positions import Route


class Refusal(Exception):
    """A patch that does not apply: the route of its field, the reason, and a hint."""

    def __init__(self, route: Route, message: str, hint: str, rule: str = "patch-target") -> None:
        super().__init__(message)
        self.route, self.message, self.hint, self.rule = route, message, hint, rule


def styled(value: Any, route: Route, key: str, name: str, locked: Mapping[str, Pin]) -> Any:
    """A value of patch `name` with each action pinned by the lock, each permission commented.

    `route` is its route in the patch, `key` its key in the file. Raises `Refusal`.
    """
    if isinstance(value, dict):
        values = {
            inner: styled(item, (*route, inner), inner, name, locked)
            for inner, item in value.items()
        }
        if key == "permissions":
            return {scope: permission(level, name) for scope, level in values.items()}
        return values
    if isinstance(value, list):
        return [styled(item, (*route, i), "", name, locked) for i, item in enumerate(value)]
    if key != "uses" or not isinstance(value, str) or not _needs_pin(value):
        return value
    if value in locked:
        return Markup(str(locked[value]))
    hint = did_you_mean(value, locked)
    hint = hint if hint.startswith("did") else f"to add it, run `wfgen pins update {value}`"
    raise Refusal(route, f"`{value}` is not in the lock", hint, "unlocked-action")


def permission(level: Any, name: str) -> Any:
    """A permission with a comment that names the patch, as every generated one has a comment."""
    return Markup(f"{level} # patch {name}") if level in ("read", "write", "none") else level


def _needs_pin(uses: str) -> bool:
    """Whether it is an action of another repository, without a ref."""
    return "/" in uses and "@" not in uses and not uses.startswith((*names.LOCAL, "docker://"))
