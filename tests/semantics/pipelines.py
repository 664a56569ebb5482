"""Scenarios of this repository's pipelines, in a form that act can read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.act.projection import project
from tests.semantics.acted import FOLDER, Scenario, dump, labelled, load
from wfgen.actions import SUCCESS, Outcome

ROOT = Path(__file__).parents[2]
BOTH, SERVER = '["server","client"]', '["server"]'


def _plan(build: str = BOTH, **more: str) -> Outcome:
    return Outcome(outputs={"any": "true", "build": build, **more})


def _request(label: str) -> dict[str, Any]:
    return {"pull_request": {"number": 12, "labels": [{"name": label}], "head": {"sha": "abc"}}}


FAILURE = Outcome("failure")
PROCEED = Outcome(outputs={"proceed": "true", "stale": "false"})
VERIFIED = Outcome(outputs={"verified": "true", "cause": "nothing"})
GOOD = {"plan": _plan(), "release/preflight": PROCEED, "release/monitor": VERIFIED}
RESTORED = Outcome(outputs={"restored": "all", "cause": "app"})
PRODUCTION: dict[str, dict[str, Outcome]] = {
    "good": GOOD,
    "one-build": {**GOOD, "plan": _plan(SERVER)},
    "no-build": {**GOOD, "plan": _plan("[]")},
    "nothing": {"plan": Outcome(outputs={"any": "false", "build": "[]"})},
    "back": {**GOOD, "plan": _plan("[]", go_back="7")},
    "plan-fails": {"plan": FAILURE},
    "build-fails": {**GOOD, "build_server/build": FAILURE},
    "images-fail": {**GOOD, "images": FAILURE},
    "approve-fails": {**GOOD, "approve": FAILURE},
    "preflight-fails": {**GOOD, "release/preflight": FAILURE},
    "stale": {**GOOD, "release/preflight": Outcome(outputs={"proceed": "false", "stale": "true"})},
    "migrate-fails": {**GOOD, "release/migrate": FAILURE, "release/rollback": RESTORED},
    "deploy-fails": {**GOOD, "release/deploy": FAILURE, "release/rollback": RESTORED},
    "app-fails": {
        **GOOD,
        "release/monitor": Outcome("failure", {"cause": "app"}),
        "release/rollback": RESTORED,
    },
    "back-fails": {
        **GOOD,
        "plan": _plan("[]", go_back="7"),
        "release/monitor": Outcome("failure", {"cause": "app"}),
        "release/rollback": RESTORED,
    },
    "monitor-fails": {
        **GOOD,
        "release/monitor": Outcome("failure", {"cause": "infra"}),
        "release/rollback": Outcome(outputs={"restored": "all"}),
    },
    "rollback-fails": {**GOOD, "release/monitor": FAILURE, "release/rollback": FAILURE},
    "prune-fails": {**GOOD, "prune": FAILURE},
    "audit-fails": {**GOOD, "audit": FAILURE},
}
TRUSTED = {**GOOD, "plan": _plan(SERVER, trusted="true", number="12")}
STAGING: dict[str, tuple[str, dict[str, Outcome]]] = {
    "preview": ("preview", TRUSTED),
    "no-label": ("other", TRUSTED),
    "fork": ("preview", {"plan": _plan(trusted="false")}),
    "test-fails": ("preview", {**TRUSTED, "build_server/build": FAILURE}),
    "preview-fails": ("preview", {**TRUSTED, "release/monitor": FAILURE}),
}


def pipeline_scenarios() -> list[Scenario]:
    """The scenarios of both pipelines."""
    production = [
        _scenario("production", name, outcomes, "push", {}) for name, outcomes in PRODUCTION.items()
    ]
    return production + [
        _scenario("staging", name, outcomes, "pull_request", _request(label))
        for name, (label, outcomes) in STAGING.items()
    ]


def _scenario(
    workflow: str, name: str, outcomes: dict[str, Outcome], event: str, payload: dict[str, Any]
) -> Scenario:
    """The pipeline with one step per job, and copies of the workflows that it calls."""
    name = f"{workflow}-{name}"
    path = f"{FOLDER}/{name}.yml"
    trees = {path: labelled(name, _ended(_read(workflow), "", outcomes))}
    for key, job in trees[path]["jobs"].items():
        if "uses" in job:
            called = f"{FOLDER}/{name}.{key}.yml"
            trees[called] = _ended(_read(Path(job["uses"]).stem), f"{key}/", outcomes)
            job["uses"] = f"./{called}"
    files = {file: dump(tree) for file, tree in trees.items()}
    return Scenario(name, "", files, outcomes, event, payload)


def _read(name: str) -> dict[str, Any]:
    return load(project((ROOT / FOLDER / f"{name}.yml").read_text("utf-8")))


def _ended(tree: dict[str, Any], prefix: str, outcomes: dict[str, Outcome]) -> dict[str, Any]:
    jobs = {
        key: job if "uses" in job else _end(job, outcomes.get(prefix + key, SUCCESS))
        for key, job in tree["jobs"].items()
    }
    return {**tree, "jobs": jobs}


def _end(job: dict[str, Any], outcome: Outcome) -> dict[str, Any]:
    """A job whose only step gives it the outcome, with its outputs."""
    lines = [f"echo '{name}={text}' >> $GITHUB_OUTPUT" for name, text in outcome.outputs.items()]
    lines.append("exit 1" if outcome.kind == "failure" else "exit 0")
    outputs = {name: f"${{{{ steps.only.outputs.{name} }}}}" for name in job.get("outputs", ())}
    named = {key: value for key, value in job.items() if key != "name"}
    return {**named, "outputs": outputs, "steps": [{"id": "only", "run": "\n".join(lines)}]}
