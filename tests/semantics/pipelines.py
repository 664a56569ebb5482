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
    return Outcome(outputs={"proposed": "true", "build": build, "go_back": "0", **more})


def _plan_of_request(build: str, proposed: str) -> Outcome:
    more = {"trusted": proposed, "number": "12"}
    return Outcome(outputs={"proposed": proposed, "build": build, **more})


def _request() -> dict[str, Any]:
    return {"pull_request": {"number": 12, "head": {"sha": "abc"}}}


def _failed(cause: str) -> Outcome:
    return Outcome("failure", {"verified": "false@1", "cause": f"{cause}@1"})


def _restored(cause: str, restored: str = "all") -> Outcome:
    return Outcome(outputs={"restored": f"{restored}@1", "cause": f"{cause}@1"})


FAILURE = Outcome("failure")
PROCEED = Outcome(outputs={"proceed": "true@1", "decision": "release@1"})
REFUSED = Outcome(outputs={"proceed": "false@1", "decision": "stale@1"})
VERIFIED = Outcome(outputs={"verified": "true@1", "cause": "none@1"})
GOOD = {"plan": _plan(), "release/deploy": PROCEED, "release/monitor": VERIFIED}
CUT_SHORT = Outcome("failure", {"proceed": "true@1", "decision": "release@1"})
PRODUCTION: dict[str, dict[str, Outcome]] = {
    "good": GOOD,
    "one-build": {**GOOD, "plan": _plan(SERVER)},
    "no-build": {**GOOD, "plan": _plan("[]")},
    "nothing": {"plan": _plan("[]", proposed="false"), "release/deploy": REFUSED},
    "more-than-planned": {**GOOD, "plan": _plan("[]", proposed="false")},
    "back": {**GOOD, "plan": _plan("[]", go_back="7")},
    "plan-fails": {"plan": FAILURE},
    "build-fails": {**GOOD, "build_server/build": FAILURE},
    "approve-fails": {**GOOD, "approve": FAILURE},
    "refused": {**GOOD, "release/deploy": Outcome("failure", {"proceed": "false@1"})},
    "stale": {**GOOD, "release/deploy": REFUSED},
    "an-old-attempt": {**GOOD, "release/deploy": Outcome(outputs={"proceed": "true@0"})},
    "deploy-fails": {**GOOD, "release/deploy": CUT_SHORT, "release/rollback": _restored("infra")},
    "app-fails": {
        **GOOD,
        "release/monitor": _failed("app"),
        "release/rollback": _restored("app"),
    },
    "app-fails-in-part": {
        **GOOD,
        "release/monitor": _failed("app"),
        "release/rollback": _restored("app", "except: redis"),
    },
    "back-fails": {
        **GOOD,
        "plan": _plan("[]", go_back="7"),
        "release/monitor": _failed("app"),
        "release/rollback": _restored("app"),
    },
    "monitor-fails": {
        **GOOD,
        "release/monitor": _failed("infra"),
        "release/rollback": _restored("infra"),
    },
    "rollback-fails": {**GOOD, "release/monitor": FAILURE, "release/rollback": FAILURE},
    "finish-fails": {**GOOD, "finish": FAILURE},
}
TRUSTED = {**GOOD, "plan": _plan_of_request(SERVER, "true")}
CHECKED = _plan_of_request(BOTH, "false")
STAGING: dict[str, dict[str, Outcome]] = {
    "preview": TRUSTED,
    "fork": {"plan": CHECKED},
    "test-fails": {**TRUSTED, "build_server/build": FAILURE},
    "fork-fails": {"plan": CHECKED, "build_server/check": FAILURE},
    "stale": {**TRUSTED, "release/deploy": REFUSED},
    "preview-fails": {**TRUSTED, "release/monitor": _failed("app")},
    "deploy-fails": {**TRUSTED, "release/deploy": CUT_SHORT, "release/monitor": _failed("infra")},
}


def pipeline_scenarios() -> list[Scenario]:
    """The scenarios of both pipelines."""
    production = [
        _scenario("production", name, outcomes, "push", {}) for name, outcomes in PRODUCTION.items()
    ]
    return production + [
        _scenario("staging", name, outcomes, "pull_request", _request())
        for name, outcomes in STAGING.items()
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
