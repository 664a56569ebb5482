"""Workflows in which every expression that can affect the results of a run is parsed.

Which contexts each field may use:
https://docs.github.com/en/actions/reference/workflows-and-actions/contexts#context-availability
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from wfgen.actions.expressions import Expression, ExpressionError, parse_condition, parse_template
from wfgen.actions.workflow import Concurrency, Job, Step, Workflow, WorkflowError

RUN = frozenset({"github", "inputs", "vars"})
CONDITION = RUN | {"needs"}
JOB = CONDITION | {"strategy", "matrix"}
STEP = JOB | {"job", "runner", "env", "secrets", "steps"}
CALL = RUN | {"jobs"}

NEVER_FAIL = frozenset({"contains", "startswith", "endswith", "join", "tojson"})
"""Functions that have a value whatever their arguments are."""

Parse = Callable[[str, frozenset[str]], Expression]


def expressions(value: Any) -> list[Expression]:
    """All expressions in a value."""
    if isinstance(value, Expression):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return []
    return [expression for item in value for expression in expressions(item)]


@dataclass(frozen=True, eq=False, slots=True)
class CompiledLock:
    """A concurrency group."""

    group: Expression
    cancels: Expression
    queue: str


@dataclass(frozen=True, eq=False, slots=True)
class CompiledStep:
    """A step; `key` is its id, or its position where it has none."""

    key: str
    step: Step
    condition: Expression
    continue_on_error: Expression
    env: Mapping[str, Expression]


@dataclass(frozen=True, eq=False)
class CompiledJob:
    """A job at its path."""

    prefix: str
    """Its workflow's prefix."""
    position: int
    """Its index among the jobs of its workflow."""
    job: Job
    needs: tuple[int, ...]
    """The positions of the jobs that it needs."""
    condition: Expression
    """With the `success() &&` that GitHub adds."""
    called: CompiledWorkflow | None
    inputs: Mapping[str, Expression | Any]
    outputs: Mapping[str, Expression]
    matrix: Any
    """The job's matrix, with expressions in place of texts."""
    continue_on_error: Expression
    lock: CompiledLock | None
    environment: Expression | None
    steps: tuple[CompiledStep, ...]
    env: Mapping[str, Expression]
    """Including its workflow's."""

    @cached_property
    def path(self) -> str:
        """Its id after the ids of the jobs that call its workflow."""
        return self.prefix + self.job.id

    @cached_property
    def needed(self) -> tuple[str, ...]:
        """The paths of the jobs that it needs."""
        return tuple(self.prefix + need for need in self.job.needs)

    @property
    def deciding(self) -> list[Expression]:
        """The expressions that decide whether it begins, and its result."""
        return [self.condition, self.continue_on_error, *expressions(self.matrix)]

    @cached_property
    def env_matters(self) -> bool:
        """Whether the context `env` can change a result: something reads it, or it can fail."""
        envs = expressions([dict(self.env), *(dict(step.env) for step in self.steps)])
        read = [
            *envs,
            *self.outputs.values(),
            *(e for step in self.steps for e in (step.condition, step.continue_on_error)),
        ]
        fails = any(not expression.calls <= NEVER_FAIL for expression in envs)
        return fails or any(path[0] == "env" for e in read for path in e.reads)

    @cached_property
    def read_needs(self) -> tuple[int, ...]:
        """The positions of the needs whose result or outputs it reads, not only their success."""
        reads = [r for e in (*self.deciding, *expressions(self.inputs)) for r in e.reads]
        names = {read[1] if len(read) > 1 else "*" for read in reads if read[0] == "needs"}
        pairs = zip(self.job.needs, self.needs, strict=True)
        return tuple(index for name, index in pairs if "*" in names or name.lower() in names)


@dataclass(frozen=True, eq=False)
class CompiledWorkflow:
    """A workflow below a prefix: "" or a calling job's path with a slash."""

    prefix: str
    workflow: Workflow
    jobs: tuple[CompiledJob, ...]
    outputs: Mapping[str, Expression]
    lock: CompiledLock | None

    @cached_property
    def size(self) -> int:
        """The number of jobs, including those of called workflows."""
        return len(self.walk())

    def walk(self) -> list[CompiledJob]:
        """All jobs; the jobs of a called workflow follow the job that calls it."""
        jobs = []
        for job in self.jobs:
            jobs.append(job)
            if job.called:
                jobs += job.called.walk()
        return jobs


