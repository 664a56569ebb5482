"""Each step that runs the release program counts as work, and has a mark to be recognized by."""

from __future__ import annotations

from tests.act.run import Run
from tests.act.sample import ROOT
from tests.act.works import MARKS, find_works

WORKFLOWS = ROOT / ".github/workflows"


def test_the_work_of_each_generated_workflow_has_a_mark() -> None:
    """And each mark is of a command that a workflow runs."""
    names = ("production", "staging", "staging-cleanup", "watchdog")
    works = [work for name in names for work in find_works(WORKFLOWS / f"{name}.yml").values()]
    assert {work.rpartition(": ")[2] for work in works} == MARKS.keys()
    jobs = ("Release/Deploy", "Release/Monitor", "Finish")
    commands = {job: [w for w in works if w.startswith(f"{job}: ")] for job in jobs}
    assert all(len(set(own)) > 1 for own in commands.values()), commands


def test_work_that_succeeds_without_its_mark_is_reported() -> None:
    """Also where other work of the same job printed one, and where a job did no work."""
    run = Run(
        results={"Finish": "success", "Gate": "success", "Plan": "failure"},
        works={"Finish: audit": "success", "Finish: verdict": "success", "Plan: plan": "failure"},
        texts={"Finish: verdict": "## production: release 2 is live\n", "Finish: audit": "hello\n"},
    )
    assert run.ran == {"Finish: verdict"}
    assert run.unmarked == {"Finish: audit", "Gate"}
