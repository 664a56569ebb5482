"""What follows a called workflow that fails: act 0.2.89 leaves it out, GitHub does not.

On GitHub a job with `if: always()` below a failed call runs. act ends the run there. So those
jobs run in a second run of the same workflow, in which each call is a job that ends as the call
did: with its result and outputs, and with its own `needs` and `if`.
https://docs.github.com/en/actions/how-tos/reuse-automations/reuse-workflows
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

OUTPUT = re.compile(r"jobs\.(?P<job>\w+)\.outputs\.(?P<name>\w+)")
Outputs = Mapping[str, Mapping[str, str]]
"""What jobs have put out, by the job's name."""


def replace_calls(path: Path, results: Mapping[str, str], outputs: Outputs) -> str:
    """A workflow with jobs in place of its calls.

    `results` and `outputs` are those of the jobs of called workflows, named caller/job.
    """
    workflow = _load(path)
    for job in workflow["jobs"].values():
        if "uses" not in job:
            continue
        called = _load(path.parent / Path(job.pop("uses")).name)
        own = {name for name in results if name.startswith(f"{job['name']}/")}
        for key in ("with", "secrets", "concurrency", "permissions"):
            job.pop(key, None)
        job["runs-on"] = "ubuntu-24.04"
        job["outputs"] = {
            name: _value(output["value"], job["name"], called, outputs)
            for name, output in called["on"]["workflow_call"].get("outputs", {}).items()
        }
        failed = any(results[name] != "success" for name in own)
        job["steps"] = [{"run": "exit 1" if failed else "exit 0"}]
    return yaml.safe_dump(workflow, sort_keys=False)


def _load(path: Path) -> dict[str, Any]:
    loaded: dict[Any, Any] = yaml.safe_load(path.read_text("utf-8"))
    return {"on": loaded.pop(True), **loaded}  # `on` is a truth value in YAML 1.1


def _value(expression: str, caller: str, called: dict[str, Any], outputs: Outputs) -> str:
    """An output of a call: the first of the jobs' outputs in its expression that is not empty."""
    for found in OUTPUT.finditer(expression):
        name = called["jobs"][found["job"]]["name"]
        if value := outputs.get(f"{caller}/{name}", {}).get(found["name"], ""):
            return value
    return ""
