"""Writes files of a repository: all of them, or none."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from wfgen.errors import WfgenError


def write_all(root: Path, texts: Mapping[str, str], remove: Iterable[str] = ()) -> None:
    """Replaces each file below `root` whole, by rename, then removes others and empty folders.

    Raises `WfgenError` where a file cannot be written; then nothing is, as all texts lie ready
    before the first file is replaced.
    """
    staged: dict[Path, str] = {}
    made: list[Path] = []
    path, written = "", "nothing was"
    try:
        for path, text in texts.items():
            target = root / path
            made += _make_folders(target.parent, root)
            if target.is_dir() and not target.is_symlink():
                raise IsADirectoryError(None, "a folder is in the way")
            staged[target] = _stage(target, text)
        for target, temporary in staged.items():
            path = target.relative_to(root).as_posix()
            os.replace(temporary, target)
            written = "files before it were"
    except OSError as error:
        for temporary in staged.values():
            Path(temporary).unlink(missing_ok=True)
        for folder in reversed(made):
            with contextlib.suppress(OSError):  # not empty: another's
                folder.rmdir()
        raise WfgenError(f"{path}: cannot be written: {error.strerror}; {written}") from error
    for path in remove:
        try:
            (root / path).unlink()
        except OSError as error:
            raise WfgenError(f"{path}: cannot be removed: {error.strerror}") from error
        _remove_empty((root / path).parent, root)


def _make_folders(folder: Path, root: Path) -> list[Path]:
    """Makes a folder and those above it; returns those that were not there, the outermost first."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    if not folder.resolve().is_relative_to(root.resolve()):
        raise OSError(None, f"{folder.relative_to(root)} leads out of the repository by a link")
    return missing[::-1]


def _stage(target: Path, text: str) -> str:
    """The name of a new file beside `target`, with its text to be."""
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode("utf-8"))
        os.chmod(temporary, 0o666 & ~_umask())
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return temporary


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _remove_empty(folder: Path, root: Path) -> None:
    while folder != root and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
