"""`wfgen pins`: what is in the lock of actions, and how it changes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wfgen.cli.console import say, style
from wfgen.cli.plain_commands import Directory, Format, Quiet, open_repository, root_of
from wfgen.errors import EXIT_CLEAN, EXIT_FINDINGS

if TYPE_CHECKING:
    from wfgen.locks.pin_updates import Taken

Actions = Annotated[
    list[str] | None, typer.Argument(help="owner/name, or owner/name@tag; all by default.")
]


def update(
    actions: Actions = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Take what this wfgen was released with.")
    ] = False,
    directory: Directory = None,
    quiet: Quiet = False,
) -> int:
    """Take the newest releases into the lock.

    Actions that the lock does not have are added. Git asks each action's repository for its tags;
    --offline asks nobody.
    """
    from wfgen.generate.render import first_lock
    from wfgen.locks import pin_updates, pins, releases

    root = root_of(directory)
    wanted = pin_updates.asked(pins.read(_lock(root)), actions or [])
    if offline:
        taken = pin_updates.from_wfgen(wanted, pins.read(first_lock()))
    else:
        tags = releases.ask(pin.repository for pin, _ in wanted.values())
        taken = pin_updates.from_repositories(wanted, tags)
    return _take(root, taken, quiet)


def pull(directory: Directory = None, quiet: Quiet = False) -> int:
    """Take into the lock what a bot set in generated files alone."""
    from wfgen.locks import pin_updates, pins

    repository = open_repository(directory)
    root = repository.root
    found = []
    for file in repository.files():
        path = root / file.path
        if file.path != pins.LOCK and path.is_file():
            text = path.read_bytes().decode("utf-8", errors="replace")
            found += [(file.path, pin) for pin in pins.in_text(text)]
    return _take(root, pin_updates.from_files(pins.read(_lock(root)), found), quiet)


def verify(
    since: Annotated[
        str | None,
        typer.Option("--since", help="Only pins that changed since this commit; else all."),
    ] = None,
    directory: Directory = None,
    output: Format = None,
    quiet: Quiet = False,
) -> int:
    """Prove that each commit is the release that it is called.

    Git asks each action's repository for its tags. Exit code 0 where every commit of the lock is
    the one that its tag names, 1 where one is not.
    """
    from wfgen.locks import pins, proofs, releases
    from wfgen.report import text as report

    form = style(output)
    root = root_of(directory)
    locked = pins.read(_lock(root))
    asked = list(locked.values()) if since is None else proofs.changed_since(root, since, locked)
    tags = releases.ask(pin.repository for pin in asked)
    found = proofs.prove(asked, tags)
    if form == "json" or found:
        say(report.findings(found, form))
    said = f"{len(asked)} of {len(locked)} pins verified, {len(found)} wrong"
    say(said, form == "json" or (quiet and not found))
    page = [("", "text", report.findings(found, "text"))] if found else []
    report.write_step_summary(f"wfgen pins verify: {said}", page)
    return EXIT_FINDINGS if found else EXIT_CLEAN


PIN_COMMANDS = {"update": update, "pull": pull, "verify": verify}


def _lock(root: Path) -> str:
    """The text of the lock; the one that comes with wfgen where there is none."""
    from wfgen.generate.render import first_lock
    from wfgen.locks import pins

    text = pins.load(root)
    return first_lock() if text is None else text


def _take(root: Path, taken: Taken, quiet: bool) -> int:
    """Writes pins into the lock, and says which; exit code 1 where some were not taken."""
    from wfgen.generate.render import first_lock
    from wfgen.locks import pins
    from wfgen.worktree.writing import write_all

    before = _lock(root)
    locked = pins.read(before)
    take, refused = taken
    text = pins.changed(before, take)
    new = [pin for action, pin in take.items() if action not in locked]
    text = pins.completed(text, first_lock(), new)
    for action, pin in sorted(take.items()):
        was = locked.get(action)
        if was != pin:
            say(f"{action}: {f'{was.short} -> ' if was else 'new: '}{pin.short}", quiet)
    for message in refused:
        say(f"not taken: {message}", error=True)
    if text == pins.load(root):
        say(f"{pins.LOCK} stays as it is", quiet)
    else:
        write_all(root, {pins.LOCK: text})
        say(f"wrote {pins.LOCK}; next: wfgen render", quiet)
    return EXIT_FINDINGS if refused else EXIT_CLEAN
