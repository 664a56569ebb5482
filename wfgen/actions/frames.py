"""What the jobs of one workflow can see: the inputs and the ancestors of its call."""

from __future__ import annotations

from dataclasses import dataclass

from wfgen.actions.compiled import CompiledWorkflow
from wfgen.actions.expressions import Lifted


@dataclass(frozen=True, eq=False, slots=True)
class Frame:
    """One call of a workflow, or the run's own workflow."""

    workflow: CompiledWorkflow
    contexts: Lifted
    clear: bool
    """All ancestors of the calling job succeeded."""
    failed: bool
    """An ancestor of the calling job failed."""
