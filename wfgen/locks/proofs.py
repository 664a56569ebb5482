"""Whether each commit of the lock is the release that its comment names."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from wfgen.errors import WfgenError
from wfgen.findings import Diagnostic, Position
from wfgen.locks import pins
from wfgen.locks.pins import LOCK, Pin
from wfgen.locks.releases import Tags

RULE = "pins"


def prove(locked: Iterable[Pin], tags: Mapping[str, Tags]) -> list[Diagnostic]:
    """What cannot be so, at the lines of the lock.

    GitHub serves commits of forks under the name of the repository that they were forked from;
    so a commit that no tag of the repository names is anybody's.
    """
    found = []
    for pin in locked:
        message, hint = _disproof(pin, tags[pin.repository])
        if message:
            place = Position(LOCK, pin.line)
            found.append(Diagnostic(place, f"{pin.action}: {message}", RULE, hint, source=str(pin)))
    return found


def changed_since(root: Path, revision: str, locked: Mapping[str, Pin]) -> list[Pin]:
    """Pins that the lock of an earlier commit does not have so; all where it cannot be read.

    A shallow clone may lack the commit: it is fetched, where that needs no password.
    """
    if revision.startswith("-"):  # git would take it for an option
        raise WfgenError(f"--since {revision}: expected a commit")
    before = _lock_at(root, revision)
    shallow = _git(root, "rev-parse", "--is-shallow-repository")
    if before is None and shallow == "true\n":  # a whole clone has it, or nobody has
        _git(root, "fetch", "--quiet", "--depth=1", "origin", revision)
        before = _lock_at(root, revision)
    known = pins.read(before or "")
    return [pin for pin in locked.values() if known.get(pin.action) != pin]


def _disproof(pin: Pin, tags: Tags) -> tuple[str, str]:
    """Why a pin is not what it says, and what to do; nothing where it is."""
    mend = f"wfgen pins update {pin.action}@{pin.version}"
    if pin.fault:
        return pin.fault, f"mend it by: wfgen pins update {pin.action}"
    if tags.error:
        return f"{pin.repository} cannot be asked: {tags.error}", ""
    commit = tags.commits.get(pin.version) or tags.commits.get(_other_form(pin.version))
    if commit == pin.ref:
        return "", ""
    if commit is None:
        return f"there is no tag {pin.version} in {pin.repository}", "name the tag of the commit"
    if tags.objects.get(pin.version) == pin.ref:
        what = f"{pin.ref[:12]} is the tag object of {pin.version}, its commit is {commit[:12]}"
        return what, f"mend it by: {mend}"
    really = tags.named(pin.ref)
    whose = f"is {really}" if really else "is no release: it may be of a fork"
    return f"{pin.ref[:12]} {whose}; {pin.version} is {commit[:12]}", f"mend it by: {mend}"


def _other_form(version: str) -> str:
    """With or without its v: bots write either."""
    return version[1:] if version.startswith("v") else f"v{version}"


def _lock_at(root: Path, revision: str) -> str | None:
    return _git(root, "show", f"{revision}:./{LOCK}")


def _git(root: Path, *arguments: str) -> str | None:
    """What git prints; None where it fails."""
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
