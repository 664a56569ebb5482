"""Update the lock to the newest releases, or add actions.

Asks each action's repository for its tags, with git; --offline asks none.
"""

from __future__ import annotations

from typing import Annotated

from wfgen.cli.commands.pins import _lock
from wfgen.cli.declared import Argument, Option
from wfgen.cli.options import Directory, Quiet, find_root
from wfgen.generate.render import first_lock
from wfgen.locks import pin_updates, pins, releases

Actions = Annotated[list[str] | None, Argument(help="owner/name, or owner/name@tag. Default: all.")]
Offline = Annotated[bool, Option("--offline", help="Take the releases that this wfgen ships with.")]


def run(
    actions: Actions = None,
    offline: Offline = False,
    directory: Directory = None,
    quiet: Quiet = False,
) -> int:
    root = find_root(directory)
    wanted = pin_updates.requested(pins.read(_lock.read(root)), actions or [])
    if offline:
        taken = pin_updates.from_wfgen(wanted, pins.read(first_lock()))
    else:
        repositories = [pin.repository for pin, _ in wanted.values()]
        tags = releases.ask(repositories, "run `wfgen pins update --offline`")
        taken = pin_updates.from_repositories(wanted, tags)
    return _lock.write(root, taken, quiet)
