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
    found: dict[str, int] = {}
    if cancellation.during:
        _within(workflow, cancellation.during, cancellation.finished, found)
    else:
        _all(workflow, WAITING, found)
    return found


def _all(workflow: CompiledWorkflow, phase: int, found: dict[str, int]) -> None:
    found.update((job.path, phase) for job in workflow.walk())


def _within(
    workflow: CompiledWorkflow, during: str, finished: Iterable[str], found: dict[str, int]
) -> None:
    """`during` and `finished` may also name jobs of other workflows; those do not count here."""
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
        found[job.path] = phase
        if job.called and phase == RUNNING:
            _within(job.called, during, finished, found)
        elif job.called:
            _all(job.called, phase, found)


def _add(workflow: CompiledWorkflow, job: CompiledJob, ended: set[int]) -> None:
    """A job, and all that it needs."""
    ended.add(job.position)
    for need in job.needs:
        _add(workflow, workflow.jobs[need], ended)
