"""What can happen to a job once it runs: each choice, and how `wfgen simulate` is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wfgen.actions import SUCCESS, Outcome


@dataclass(frozen=True)
class Choice:
    """One thing that can happen to a job."""

    outcome: Outcome = SUCCESS
    options: tuple[str, ...] = ()
    """What `wfgen simulate` is told; () for what happens where it is told nothing."""
    cancels: bool = False
    """Whether the run is cancelled while the job runs."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    """What the job's actions, or the job itself, put out."""

    @property
    def kind(self) -> str:
        """The option that asks for it: fail, timeout, cancel, reject; "" for success."""
        first = self.options[0] if self.options else ""
        return "" if first in ("", "--output") else first.removeprefix("--")
