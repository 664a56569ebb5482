"""Under act, every job of every scenario comes to what the evaluator says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.semantics.acted import Acted, Scenario, act, act_all
from tests.semantics.pipelines import pipeline_scenarios
from tests.semantics.small import differences, scenario, small_scenarios
from wfgen.semantics import TABLE

SCENARIOS = [*small_scenarios(), *pipeline_scenarios()]
DIFFERENCES = differences()


@pytest.fixture(scope="module")
def acted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Acted]:
    return act_all(tmp_path_factory.mktemp("act"), SCENARIOS)


@pytest.mark.slow
@pytest.mark.parametrize("given", SCENARIOS, ids=lambda given: given.name)
def test_jobs_and_steps_are_those_of_act(given: Scenario, acted: dict[str, Acted]) -> None:
    theirs = acted[given.name]
    run = given.evaluate()
    jobs = {path: job for path, job in run.jobs.items() if job.began}
    # act tells of a job that calls a workflow only where another job stands in for it.
    told = {path for path, job in jobs.items() if path in theirs.jobs or not job.job.called}
    assert {path: jobs[path].result for path in told} == theirs.jobs
    once = {path for path, job in jobs.items() if job.steps and job.job.matrix is None}
    ours = {(path, step.key): step.outcome for path in once for step in jobs[path].steps}
    ran = {key: outcome for key, outcome in ours.items() if outcome != "skipped"}
    assert ran == {key: outcome for key, outcome in theirs.steps.items() if key[0] in once}


@pytest.mark.slow
@pytest.mark.parametrize(
    "entry", [each for each in DIFFERENCES if "jobs" in each], ids=lambda entry: entry["rule"]
)
def test_act_still_differs_as_listed(entry: dict[str, Any], tmp_path: Path) -> None:
    given = scenario(entry["rule"], entry, set())
    assert act(tmp_path / "act", [given])[given.name].jobs == entry["act"]


@pytest.mark.parametrize(
    "entry", [each for each in DIFFERENCES if "jobs" in each], ids=lambda entry: entry["rule"]
)
def test_where_act_differs_we_follow_github(entry: dict[str, Any]) -> None:
    jobs = scenario(entry["rule"], entry, set()).evaluate().jobs
    began = {path: job.result for path, job in jobs.items() if job.began and not job.job.called}
    assert began == entry["github"]


def test_every_rule_has_its_witness_or_its_entry_among_the_differences() -> None:
    by_witness: dict[str, set[str]] = {}
    for rule in TABLE:
        by_witness.setdefault(rule.witness, set()).add(rule.name)
    assert {each.rule for each in SCENARIOS if each.rule} == by_witness["act"]
    assert {entry["rule"] for entry in DIFFERENCES} == by_witness[""]
    assert by_witness.keys() == {"act", "engine", ""}
