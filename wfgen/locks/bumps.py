"""Files that differ from what the specs make in nothing but the pins of their actions.

Bots bump an action everywhere at once, the lock included; then nothing differs. What differs here
was bumped in some places only, or is something else than a bump: it is named.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from wfgen.locks import pins
from wfgen.locks.pins import Pin

PULL = "wfgen pins pull"
"""Takes bumps that stand in generated files alone into the lock."""


class Bump(NamedTuple):
    """A `uses:` line of a generated file that is not as the lock has it."""

    line: int
    found: Pin
    wanted: Pin

    @property
    def message(self) -> str:
        """What it is: another action, a ref that can move, a comment or a commit of its own."""
        found, wanted = self.found, self.wanted
        if found.action != wanted.action:
            return f"{found.action} in place of {wanted.action}"
        if found.fault:
            return f"{found.fault}; the lock has {wanted.short}"
        if found.ref == wanted.ref:
            return (
                f"{found.action}: the comment says {found.version}, "
                f"and the lock says {wanted.version} of the same commit {found.ref[:12]}"
            )
        return f"{found.action}: {found.short} here, {wanted.short} in the lock"


class Remark(NamedTuple):
    """What is told of a line of a file."""

    line: int
    message: str


def find(found: str, wanted: str) -> list[Bump] | None:
    """The lines where two texts differ; None where they differ in more than pins."""
    lines = list(zip(found.split("\n"), wanted.split("\n"), strict=False))
    if found.count("\n") != wanted.count("\n"):
        return None
    bumps = []
    for number, (one, other) in enumerate(lines, 1):
        if one == other:
            continue
        theirs, ours = (next(pins.in_text(line), None) for line in (one, other))
        before = {line.partition("uses:")[0] for line in (one, other)}
        if theirs is None or ours is None or theirs == ours or len(before) > 1:
            return None
        bumps.append(Bump(number, theirs, ours))
    return bumps


def remarks_on_lock(found: str, wanted: str) -> list[Remark]:
    """What is wrong with the lock; `wanted` is the lock with all actions that are needed."""
    remarks = [Remark(fault.line, fault.message) for fault in pins.faults(found)]
    missing = pins.read(wanted).keys() - pins.read(found).keys()
    return sorted(remarks + [Remark(1, f"{action} is not in the lock") for action in missing])


def remedy_of_lock(found: str) -> str:
    """The command that mends a lock that is not sound; "" where it is."""
    actions = dict.fromkeys(fault.action for fault in pins.faults(found))
    mended = bool(actions) and "" not in actions
    return " ".join(["wfgen pins update", *actions]) if mended else ""


def unlocked(found: Iterable[Bump], wanted: Iterable[str]) -> dict[str, Pin]:
    """Actions that were bumped wherever the `wanted` texts have them, but not in the lock.

    So a bot does that has not seen the lock, or that somebody told to leave it alone.
    """
    bumped: dict[str, list[Pin]] = {}
    for bump in found:
        newer = pins.is_newer(bump.found.version, bump.wanted.version)
        if newer and bump.found.action == bump.wanted.action:
            bumped.setdefault(bump.found.action, []).append(bump.found)
    count: dict[str, int] = {}
    for pin in (pin for text in wanted for pin in pins.in_text(text)):
        count[pin.action] = count.get(pin.action, 0) + 1
    return {
        action: each[0]
        for action, each in bumped.items()
        if len(each) == count.get(action) and len(set(each)) == 1 and not each[0].fault
    }


def note(lock: str, first: str) -> str:
    """How the lock differs from the one that came with wfgen; "" where it does not.

    Said where nothing differs: it is all that can be known without asking the repositories.
    """
    came = pins.read(first)
    bumped = [pin for pin in pins.read(lock).values() if came.get(pin.action, pin) != pin]
    if not bumped:
        return ""
    names = ", ".join(f"{pin.action} {pin.version}" for pin in bumped[:3])
    names += f" and {len(bumped) - 3} more" if len(bumped) > 3 else ""
    return (
        f"bumped since this wfgen was released: {names}; lock and files agree, "
        "and wfgen pins verify proves that the commits are these releases"
    )
