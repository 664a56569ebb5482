"""What is taken into the lock: from repositories, from wfgen itself, or from a bot's files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wfgen.errors import WfgenError
from wfgen.locks.bumps import Bump
from wfgen.locks.pins import Pin, is_newer
from wfgen.locks.releases import Tags

Taken = tuple[dict[str, Pin], list[str]]
"""Pins to take by action, and what is not taken and why."""


def asked(locked: Mapping[str, Pin], names: Iterable[str]) -> dict[str, tuple[Pin, str]]:
    """The actions that a command line names, each as the lock has it, and the tag after `@`.

    All of the lock where it names none. Raises `WfgenError` for what is no action.
    """
    wanted = {}
    for name in names:
        action, _, tag = name.partition("@")
        if fault := Pin(action, "0" * 40, "v0").fault:
            raise WfgenError(fault)
        wanted[action] = (locked.get(action, Pin(action, "", "")), tag)
    return wanted or {action: (pin, "") for action, pin in locked.items()}


def from_repositories(wanted: Mapping[str, tuple[Pin, str]], tags: Mapping[str, Tags]) -> Taken:
    """The newest release of each action or the one that was named, and the commit that it is."""
    take, refused = {}, []
    for action, (pin, named) in wanted.items():
        have = tags[pin.repository]
        version = pin.version or (pin.ref if pin.ref in have.commits else "")
        newest = have.newest(version)
        tag = named or (newest if not version or is_newer(newest, version) else version)
        if have.error:
            refused.append(f"{action}: {pin.repository} cannot be asked: {have.error}")
        elif tag not in have.commits:
            missing = f"no tag {tag}" if tag else "no release such as v1.2.3"
            refused.append(f"{action}: there is {missing} in {pin.repository}")
        else:
            take[action] = Pin(action, have.commits[tag], tag)
    return take, refused


def from_wfgen(wanted: Mapping[str, tuple[Pin, str]], known: Mapping[str, Pin]) -> Taken:
    """What wfgen itself was released with, where it is no older than what the lock has."""
    take, refused = {}, []
    for action, (pin, named) in wanted.items():
        ours = known.get(action)
        if ours and named in ("", ours.version) and not is_newer(pin.version, ours.version):
            take[action] = ours
        elif named or not pin.ref:
            version = f"{ours.version} alone" if ours else "no release of it"
            refused.append(f"{action}: without a network, wfgen knows {version}")
    return take, refused


def from_files(lock: Mapping[str, Pin], found: Iterable[tuple[str, Pin]]) -> Taken:
    """What a bot set in generated files alone; `found` are their pins, each with its file.

    An action has to stand at one new pin only, wherever it is not as the lock has it. What is
    older than in the lock is a file that was not rendered since.
    """
    news: dict[str, dict[Pin, list[str]]] = {}
    refused: list[str] = []
    for path, pin in found:
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
            refused.append(f"{action} was bumped to several: {places}")
    return take, refused
