"""Runs the jobs of a workflow in order, and keeps the state of each.

The state of a job depends on what it reads of its needs, on whether its ancestors succeeded, on its
outcome, and on the phase of a cancellation. These are the key of a memo: equal jobs run once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wfgen.actions.compiled import CompiledJob, CompiledWorkflow
from wfgen.actions.decisions import Decision
from wfgen.actions.endings import combinations, end
from wfgen.actions.expressions import ExpressionError, Lifted, Object, to_string
from wfgen.actions.frames import Frame
from wfgen.actions.inputs import evaluate_inputs
from wfgen.actions.outcomes import SUCCESS, Outcome, ScenarioError
from wfgen.actions.states import NOT_BEGUN, State, worst

Outcomes = Mapping[str, Outcome]
Phases = Mapping[str, int]
Key = tuple[object, ...]


class Execution:
    """Runs of one frame."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self._memos: list[dict[Key, State]] = [{} for _ in frame.workflow.jobs]
        self._kept: list[dict[Key, State]] = [{} for _ in frame.workflow.jobs]
        self._frames: dict[Key, Frame] = {}
        self._called: dict[Frame, Execution] = {}

    def run(self, outcomes: Outcomes, phases: Phases, all_states: list[State]) -> list[State]:
        """The states of the jobs; these and those of called jobs are added to `all_states`."""
        states: list[State] = []
        for job, memo in zip(self.frame.workflow.jobs, self._memos, strict=True):
            clear, failed = self.frame.clear, self.frame.failed
            for position in job.needs:
                need = states[position]
                clear = clear and need.clear
                failed = failed or need.failed
            outcome = outcomes.get(job.path, SUCCESS)
            phase = phases.get(job.path, 0)
            # Steps may read whatever they like of the needs.
            seen = job.needs if outcome.kind == "steps" else job.read_needs
            key: Key = (outcome, phase, clear, failed, *[states[position] for position in seen])
            if job.matrix is not None:
                key += _of_combinations(job, outcomes)
            state = memo.get(key)
            if state is None:
                decision = Decision(self.frame, job, phase, [states[p] for p in job.needs])
                state = memo[key] = self._keep(job, self._decide(decision, outcome, outcomes))
            if job.called:
                state = self._call(job, state, outcomes, phases, all_states)
            else:
                all_states.append(state)
            states.append(state)
        return states

    def _decide(self, decision: Decision, outcome: Outcome, outcomes: Outcomes) -> State:
        """The state of a job; for one that calls a workflow, the state in which it begins."""
        job = decision.job
        if job.called and outcome.kind not in ("success", "skipped"):
            message = f"{job.path} calls a workflow: give an outcome to one of its jobs instead"
            raise ScenarioError(f"{message}, such as {job.called.jobs[0].path}")
        if decision.error:
            return decision.state("failure", error=decision.error)
        if not decision.begins or outcome.kind == "skipped":
            return decision.state("skipped")
        try:
            if job.called:
                return decision.state("success", began=True, frames=self._open(decision))
            return end(decision, outcome, outcomes)
        except ExpressionError as error:
            return decision.state("failure", error=str(error))

    def _open(self, decision: Decision) -> tuple[Frame, ...]:
        """The calls of a job: one, or one for each combination of its matrix."""
        job = decision.job
        assert job.called
        frames = []
        for contexts in combinations(decision):
            inputs = evaluate_inputs(job.called.workflow.inputs, job.inputs, contexts)
            key = (job.path, decision.clear, decision.failed, *inputs.items())
            if key not in self._frames:
                own = Lifted(self.frame.contexts, inputs=Object(inputs), needs=Object({}))
                frame = Frame(job.called, own, decision.clear, decision.failed)
                self._frames[key], self._called[frame] = frame, Execution(frame)
            frames.append(self._frames[key])
        return tuple(frames)

    def _call(
        self,
        job: CompiledJob,
        begun: State,
        outcomes: Outcomes,
        phases: Phases,
        all_states: list[State],
    ) -> State:
        """Runs a called workflow; with a matrix, each of its jobs shows its worst state."""
        assert job.called
        place = len(all_states)
        all_states.append(begun)
        if not begun.frames:
            all_states += [NOT_BEGUN] * job.called.size
            return begun
        first, *others = [self._called[frame] for frame in begun.frames]
        inner = first.run(outcomes, phases, all_states)
        for other in others:
            states: list[State] = []
            inner = inner + other.run(outcomes, phases, states)
            all_states[place + 1 :] = map(_worse, all_states[place + 1 :], states)
        memo = self._memos[job.position]
        key: Key = (begun, *inner)
        state = memo.get(key)
        if state is None:
            state = memo[key] = self._keep(job, self._close(job.called, begun, inner))
        all_states[place] = state
        return state

    def _close(self, called: CompiledWorkflow, begun: State, inner: Sequence[State]) -> State:
        """The end of a call, with its outputs; for several calls, the outputs of the last."""
        names = called.workflow.jobs
        jobs = {n: s.context for n, s in zip(names, inner[-len(names) :], strict=True)}
        contexts = Lifted(begun.frames[-1].contexts, jobs=Object(jobs))
        outputs = {name: to_string(o.evaluate(contexts)) for name, o in called.outputs.items()}
        return State(
            worst(state.result for state in inner),
            began=True,
            clear=begun.clear and all(state.clear for state in inner),
            failed=begun.failed,
            outputs=outputs,
            frames=begun.frames,
        )

    def _keep(self, job: CompiledJob, state: State) -> State:
        """The state, or the equal one that exists already."""
        return self._kept[job.position].setdefault(state.content, state)


def _of_combinations(job: CompiledJob, outcomes: Outcomes) -> Key:
    """The outcomes of a matrix's combinations, named `job (linux, 20)`."""
    return tuple(pair for pair in outcomes.items() if pair[0].startswith(f"{job.path} ("))


def _worse(one: State, other: State) -> State:
    return one if worst((one.result, other.result)) == one.result else other
