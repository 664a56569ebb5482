"""Which outputs of which jobs can change the results of a run."""

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
    """By the path of each job, its outputs that a condition, matrix or continue-on-error reads.

    This includes reads through the inputs and the outputs of called workflows.
    """
    observed: Names = defaultdict(set)
    _observe(workflow, set(workflow.outputs), observed)
    return {
        job.path: frozenset(
            name for name in job.job.outputs if {name.lower(), ALL} & observed[job.path]
        )
        if job.job.outputs
        else frozenset(observed[job.path])
        for job in workflow.walk()
    }


def _observe(workflow: CompiledWorkflow, wanted: set[str], observed: Names) -> set[str]:
    """Adds to `observed`; returns the inputs that are read. `wanted` are the workflow's outputs."""
    inputs: set[str] = set()
    own: Names = defaultdict(set)
    outputs = [e for name, e in workflow.outputs.items() if {name.lower(), ALL} & wanted]
    _note(_reads(outputs, "jobs"), [job.job.id for job in workflow.jobs], own)
    for job in reversed(workflow.jobs):
        deciding = list(job.deciding)
        if job.called:
            passed = _observe(job.called, own[job.job.id], observed)
            for name, value in job.inputs.items():
                if {name.lower(), ALL} & passed:
                    deciding += expressions(value)
        _note(_reads(deciding, "needs"), job.job.needs, own)
        inputs |= {path[0] if path else ALL for path in _reads(deciding, "inputs")}
        observed[job.path] |= own[job.job.id]
    return inputs


def _reads(read: Iterable[Expression], context: str) -> list[Path]:
    """What expressions read of a context."""
    return [path[1:] for expression in read for path in expression.reads if path[0] == context]


def _note(paths: Iterable[Path], jobs: Iterable[str], outputs: Names) -> None:
    """Adds what paths such as ("deploy", "outputs", "began") read of these jobs."""
    for path in paths:
        job, part, name = (*path, ALL, ALL, ALL)[:3]
        if part in ("outputs", ALL):
            for known in jobs:
                if job in (known.lower(), ALL):
                    outputs[known].add(name)
