"""The lock of actions: a workflow that never runs, so that bots bump it like any other.

Every `uses:` that wfgen writes comes from it. The lock is the user's and their bot's once it
stands in the repository; a first one comes with wfgen, and actions that a newer wfgen needs are
added to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from wfgen.errors import WfgenError

LOCK = ".github/workflows/_pins.yml"
# What a local reference ($/ or ./) and an image (docker://) do not have: an owner, and a ref.
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
    """What is wrong with a line of the lock."""

    line: int
    message: str
    action: str
    """The one that it is about; "" where it is about none."""


@dataclass(frozen=True, slots=True)
class Pin:
    """An action at a commit, and the version that the comment after it names."""

    action: str
    """`owner/name`, perhaps with a path below it."""
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
        """Whether the ref is a full commit SHA, which nobody can move
        (https://docs.github.com/en/actions/reference/security/secure-use#using-third-party-actions).
        """
        return _SHA.fullmatch(self.ref) is not None

    @property
    def fault(self) -> str:
        """What is wrong with it by itself; "" where nothing is."""
        expected = "expected the full commit SHA and `# vX.Y.Z` after it"
        if not _ACTION.fullmatch(self.action):
            return f"{self.action} is no action; expected owner/name in plain letters"
        if not self.is_commit:
            return f"{self.action}@{self.ref} is not pinned: a tag or branch can move; {expected}"
        return "" if self.version else f"{self.action} has no version after its commit; {expected}"


def split_version(version: str) -> tuple[str, tuple[int, ...]] | None:
    """What stands before the numbers of a version, and four of these; None where it has none."""
    found = _VERSION.fullmatch(version)
    if not found:
        return None
    numbers = [int(each) for each in found["numbers"].split(".")]
    return found["before"], tuple(numbers + [0] * (4 - len(numbers)))


def is_newer(one: str, other: str) -> bool:
    """Whether version `one` is above `other`; no, where either is no version."""
    above, below = split_version(one), split_version(other)
    return above is not None and below is not None and above[1] > below[1]


def in_text(text: str) -> Iterator[Pin]:
    """Every `uses:` of another repository, in the order of the lines."""
    line, counted, at = 1, 0, text.find("uses:")
    while at >= 0:  # ten times as fast as to try the expression at each line
        start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
        if found := _USES.match(text, start):
            line += text.count("\n", counted, start)
            counted = start
            yield Pin(found["action"], found["ref"], found["version"] or "", line)
        at = text.find("uses:", end) if end >= 0 else -1


def read(text: str) -> dict[str, Pin]:
    """Action to its pin, in the lock's order; of several for one action, the first."""
    pins: dict[str, Pin] = {}
    for pin in in_text(text):
        pins.setdefault(pin.action, pin)
    return pins


def faults(text: str) -> list[Fault]:
    """What is wrong with a lock: refs that can move, no versions, pins that contradict."""
    found = []
    if conflict := _CONFLICT.search(text):
        line = text.count("\n", 0, conflict.start()) + 1
        found.append(Fault(line, "a merge conflict stands in it: keep one side of each", ""))
    first: dict[str, Pin] = {}
    versions: dict[tuple[str, str], Pin] = {}
    for pin in in_text(text):
        same = first.setdefault(pin.action, pin)
        named = versions.setdefault((pin.repository, pin.ref), pin)
        if pin.fault:
            found.append(Fault(pin.line, pin.fault, pin.action))
        elif same != pin:
            message = f"{pin.action} is pinned twice: {same.short} in line {same.line}, {pin.short}"
            found.append(Fault(pin.line, message, pin.action))
        elif named.version != pin.version:
            message = f"{pin.short}: the same commit is {named.version} in line {named.line}"
            found.append(Fault(pin.line, f"{pin.action} {message}", pin.action))
    return found


def refuse_faults(text: str) -> None:
    """Raises `WfgenError` for a lock that is not sound."""
    for fault in faults(text):
        raise WfgenError(f"{LOCK}:{fault.line}: {fault.message}")


def load(root: Path) -> str | None:
    """The text of the repository's lock as it is; None where there is none."""
    try:
        return (root / LOCK).read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise WfgenError(f"{LOCK}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise WfgenError(f"{LOCK}: byte {error.start + 1} is not UTF-8") from error


def changed(text: str, pins: Mapping[str, Pin]) -> str:
    """The lock with other pins for actions that it has. Nothing else of it changes."""

    def replace(found: re.Match[str]) -> str:
        pin = pins.get(found["action"])
        if pin is None:
            return found[0]
        end = "\r" if found[0].endswith("\r") else ""
        quote = found["quote"]
        return f"{found['before']}{quote}{pin.action}@{pin.ref}{quote} # {pin.version}{end}"

    return _USES.sub(replace, text)


def completed(text: str, first: str, pins: Iterable[Pin]) -> str:
    """The lock with entries for actions that it does not have, each in its place by name.

    An entry is that of `first`, the lock that comes with wfgen, where it has one: actions whose
    inputs are required have them there, so that linters find nothing.
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
        raise WfgenError(f"{LOCK}: no action in it; restore it, or remove it and run: wfgen render")
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
        found = _USES.match(line.rstrip("\n"))
        if not found:
            continue
        start = index
        while start and not lines[start].lstrip().startswith("- "):
            start -= 1
        if not lines[start].lstrip().startswith("- "):
            continue
        indent, end = _indent(lines[start]), index + 1
        while end < len(lines) and lines[end].strip() and _indent(lines[end]) > indent:
            end += 1
        yield start, end, found["action"]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
