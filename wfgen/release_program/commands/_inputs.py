"""What a run brings to the lock: the plan's proposal, the images that it built, its approval."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

from ..contract import Description
from ..failure import Failure
from ..hosting.needs import Needs
from ..names import NO_NUMBER, Job, Output, Variable


@dataclass(frozen=True)
class RunInputs:
    """What the plan proposes, and what this run built and was asked."""

    needs: Needs
    sha: str
    forced: bool
    scope: tuple[str, ...]
    """Names of the services that this run may release."""
    services: tuple[str, ...]
    """Names of the services that it proposes."""
    go_back: int
    """Number of the release to go back to; 0 for a release of a commit."""
    approved: frozenset[str] | None
    """Names of the services whose release was approved; None where none needs to be."""

    @classmethod
    def load(cls, description: Description) -> RunInputs:
        """From the environment. Raises `Failure` where a value is missing or invalid."""
        needs, sha = Needs.load(), os.environ.get(Variable.SHA, "").strip()
        if not sha:
            raise Failure(f"{Variable.SHA} is missing: the commit to release")
        approved = os.environ.get(Variable.APPROVED, "").strip()
        if not approved and description.approval:
            approved = "[]"  # nobody approved anything
        if not needs.output(Job.PLAN, Output.PROPOSED):
            raise Failure(f"job {Job.PLAN} wrote no outputs: re-run all jobs")
        go_back = needs.output(Job.PLAN, Output.GO_BACK) or NO_NUMBER
        if not go_back.isdigit():
            raise Failure(f"invalid output {Output.GO_BACK} of job {Job.PLAN}: {go_back!r}")
        return cls(
            needs,
            sha,
            os.environ.get(Variable.FORCE) == "true",
            tuple(needs.scope),
            tuple(needs.services),
            int(go_back),
            frozenset(_listed(Variable.APPROVED, approved)) if approved else None,
        )


def _listed(name: str, text: str) -> tuple[str, ...]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Failure(f"{name} is not a JSON list of services: {text!r}")
    return tuple(value)
