"""What breaks a property, and what several properties look up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from wfgen.checks.scenarios.pipeline import Pipeline, Place
from wfgen.checks.scenarios.roles import Action

RELEASE = ("preflight", "migrate", "deploy", "monitor", "rollback")
"""The roles of one release, first to last."""


class Breach(NamedTuple):
    """What breaks a property in a file, in any run."""

    pipeline: Pipeline
    message: str
    place: Place | None = None
    """The job that breaks it, where it is one job."""

    @property
    def file(self) -> str:
        """The file of that job: the called workflow's where it is in one."""
        callers = self.place.callers if self.place else ()
        called = callers[-1].called if callers else None
        return called.path if called else self.pipeline.workflow.path


def with_places(
    pipelines: Iterable[Pipeline], *roles: str
) -> Iterator[tuple[Pipeline, Action, Place]]:
    """Every action with one of these roles, and the place of its job."""
    for pipeline in pipelines:
        for action in pipeline.of(*roles):
            yield pipeline, action, pipeline.places[action.job]
