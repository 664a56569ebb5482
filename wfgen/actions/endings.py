"""The end of a job that begins, by its outcome.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idcontinue-on-error
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wfgen.actions.decisions import Decision
from wfgen.actions.expressions import Expression, Lifted, lift, lower, to_string
from wfgen.actions.matrix import combine, label
from wfgen.actions.outcomes import ENDS, Outcome, Result, ScenarioError
from wfgen.actions.states import State, worst
from wfgen.actions.steps import StepRun, run_steps


def end(decision: Decision, outcome: Outcome, outcomes: Mapping[str, Outcome]) -> State:
    """The state of a job that has steps. Raises `ExpressionError` and `ScenarioError`."""
    job = decision.job
    if not decision.survives:
        so_far = _checked(decision, outcome.outputs)
        return decision.state("cancelled", began=True, outputs=so_far, outcome=outcome)
    if outcome.kind == "rejected" and job.environment is None:
        raise ScenarioError(f"{job.path} has no environment whose reviewers could reject it")
    results: list[Result] = []
    outputs: dict[str, str] = {}
    steps: tuple[StepRun, ...] = ()
    for combination_outcome, contexts in _by_combination(decision, outcome, outcomes):
        result, steps, written = _apply(decision, combination_outcome, contexts)
        results.append(result)
        # Of combinations that write the same output, the last one counts.
        outputs.update({name: value for name, value in written.items() if value})
    began = outcome.kind != "rejected"
    return decision.state(
        worst(results), began=began, outputs=outputs, outcome=outcome, steps=steps
    )


def _by_combination(
    decision: Decision, outcome: Outcome, outcomes: Mapping[str, Outcome]
) -> list[tuple[Outcome, Lifted]]:
    """The outcome and the contexts of each combination; without an outcome it has the job's."""
    job = decision.job
    if job.matrix is None:
        return [(outcome, decision.contexts)]
    named = {
        f"{job.path} ({label(lower(contexts['matrix']))})": contexts
        for contexts in combinations(decision)
    }
    for name in outcomes:
        if name.startswith(f"{job.path} (") and name not in named:
            raise ScenarioError(f"no job `{name}`; expected one of {', '.join(named)}")
    return [(outcomes.get(name, outcome), contexts) for name, contexts in named.items()]


def combinations(decision: Decision) -> list[Lifted]:
    """The contexts of a job, once for each combination of its matrix."""
    matrix = decision.job.matrix
    if matrix is None:
        return [decision.contexts]
    combined = combine(_evaluate(matrix, decision.contexts))
    return [Lifted(decision.contexts, matrix=lift(combination)) for combination in combined]


def _evaluate(value: Any, contexts: Lifted) -> Any:
    """A plain value with the values of its expressions."""
    if isinstance(value, Expression):
        return lower(value.evaluate(contexts))
    if isinstance(value, dict):
        return {key: _evaluate(item, contexts) for key, item in value.items()}
    if isinstance(value, list):
        return [_evaluate(item, contexts) for item in value]
    return value


def _apply(
    decision: Decision, outcome: Outcome, contexts: Lifted
) -> tuple[Result, tuple[StepRun, ...], Mapping[str, str]]:
    """The result, steps and outputs of one combination."""
    job = decision.job
    steps: tuple[StepRun, ...] = ()
    outputs = _checked(decision, outcome.outputs)
    if outcome.kind == "steps":
        result, steps, after = run_steps(job, outcome.steps, contexts)
        declared = {name: to_string(output.evaluate(after)) for name, output in job.outputs.items()}
        outputs = {**declared, **outputs}
    else:
        result = ENDS[outcome.kind]
    if result == "failure" and outcome.kind != "rejected":
        goes_on = to_string(job.continue_on_error.evaluate(contexts)) == "true"
        result = "success" if goes_on else "failure"
    return result, steps, outputs


def _checked(decision: Decision, outputs: Mapping[str, str]) -> Mapping[str, str]:
    """Raises `ScenarioError` for an output that the job does not have."""
    job = decision.job
    for name in outputs:
        if name not in job.outputs and not job.job.uses:
            names = ", ".join(job.outputs)
            hint = f"expected one of {names}" if names else "it has none"
            raise ScenarioError(f"{job.path} has no output `{name}`; {hint}")
    return outputs
