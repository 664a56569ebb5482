"""Which files are ours by their header, whatever wfgen makes today; and which lie among ours."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from wfgen.errors import WfgenError
from wfgen.text import header
from wfgen.worktree.writing import is_temporary


def find(root: Path, known: set[str]) -> Iterator[str]:
    """Files with our header but those that are known: below .github, and beside what we write.

    Links are not followed, as what they lead to is not of this place.
    """
    beside = {os.path.dirname(path) for path in known if not path.startswith(".github/")}
    places = [root / folder for folder in sorted(beside | {"docs"})]
    places += [Path(folder) for folder, _, _ in os.walk(root / ".github", onerror=_complain)]
    for folder in places:
        for path in sorted(folder.iterdir()) if folder.is_dir() and not folder.is_symlink() else ():
            name = path.relative_to(root).as_posix()
            if name in known or is_temporary(path.name) or path.is_symlink() or not path.is_file():
                continue
            with path.open("rb") as file:
                text = file.read(2000).decode("utf-8-sig", errors="replace")
            if header.begins(text):
                yield name


def strangers(root: Path, folder: str, known: set[str]) -> Iterator[str]:
    """Files and links below a folder that only we write to, without those that are known.

    What Python compiled is not looked at: a cache, which it makes anew.
    """
    for place, folders, names in os.walk(root / folder, onerror=_complain):
        folders[:] = sorted(set(folders) - {"__pycache__"})
        links = [name for name in folders if Path(place, name).is_symlink()]
        for name in sorted([*names, *links]):
            path = Path(place, name).relative_to(root).as_posix()
            if path not in known and not is_temporary(name):
                yield path


def _complain(error: OSError) -> None:
    """A folder that cannot be looked into may hide something; one that is not there does not."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise WfgenError(f"{error.filename}: cannot be read: {error.strerror}") from error
