"""verify finds faults that are put into the generated workflows, each by the property it breaks."""

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
"""Properties of the files alone."""
NOT_FOUND = tuple(fault for fault in FAULTS if not fault.breaks)


def read_with(changed: Mapping[str, str]) -> tuple[Pipeline, ...]:
    """This repository's pipelines, some of their files being others."""

    def read(path: str) -> str:
        return changed.get(path) or (ROOT / path).read_text("utf-8")

    paths = sorted(
        path.relative_to(ROOT).as_posix() for path in ROOT.glob(".github/workflows/*.yml")
    )
    return static.read_all([path for path in paths if not path.endswith("ci.yml")], read)


def mutated(fault: Fault) -> tuple[Pipeline, ...]:
    """This repository's pipelines with the fault."""
    return read_with({fault.file: fault.put_into((ROOT / fault.file).read_text("utf-8"))})


def concerned(fault: Fault, pipelines: tuple[Pipeline, ...]) -> list[Pipeline]:
    """The pipelines that have the file with the fault in them, small ones first."""
    found = [
        each
        for each in pipelines
        if fault.file
        in {each.workflow.path} | {j.called.path for _, j in each.workflow.walk() if j.called}
    ]
    return sorted(found, key=lambda each: len(each.places))


@pytest.mark.parametrize("fault", [f for f in FOUND if f.breaks in QUICK], ids=lambda f: f.name)
def test_a_fault_is_found_in_the_files(fault: Fault) -> None:
    """By the quick part, which belongs to each render."""
    assert fault.breaks in {each.property for each in static.check_files(mutated(fault))}


@pytest.mark.slow
@pytest.mark.parametrize("fault", [f for f in FOUND if f.breaks not in QUICK], ids=lambda f: f.name)
def test_a_fault_is_found_in_a_run(fault: Fault) -> None:
    """The first run that shows it will do; of some properties the files show it already."""
    pipelines = mutated(fault)
    in_files = fault.breaks in {each.property for each in static.check_files(pipelines)}
    assert in_files or any(
        name == fault.breaks
        for pipeline in concerned(fault, pipelines)
        for story in verify.runs_of(pipeline)
        for name, _ in verify.broken_by(story)
    )


@pytest.mark.slow
@pytest.mark.parametrize("fault", NOT_FOUND, ids=lambda fault: fault.name)
def test_what_is_not_found_is_known_and_explained(fault: Fault) -> None:
    """A fault that a property begins to find moves to those that are found."""
    assert fault.harmless
    pipelines = mutated(fault)
    assert static.check_files(pipelines) == []
    for pipeline in concerned(fault, pipelines):
        broken = {each for story in verify.runs_of(pipeline) for each in verify.broken_by(story)}
        assert broken == set()


def test_most_faults_are_found() -> None:
    """Of those that change what happens, 95 in a hundred."""
    change = [fault for fault in FAULTS if "changes nothing" not in fault.harmless]
    assert len(FOUND) >= 30
    assert len(FOUND) >= 0.95 * len(change)


@pytest.mark.parametrize("name", [each.name for each in PROPERTIES])
def test_every_property_finds_something(name: str) -> None:
    """A fault here, or a mistake that people make."""
    assert name in {*(fault.breaks for fault in FOUND), *(each.breaks for each in MISTAKES)}
