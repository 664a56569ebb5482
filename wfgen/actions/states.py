"""The end of a job as later jobs and the run can see it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wfgen.actions.expressions import Object, lift
from wfgen.actions.frames import Frame
from wfgen.actions.outcomes import Outcome, Result
from wfgen.actions.steps import StepRun

RANKS: dict[Result, int] = {"skipped": 0, "success": 1, "cancelled": 2, "failure": 3}


def worst(results: Iterable[Result]) -> Result:
    """The joint result of several jobs: the combinations of a matrix, the jobs of a workflow.

    A failure outweighs a cancellation, which outweighs a success, which outweighs a skip.
    """
    return max(results, key=RANKS.__getitem__, default="skipped")


class State:
    """The end of a job. In one frame, equal states of a job are the same object."""

    __slots__ = (
        "began", "clear", "context", "error", "failed", "frames", "outcome", "outputs", "result",
        "steps",
    )  # fmt: skip

    def __init__(
        self,
        result: Result,
        *,
        began: bool,
        clear: bool,
        failed: bool,
        outputs: Mapping[str, str] | None = None,
        outcome: Outcome | None = None,
        steps: tuple[StepRun, ...] = (),
        error: str = "",
        frames: tuple[Frame, ...] = (),
    ) -> None:
        self.result = result
        self.began = began
        self.clear = clear and result == "success"
        """It and all its ancestors succeeded."""
        self.failed = failed or result == "failure"
        """It or an ancestor failed."""
        self.outputs = outputs or {}
        self.outcome = outcome
        """None where it did not run, or where it calls a workflow."""
        self.steps = steps
        self.error = error
        """The error of the expression that made it fail; otherwise ""."""
        self.frames = frames
        """The calls of its workflow: several with a matrix."""
        self.context = Object({"result": result, "outputs": lift(self.outputs)})
        """Its value in the contexts `needs` and `jobs`."""

    @property
    def content(self) -> tuple[object, ...]:
        """A key: equal for states that nothing can distinguish."""
        outputs = frozenset(self.outputs.items())
        flags = (self.result, self.began, self.clear, self.failed)
        steps = tuple((step.outcome, step.why) for step in self.steps)
        return (*flags, outputs, self.outcome, steps, self.error, self.frames)


NOT_BEGUN = State("skipped", began=False, clear=False, failed=False)
"""A job whose caller did not begin."""
