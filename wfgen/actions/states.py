"""What a job came to, as far as later jobs and the run can see it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wfgen.actions.expressions import Object, lift
from wfgen.actions.frames import Frame
from wfgen.actions.outcomes import Outcome, Result
from wfgen.actions.steps import StepRun

RANKS: dict[Result, int] = {"skipped": 0, "success": 1, "cancelled": 2, "failure": 3}


def worst(results: Iterable[Result]) -> Result:
    """What several jobs come to together: the combinations of a matrix, the jobs of a workflow.

    A failure outweighs a cancellation, that a success, and that a skip.
    """
    return max(results, key=RANKS.__getitem__, default="skipped")


class State:
    """The end of a job. In one frame, equal ones of a job are the same object."""

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
        """None where nothing happened to it, or where it calls a workflow."""
        self.steps = steps
        self.error = error
        """The complaint about its condition, where that made it fail."""
        self.frames = frames
        """The calls of its workflow: several where it has a matrix."""
        self.context = Object({"result": result, "outputs": lift(self.outputs)})
        """It as `needs` and `jobs` show it."""

    @property
    def content(self) -> tuple[object, ...]:
        """All that it says."""
        outputs = frozenset(self.outputs.items())
        flags = (self.result, self.began, self.clear, self.failed)
        steps = tuple((step.outcome, step.why) for step in self.steps)
        return (*flags, outputs, self.outcome, steps, self.error, self.frames)


NOT_BEGUN = State("skipped", began=False, clear=False, failed=False)
"""A job whose caller did not begin."""
