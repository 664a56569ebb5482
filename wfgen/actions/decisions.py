"""Whether a job begins, by its condition and its needs.

https://docs.github.com/en/actions/reference/workflows-and-actions/expressions#status-check-functions
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from wfgen.actions.compiled import CompiledJob
from wfgen.actions.expressions import ExpressionError, Lifted, Object, Value, is_truthy
from wfgen.actions.frames import Frame
from wfgen.actions.outcomes import Result
from wfgen.actions.phases import RUNNING, WAITING
from wfgen.actions.states import State


class Decision:
    """Whether a job begins, before anything happens to it."""

    def __init__(self, frame: Frame, job: CompiledJob, phase: int, needs: Sequence[State]) -> None:
        self.job, self.phase = job, phase
        self.clear = frame.clear and all(need.clear for need in needs)
        """All ancestors succeeded, including those of the calling jobs."""
        self.failed = frame.failed or any(need.failed for need in needs)
        """An ancestor failed."""
        states = zip(job.job.needs, needs, strict=True)
        self.contexts = Lifted(
            frame.contexts, needs=Object({name: state.context for name, state in states})
        )
        self.error = ""
        """Why the condition cannot be evaluated, which fails the job."""
        self.begins = False
        try:
            self.begins = self._holds(cancelled=phase == WAITING)
            self.survives = phase != RUNNING or self._holds(cancelled=True)
            """Whether it goes on if the run is cancelled while it runs."""
        except ExpressionError as error:
            self.error = f"{job.condition.text}: {error}"

    def state(self, result: Result, *, began: bool = False, **more: Any) -> State:
        """The job's end, with the state of its ancestors."""
        return State(result, began=began, clear=self.clear, failed=self.failed, **more)

    def _holds(self, *, cancelled: bool) -> bool:
        value = self.job.condition.evaluate(self.contexts, self._functions(cancelled))
        return is_truthy(value)

    def _functions(self, cancelled: bool) -> dict[str, Callable[..., Value]]:
        """The status functions; in a cancelled run neither success() nor failure() is true."""
        return {
            "success": lambda *_: self.clear and not cancelled,
            "failure": lambda *_: self.failed and not cancelled,
            "cancelled": lambda: cancelled,
            "always": lambda: True,
        }

    def explain(self, notes: Mapping[str, str]) -> str:
        """The condition with its values, at the time of the cancellation if there was one.

        `notes` names the ancestors that decide success() and failure().
        """
        if self.error:
            return self.error
        cancelled = self.phase == WAITING or (self.phase == RUNNING and self.begins)
        own: dict[str, str] = {}
        if cancelled:
            own |= {"success": "the run is cancelled", "failure": "the run is cancelled"}
        else:
            own |= {"success": notes["success"]} if not self.clear else {}
            own |= {"failure": notes["failure"]} if self.failed else {}
        return self.job.condition.explain(self.contexts, self._functions(cancelled), own)
