"""verify finds faults in the generated workflows, each by the property that it breaks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.safety.faults import FAULTS, Fault
from tests.safety.mistakes import MISTAKES
from wfgen.checks import proof as verify
from wfgen.checks import static
from wfgen.checks.properties import PROPERTIES
from wfgen.checks.scenarios.pipeline import Pipeline

ROOT = Path(__file__).parents[2]
FOUND = tuple(fault for fault in FAULTS if fault.breaks)
QUICK = ("never-cancelled-by-newer-run", "one-lock", "credentials-need-pinned-actions",
         "no-approval-during-release")  # fmt: skip
"""Properties that the files alone show."""
NOT_FOUND = tuple(fault for fault in FAULTS if not fault.breaks)


def read_with(changed: Mapping[str, str]) -> tuple[Pipeline, ...]:
    """This repository's pipelines, with other texts in place of some files."""

    def read(path: str) -> str:
        return changed.get(path) or (ROOT / path).read_text("utf-8")

    paths = sorted(
        path.relative_to(ROOT).as_posix() for path in ROOT.glob(".github/workflows/*.yml")
    )
    return static.read_all([path for path in paths if not path.endswith("ci.yml")], read)


def mutated(fault: Fault) -> tuple[Pipeline, ...]:
    """This repository's pipelines with the fault."""
    return read_with({fault.file: fault.put_into((ROOT / fault.file).read_text("utf-8"))})


def affected_by(fault: Fault, pipelines: tuple[Pipeline, ...]) -> list[Pipeline]:
    """The pipelines that use the file with the fault, small ones first."""
    affected = []
    for pipeline in pipelines:
        called = {job.called.path for _, job in pipeline.workflow.walk() if job.called}
        if fault.file in {pipeline.workflow.path, *called}:
            affected.append(pipeline)
    return sorted(affected, key=lambda pipeline: len(pipeline.places))


@pytest.mark.parametrize("fault", [f for f in FOUND if f.breaks in QUICK], ids=lambda f: f.name)
def test_a_fault_is_found_in_the_files(fault: Fault) -> None:
    """`wfgen render` makes the same check."""
    assert fault.breaks in {broken.property for broken in static.check_files(mutated(fault))}


@pytest.mark.slow
@pytest.mark.parametrize("fault", [f for f in FOUND if f.breaks not in QUICK], ids=lambda f: f.name)
def test_a_fault_is_found_in_a_run(fault: Fault) -> None:
    """By the first run that shows it; some of these properties the files show as well."""
    pipelines = mutated(fault)
    in_files = fault.breaks in {broken.property for broken in static.check_files(pipelines)}
    assert in_files or any(
        name == fault.breaks
        for pipeline in affected_by(fault, pipelines)
        for story in verify.runs_of(pipeline)
        for name, _ in verify.broken_by(story)
    )


@pytest.mark.slow
@pytest.mark.parametrize("fault", NOT_FOUND, ids=lambda fault: fault.name)
def test_what_is_not_found_is_known_and_explained(fault: Fault) -> None:
    """A fault that a property does find belongs to the others."""
    assert fault.harmless
    pipelines = mutated(fault)
    assert static.check_files(pipelines) == []
    for pipeline in affected_by(fault, pipelines):
        for story in verify.runs_of(pipeline):
            assert list(verify.broken_by(story)) == []


def test_most_faults_are_found() -> None:
    """At least 95 % of those with an effect."""
    change = [fault for fault in FAULTS if "changes nothing" not in fault.harmless]
    assert len(FOUND) >= 30
    assert len(FOUND) >= 0.95 * len(change)


@pytest.mark.parametrize("name", [known.name for known in PROPERTIES])
def test_every_property_finds_something(name: str) -> None:
    """A fault, or a mistake."""
    assert name in {*(fault.breaks for fault in FOUND), *(made.breaks for made in MISTAKES)}
