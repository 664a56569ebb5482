"""Copy into the lock what a bot bumped in generated files only."""

from __future__ import annotations

from wfgen.cli.commands.pins import _lock
from wfgen.cli.options import Directory, Quiet, open_repository
from wfgen.locks import pin_updates, pins


def run(directory: Directory = None, quiet: Quiet = False) -> int:
    repository = open_repository(directory)
    root = repository.root
    used = []
    for file in repository.files():
        path = root / file.path
        if file.path != pins.LOCK and path.is_file():
            text = path.read_bytes().decode("utf-8", errors="replace")
            used += [(file.path, pin) for pin in pins.in_text(text)]
    return _lock.write(root, pin_updates.from_files(pins.read(_lock.read(root)), used), quiet)
