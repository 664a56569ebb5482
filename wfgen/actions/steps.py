"""The steps of a job: which ones run, and the result of the job.

https://docs.github.com/en/actions/reference/workflows-and-actions/contexts#steps-context
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wfgen.actions.compiled import CompiledJob, CompiledStep
from wfgen.actions.expressions import (
    Expression,
    ExpressionError,
    Lifted,
    Object,
    Value,
    is_truthy,
    lift,
    to_string,
)
from wfgen.actions.outcomes import ENDS, SUCCESS, Outcome, Result


@dataclass(frozen=True)
class StepRun:
    """A step in a run."""

    key: str
    """Its id, or its position from 0 where it has none."""
    outcome: Result
    """Before continue-on-error applies."""
    conclusion: Result
    outputs: Mapping[str, str]
    why: str
    """Its condition with the values of this run, or the error in it."""


def run_steps(
    job: CompiledJob, outcomes: Mapping[str, Outcome], contexts: Lifted
) -> tuple[Result, tuple[StepRun, ...], Lifted]:
    """The job's result, its steps, and the contexts at its end."""
    env = _evaluate_env(job.env, contexts) if job.env_matters else Object({})
    status: Result = "success"
    runs: list[StepRun] = []
    seen: dict[str, Value] = {}
    for step in job.steps:
        scope = Lifted(contexts, steps=Object(seen), job=lift({"status": status}))
        scope["env"] = _evaluate_env(step.env, scope, env) if job.env_matters else env
        run = _run_step(step, outcomes.get(step.key, SUCCESS), status, scope)
        runs.append(run)
        if step.step.id:
            parts = {name: getattr(run, name) for name in ("outcome", "conclusion", "outputs")}
            seen[step.step.id] = lift(parts)
        if run.conclusion == "cancelled" or (run.conclusion == "failure" and status == "success"):
            status = run.conclusion
    end = Lifted(contexts, steps=Object(seen), job=lift({"status": status}), env=env)
    return status, tuple(runs), end


def _evaluate_env(env: Mapping[str, Any], scope: Lifted, outer: Object | None = None) -> Object:
    """The context `env`, with the outer one's values unless they are overridden."""
    values = {
        name: to_string(value.evaluate(scope)) if isinstance(value, Expression) else value
        for name, value in env.items()
    }
    return Object({**dict(outer.items() if outer else ()), **values})


def _run_step(step: CompiledStep, outcome: Outcome, status: Result, scope: Lifted) -> StepRun:
    functions = {
        "success": lambda *_: status == "success",
        "failure": lambda *_: status == "failure",
        "cancelled": lambda: status == "cancelled",
        "always": lambda: True,
    }
    try:
        why = step.condition.explain(scope, functions)
        begins = is_truthy(step.condition.evaluate(scope, functions))
        goes_on = to_string(step.continue_on_error.evaluate(scope)) == "true"
    except ExpressionError as error:
        return StepRun(step.key, "failure", "failure", {}, str(error))
    if not begins or outcome.kind == "skipped":
        return StepRun(step.key, "skipped", "skipped", {}, why)
    result: Result = "failure" if outcome.kind == "timed_out" else ENDS[outcome.kind]
    conclusion: Result = "success" if result == "failure" and goes_on else result
    return StepRun(step.key, result, conclusion, outcome.outputs, why)
