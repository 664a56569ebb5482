"""Which outputs of which jobs can change what a run comes to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from wfgen.actions.compiled import CompiledWorkflow, expressions
from wfgen.actions.expressions import Expression

Names = dict[str, set[str]]
"""Names of outputs, in lower case, by the id or path of a job; "*": all of them."""
Path = tuple[str, ...]
ALL = "*"


def observe(workflow: CompiledWorkflow) -> dict[str, frozenset[str]]:
    """Of each job, by path, the outputs that are read.

    By a condition, a matrix or a continue-on-error, also by way of the inputs and the outputs of
    called workflows.
    """
    found: Names = defaultdict(set)
    _observe(workflow, set(workflow.outputs), found)
    return {
        job.path: frozenset(
            name for name in job.job.outputs if {name.lower(), ALL} & found[job.path]
        )
        if job.job.outputs
        else frozenset(found[job.path])
        for job in workflow.walk()
    }


def _observe(workflow: CompiledWorkflow, wanted: set[str], found: Names) -> set[str]:
    """Adds to `found`; returns the inputs that are read. `wanted` are outputs of the workflow."""
    inputs: set[str] = set()
    own: Names = defaultdict(set)
    outputs = [e for name, e in workflow.outputs.items() if {name.lower(), ALL} & wanted]
    _note(_reads(outputs, "jobs"), [job.job.id for job in workflow.jobs], own)
    for job in reversed(workflow.jobs):
        deciding = list(job.deciding)
        if job.called:
            passed = _observe(job.called, own[job.job.id], found)
            for name, value in job.inputs.items():
                if {name.lower(), ALL} & passed:
                    deciding += expressions(value)
        _note(_reads(deciding, "needs"), job.job.needs, own)
        inputs |= {path[0] if path else ALL for path in _reads(deciding, "inputs")}
        found[job.path] |= own[job.job.id]
    return inputs


def _reads(read: Iterable[Expression], context: str) -> list[Path]:
    """What expressions read of a context."""
    return [path[1:] for each in read for path in each.reads if path[0] == context]


def _note(paths: Iterable[Path], jobs: Iterable[str], found: Names) -> None:
    """What paths such as ("deploy", "outputs", "began") read of jobs."""
    for path in paths:
        job, part, name = (*path, ALL, ALL, ALL)[:3]
        if part in ("outputs", ALL):
            for each in jobs:
                if job in (each.lower(), ALL):
                    found[each].add(name)
