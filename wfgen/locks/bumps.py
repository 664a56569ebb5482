"""Files that differ from the generated ones only in the pins of their actions.

Bots bump an action everywhere at once, the lock included; then nothing differs. A difference is a
bump in some places only, or it is not a bump: a message says which.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from wfgen.locks import pins
from wfgen.locks.pins import Pin

PULL = "wfgen pins pull"
"""Copies into the lock what was bumped in generated files only."""


class Bump(NamedTuple):
    """A `uses:` line of a generated file that differs from the lock."""

    line: int
    actual: Pin
    expected: Pin

    @property
    def message(self) -> str:
        """What differs: the action, the kind of ref, the version comment or the commit."""
        actual, expected = self.actual, self.expected
        if actual.action != expected.action:
            return f"{actual.action} in place of {expected.action}"
        if actual.fault:
            return f"{actual.fault}; the lock has {expected.short}"
        if actual.ref == expected.ref:
            return (
                f"{actual.action}: the comment says {actual.version}, "
                f"and the lock says {expected.version} for the same commit {actual.ref[:12]}"
            )
        return f"{actual.action}: {actual.short} here, {expected.short} in the lock"


class Remark(NamedTuple):
    """A message about a line of a file."""

    line: int
    message: str


def find(actual: str, expected: str) -> list[Bump] | None:
    """The lines where two texts differ; None where they differ in more than pins."""
    if actual.count("\n") != expected.count("\n"):
        return None
    bumps = []
    lines = zip(actual.split("\n"), expected.split("\n"), strict=True)
    for number, (one, other) in enumerate(lines, 1):
        if one == other:
            continue
        theirs, ours = (next(pins.in_text(line), None) for line in (one, other))
        before = {line.partition("uses:")[0] for line in (one, other)}
        if theirs is None or ours is None or theirs == ours or len(before) > 1:
            return None
        bumps.append(Bump(number, theirs, ours))
    return bumps


def remarks_on_lock(actual: str, complete: str) -> list[Remark]:
    """What is wrong with the lock; `complete` is the lock with all actions that are used."""
    remarks = [Remark(fault.line, fault.message) for fault in pins.faults(actual)]
    missing = pins.read(complete).keys() - pins.read(actual).keys()
    return sorted(remarks + [Remark(1, f"{action} is not in the lock") for action in missing])


def remedy_of_lock(lock: str) -> str:
    """The command that fixes the faults of a lock; "" where there is none."""
    actions = dict.fromkeys(fault.action for fault in pins.faults(lock))
    fixable = bool(actions) and "" not in actions
    return " ".join(["wfgen pins update", *actions]) if fixable else ""


def unlocked(bumps: Iterable[Bump], generated: Iterable[str]) -> dict[str, Pin]:
    """Actions that were bumped wherever the `generated` texts use them, but not in the lock.

    A bot does so where it is configured to ignore the lock.
    """
    bumped: dict[str, list[Pin]] = {}
    for bump in bumps:
        newer = pins.is_newer(bump.actual.version, bump.expected.version)
        if newer and bump.actual.action == bump.expected.action:
            bumped.setdefault(bump.actual.action, []).append(bump.actual)
    uses: dict[str, int] = {}
    for pin in (pin for text in generated for pin in pins.in_text(text)):
        uses[pin.action] = uses.get(pin.action, 0) + 1
    return {
        action: new[0]
        for action, new in bumped.items()
        if len(new) == uses.get(action) and len(set(new)) == 1 and not new[0].fault
    }


def note(lock: str, first: str) -> str:
    """A note on pins that differ from `first`, the lock that wfgen ships with; "" without any."""
    shipped = pins.read(first)
    bumped = [pin for pin in pins.read(lock).values() if shipped.get(pin.action, pin) != pin]
    if not bumped:
        return ""
    names = ", ".join(f"{pin.action} {pin.version}" for pin in bumped[:3])
    names += f" and {len(bumped) - 3} more" if len(bumped) > 3 else ""
    return (
        f"bumped since this wfgen was released: {names}; to verify that the commits are these "
        "releases, run `wfgen pins verify`"
    )
