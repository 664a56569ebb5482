"""Writes acted.json: what act says of all scenarios. `python -m tests.semantics.keep`"""

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
    """Results of jobs by path, and of a rule's scenario the outcomes of steps as path:step."""
    return {each.name: _results(each, acted[each.name]) for each in SCENARIOS}


def _results(scenario: Scenario, acted: Acted) -> dict[str, str]:
    once = {path for path, job in scenario.workflow.walk() if scenario.rule and not job.matrix}
    steps = {f"{path}:{step}": each for (path, step), each in acted.steps.items() if path in once}
    return {**acted.jobs, **steps}


def kept() -> dict[str, dict[str, str]]:
    """What is in the file."""
    found: dict[str, dict[str, str]] = json.loads(KEPT.read_text("utf-8"))
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        found = kept_form(act_all(Path(folder), SCENARIOS))
    KEPT.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", "utf-8")
