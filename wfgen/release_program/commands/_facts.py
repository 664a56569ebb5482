"""What a release is: outputs that `preflight`, `monitor` and `rollback` each write.

Each reads them from the record, since the outputs of a lost runner never arrive. They are written
in every attempt: a re-run keeps the values of outputs that it does not write.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..hosting.outputs import write_output
from ..hosting.runs import split_owner, this_run
from ..names import NO_NUMBER, NONE, Output
from ..state.record_format import PastRelease, Record


@dataclass(frozen=True)
class Facts:
    """A release; without values where there is none."""

    release: int = 0
    sha: str = ""
    lkg_sha: str = ""
    """Commit of the last known good release; '' where there is none."""
    services: Sequence[str] = ()
    images: Mapping[str, str] = field(default_factory=dict)

    def write(self) -> None:
        """Writes them as outputs. Where there is no release, what an earlier job wrote counts."""
        write_output(Output.RELEASE, str(self.release) if self.release else NO_NUMBER)
        write_output(Output.SHA, self.sha or NONE)
        write_output(Output.LKG_SHA, self.lkg_sha or NONE)
        services, images = json.dumps(list(self.services)), dict(self.images)
        write_output(Output.SERVICES, services if self.release else NONE)
        write_output(Output.IMAGES, json.dumps(images, sort_keys=True) if self.release else NONE)


def of_run(record: Record) -> Facts:
    """This run's release: the one in flight, or the one that it verified last."""
    if record.in_flight is not None and record.mine:
        left = record.in_flight
        return Facts(left.release, left.sha, lkg_sha(record), left.services, left.images)
    past = record.releases[-1] if record.releases else None
    return _of_past(record, past) if past is not None and is_of_run(past) else Facts()


def is_of_run(past: PastRelease) -> bool:
    """Whether an attempt of this run verified a release."""
    return split_owner(past.run)[0] == this_run()


def lkg_sha(record: Record) -> str:
    """The commit of the last known good release; '' where there is none."""
    past = record.find_release(record.release)
    return past.sha if past else ""


def _of_past(record: Record, past: PastRelease) -> Facts:
    """The facts of a verified release; its last known good release is the one before it."""
    live = {n: entry for n, entry in past.services.items() if entry.release == past.release}
    images = {name: entry.image for name, entry in live.items() if entry.image}
    before = [earlier for earlier in record.releases if earlier.release < past.release]
    return Facts(past.release, past.sha, before[-1].sha if before else "", sorted(live), images)
