"""Files for a GitHub Enterprise Server have nothing that it does not know.

An older release of GitHub's own parser judges them: no server runs here.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests import case
from tests.judges import github, sampled
from tests.judges.findings import Finding
from wfgen.checks.rules import verify
from wfgen.checks.rules.enterprise_server import DENIED, Construct
from wfgen.checks.static import check_rendered
from wfgen.generate.render import RenderedFile

PAGE = Path(__file__).parents[1] / "docs/github-enterprise-server.md"
WORKFLOW = ".github/workflows/a.yml"
CALLED = "on: workflow_call\njobs: {a: {runs-on: x, steps: [{run: x}]}}\n"
WITH = {
    "queue": "jobs: {a: {runs-on: x, concurrency: {group: x, queue: max}, steps: [{run: x}]}}",
    "deployment": "jobs:\n  a:\n    runs-on: x\n    environment: {name: x, deployment: false}\n"
    "    steps: [{run: x}]",
    "uses": "jobs:\n  a:\n    uses: $/.github/workflows/b.yml",
}
WITHOUT = {
    "queue": "jobs: {a: {runs-on: x, concurrency: {group: x}, steps: [{run: 'queue: max'}]}}",
    "deployment": "jobs: {a: {runs-on: x, environment: {name: x}, env: {deployment: x}, "
    "steps: [{run: x}]}}",
    "uses": "jobs:\n  a:\n    uses: ./.github/workflows/b.yml",
}
"""By the key of a construct, a workflow with it and one without it."""
ENTERPRISE = [
    name
    for name in case.names("ok")
    if yaml.safe_load(case.read("ok", name)["specs/project.yaml"]).get("platform") == "ghes"
]


def older(root: Path, files: dict[str, str]) -> list[Finding]:
    """What the older parser refuses in the workflows and actions among these files."""
    judged = [p for p in files if p.startswith(".github/") and p.endswith(".yml")]
    case.write(root, files)
    with sampled([root / path for path in judged], root) as sample:
        return github.parse_as_older(sample)


def outputs(root: Path, name: str) -> dict[str, str]:
    return {file.path: file.text for file in case.rendered(case.write(root, case.read("ok", name)))}


@pytest.mark.parametrize("name", ENTERPRISE)
def test_the_older_parser_accepts_files_for_a_server(name: str, tmp_path: Path) -> None:
    findings = older(tmp_path / "out", outputs(tmp_path / "in", name))
    assert [str(finding) for finding in findings] == []


@pytest.mark.parametrize("name", ENTERPRISE)
def test_a_lock_on_a_server_needs_no_queue(name: str, tmp_path: Path) -> None:
    files = case.rendered(case.write(tmp_path, case.read("ok", name)))
    assert verify(files, "ghes") == []
    assert [str(found) for found in check_rendered(files) if "queue" in found.message] == []


def test_there_are_cases_for_a_server() -> None:
    assert "enterprise-server" in ENTERPRISE


def test_the_older_parser_refuses_files_for_github(tmp_path: Path) -> None:
    findings = older(tmp_path / "out", outputs(tmp_path / "in", "preview"))
    messages = {finding.message for finding in findings}
    assert messages >= {
        "Unexpected value 'queue'",
        "Unexpected value 'deployment'",
        "Unable to find reusable workflow",
    }


@pytest.mark.parametrize("denied", DENIED, ids=lambda denied: denied.key)
def test_the_rule_finds_what_the_older_parser_refuses(denied: Construct, tmp_path: Path) -> None:
    head = "name: a\non: push\n"
    for body, expected in ((WITH[denied.key], True), (WITHOUT[denied.key], False)):
        text = f"{head}{body}\n"
        file = RenderedFile(WORKFLOW, text, ("specs/project.yaml",))
        found = [finding.message for finding in verify([file], "ghes")]
        refused = older(
            tmp_path / str(expected), {WORKFLOW: text, ".github/workflows/b.yml": CALLED}
        )
        place = f"{WORKFLOW}, made from specs/project.yaml: job a has {denied.says}"
        assert found == ([place] if expected else [])
        assert bool(refused) is expected
        assert verify([file]) == []


def test_a_construct_outside_of_jobs_is_found() -> None:
    texts = {
        WORKFLOW: "concurrency: {group: x, queue: max}\njobs: {}\n",
        ".github/actions/a/action.yml": "runs:\n  steps:\n    - uses: $/.github/actions/b\n",
    }
    files = [RenderedFile(path, text, ()) for path, text in texts.items()]
    found = [finding.message for finding in verify(files, "ghes")]
    assert [message.rpartition(": has ")[2] for message in found] == [
        "`uses: $/...`",
        "`queue` in `concurrency`",
    ]


@pytest.mark.parametrize("denied", DENIED, ids=lambda denied: denied.key)
def test_the_page_lists_the_construct_with_its_source(denied: Construct) -> None:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("|")]
    assert [row for row in rows if denied.says in row and f"<{denied.source}>" in row] != []
