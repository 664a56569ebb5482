"""New pins for the lock: from the actions' repositories, from wfgen, or from generated files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wfgen.errors import WfgenError
from wfgen.locks.bumps import Bump
from wfgen.locks.pins import Pin, is_newer
from wfgen.locks.releases import Tags

Taken = tuple[dict[str, Pin], list[str]]
"""New pins by action, and messages about what is refused."""


def requested(locked: Mapping[str, Pin], names: Iterable[str]) -> dict[str, tuple[Pin, str]]:
    """The actions that a command line names, each with its pin in the lock and the tag after `@`.

    All actions of the lock where it names none. Raises `WfgenError` for a name that is not an
    action's.
    """
    wanted = {}
    for name in names:
        action, _, tag = name.partition("@")
        if fault := Pin(action, "0" * 40, "v0").fault:
            raise WfgenError(fault)
        wanted[action] = (locked.get(action, Pin(action, "", "")), tag)
    return wanted or {action: (pin, "") for action, pin in locked.items()}


def from_repositories(wanted: Mapping[str, tuple[Pin, str]], tags: Mapping[str, Tags]) -> Taken:
    """The commit of the named release of each action, or of its newest one."""
    take, refused = {}, []
    for action, (pin, named) in wanted.items():
        have = tags[pin.repository]
        version = pin.version or (pin.ref if pin.ref in have.commits else "")
        newest = have.newest(version)
        tag = named or (newest if not version or is_newer(newest, version) else version)
        if have.error:
            refused.append(f"{action}: {pin.repository} cannot be read: {have.error}")
        elif tag not in have.commits:
            missing = f"no tag {tag}" if tag else "no release such as v1.2.3"
            refused.append(f"{action}: {missing} in {pin.repository}")
        else:
            take[action] = Pin(action, have.commits[tag], tag)
    return take, refused


def from_wfgen(wanted: Mapping[str, tuple[Pin, str]], known: Mapping[str, Pin]) -> Taken:
    """The pins that wfgen ships with, where they are not older than those of the lock."""
    take, refused = {}, []
    for action, (pin, named) in wanted.items():
        ours = known.get(action)
        if ours and named in ("", ours.version) and not is_newer(pin.version, ours.version):
            take[action] = ours
        elif named or not pin.ref:
            version = ours.version if ours else "no release of it"
            refused.append(f"{action}: this wfgen ships with {version}")
    return take, refused


def from_files(lock: Mapping[str, Pin], used: Iterable[tuple[str, Pin]]) -> Taken:
    """The pins that a bot bumped in generated files only; `used` are pairs of path and pin.

    Refuses an action with several new pins. Ignores older pins than the lock's: such a file was
    not rendered since.
    """
    news: dict[str, dict[Pin, list[str]]] = {}
    refused: list[str] = []
    for path, pin in used:
        place = f"{path}:{pin.line}"
        if pin.action not in lock:
            refused.append(f"{place}: {pin.action} is not in the lock")
        elif lock[pin.action] == pin:
            continue
        elif pin.fault:
            refused.append(f"{place}: {pin.fault}")
        elif pin.ref == lock[pin.action].ref:
            refused.append(f"{place}: {Bump(pin.line, pin, lock[pin.action]).message}")
        elif not is_newer(lock[pin.action].version, pin.version):
            news.setdefault(pin.action, {}).setdefault(pin, []).append(place)
    take = {}
    for action, choices in news.items():
        if len(choices) == 1:
            take[action] = next(iter(choices))
        else:
            places = "; ".join(f"{pin.short} in {at[0]}" for pin, at in choices.items())
            refused.append(f"{action} was bumped to several releases: {places}")
    return take, refused
