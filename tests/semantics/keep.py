"""Writes acted.json, the results of all scenarios in act: `python -m tests.semantics.keep`."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.semantics.acted import Acted, Scenario, act_all
from tests.semantics.pipelines import pipeline_scenarios
from tests.semantics.small import small_scenarios

KEPT = Path(__file__).with_name("acted.json")
SCENARIOS = [*small_scenarios(), *pipeline_scenarios()]


def kept_form(acted: Mapping[str, Acted]) -> dict[str, dict[str, str]]:
    """Results of jobs by path; for the scenario of a rule also outcomes of steps as path:step."""
    return {scenario.name: _results(scenario, acted[scenario.name]) for scenario in SCENARIOS}


def _results(scenario: Scenario, acted: Acted) -> dict[str, str]:
    once = {path for path, job in scenario.workflow.walk() if scenario.rule and not job.matrix}
    steps = {f"{path}:{key}": end for (path, key), end in acted.steps.items() if path in once}
    return {**acted.jobs, **steps}


def kept() -> dict[str, dict[str, str]]:
    """The content of acted.json."""
    results: dict[str, dict[str, str]] = json.loads(KEPT.read_text("utf-8"))
    return results


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        results = kept_form(act_all(Path(folder), SCENARIOS))
    KEPT.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", "utf-8")
