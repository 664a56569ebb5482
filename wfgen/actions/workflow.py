"""Workflow files as plain values: what they say, with defaults written out and nothing judged.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class WorkflowError(Exception):
    """A file is no workflow that can be followed: `path:line: message`."""

    def __init__(self, path: str, line: int, message: str) -> None:
        super().__init__(f"{path}:{line}: {message}")
        self.path, self.line, self.message = path, line, message


@dataclass(frozen=True)
class Concurrency:
    """A lock of a workflow or job; texts may hold expressions."""

    group: str
    cancel_in_progress: str = "false"
    queue: str = "single"


@dataclass(frozen=True)
class Environment:
    """What a job's `environment` says."""

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
    """That workflow, where it is one of this repository."""
    inputs: Mapping[str, Any]
    """What it passes to a called workflow by `with`."""
    secrets: Mapping[str, Any] | str
    """The same by `secrets`; or "inherit"."""
    outputs: Mapping[str, str]
    steps: tuple[Step, ...]
    environment: Environment | None
    concurrency: Concurrency | None
    permissions: Mapping[str, str] | None
    """None where the job says nothing: then the workflow's count. {"*": "read"} is `read-all`."""
    matrix: Mapping[str, Any] | str | None
    """`strategy.matrix`, or an expression that gives one."""
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
    """Each event of `on` with what stands below it."""
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
        """Every job with its path, called workflows' jobs after the job that calls them."""
        found = []
        for job in self.jobs.values():
            found.append((prefix + job.id, job))
            if job.called:
                found += job.called.walk(f"{prefix}{job.id}/")
        return found
