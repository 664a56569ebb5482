"""Checks that each commit of the lock is the release that its comment names."""

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
    """A finding for each pin whose commit is not that of its tag, at its line of the lock.

    GitHub serves commits of forks under the name of the original repository, so a commit without a
    tag may come from a fork.
    """
    findings = []
    for pin in locked:
        message, hint = _disproof(pin, tags[pin.repository])
        if message:
            place, text = Position(LOCK, pin.line), f"{pin.action}: {message}"
            findings.append(Diagnostic(place, text, RULE, hint, source=str(pin)))
    return findings


def changed_since(root: Path, revision: str, locked: Mapping[str, Pin]) -> list[Pin]:
    """Pins that differ from the lock of an earlier commit; all where that cannot be read.

    Fetches the commit where a shallow clone lacks it.
    """
    if revision.startswith("-"):  # git would read it as an option
        raise WfgenError(f"--since {revision}: expected a commit")
    before = _lock_at(root, revision)
    shallow = _git(root, "rev-parse", "--is-shallow-repository")
    if before is None and shallow == "true\n":  # a full clone has every commit
        _git(root, "fetch", "--quiet", "--depth=1", "origin", revision)
        before = _lock_at(root, revision)
    known = pins.read(before or "")
    return [pin for pin in locked.values() if known.get(pin.action) != pin]


def _disproof(pin: Pin, tags: Tags) -> tuple[str, str]:
    """What is wrong with a pin, and the hint; two empty texts where it is correct."""
    fix = f"to fix, run `wfgen pins update {pin.action}@{pin.version}`"
    if pin.fault:
        return pin.fault, f"to fix, run `wfgen pins update {pin.action}`"
    if tags.error:
        return f"{pin.repository} cannot be read: {tags.error}", ""
    commit = tags.commits.get(pin.version) or tags.commits.get(_other_form(pin.version))
    if commit == pin.ref:
        return "", ""
    if commit is None:
        message = f"no tag {pin.version} in {pin.repository}"
        return message, "put the tag of the commit into the comment"
    if tags.objects.get(pin.version) == pin.ref:
        what = f"{pin.ref[:12]} is the tag object of {pin.version}, its commit is {commit[:12]}"
        return what, fix
    tag = tags.named(pin.ref)
    actual = f"is {tag}" if tag else "has no tag and may come from a fork"
    return f"{pin.ref[:12]} {actual}; {pin.version} is {commit[:12]}", fix


def _other_form(version: str) -> str:
    """With or without `v`: bots write both."""
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
