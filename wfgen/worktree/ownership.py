"""Which files of a repository wfgen generated, by their headers, and which are unknown to it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from wfgen.errors import WfgenError
from wfgen.text import header
from wfgen.worktree.writing import is_temporary


def generated(root: Path, known: set[str]) -> Iterator[str]:
    """Files with wfgen's header that are not `known`: in .github, docs and folders of known files.

    Links are not followed: they may lead into another project.
    """
    beside = {os.path.dirname(path) for path in known if not path.startswith(".github/")}
    folders = [root / folder for folder in sorted(beside | {"docs"})]
    folders += [Path(folder) for folder, _, _ in os.walk(root / ".github", onerror=_fail)]
    for folder in folders:
        for path in sorted(folder.iterdir()) if folder.is_dir() and not folder.is_symlink() else ():
            name = path.relative_to(root).as_posix()
            if name in known or is_temporary(path.name) or path.is_symlink() or not path.is_file():
                continue
            if header.begins(_start(path)):
                yield name


def foreign(root: Path, folder: str) -> Iterator[str]:
    """Regular YAML files in a folder that wfgen did not generate."""
    for path in sorted((root / folder).glob("*.y*ml")):
        if path.is_file() and not header.begins(_start(path)):
            yield path.relative_to(root).as_posix()


def strangers(root: Path, folder: str, known: set[str]) -> Iterator[str]:
    """Files and links below `folder` that are not `known`, except for compiled Python."""
    for place, folders, names in os.walk(root / folder, onerror=_fail):
        folders[:] = sorted(set(folders) - {"__pycache__"})
        links = [name for name in folders if Path(place, name).is_symlink()]
        for name in sorted([*names, *links]):
            path = Path(place, name).relative_to(root).as_posix()
            if path not in known and not is_temporary(name):
                yield path


def _start(path: Path) -> str:
    """The beginning of a file, which has the header."""
    with path.open("rb") as file:
        return file.read(2000).decode("utf-8-sig", errors="replace")


def _fail(error: OSError) -> None:
    """Raises `WfgenError` for a folder that cannot be read, as it may contain an orphan."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise WfgenError(f"{error.filename}: cannot be read: {error.strerror}") from error