def compile_workflow(workflow: Workflow, prefix: str = "") -> CompiledWorkflow:
    """Raises `WorkflowError` for an expression that cannot be parsed, at its job's line."""
    place = _Place(workflow.path, 1, "the workflow")
    return CompiledWorkflow(
        prefix=prefix,
        workflow=workflow,
        jobs=tuple(
            _compile_job(workflow, prefix, position, job)
            for position, job in enumerate(workflow.jobs.values())
        ),
        outputs=place.templates("outputs", workflow.outputs, CALL),
        lock=place.lock(workflow.concurrency, RUN),
    )


def _compile_job(workflow: Workflow, prefix: str, position: int, job: Job) -> CompiledJob:
    place = _Place(workflow.path, job.line, f"job {job.id}")
    positions = {name: index for index, name in enumerate(workflow.jobs)}
    name = job.environment.name if job.environment else ""
    return CompiledJob(
        prefix=prefix,
        position=position,
        job=job,
        needs=tuple(positions[need] for need in job.needs),
        condition=place.condition(job.condition, CONDITION),
        called=compile_workflow(job.called, f"{prefix}{job.id}/") if job.called else None,
        inputs=place.templates("with", job.inputs, JOB),
        outputs=place.templates("outputs", job.outputs, STEP),
        matrix=place.deep("strategy.matrix", job.matrix, CONDITION),
        continue_on_error=place.template("continue-on-error", job.continue_on_error, JOB),
        lock=place.lock(job.concurrency, JOB),
        environment=place.template("environment", name, JOB) if name else None,
        steps=tuple(
            _compile_step(workflow.path, index, step) for index, step in enumerate(job.steps)
        ),
        env=place.templates("env", {**workflow.env, **job.env}, JOB | {"secrets"}),
    )


def _compile_step(path: str, position: int, step: Step) -> CompiledStep:
    key = step.id or str(position)
    place = _Place(path, step.line, f"step {step.name or key}")
    return CompiledStep(
        key=key,
        step=step,
        condition=place.condition(step.condition, STEP),
        continue_on_error=place.template("continue-on-error", step.continue_on_error, STEP),
        env=place.templates("env", step.env, STEP),
    )


@dataclass(frozen=True)
class _Place:
    """Parses the expressions of one workflow, job or step; `owner` names it in errors."""

    path: str
    line: int
    owner: str

    def condition(self, text: str, contexts: frozenset[str]) -> Expression:
        return self._parse("if", text, contexts, parse_condition)

    def template(self, field: str, text: str, contexts: frozenset[str]) -> Expression:
        return self._parse(field, text, contexts, parse_template)

    def templates(
        self, field: str, texts: Mapping[str, Any], contexts: frozenset[str]
    ) -> dict[str, Any]:
        """Parses the texts of a mapping; other values stay unchanged."""
        return {name: self.deep(f"{field}.{name}", texts[name], contexts) for name in texts}

    def deep(self, field: str, value: Any, contexts: frozenset[str]) -> Any:
        if isinstance(value, str):
            return self.template(field, value, contexts)
        if isinstance(value, dict):
            return self.templates(field, value, contexts)
        if isinstance(value, list):
            return [self.deep(field, item, contexts) for item in value]
        return value

    def lock(self, lock: Concurrency | None, contexts: frozenset[str]) -> CompiledLock | None:
        if lock is None:
            return None
        return CompiledLock(
            self.template("concurrency.group", lock.group, contexts),
            self.template("concurrency.cancel-in-progress", lock.cancel_in_progress, contexts),
            lock.queue,
        )

    def _parse(self, field: str, text: str, contexts: frozenset[str], parse: Parse) -> Expression:
        try:
            return parse(text, contexts)
        except ExpressionError as error:
            raise WorkflowError(self.path, self.line, f"{self.owner}, {field}: {error}") from error
