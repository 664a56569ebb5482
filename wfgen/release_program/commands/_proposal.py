"""What a run may propose, and what each kind of run asks about a service."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..contract import Description, Service
from ..hosting.outputs import run_attempt
from ..names import NO_NUMBER, Variable
from ..state import tags
from ..state.changes import Change, changed


@dataclass(frozen=True)
class Proposed:
    """What a run proposes."""

    sha: str
    scope: Sequence[str]
    """Services that the run may release."""
    services: Sequence[str] = ()
    """Services to release."""
    build: Sequence[str] = ()
    """Services to build."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Why, for each service that the run considers."""
    images: Mapping[str, str] = field(default_factory=dict)
    """Images that a preview takes from its base environment."""
    go_back: str = NO_NUMBER
    trusted: bool = True
    number: str = NO_NUMBER
    held: bool = False


def named() -> list[str]:
    """The services that WFGEN_SERVICES names."""
    return [name for name in re.split(r"[,\s]+", os.environ.get(Variable.SERVICES, "")) if name]


def forced() -> bool:
    return os.environ.get(Variable.FORCE) == "true"


def again() -> bool:
    """Whether this is a later attempt of the run, which trusts no tag."""
    return int(run_attempt()) > 1


def since_release(
    description: Description, service: Service, last: tags.Recorded | None, sha: str
) -> Change | None:
    """What changed in a service since its last release; None for nothing.

    A later attempt of a run trusts no tag: everything counts as changed.
    """
    if forced():
        return Change("released by force", True)
    if again():
        return Change(f"attempt {run_attempt()} of the run", True)
    if last is None:
        return Change("no earlier release", True)
    return changed(description, service, last.sha, sha)


def rebuilds(change: Change | None) -> bool:
    return change is not None and change.rebuild
