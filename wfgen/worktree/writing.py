"""Writes files of a repository: all of them, or none.

Each text is written beside its target, then all are renamed. A killed process leaves each file old
or new, and a mark; the next render finishes. Nothing is synced: power cuts are not covered.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from wfgen.errors import WfgenError

UNFINISHED = ".wfgen-unfinished"
"""The mark: in the repository's root while files are replaced."""
_SUFFIX = ".wfgen-tmp"


def unfinished(root: Path) -> bool:
    """Whether a process that replaced files here was stopped before it finished."""
    return os.path.lexists(root / UNFINISHED)


def is_temporary(name: str) -> bool:
    """Whether a file of this name is a text beside its target."""
    return name.startswith(".") and name.endswith(_SUFFIX)


def remove_temporary(root: Path, folders: Iterable[str]) -> None:
    """Removes the texts that a killed process left beside their targets."""
    for folder in folders:
        for path in (root / folder).glob(f".*{_SUFFIX}"):
            path.unlink()


def write_all(
    root: Path, texts: Mapping[str, str], remove: Sequence[str] = (), *, mark: bool = False
) -> None:
    """Replaces files below `root`, then removes others, with folders that this leaves empty.

    Raises `WfgenError` where that fails; before the first rename, nothing has changed then. With
    `mark`, `UNFINISHED` exists meanwhile, and one that was there before is removed.
    """
    created: list[Path] = []
    marked = root / UNFINISHED
    done, path = 0, ""
    try:
        for path in (*texts, *remove):
            _require_inside((root / path).parent, root)
        for path, text in texts.items():
            _stage(root / path, text, created)
        path = UNFINISHED
        if mark and (texts or remove) and not marked.exists():
            created.append(marked)
            marked.touch()
        for path in texts:
            os.replace(_temporary(root / path), root / path)
            done += 1
        for path in remove:
            (root / path).unlink()
            done += 1
            with suppress(OSError):  # not empty
                os.removedirs((root / path).parent)
        path = UNFINISHED
        if mark:
            marked.unlink(missing_ok=True)
    except BaseException as error:  # Ctrl-C as well
        for new in reversed(created):
            if new != marked or not done:
                with suppress(OSError):  # renamed already, or a folder that another process uses
                    new.rmdir() if new.is_dir() else new.unlink()
        if not isinstance(error, OSError):
            raise
        state = f"{done} of {len(texts) + len(remove)} files were" if done else "nothing was"
        raise WfgenError(f"{path}: cannot be written: {error.strerror}; {state} changed") from error


def _require_inside(folder: Path, root: Path) -> None:
    if not folder.resolve().is_relative_to(root.resolve()):
        raise OSError(None, f"{folder.relative_to(root)} leads out of the repository by a link")


def _temporary(target: Path) -> Path:
    return target.with_name(f".{target.name}{_SUFFIX}")


def _stage(target: Path, text: str, created: list[Path]) -> None:
    """Writes a text beside its target; adds what it creates to `created`, before it creates it."""
    for folder in reversed([folder for folder in target.parents if not folder.exists()]):
        created.append(folder)
        folder.mkdir(exist_ok=True)
    if target.is_dir() and not target.is_symlink():
        raise IsADirectoryError(None, "a folder of this name exists")
    temporary = _temporary(target)
    temporary.unlink(missing_ok=True)
    created.append(temporary)
    with temporary.open("xb") as file:  # follows no link
        file.write(text.encode())
