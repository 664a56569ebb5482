"""What each rule for patches refuses and accepts, and the effect of a waiver."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests import case
from tests.spec_strategies import as_yaml
from wfgen.checks import rules, safety
from wfgen.cli.repository import Repository
from wfgen.errors import InvalidSpecs
from wfgen.specs import loading as spec

FOLDER = Path(safety.__file__).parent
WORKFLOWS = ".github/workflows/"
PRODUCTION, STAGING, CLEANUP, DEPLOY, BUILD, CHECK = (
    f"{WORKFLOWS}{name}.yml"
    for name in ("production", "staging", "staging-cleanup", "_deploy", "_build", "wfgen-check")
)
Patch = dict[str, Any]


def patch(file: str, job: str | None, key: str = "", step: str = "", **way: Any) -> Patch:
    named = {"file": file, "job": job, "key": key, "step": step}
    return {**{field: value for field, value in named.items() if value}, **way}


def job(**keys: Any) -> Patch:
    """A job that reads the clock, with other keys."""
    steps = [{"name": "Look at the clock", "run": "date"}]
    return {"runs-on": "ubuntu-24.04", "permissions": {}, "steps": steps, **keys}


def run(script: str) -> list[dict[str, str]]:
    return [{"name": "Try", "run": script}]


def using(action: str, **inputs: str) -> dict[str, Any]:
    return {"name": "Use", "uses": action, "with": inputs}


LOGIN = using("$/.github/actions/cluster-login", environment="production")
LOCK = {"group": "release-production", "cancel-in-progress": False, "queue": "max"}
NOT_JUDGED = "no step at the end fails unless the release is verified"

PASSING: dict[str, list[Patch]] = {
    "environment-lock": [
        patch(PRODUCTION, "look", add=job(steps=[LOGIN], concurrency=LOCK)),
        patch(PRODUCTION, "look", add=job()),
        patch(STAGING, "build_web", "concurrency.cancel-in-progress", replace=False),
        patch(CHECK, None, "concurrency.cancel-in-progress", replace=False),
    ],
    "granted-permissions": [
        patch(DEPLOY, "monitor", "permissions.contents", replace="none"),
        patch(STAGING, "build_web", "permissions.packages", replace="write"),
    ],
    "known-jobs": [
        patch(PRODUCTION, "look", add=job(needs=["release"])),
        patch(BUILD, "build", step="build", after=[{"id": "later", "run": "date"}]),
    ],
    "no-expression-in-scripts": [
        patch(BUILD, "build", step="build", after=[{"env": {"A": "${{ github.actor }}"},
                                                   "run": 'echo "$A"'}]),
    ],
    "pull-request-permissions": [
        patch(STAGING, "finish", "permissions.issues", add="read"),
        patch(PRODUCTION, "finish", "permissions.issues", add="write"),
        patch(STAGING, "look", add=job()),
        # the workflow's permissions are {}
        patch(STAGING, "finish", "permissions", remove=True),
    ],
    "rollback-always": [
        patch(DEPLOY, "rollback", "timeout-minutes", replace=50),
        patch(DEPLOY, "rollback", step="rollback", before=run("date")),
        patch(DEPLOY, "rollback", "environment.name", replace="production"),
    ],
    "secrets-by-name": [
        patch(PRODUCTION, "release", "secrets", replace={"MORE": "${{ secrets.MORE }}"}),
    ],
    "visible-failures": [
        patch(DEPLOY, "monitor", "continue-on-error", add=False),
        patch(PRODUCTION, "finish", step="audit",
              after=[{"run": "date", "continue-on-error": True}]),
    ],
}  # fmt: skip

FAILING: dict[str, list[tuple[Patch, str]]] = {
    "environment-lock": [
        (
            patch(PRODUCTION, "release", "concurrency", remove=True),
            "job release changes the cluster of production without the lock release-production",
        ),
        (
            patch(PRODUCTION, "release", "concurrency.group", replace="release-staging"),
            "job release changes the cluster of production without the lock release-production",
        ),
        (
            patch(CLEANUP, "sweep", "concurrency.group", replace="release-staging-all"),
            "job sweep changes the cluster of staging without the lock release-staging",
        ),
        (
            patch(PRODUCTION, "release", "concurrency.cancel-in-progress", replace=True),
            "job release changes a cluster, and a newer run may cancel it",
        ),
        (
            patch(PRODUCTION, "release", "concurrency.queue", remove=True),
            "job release lacks `queue: max`: GitHub drops releases that wait",
        ),
        (
            patch(PRODUCTION, "look", add=job(steps=[LOGIN])),
            "job look changes the cluster of production without the lock release-production",
        ),
        (
            patch(PRODUCTION, None, "concurrency.cancel-in-progress",
                  replace="${{ github.ref != 'x' }}"),
            "a newer run of the workflow may cancel one that is changing a cluster",
        ),
        (
            patch(PRODUCTION, None, "concurrency.group", replace="production"),
            "a newer run of the workflow replaces one that waits",
        ),
        (
            patch(DEPLOY, None, "concurrency", add=LOCK),
            "the called workflow has a `concurrency`, and would wait for its caller",
        ),
        (
            patch(DEPLOY, "deploy", "concurrency", add=LOCK),
            "job deploy of the called workflow has a `concurrency`",
        ),
    ],
    "granted-permissions": [
        (
            patch(DEPLOY, "deploy", "permissions.packages", add="read"),
            f"job release of {PRODUCTION} does not grant packages: read, "
            "which job deploy requests",
        ),
        (
            patch(PRODUCTION, "build_web", "permissions.packages", replace="read"),
            "job build_web does not grant packages: write, which job build requests",
        ),
    ],
    "known-jobs": [
        (
            patch(PRODUCTION, "revert_pr", "needs", after=["smoke"]),
            "job revert_pr needs `smoke`, which does not exist",
        ),
        (
            patch(BUILD, "build", step="build", after=[{"id": "build", "run": "date"}]),
            "job build has more than one step with id `build`",
        ),
    ],
    "no-expression-in-scripts": [
        (
            patch(BUILD, "build", step="build", after=run('curl "${{ secrets.TOKEN }}"')),
            "step Try of job build has the expression secrets.TOKEN in its script",
        ),
        (
            patch(".github/actions/release/action.yml", None, step="run",
                  before=[{**run("${{ github.head_ref }}")[0], "shell": "bash"}]),
            "step Try of the action has the expression github.head_ref in its script",
        ),
        (
            patch(PRODUCTION, "plan", step="plan", after=[
                using("$/.github/actions/script", script="x(`${{ github.event.issue.title }}`)")]),
            "step Use of job plan has the expression github.event.issue.title in its script",
        ),
    ],
    "pull-request-permissions": [
        (
            patch(STAGING, "finish", "permissions.contents", replace="write"),
            "job finish has contents: write on a pull request",
        ),
        (
            patch(CHECK, "look", add=job(permissions="write-all")),
            "job look has write-all on a pull request",
        ),
        (
            patch(PRODUCTION, None, "on.pull_request", add=None),
            "job finish has contents: write on a pull request",
        ),
        (
            patch(STAGING, None, "on", replace="pull_request_target"),
            "starts on pull_request_target, with the permissions of the default branch",
        ),
    ],
    "rollback-always": [
        (
            patch(DEPLOY, "rollback", "if", replace="${{ failure() }}"),
            "job rollback rolls back without `always()` in its `if`",
        ),
        (
            patch(DEPLOY, "rollback", "if", replace="${{ !always() }}"),
            "job rollback rolls back without `always()` in its `if`",
        ),
        (
            patch(DEPLOY, "rollback", "needs", replace=["deploy"]),
            "no rollback needs job monitor",
        ),
        (patch(DEPLOY, "rollback", remove=True), "no rollback needs job deploy"),
        (
            patch(DEPLOY, "rollback", "environment", replace="production-approval"),
            "job rollback rolls back after waiting for an approval",
        ),
        (
            patch(DEPLOY, "rollback", "if", "cluster", remove=True),
            "step Log in to the cluster of job rollback lacks `always()` in its `if`",
        ),
    ],
    "secrets-by-name": [
        (
            patch(PRODUCTION, "build_web", "secrets", add="inherit"),
            "job build_web passes on all secrets",
        ),
        (
            patch(PRODUCTION, "plan", "env", add={"ALL": "${{ toJSON( secrets ) }}"}),
            "`toJSON(secrets)` reads all secrets",
        ),
    ],
    "visible-failures": [
        (
            patch(DEPLOY, "monitor", "continue-on-error", add=True),
            "the run ignores a failure of job monitor",
        ),
        (
            patch(DEPLOY, "monitor", "continue-on-error", "monitor", add=True),
            "job monitor ignores a failure of step Watch the rollout, then the bake time",
        ),
        (
            patch(PRODUCTION, "finish", "if", remove=True),
            "job finish reports the result without `always()` in its `if`",
        ),
        (
            patch(PRODUCTION, "finish", "if", "audit", remove=True),
            "step Tag the release and record the deployment of job finish reports without "
            "`always()` in its `if`",
        ),
        (patch(PRODUCTION, "finish", remove=True), NOT_JUDGED),
        (patch(STAGING, "finish", remove=True), NOT_JUDGED),
    ],
}  # fmt: skip


def files(root: Path, patches: dict[str, Patch]) -> dict[str, str]:
    """The files of the specs with these patches. Raises `InvalidSpecs` where they are refused."""
    made = case.read("ok", "preview")
    made["specs/project.yaml"] += as_yaml({"patches": patches})
    rendered = Repository(spec.load(case.write(root, made)), ()).files()
    return {file.path: file.text for file in rendered}


def refused(root: Path, patches: dict[str, Patch]) -> list[tuple[str, str]]:
    """Rule and message of each finding about the patches."""
    with pytest.raises(InvalidSpecs) as caught:
        files(root, patches)
    return [(finding.rule, finding.message) for finding in caught.value.diagnostics]


@pytest.mark.parametrize("given", [given for patches in PASSING.values() for given in patches])
def test_passing(given: Patch, tmp_path: Path) -> None:
    assert given["file"] in files(tmp_path, {"fine": given})


@pytest.mark.parametrize(
    ("rule", "given", "message"),
    [(rule, *case) for rule, cases in FAILING.items() for case in cases],
)
def test_failing(rule: str, given: Patch, message: str, tmp_path: Path) -> None:
    findings = refused(tmp_path, {"odd": given})
    assert (rule, f"with patch odd, {given['file']}: {message}") in findings
    if rule in safety.WAIVABLE and {name for name, _ in findings} == {rule}:
        why = "our own reason"
        made = files(tmp_path, {"odd": {**given, "waive": {rule: why}}})
        assert f"# waives {rule}: {why}\n" in made[given["file"]]


@pytest.mark.parametrize("rule", [*safety.RULES, *safety.MUSTS], ids=rules.name_of)
def test_a_rule_has_its_documentation_and_examples(rule: safety.PatchRule) -> None:
    title, *_, remedy = rule.__doc__.strip().split("\n\n")
    assert len(title.splitlines()) == 1
    assert title.endswith(".")
    assert remedy
    assert "https://" in rule.__doc__
    assert PASSING[rules.name_of(rule)]
    assert FAILING[rules.name_of(rule)]


def test_every_rule_is_in_the_registry() -> None:
    registered = {rule.__name__.rpartition(".")[2] for rule in (*safety.RULES, *safety.MUSTS)}
    modules = {path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_")}
    assert registered == modules


def test_generated_files_break_none(tmp_path: Path) -> None:
    """Except permissions that previews have by design: no finding is hidden because it is old."""
    made = files(tmp_path, {})
    violations = [
        violation
        for path, text in made.items()
        if path.endswith(".yml")
        for check in safety.CHECKS
        for violation in check(safety.PatchedFile(path, text, made))
    ]
    assert {violation.rule for violation in violations} == {"pull-request-permissions"}
    assert len(violations) == 2


# Waivers.


def test_what_several_break_together_names_all(tmp_path: Path) -> None:
    """Neither alone: one removes a job's permissions, the other the workflow's."""
    patches = {
        "one": patch(STAGING, "finish", "permissions", remove=True),
        "two": patch(STAGING, None, "permissions", remove=True),
        "three": patch(STAGING, "finish", "timeout-minutes", replace=7),
    }
    names = "with patch one, together with two"
    findings = refused(tmp_path, patches)
    assert any(message.startswith(names) for _, message in findings), findings


def test_one_patch_may_not_hide_behind_the_waiver_of_another(tmp_path: Path) -> None:
    rule = "pull-request-permissions"
    patches = {
        "said": {
            **patch(STAGING, "finish", "permissions.issues", add="write"),
            "waive": {rule: "x"},
        },
        "unsaid": patch(STAGING, "plan", "permissions.issues", add="write"),
    }
    message = f"with patch unsaid, {STAGING}: job plan has issues: write on a pull request"
    assert refused(tmp_path, patches) == [(rule, message)]


def test_a_waiver_of_what_is_not_broken_is_an_error(tmp_path: Path) -> None:
    given = {**patch(STAGING, "look", add=job()), "waive": {"environment-lock": "x"}}
    assert refused(tmp_path, {"idle": given}) == [
        ("idle-waiver", "patch idle does not break environment-lock")
    ]


def test_githubs_limits_hold_and_are_not_waived(tmp_path: Path) -> None:
    matrix = {"matrix": {"number": list(range(300))}}
    given = patch(PRODUCTION, "many", add=job(strategy=matrix))
    message = "with patch big, .github/workflows/production.yml: job many: a matrix of 300 jobs; "
    message += "GitHub accepts 256"
    assert refused(tmp_path, {"big": given}) == [("matrix-size", message)]
    broken = [
        rule for rule, _ in refused(tmp_path, {"big": {**given, "waive": {"matrix-size": "x"}}})
    ]
    assert sorted(broken) == ["idle-waiver", "matrix-size"]


@pytest.mark.parametrize(
    ("action", "why"),
    [
        ("actions/cache@v5", "the lock has no entry for it"),
        (f"actions/checkout@{'0' * 40}", "the lock has v"),
        ("docker://alpine:3", ""),
        ("./tools/lint", ""),
        ("actions/checkout", ""),
    ],
)
def test_an_action_is_used_as_the_lock_names_it(action: str, why: str, tmp_path: Path) -> None:
    given = patch(PRODUCTION, "plan", step="plan", after=[using(action)])
    if not why:
        assert using("x")["name"] in files(tmp_path, {"use": given})[PRODUCTION]
        return
    ((rule, message),) = refused(tmp_path, {"use": given})
    assert rule == "locked-actions"
    assert f"with patch use, {PRODUCTION}: uses {action}" in message
    assert why in message
