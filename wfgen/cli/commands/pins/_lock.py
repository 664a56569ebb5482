"""Reads and writes the lock for the commands of `wfgen pins`."""

from __future__ import annotations

from pathlib import Path

from wfgen.cli.console import echo
from wfgen.errors import EXIT_CLEAN, EXIT_FINDINGS
from wfgen.generate.render import first_lock
from wfgen.locks import pins
from wfgen.locks.pin_updates import Taken
from wfgen.worktree.writing import write_all


def read(root: Path) -> str:
    """The text of the lock; without one, of the lock that wfgen ships with."""
    text = pins.load(root)
    return first_lock() if text is None else text


def write(root: Path, taken: Taken, quiet: bool) -> int:
    """Writes pins into the lock and prints them; exit code 1 where some were refused."""
    before = read(root)
    locked = pins.read(before)
    take, refused = taken
    text = pins.changed(before, take)
    new = [pin for action, pin in take.items() if action not in locked]
    text = pins.completed(text, first_lock(), new)
    for action, pin in sorted(take.items()):
        old = locked.get(action)
        if old != pin:
            echo(f"{action}: {f'{old.short} -> ' if old else 'new: '}{pin.short}", quiet)
    for message in refused:
        echo(f"refused: {message}", error=True)
    if text == pins.load(root):
        echo(f"{pins.LOCK} is unchanged", quiet)
    else:
        write_all(root, {pins.LOCK: text})
        echo(f"wrote {pins.LOCK}; next: run `wfgen render`", quiet)
    return EXIT_FINDINGS if refused else EXIT_CLEAN
