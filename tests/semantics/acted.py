"""Scenarios run by act, whose results are compared with those of the workflow model."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from tests.judges.tools import find_program
from wfgen.actions import Outcome, Run, Simulator, Workflow, read_workflow
from wfgen.actions.expressions import parse_template, to_string

FOLDER = ".github/workflows"


@dataclass(frozen=True)
class Scenario:
    """A workflow, and what happens to its jobs. Its name is the workflow's."""

    name: str
    rule: str
    """The rule that it tests; "" for a pipeline."""
    files: dict[str, str]
    """Workflow files by path, which no other scenario uses; the first one runs."""
    outcomes: dict[str, Outcome]
    event: str = "push"
    payload: dict[str, Any] = field(default_factory=dict)

    @property
    def workflow(self) -> Workflow:
        """The workflow as the model reads it."""
        return read_workflow(next(iter(self.files)), self.files.__getitem__)

    def evaluate(self) -> Run:
        """The run that the model expects."""
        github = {"event_name": self.event, "event": self.payload, "run_attempt": "1"}
        return Simulator(self.workflow, {"github": github}).run(self.outcomes)

    @property
    def call_fails(self) -> bool:
        """Whether a called workflow fails: act 0.2.89 then ends the whole invocation."""
        jobs = self.evaluate().jobs.values()
        return any(job.job.called and job.began and job.result != "success" for job in jobs)


@dataclass
class Acted:
    """What act did in a scenario, by path."""

    jobs: dict[str, str] = field(default_factory=dict)
    """The results of jobs that have steps and began."""
    steps: dict[tuple[str, str], str] = field(default_factory=dict)
    """The outcomes of steps that ran, by job and the step's id or position."""
    outputs: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    """Outputs of steps, by job."""


def act_all(folder: Path, scenarios: Sequence[Scenario]) -> dict[str, Acted]:
    """Runs all scenarios in as few invocations as act allows."""
    alone = [scenario for scenario in scenarios if scenario.call_fails]
    batches = _by_event(scenario for scenario in scenarios if not scenario.call_fails)
    acted = _act_batches(folder / "first", [*batches, *([scenario] for scenario in alone)])
    rest = [without_calls(scenario, acted[scenario.name]) for scenario in alone]
    for name, second in _act_batches(folder / "second", _by_event(rest)).items():
        acted[name].jobs.update(second.jobs)
    return acted


def _by_event(scenarios: Iterable[Scenario]) -> list[list[Scenario]]:
    """An invocation of act has one event."""
    batches: dict[str, list[Scenario]] = defaultdict(list)
    for scenario in scenarios:
        batches[json.dumps([scenario.event, scenario.payload])].append(scenario)
    return list(batches.values())


def _act_batches(folder: Path, batches: Iterable[list[Scenario]]) -> dict[str, Acted]:
    """Two invocations at a time: act mostly waits."""
    with ThreadPoolExecutor(2) as pool:
        done = pool.map(lambda batch: act(folder / f"{batch[0]}", batch[1]), enumerate(batches))
        return {name: acted for results in done for name, acted in results.items()}


def act(folder: Path, scenarios: Iterable[Scenario]) -> dict[str, Acted]:
    """Runs scenarios of one event in one invocation."""
    (folder / FOLDER).mkdir(parents=True)
    event = "push"
    for scenario in scenarios:
        event = scenario.event
        (folder / "event.json").write_text(json.dumps(scenario.payload), "utf-8")
        for path, text in scenario.files.items():
            (folder / path).write_text(text, "utf-8")
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(folder)], check=True)
    arguments = [
        find_program("act"), event, "--json", "--workflows", str(folder / FOLDER),
        "--eventpath", str(folder / "event.json"), "--platform", "ubuntu-24.04=-self-hosted",
        "--no-cache-server", "--pull=false", "--action-offline-mode",
    ]  # fmt: skip
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GITHUB_")}
    done = subprocess.run(
        arguments,
        cwd=folder,
        env={**environment, "XDG_CACHE_HOME": str(folder / "cache")},
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    acted: dict[str, Acted] = defaultdict(Acted)
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            _note(json.loads(line), acted)
    if not acted:
        raise RuntimeError(f"act ran no job:\n{done.stdout}{done.stderr}")
    shutil.rmtree(folder)
    return acted


def _note(entry: dict[str, Any], acted: dict[str, Acted]) -> None:
    """A line names a job as workflow/job, or in a called workflow as caller/workflow/job.

    The name of a caller is scenario.job, see `labelled`.
    """
    names = [part.strip() for part in entry.get("job", "").split("/")]
    if len(names) < 2:
        return
    name, path = names[0], entry["jobID"]
    if len(names) > 2:
        name, _, caller = names[0].rpartition(".")
        path = f"{caller}/{path}"
    if "jobResult" in entry:
        jobs = acted[name].jobs
        # The worst result of a matrix's combinations.
        jobs[path] = "failure" if jobs.get(path) == "failure" else entry["jobResult"]
    elif entry.get("stage") == "Main" and "stepResult" in entry:
        if entry["stepResult"] != "skipped":
            acted[name].steps[path, entry["stepID"][0]] = entry["stepResult"]
    elif entry.get("command") == "set-output":
        acted[name].outputs[path][entry["name"]] = entry["arg"]


def labelled(name: str, tree: dict[str, Any]) -> dict[str, Any]:
    """A workflow with the scenario's name, in its jobs that call workflows as well."""
    jobs = {
        key: {**job, "name": f"{name}.{key}"} if "uses" in job else job
        for key, job in tree["jobs"].items()
    }
    return {**tree, "name": name, "jobs": jobs}


def without_calls(scenario: Scenario, acted: Acted) -> Scenario:
    """The scenario with a job in place of each call, which ends as the call ended in act.

    act skips everything after a call that fails; GitHub does not.
    """
    (path, text), *_ = scenario.files.items()
    tree = load(text)
    for key, job in scenario.workflow.jobs.items():
        if not job.called:
            continue
        inner = {path: result for path, result in acted.jobs.items() if path.startswith(f"{key}/")}
        jobs = {
            name: {
                "result": inner.get(f"{key}/{name}"),
                "outputs": acted.outputs[f"{key}/{name}"],
            }
            for name in job.called.jobs
        }
        made = tree["jobs"][key]
        made["outputs"] = {
            name: to_string(parse_template(value).evaluate({"jobs": jobs}))
            for name, value in job.called.outputs.items()
        }
        made["runs-on"] = "ubuntu-24.04"
        made["steps"] = [{"run": "exit 1" if "failure" in inner.values() else "exit 0"}]
        for other in ("uses", "with", "secrets", "concurrency", "name"):
            made.pop(other, None)
    return replace(scenario, files={path: dump(tree)})


def load(text: str) -> dict[str, Any]:
    """A workflow's values. The YAML library reads its key `on` as true."""
    tree: dict[Any, Any] = yaml.load(text, yaml.CSafeLoader)
    return {"on" if key is True else key: value for key, value in tree.items()}


def dump(tree: dict[str, Any]) -> str:
    """A workflow's text."""
    return yaml.dump(tree, Dumper=yaml.CSafeDumper, sort_keys=False)
