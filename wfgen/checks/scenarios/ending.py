"""How a command of the release program can end, and what decides it.

Outputs are plain here; in a run, those of `names.PER_ATTEMPT` end in the attempt that wrote them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from wfgen.release_program.contract import Description
from wfgen.release_program.names import PER_ATTEMPT, tagged, untag
from wfgen.release_program.state.outcome import Verdict

SHA = "1f0e1c9d8b7a6f5e4d3c2b1a0f9e8d7c6b5a4f3e"
"""The commit of the run."""
GOOD_SHA = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"
"""The commit of the last known good release."""
DIGEST = "sha256:" + "5a" * 32
REQUESTS = (
    "pull_request", "unlabelled", "label_added", "other_label", "fork", "dependabot", "merge_group",
)  # fmt: skip
"""Kinds of events that ask for a merge."""

Kind = Literal["success", "failure", "cut"]
"""How a command ends; "cut" if its job timed out or the run was cancelled while it ran."""


@dataclass(frozen=True)
class Ending:
    """A way in which a command ends, and its outputs by then."""

    kind: Kind
    outputs: Mapping[str, str] = field(default_factory=dict)


def in_attempt(outputs: Mapping[str, str], attempt: str) -> dict[str, str]:
    """The outputs of a command as an attempt of a run writes them."""
    return {n: tagged(v, attempt) if n in PER_ATTEMPT else v for n, v in outputs.items()}


def plain(outputs: Mapping[str, str]) -> dict[str, str]:
    """The outputs of a command without the attempt. Inverse of `in_attempt`."""
    return {n: untag(v)[0] if n in PER_ATTEMPT else v for n, v in outputs.items()}


@dataclass(frozen=True)
class Before:
    """The state before a command: event, environment, and effects of earlier commands."""

    event: str
    trusted: bool = True
    description: Description | None = None
    services: tuple[str, ...] = ()
    """The services that the pipeline may build; () for all of the environment."""
    varied: frozenset[str] | None = None
    """The services whose builds run in some runs and not in others; None for all."""
    proposed: bool = True
    """Whether the plan proposed a release."""
    approval: bool = False
    """Whether only what a person approved may be released."""
    opened: bool = False
    """Whether the record may say that a release of this run is in flight."""
    touched: bool = False
    """Whether manifests may have been applied."""
    applied: bool = False
    """Whether the deploy itself began."""
    broken: bool = False
    """Whether a migration or the deploy began and did not succeed, or preflight failed."""
    watched: str = ""
    """How the monitor ended: "", good, bad or cut."""
    cause: str = ""
    """The monitor's output `cause`."""
    left: bool = False
    """Whether an earlier attempt of this run may have left a release in flight."""
    app: bool = True
    """Whether the revert gets a GitHub App's token, without which it opens an issue."""
    verdict: Verdict | None = None
    """The verdict that the step of the verdict or gate reaches."""

    @property
    def preview(self) -> bool:
        """Whether the environment is a preview."""
        return self.description is not None and self.description.preview

    @property
    def scope(self) -> list[str]:
        """The services that the run may release."""
        services = self.description.services.values() if self.description else ()
        return [s.name for s in services if s.deploy and s.name in (self.services or (s.name,))]
