"""Which files of a repository are ours by their header, whatever wfgen makes today."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from wfgen import header
from wfgen.errors import WfgenError
from wfgen.writing import is_temporary


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


def _complain(error: OSError) -> None:
    """A folder that cannot be looked into may hide something; one that is not there does not."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise WfgenError(f"{error.filename}: cannot be read: {error.strerror}") from error
