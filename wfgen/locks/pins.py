"""The lock of actions: a workflow that never runs, so that bots bump it like any other.

Every `uses:` that wfgen writes comes from it. wfgen ships with a first lock; once it is in the
repository, users and bots change it, and wfgen only adds actions that it lacks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from wfgen.errors import WfgenError

LOCK = ".github/workflows/_pins.yml"
# Requires an owner and a ref: local references ($/ or ./) and images (docker://) do not match.
_USES = re.compile(
    r"^(?P<before>[ \t]*(?:-[ \t]+)?uses:[ \t]*)(?P<quote>['\"]?)"
    r"(?P<action>(?!docker:)[^@\s'\"#.$][^@\s'\"#]*)@(?P<ref>[^\s'\"#]+)(?P=quote)"
    r"(?:[ \t]+#[ \t]*(?P<version>\S+))?[ \t\r]*$",
    re.MULTILINE,
)
_ACTION = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_./-]+)?")
_VERSION = re.compile(r"(?P<before>.*?v?)(?P<numbers>\d+(?:\.\d+){0,3})")
_CONFLICT = re.compile(r"^(?:<{7}|={7}|>{7})(?: .*)?$", re.MULTILINE)
_SHA = re.compile(r"[0-9a-f]{40}")


class Fault(NamedTuple):
    """An error in a line of the lock."""

    line: int
    message: str
    action: str
    """The action of the line; "" where there is none."""


@dataclass(frozen=True, slots=True)
class Pin:
    """An action at a commit, and the version in the comment after it."""

    action: str
    """`owner/name`, with an optional path below it."""
    ref: str
    version: str
    line: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"{self.action}@{self.ref}" + (f" # {self.version}" if self.version else "")

    @property
    def repository(self) -> str:
        """`owner/name`."""
        return "/".join(self.action.split("/")[:2])

    @property
    def short(self) -> str:
        """Version and commit, for messages."""
        ref = self.ref[:12] if self.is_commit else self.ref
        return f"{self.version} ({ref})" if self.version else ref

    @property
    def is_commit(self) -> bool:
        """Whether the ref is a full commit SHA, which cannot be moved
        (https://docs.github.com/en/actions/reference/security/secure-use#using-third-party-actions).
        """
        return _SHA.fullmatch(self.ref) is not None

    @property
    def fault(self) -> str:
        """The error in this pin; "" where there is none."""
        expected = "expected the full commit SHA and `# vX.Y.Z` after it"
        if not _ACTION.fullmatch(self.action):
            return f"{self.action} is not an action; expected owner/name in ASCII letters"
        if not self.is_commit:
            return f"{self.action}@{self.ref} is not pinned: a tag or branch can move; {expected}"
        return "" if self.version else f"{self.action} has no version after its commit; {expected}"


def split_version(version: str) -> tuple[str, tuple[int, ...]] | None:
    """The text before the numbers of a version, and four numbers; None where it has none."""
    match = _VERSION.fullmatch(version)
    if not match:
        return None
    numbers = [int(number) for number in match["numbers"].split(".")]
    return match["before"], tuple(numbers + [0] * (4 - len(numbers)))


def is_newer(one: str, other: str) -> bool:
    """Whether version `one` is above `other`; False where either is not a version."""
    above, below = split_version(one), split_version(other)
    return above is not None and below is not None and above[1] > below[1]


def in_text(text: str) -> Iterator[Pin]:
    """Every `uses:` of another repository, in the order of the lines."""
    line, counted, at = 1, 0, text.find("uses:")
    while at >= 0:  # ten times as fast as matching the expression at each line
        start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
        if match := _USES.match(text, start):
            line += text.count("\n", counted, start)
            counted = start
            yield Pin(match["action"], match["ref"], match["version"] or "", line)
        at = text.find("uses:", end) if end >= 0 else -1


def read(text: str) -> dict[str, Pin]:
    """Action to pin, in the lock's order; the first pin of an action counts."""
    pins: dict[str, Pin] = {}
    for pin in in_text(text):
        pins.setdefault(pin.action, pin)
    return pins


def faults(text: str) -> list[Fault]:
    """The errors in a lock: refs that can move, missing versions, contradicting pins."""
    errors = []
    if conflict := _CONFLICT.search(text):
        line = text.count("\n", 0, conflict.start()) + 1
        errors.append(Fault(line, "contains merge conflict markers: keep one side of each", ""))
    first: dict[str, Pin] = {}
    versions: dict[tuple[str, str], Pin] = {}
    for pin in in_text(text):
        same = first.setdefault(pin.action, pin)
        named = versions.setdefault((pin.repository, pin.ref), pin)
        if pin.fault:
            errors.append(Fault(pin.line, pin.fault, pin.action))
        elif same != pin:
            message = f"{pin.action} is pinned twice: {same.short} in line {same.line}, {pin.short}"
            errors.append(Fault(pin.line, message, pin.action))
        elif named.version != pin.version:
            message = f"{pin.short}: the same commit is {named.version} in line {named.line}"
            errors.append(Fault(pin.line, f"{pin.action} {message}", pin.action))
    return errors


def refuse_faults(text: str) -> None:
    """Raises `WfgenError` for a lock with errors."""
    for fault in faults(text):
        raise WfgenError(f"{LOCK}:{fault.line}: {fault.message}")


def load(root: Path) -> str | None:
    """The text of the repository's lock; None where there is none."""
    try:
        return (root / LOCK).read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise WfgenError(f"{LOCK}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise WfgenError(f"{LOCK}: byte {error.start + 1} is not UTF-8") from error


def changed(text: str, pins: Mapping[str, Pin]) -> str:
    """The lock with these pins for actions that it has; other text stays the same."""

    def replace(match: re.Match[str]) -> str:
        pin = pins.get(match["action"])
        if pin is None:
            return match[0]
        end = "\r" if match[0].endswith("\r") else ""
        quote = match["quote"]
        return f"{match['before']}{quote}{pin.action}@{pin.ref}{quote} # {pin.version}{end}"

    return _USES.sub(replace, text)


def completed(text: str, first: str, pins: Iterable[Pin]) -> str:
    """The lock with entries for actions that it lacks, ordered by name.

    Entries are copied from `first`, the lock that wfgen ships with, where it has them: they have
    the required inputs of the action, which linters ask for.
    """
    for pin in pins:
        text = _with_entry(text, pin, _entry(first, pin))
    return text


def _entry(first: str, pin: Pin) -> list[str]:
    """The lines of an entry, not indented."""
    lines = first.splitlines()
    for start, end, action in _entries(lines):
        if action == pin.action:
            indent = _indent(lines[start])
            return changed("\n".join(line[indent:] for line in lines[start:end]), {action: pin}) \
                .split("\n")  # fmt: skip
    return [f"- name: {pin.action}", f"  uses: {pin}"]


def _with_entry(text: str, pin: Pin, entry: list[str]) -> str:
    lines = text.splitlines(keepends=True)
    entries = list(_entries(lines))
    if not entries:
        refuse_faults(text)
        raise WfgenError(f"{LOCK}: no actions; restore it, or remove it and run `wfgen render`")
    at = next((start for start, _, action in entries if action > pin.action), entries[-1][1])
    indent = " " * _indent(lines[entries[0][0]])
    ending = "\r\n" if lines[0].endswith("\r\n") else "\n"
    if not lines[at - 1].endswith("\n"):
        lines[at - 1] += ending
    lines[at:at] = [f"{indent}{line}{ending}" for line in entry]
    return "".join(lines)


def _entries(lines: list[str]) -> Iterator[tuple[int, int, str]]:
    """Where each entry begins and ends, and its action."""
    for index, line in enumerate(lines):
        match = _USES.match(line.rstrip("\n"))
        if not match:
            continue
        start = index
        while start and not lines[start].lstrip().startswith("- "):
            start -= 1
        if not lines[start].lstrip().startswith("- "):
            continue
        indent, end = _indent(lines[start]), index + 1
        while end < len(lines) and lines[end].strip() and _indent(lines[end]) > indent:
            end += 1
        yield start, end, match["action"]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
