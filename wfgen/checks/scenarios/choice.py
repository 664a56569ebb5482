"""What can happen to a job that runs, and the options of `wfgen simulate` for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wfgen.actions import SUCCESS, Outcome


@dataclass(frozen=True)
class Choice:
    """One thing that can happen to a job."""

    outcome: Outcome = SUCCESS
    options: tuple[str, ...] = ()
    """The options of `wfgen simulate` for it; () for what happens without any."""
    cancels: bool = False
    """Whether the run is cancelled while the job runs."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    """The outputs of the job's actions, or of the job itself."""

    @property
    def kind(self) -> str:
        """The option for it: fail, timeout, cancel, reject; "" for success."""
        ends = (option for option in self.options[::2] if option != "--output")
        return next(ends, "").removeprefix("--")
