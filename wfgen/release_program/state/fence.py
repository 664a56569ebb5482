"""The fence around a release: nothing in the cluster changes unless the record allows it.

Each apply, delete and start of a Job is preceded by a compare-and-set of the release record, and
ends within `request_seconds()` after it. So a run that lost its release, and does not know it,
cannot change what the next owner does: `record.take_over` waits for that time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial

from ..cluster import kubectl
from ..cluster.kubectl import MANAGER, KubectlError, Object
from ..contract import Description
from ..failure import Failure
from ..hosting.outputs import log
from .record import renew_lease, request_seconds, write_record
from .record_format import Record

BATCH = 20
"""Maximum number of objects in one call, so that it ends in time."""


class Fence:
    """Changes the cluster on behalf of the owner of a record, which it keeps up to date."""

    def __init__(self, description: Description, record: Record) -> None:
        self._description = description
        self.record = record
        self._doubt = False
        """Whether a call had no answer, and may still take effect."""

    def apply(self, objects: Iterable[Object], *, manager: str = MANAGER) -> None:
        """Applies objects. Raises `Failure` where the record was written by somebody else."""
        change = partial(kubectl.apply, manager=manager)
        for batch in _batches(objects):
            self._call("apply", partial(change, batch, attempts=1))

    def delete(self, objects: Iterable[Object]) -> None:
        """Deletes objects. Raises `Failure` where the record was written by somebody else."""
        for batch in _batches(objects):
            self._call("delete", partial(kubectl.delete, batch, attempts=1))

    def renew(self) -> None:
        """Renews the lease where that is due."""
        renew_lease(self._description, self.record)

    @contextmanager
    def closing(self) -> Iterator[None]:
        """Writes the record at the end, with the note that no change is under way.

        So nobody has to wait for one. The note is missing where the program is cut off, or a call
        had no answer. Raises `Failure` where the record was written by somebody else.
        """
        try:
            yield
        except (Failure, KubectlError) as problem:
            self._doubt |= isinstance(problem, KubectlError) and problem.inconclusive
            try:
                self._close()
            except (Failure, KubectlError) as another:
                log(f"the record still says that a change is under way: {another}")
            raise
        self._close()

    def _close(self) -> None:
        in_flight = self.record.in_flight
        if in_flight is not None:
            in_flight.now.writing = in_flight.now.writing and self._doubt
            write_record(self._description, self.record)

    def _call(self, verb: str, change: Callable[..., object]) -> None:
        """Makes one change. Raises what ended the last attempt."""
        pause = kubectl.pause_seconds()
        for attempt in range(1, kubectl.ATTEMPTS + 1):
            try:
                change(timeout=self._claim())
                return
            except KubectlError as problem:
                if not problem.inconclusive:
                    raise
                self._doubt = True
                if attempt == kubectl.ATTEMPTS:
                    raise
                log(f"kubectl {verb}: {problem}; retrying in {pause:g} s")
            time.sleep(pause)
            pause *= 2

    def _claim(self) -> float:
        """Writes the record; the seconds that are left for the change."""
        began = time.monotonic()
        in_flight = self.record.in_flight
        if in_flight is not None:
            self.record.demand_own()
            in_flight.now.writing = True
        write_record(self._description, self.record)
        left = began + request_seconds() - time.monotonic()
        if left < request_seconds() / 2:
            raise KubectlError("timeout: writing the release record took too long")
        return left


def _batches(objects: Iterable[Object]) -> Iterator[list[Object]]:
    listed = list(objects)
    for start in range(0, len(listed), BATCH):
        yield listed[start : start + BATCH]
