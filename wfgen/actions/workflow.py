"""Workflow files as plain values, with defaults written out and expressions not evaluated.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class WorkflowError(Exception):
    """A file that is not a valid workflow: `path:line: message`."""

    def __init__(self, path: str, line: int, message: str) -> None:
        super().__init__(f"{path}:{line}: {message}")
        self.path, self.line, self.message = path, line, message


@dataclass(frozen=True)
class Concurrency:
    """A lock of a workflow or job; texts may contain expressions."""

    group: str
    cancel_in_progress: str = "false"
    queue: str = "single"


@dataclass(frozen=True)
class Environment:
    """The `environment` of a job."""

    name: str
    deployment: str = "true"


@dataclass(frozen=True)
class Step:
    """A step of a job."""

    id: str
    """"" where it has none."""
    name: str
    condition: str
    """Its `if`, without `${{ }}`; "" where it has none."""
    uses: str
    run: str
    inputs: Mapping[str, Any]
    """Its `with`."""
    env: Mapping[str, Any]
    continue_on_error: str
    line: int


@dataclass(frozen=True)
class Job:
    """A job; it has steps, or it calls a workflow."""

    id: str
    name: str
    needs: tuple[str, ...]
    condition: str
    """Its `if`, without `${{ }}`; "" where it has none."""
    uses: str
    """The workflow that it calls, as written; "" where it has steps."""
    called: Workflow | None
    """That workflow, where it is in this repository."""
    inputs: Mapping[str, Any]
    """The `with` that it passes to a called workflow."""
    secrets: Mapping[str, Any] | str
    """The `secrets` that it passes; or "inherit"."""
    outputs: Mapping[str, str]
    steps: tuple[Step, ...]
    environment: Environment | None
    concurrency: Concurrency | None
    permissions: Mapping[str, str] | None
    """None where the job sets none and the workflow's apply. {"*": "read"} is `read-all`."""
    matrix: Mapping[str, Any] | str | None
    """`strategy.matrix`, or an expression for it."""
    fail_fast: str
    max_parallel: str
    continue_on_error: str
    timeout_minutes: str
    runs_on: Any
    env: Mapping[str, Any]
    line: int


@dataclass(frozen=True)
class Workflow:
    """A workflow file, with the workflows of this repository that it calls."""

    path: str
    name: str
    triggers: Mapping[str, Any]
    """Each event of `on` with its settings."""
    inputs: Mapping[str, Mapping[str, Any]]
    """The inputs of `workflow_call`; of workflow_dispatch they are in `triggers`."""
    outputs: Mapping[str, str]
    """The outputs of `workflow_call`, as expressions over `jobs`."""
    permissions: Mapping[str, str] | None
    concurrency: Concurrency | None
    env: Mapping[str, Any]
    jobs: Mapping[str, Job]
    """By id, each after the jobs that it needs."""

    def walk(self, prefix: str = "") -> list[tuple[str, Job]]:
        """Every job with its path; the jobs of a called workflow follow the job that calls it."""
        jobs = []
        for job in self.jobs.values():
            jobs.append((prefix + job.id, job))
            if job.called:
                jobs += job.called.walk(f"{prefix}{job.id}/")
        return jobs
