"""Jobs that act 0.2.89 does not run and GitHub does: those after a failed call of a workflow, and
those of a re-run.

On GitHub a job with `if: always()` after a failed call runs; act ends the run. So the tests start
a second run of the same workflow, in which a job replaces each call: it has the result, outputs,
`needs` and `if` of the call.
https://docs.github.com/en/actions/how-tos/reuse-automations/reuse-workflows

A re-run of the failed jobs is also a second run of the workflow, in which a job replaces each one
that succeeded: GitHub gives the jobs that it runs again the outputs of the others.
https://docs.github.com/en/actions/how-tos/manage-workflow-runs/re-run-workflows-and-jobs
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

OUTPUT = re.compile(r"jobs\.(?P<job>\w+)\.outputs\.(?P<name>\w+)")
OUTPUTS = re.compile(r"toJSON\(jobs\.(?P<job>\w+)\.outputs\)")
Outputs = Mapping[str, Mapping[str, str]]
"""Outputs by the name of the job."""


def replace_calls(path: Path, results: Mapping[str, str], outputs: Outputs) -> str:
    """A workflow with a job in place of each call.

    `results` and `outputs` are those of the jobs of called workflows, named caller/job.
    """
    workflow = _load(path)
    for job in workflow["jobs"].values():
        if "uses" in job:
            _replace_call(path, job, results, outputs)
    return yaml.safe_dump(workflow, sort_keys=False)


def replace_successes(path: Path, results: Mapping[str, str], outputs: Outputs) -> str:
    """A workflow in which only the failed jobs run again: a job replaces each of the others.

    All jobs of a call run again if one of them failed.
    """
    workflow = _load(path)
    for job in workflow["jobs"].values():
        if "uses" in job:
            if _results_of(job, results) <= {"success"}:
                _replace_call(path, job, results, outputs)
        elif results.get(job["name"], "success") == "success":
            own = outputs.get(job["name"], {})
            _replace(job, {name: own.get(name, "") for name in job.get("outputs", {})}, "success")
    return yaml.safe_dump(workflow, sort_keys=False)


def _replace_call(
    path: Path, job: dict[str, Any], results: Mapping[str, str], outputs: Outputs
) -> None:
    called = _load(path.parent / Path(job.pop("uses")).name)
    declared = called["on"]["workflow_call"].get("outputs", {})
    values = {
        name: _value(output["value"], job["name"], called, outputs)
        for name, output in declared.items()
    }
    succeeded = _results_of(job, results) <= {"success"}
    _replace(job, values, "success" if succeeded else "failure")


def _results_of(job: dict[str, Any], results: Mapping[str, str]) -> set[str]:
    """The results of the jobs of a call."""
    return {result for name, result in results.items() if name.startswith(f"{job['name']}/")}


def _replace(job: dict[str, Any], outputs: Mapping[str, str], result: str) -> None:
    """Makes a job end at once, with these outputs; its `needs` and `if` stay."""
    for key in ("with", "secrets", "concurrency", "permissions", "environment", "strategy"):
        job.pop(key, None)
    job["runs-on"] = "ubuntu-24.04"
    job["outputs"] = dict(outputs)
    job["steps"] = [{"run": "exit 0" if result == "success" else "exit 1"}]


def _load(path: Path) -> dict[str, Any]:
    loaded: dict[Any, Any] = yaml.safe_load(path.read_text("utf-8"))
    return {"on": loaded.pop(True), **loaded}  # YAML 1.1 reads `on` as true


def _value(expression: str, caller: str, called: dict[str, Any], outputs: Outputs) -> str:
    """An output of a call: all outputs of a job as JSON, or one of them."""

    def of(job: str) -> Mapping[str, str]:
        own = outputs.get(f"{caller}/{called['jobs'][job]['name']}", {})
        return {name: own[name] for name in called["jobs"][job].get("outputs", {}) if name in own}

    if everything := OUTPUTS.search(expression):
        return json.dumps(of(everything["job"]))
    one = OUTPUT.search(expression)
    return of(one["job"]).get(one["name"], "") if one else ""
