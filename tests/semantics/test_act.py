"""Under act, every job of every scenario comes to what the evaluator says."""

from __future__ import annotations

import pytest

from tests.semantics.acted import Acted, Scenario, act_all
from tests.semantics.pipelines import pipeline_scenarios
from tests.semantics.small import small_scenarios
from wfgen.semantics import TABLE

pytestmark = pytest.mark.slow
SCENARIOS = [*small_scenarios(), *pipeline_scenarios()]


@pytest.fixture(scope="module")
def acted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Acted]:
    return act_all(tmp_path_factory.mktemp("act"), SCENARIOS)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_jobs_and_steps(scenario: Scenario, acted: dict[str, Acted]) -> None:
    theirs = acted[scenario.name]
    run = scenario.evaluate()
    jobs = {path: job for path, job in run.jobs.items() if job.began}
    # act tells of a job that calls a workflow only where another job stands in for it.
    told = {path for path, job in jobs.items() if path in theirs.jobs or not job.job.called}
    ours = {path: jobs[path].result for path in told}
    assert ours == theirs.jobs
    alone = {path for path, job in jobs.items() if job.steps and job.job.matrix is None}
    assert {
        (path, step.key): step.outcome
        for path in alone
        for step in jobs[path].steps
        if step.outcome != "skipped"
    } == {key: outcome for key, outcome in theirs.steps.items() if key[0] in alone}


def test_the_rules_that_act_vouches_for_are_those_of_the_scenarios() -> None:
    rules = {scenario.rule for scenario in SCENARIOS if scenario.rule}
    assert rules == {rule.name for rule in TABLE if rule.witness == "act"}
    assert len(SCENARIOS) >= 40
