"""When a run is cancelled: which jobs had ended by then, which ran, and which had not begun.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-cancellation
"""

from __future__ import annotations

from collections.abc import Iterable

from wfgen.actions.compiled import CompiledJob, CompiledWorkflow
from wfgen.actions.outcomes import Cancellation

ENDED, RUNNING, WAITING = range(3)


def phases(workflow: CompiledWorkflow, cancellation: Cancellation) -> dict[str, int]:
    """The phase of each job at that time, by path."""
    by_path: dict[str, int] = {}
    if cancellation.during:
        _within(workflow, cancellation.during, cancellation.finished, by_path)
    else:
        _all(workflow, WAITING, by_path)
    return by_path


def _all(workflow: CompiledWorkflow, phase: int, by_path: dict[str, int]) -> None:
    by_path.update((job.path, phase) for job in workflow.walk())


def _within(
    workflow: CompiledWorkflow, during: str, finished: Iterable[str], by_path: dict[str, int]
) -> None:
    """`during` and `finished` may also name jobs of other workflows; these are ignored."""
    running = [job for job in workflow.jobs if (during + "/").startswith(job.path + "/")]
    ended: set[int] = set()
    for job in workflow.jobs:
        if job.path in finished:
            _add(workflow, job, ended)
    for job in running:
        for need in job.needs:
            _add(workflow, workflow.jobs[need], ended)
    for job in workflow.jobs:
        if job.position in ended:
            phase = ENDED
        elif job in running or ended.issuperset(job.needs):
            phase = RUNNING
        else:
            phase = WAITING
        by_path[job.path] = phase
        if job.called and phase == RUNNING:
            _within(job.called, during, finished, by_path)
        elif job.called:
            _all(job.called, phase, by_path)


def _add(workflow: CompiledWorkflow, job: CompiledJob, ended: set[int]) -> None:
    """Adds a job and its ancestors."""
    ended.add(job.position)
    for need in job.needs:
        _add(workflow, workflow.jobs[need], ended)
