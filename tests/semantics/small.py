"""The scenarios of scenarios.yml, and the entries of differences.yml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.semantics.acted import FOLDER, Scenario, labelled, load
from wfgen.actions import Outcome, Workflow, read_workflow

HERE = Path(__file__).parent


def small_scenarios() -> list[Scenario]:
    """One scenario per item of `fails`."""
    entries = yaml.safe_load((HERE / "scenarios.yml").read_text("utf-8"))
    return [
        scenario(f"{entry['rule']}-{number}", entry, set(fails.split()))
        for number, entry in enumerate(entries)
        for fails in entry["fails"]
    ]


def differences() -> list[dict[str, Any]]:
    """The entries of differences.yml."""
    listed: list[dict[str, Any]] = yaml.safe_load((HERE / "differences.yml").read_text("utf-8"))
    return listed


def scenario(name: str, entry: dict[str, Any], fails: set[str]) -> Scenario:
    """An entry of those files, in which some jobs fail."""
    name = "-".join([name, *sorted(fails)]).replace("/", "-")
    callee = f"{FOLDER}/{name}.called.yml"
    jobs = {key: _complete(job, callee, key in fails) for key, job in entry["jobs"].items()}
    files = {f"{FOLDER}/{name}.yml": labelled(name, {"on": "push", "jobs": jobs})}
    if any("uses" in job for job in jobs.values()):
        called = load((HERE / "called.yml").read_text("utf-8"))
        inner = {
            key: _complete(job, "", any(path.endswith(f"/{key}") for path in fails))
            for key, job in called["jobs"].items()
        }
        files[callee] = {**called, "jobs": inner}
    texts = {path: yaml.safe_dump(tree, sort_keys=False) for path, tree in files.items()}
    workflow = read_workflow(f"{FOLDER}/{name}.yml", texts.__getitem__)
    return Scenario(name, entry["rule"], texts, _outcomes(workflow))


def _complete(job: dict[str, Any], callee: str, fails: bool) -> dict[str, Any]:
    """A job with a runner, and with steps that succeed or fail."""
    if "uses" in job:
        return {**job, "uses": f"./{callee}"}
    code = "exit 1" if fails else "exit 0"
    steps = [
        {**step, "run": step["run"].replace("exit CODE", code)}
        for step in job.get("steps", [{"run": "exit CODE"}])
    ]
    return {"runs-on": "ubuntu-24.04", **job, "steps": steps}


def _outcomes(workflow: Workflow) -> dict[str, Outcome]:
    """Steps that run `exit 1` fail."""
    return {
        path: Outcome(
            "steps",
            steps={
                step.id or str(index): Outcome("failure")
                for index, step in enumerate(job.steps)
                if step.run == "exit 1"
            },
        )
        for path, job in workflow.walk()
        if not job.called
    }
