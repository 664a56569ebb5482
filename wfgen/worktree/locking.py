"""Keeps two processes from writing to one repository at a time."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wfgen.errors import WfgenError

if sys.platform != "win32":
    import fcntl

PATIENCE = 10.0
"""Seconds to wait for another process."""


@contextmanager
def locked(root: Path, *, shared: bool = False) -> Iterator[None]:
    """Waits until no other process holds `root`, and holds it; `shared` lets readers run together.

    The kernel releases it when the process ends, even by a kill. Without `flock` (Windows, some
    file systems) nothing is held. Raises `WfgenError` after `PATIENCE` seconds.
    """
    if sys.platform == "win32":
        yield
        return
    handle = os.open(root, os.O_RDONLY)
    until = time.monotonic() + PATIENCE
    try:
        while not _acquired(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX):
            if time.monotonic() > until:
                raise WfgenError(f"another wfgen is writing to {root}; try again when it has ended")
            time.sleep(0.02)
        yield
    finally:
        os.close(handle)


def _acquired(handle: int, how: int) -> bool:
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True
