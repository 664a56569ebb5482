"""Simulates runs of one workflow for one event."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from wfgen.actions.compiled import CompiledLock, compile_workflow
from wfgen.actions.execution import Execution
from wfgen.actions.expressions import Lifted, lift, to_string
from wfgen.actions.frames import Frame
from wfgen.actions.observed import observe
from wfgen.actions.outcomes import Cancellation, Outcome, ScenarioError
from wfgen.actions.phases import phases
from wfgen.actions.run import Lock, Run
from wfgen.actions.states import State, worst
from wfgen.actions.workflow import Workflow

CONTEXTS = (
    "github", "inputs", "vars", "secrets", "needs", "strategy", "matrix", "env", "job", "runner",
    "steps",
)  # fmt: skip
LEVELS = {"none": 0, "read": 1, "write": 2}


class Simulator:
    """One workflow and one event, with the contexts `github`, `inputs`, `vars` and `secrets`."""

    def __init__(self, workflow: Workflow, contexts: Mapping[str, Any] | None = None) -> None:
        """Raises `WorkflowError` for an expression that cannot be parsed."""
        self.workflow = workflow
        self._compiled = compile_workflow(workflow)
        given = {**{name: {} for name in CONTEXTS}, **(contexts or {})}
        lifted = Lifted({name: lift(value) for name, value in given.items()})
        self._execution = Execution(Frame(self._compiled, lifted, clear=True, failed=False))
        self._places = {job.path: (index, job) for index, job in enumerate(self._compiled.walk())}
        self._phases: dict[Cancellation, Mapping[str, int]] = {}

    def run(
        self,
        outcomes: Mapping[str, Outcome] | None = None,
        cancellation: Cancellation | None = None,
    ) -> Run:
        """One run. Raises `ScenarioError`."""
        outcomes = outcomes or {}
        if not outcomes.keys() <= self._places.keys():
            self._check_names(outcomes)
        when = self._when(cancellation) if cancellation else {}
        all_states: list[State] = []
        states = self._execution.run(outcomes, when, all_states)
        conclusion = "cancelled" if cancellation else worst(state.result for state in states)
        return Run(
            places=self._places,
            states=tuple(all_states),
            frame=self._execution.frame,
            phases=when,
            conclusion=conclusion,
            cancelled=cancellation is not None,
        )

    def _when(self, cancellation: Cancellation) -> Mapping[str, int]:
        if cancellation not in self._phases:
            named = {*cancellation.finished, *filter(None, [cancellation.during])}
            self._check_names(dict.fromkeys(named))
            self._phases[cancellation] = phases(self._compiled, cancellation)
        return self._phases[cancellation]

    def _check_names(self, named: Mapping[str, object]) -> None:
        """A combination of a matrix has the name `job (linux, 20)`."""
        for name in named:
            path = name if name in self._places else name.partition(" (")[0]
            if path not in self._places or (path != name and not self._places[path][1].matrix):
                raise ScenarioError(f"no job `{name}`; expected one of {', '.join(self._places)}")

    @cached_property
    def _observed(self) -> Mapping[str, frozenset[str]]:
        return observe(self._compiled)

    def observed(self, path: str) -> frozenset[str]:
        """The outputs of a job that can change the result of another job.

        Conditions read them, directly or through inputs and outputs of called workflows.
        """
        return self._observed[path]

    def locks(self, path: str, run: Run) -> tuple[Lock, ...]:
        """The groups that a job is in, outermost first: of the workflow, of its callers, its own.

        For a job whose caller did not begin, only the outer ones. Raises `ExpressionError`.
        """
        locks = []
        ids = path.split("/")
        for depth in range(len(ids)):
            ancestor = "/".join(ids[: depth + 1])
            frame, decision = run.frame_of(ancestor), run.decision(ancestor)
            if frame is None or decision is None:
                break
            locks += _lock(frame.workflow.prefix, frame.workflow.lock, frame.contexts)
            locks += _lock(ancestor, decision.job.lock, decision.contexts)
        return tuple(locks)

    def environment(self, path: str, run: Run) -> str:
        """The name of a job's environment; "" where it has none. Raises `ExpressionError`."""
        decision = run.decision(path)
        if decision is None or decision.job.environment is None:
            return ""
        return to_string(decision.job.environment.evaluate(decision.contexts))

    def permissions(self, path: str) -> dict[str, str]:
        """The permissions of a job's token; {"*": "default"} where no file sets them.

        The jobs of a called workflow have at most the permissions of the calling job.
        """
        granted: dict[str, str] = {"*": "default"}
        workflow, ids = self.workflow, path.split("/")
        for name in ids:
            job = workflow.jobs[name]
            declared = job.permissions if job.permissions is not None else workflow.permissions
            granted = granted if declared is None else _lesser(granted, declared)
            workflow = job.called or workflow
        return granted


def _lock(holder: str, lock: CompiledLock | None, contexts: Lifted) -> list[Lock]:
    if lock is None:
        return []
    group = to_string(lock.group.evaluate(contexts))
    cancels = to_string(lock.cancels.evaluate(contexts)) == "true"
    return [Lock(holder, group, cancels, lock.queue)]


def _lesser(granted: Mapping[str, str], declared: Mapping[str, str]) -> dict[str, str]:
    """The declared permissions, limited to those granted."""
    if granted.get("*") == "default":
        return dict(declared)

    def level(permissions: Mapping[str, str], name: str) -> str:
        return permissions.get(name, permissions.get("*", "none"))

    names = {*granted, *declared}
    return {
        name: min(level(granted, name), level(declared, name), key=LEVELS.__getitem__)
        for name in sorted(names)
        if "*" in names or {level(granted, name), level(declared, name)}.isdisjoint({"none"})
    }
