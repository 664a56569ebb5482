"""The drift check under act: the generated workflow, and the action for other workflows.

pip installs wfgen from the checkout under test, and its dependencies from the package index.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.act.github import NAME
from tests.act.projection import project_tree
from tests.act.run import Run
from tests.act.runner import OWN, PINNED, STANDINS, WORKFLOWS
from tests.act.sample import ROOT, Sample
from tests.judges.tools import find_program

pytestmark = pytest.mark.slow

GENERATED, OTHER = "wfgen-check.yml", "other.yml"
WATCHDOG = ".github/workflows/watchdog.yml"
USES = f"""
name: other
on: pull_request
jobs:
  check:
    name: Drift check
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@{"0" * 40} # v0.0.0
      - uses: ./
"""
"""A user's workflow with the action in the root of this repository."""
IGNORED = (".git", ".venv", "node_modules", "__pycache__", ".cache", ".*_cache", ".hypothesis")


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    """A copy of this checkout with one commit."""
    sample = Sample(tmp_path / "repository")
    shutil.copytree(ROOT, sample.root, ignore=shutil.ignore_patterns(*IGNORED))
    (sample.root / ".github/workflows" / OTHER).write_text(USES, "utf-8")
    sample.begin("the checkout")
    return sample


def pull_request(folder: Path, sample: Sample, workflow: str) -> tuple[Run, str]:
    """Runs a workflow for a pull request from a fork, without secrets; also all output of act."""
    stage = folder / "stage"
    shutil.copytree(sample.root / WORKFLOWS, stage / WORKFLOWS)
    project_tree(stage)
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(stage)], check=True)
    (stage / ".git/refs/heads/main").write_text(f"{sample.head}\n", "utf-8")
    head = {"sha": sample.head, "repo": {"full_name": "stranger/shop", "fork": True}}
    payload = {"action": "opened", "number": 12, "pull_request": {"number": 12, "head": head}}
    (folder / "event.json").write_text(json.dumps(payload), "utf-8")
    text = (stage / WORKFLOWS / workflow).read_text("utf-8")
    actions = [
        f"--local-repository={pin['action']}@{pin['sha']}={STANDINS / place}"
        for pin in PINNED.finditer(text)
        if (place := OWN.get(pin["action"], "noop"))
    ]
    done = subprocess.run(
        [
            find_program("act"), "pull_request", "--json", "--eventpath", "../event.json",
            "--workflows", f".github/workflows/{workflow}", "--platform",
            "ubuntu-24.04=-self-hosted", "--no-cache-server", "--no-skip-checkout", "--pull=false",
            "--action-offline-mode", "--rm", f"--env=WFGEN_TEST_ORIGIN={sample.root}",
            f"--env=GITHUB_REPOSITORY={NAME}", f"--env=PIP_CACHE_DIR={folder.parent / 'pip'}",
            *actions,
        ],
        cwd=stage,
        env={
            **{k: v for k, v in os.environ.items() if not k.startswith("GITHUB_")},
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "XDG_CACHE_HOME": str(folder / "cache"),
        },
        check=False, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    return Run.read(done.stdout, done.stderr), done.stdout + done.stderr


def test_no_drift_passes(sample: Sample, tmp_path: Path) -> None:
    """No pin changed between the two commits, so none is looked up."""
    (sample.root / "NOTES.md").write_text("a change\n", "utf-8")
    sample.commit("change something else")
    run, log = pull_request(tmp_path, sample, GENERATED)
    assert run.results == {"Drift check": "success", "Action pins": "success"}, log
    assert "\n0 of " in "\n" + run.logs["Action pins"]
    assert " pins verified, 0 wrong\n" in run.logs["Action pins"]
    assert " generated files are up to date\n" in run.logs["Drift check"]


@pytest.mark.parametrize("workflow", [GENERATED, OTHER])
def test_drift_fails_and_is_annotated(sample: Sample, tmp_path: Path, workflow: str) -> None:
    path = sample.root / WATCHDOG
    text = path.read_text("utf-8")
    line = text.splitlines().index("name: watchdog") + 1
    path.write_text(text.replace("name: watchdog", "name: edited"), "utf-8")
    sample.commit("edit what is generated")
    run, log = pull_request(tmp_path, sample, workflow)
    assert run.failed == {"Drift check"}, log
    report = run.logs["Drift check"]
    assert "1 file differs: 1 edited by hand\n" in report
    assert f"### wfgen check: 1 file differs: 1 edited by hand\n\n**{WATCHDOG}" in report
    entries = [json.loads(text) for text in log.splitlines() if text.startswith("{")]
    marks = [entry["kvPairs"] for entry in entries if entry.get("command") == "error"]
    assert {"file": WATCHDOG, "line": str(line)} in marks
