"""Jobs after a failed call of a workflow, which act 0.2.89 skips and GitHub runs.

On GitHub a job with `if: always()` after a failed call runs; act ends the run. So the tests start
a second run of the same workflow, in which a job replaces each call: it has the result, outputs,
`needs` and `if` of the call.
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
"""Outputs by the name of the job."""


def replace_calls(path: Path, results: Mapping[str, str], outputs: Outputs) -> str:
    """A workflow with a job in place of each call.

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
    return {"on": loaded.pop(True), **loaded}  # YAML 1.1 reads `on` as true


def _value(expression: str, caller: str, called: dict[str, Any], outputs: Outputs) -> str:
    """An output of a call: the first output in its expression that is not empty."""
    for match in OUTPUT.finditer(expression):
        name = called["jobs"][match["job"]]["name"]
        if value := outputs.get(f"{caller}/{name}", {}).get(match["name"], ""):
            return value
    return ""
