"""Writes files of a repository: all of them, or none.

A process that is killed leaves each file as it was or as it is to be, and what else it leaves the
next one removes. The machine's own end (a power cut) is not provided for: nothing is synced.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from wfgen.errors import WfgenError

UNFINISHED = ".wfgen-unfinished"
"""Lies in the root while files are replaced; afterwards it is the sign of a process killed."""
PATIENCE = 10.0
"""Seconds that one process waits for another that writes."""

_SIGN = "wfgen render was stopped while it wrote: run it again\n"
_TEMPORARY = ".wfgen-tmp"


@contextlib.contextmanager
def alone(root: Path, *, reading: bool = False) -> Iterator[None]:
    """Holds the folder against other processes that write to it; readers let one another in.

    The kernel lets go of a process that is killed. Where there is no `flock`, nothing is held.
    Raises `WfgenError` after `PATIENCE` seconds.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    handle = os.open(root, os.O_RDONLY)
    try:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.flock(handle, (fcntl.LOCK_SH if reading else fcntl.LOCK_EX) | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > until:
                    message = f"another wfgen is writing to {root}; try again when it has ended"
                    raise WfgenError(message) from error
                time.sleep(0.02)
            except OSError:  # a file system without locks
                break
        yield
    finally:
        os.close(handle)


def unfinished(root: Path) -> bool:
    """Whether the last process that replaced files here was stopped before its end."""
    return os.path.lexists(root / UNFINISHED)


def is_temporary(name: str) -> bool:
    """Whether a file of this name is what `write_all` had ready when it was killed."""
    return name.startswith(".") and name.endswith(_TEMPORARY)


def tidy(root: Path, folders: Iterable[str]) -> None:
    """Removes what a killed process had ready; for who is alone."""
    for folder in folders:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            for name in os.listdir(root / folder):
                if is_temporary(name):
                    (root / folder / name).unlink()


def write_all(
    root: Path, texts: Mapping[str, str], remove: Iterable[str] = (), *, sign: bool = False
) -> None:
    """Replaces each file below `root` whole, by rename, then removes others and empty folders.

    Raises `WfgenError` where a file cannot be written; then nothing is, as all texts lie ready
    before the first file is replaced. With `sign`, `UNFINISHED` lies there meanwhile.
    """
    remove = list(remove)
    staged, made = _stage_all(root, texts, remove)
    done, path = 0, UNFINISHED
    try:
        if sign and (staged or remove):
            (root / UNFINISHED).write_text(_SIGN, "utf-8")
        for path, temporary in staged.items():
            os.replace(temporary, root / path)
            done += 1
        for path in remove:
            (root / path).unlink()
            done += 1
            _remove_empty((root / path).parent, root)
        if sign:
            path = UNFINISHED
            (root / UNFINISHED).unlink(missing_ok=True)
    except OSError as error:
        _give_up(staged.values(), made)
        if sign and not done:
            (root / UNFINISHED).unlink(missing_ok=True)
        total = len(staged) + len(remove)
        told = f"{done} of {total} files were, the others are as before" if done else "nothing was"
        raise WfgenError(f"{path}: cannot be written: {error.strerror}; {told}") from error


def _stage_all(
    root: Path, texts: Mapping[str, str], remove: Iterable[str]
) -> tuple[dict[str, str], list[Path]]:
    """The names of files with the texts to be, by path, and the folders that were made for them."""
    staged: dict[str, str] = {}
    made: list[Path] = []
    path = ""
    try:
        for path, text in texts.items():
            target = root / path
            made.extend(_make_folders(target.parent, root))
            if target.is_dir() and not target.is_symlink():
                raise IsADirectoryError(None, "a folder is in the way")
            staged[path] = _stage(target, text)
        for path in remove:
            _stay_inside((root / path).parent, root)
    except OSError as error:
        _give_up(staged.values(), made)
        message = f"{path}: cannot be written: {error.strerror}; nothing was"
        raise WfgenError(message) from error
    except BaseException:  # Ctrl-C
        _give_up(staged.values(), made)
        raise
    return staged, made


def _give_up(temporaries: Iterable[str], made: Iterable[Path]) -> None:
    """Removes what lies ready, and the folders that were made for it."""
    for temporary in temporaries:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
    for folder in reversed(list(made)):
        with contextlib.suppress(OSError):  # not empty: another's
            folder.rmdir()


def _make_folders(folder: Path, root: Path) -> Iterator[Path]:
    """Makes a folder and those above it; gives those that were not there, the outermost first."""
    _stay_inside(folder, root)
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        yield each


def _stay_inside(folder: Path, root: Path) -> None:
    if not folder.resolve().is_relative_to(root.resolve()):
        raise OSError(None, f"{folder.relative_to(root)} leads out of the repository by a link")


def _stage(target: Path, text: str) -> str:
    """The name of a new file beside `target`, with its text to be."""
    prefix = f".{target.name}."
    handle, temporary = tempfile.mkstemp(suffix=_TEMPORARY, prefix=prefix, dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode("utf-8"))
        os.chmod(temporary, 0o666 & ~_umask())
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
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
