"""Every job and step of every scenario ends as in act, whose results acted.json keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.semantics.acted import Scenario, act, act_all
from tests.semantics.keep import SCENARIOS, kept, kept_form
from tests.semantics.small import differences, scenario
from wfgen.actions import TABLE

KEPT = kept()
DIFFERENCES = differences()
SHOWN = [entry for entry in DIFFERENCES if "jobs" in entry]


@pytest.mark.slow
def test_acted_json_has_the_results_of_act(tmp_path: Path) -> None:
    assert kept_form(act_all(tmp_path, SCENARIOS)) == KEPT, "python -m tests.semantics.keep"


@pytest.mark.parametrize("given", SCENARIOS, ids=lambda given: given.name)
def test_the_model_agrees_with_act(given: Scenario) -> None:
    theirs = KEPT[given.name]
    ours: dict[str, str] = {}
    for path, job in given.evaluate().jobs.items():
        # act reports a job that calls a workflow only where `without_calls` replaced it.
        if job.began and (path in theirs or not job.job.called):
            ours[path] = job.result
        if job.job.matrix is None:
            ours |= {f"{path}:{s.key}": s.outcome for s in job.steps if s.outcome != "skipped"}
    assert ours == theirs


@pytest.mark.slow
@pytest.mark.parametrize("entry", SHOWN, ids=lambda entry: entry["rule"])
def test_act_still_differs_as_listed(entry: dict[str, Any], tmp_path: Path) -> None:
    given = scenario(entry["rule"], entry, set())
    assert act(tmp_path / "act", [given])[given.name].jobs == entry["act"]


@pytest.mark.parametrize("entry", SHOWN, ids=lambda entry: entry["rule"])
def test_where_act_differs_the_model_follows_github(entry: dict[str, Any]) -> None:
    jobs = scenario(entry["rule"], entry, set()).evaluate().jobs
    began = {path: job.result for path, job in jobs.items() if job.began and not job.job.called}
    assert began == entry["github"]


def test_every_rule_has_a_witness_or_an_entry_in_the_differences() -> None:
    by_witness: dict[str, set[str]] = {}
    for rule in TABLE:
        by_witness.setdefault(rule.witness, set()).add(rule.name)
    assert {scenario.rule for scenario in SCENARIOS if scenario.rule} == by_witness["act"]
    assert {entry["rule"] for entry in DIFFERENCES} == by_witness[""]
    assert by_witness.keys() == {"act", "engine", ""}
