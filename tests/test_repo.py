"""This repository: its generated files match its specs, and its release workflow is safe."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.judges import tree
from tests.terminal import Terminal

ROOT = Path(__file__).resolve().parents[1]


def test_committed_files_match_the_specs(capsys: pytest.CaptureFixture[str]) -> None:
    """The same check as in every pull request; `make render` fixes a failure."""
    ran = Terminal(ROOT, capsys).run("check", "--format", "text")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, ran.out.strip())


def test_release_program_is_copied_whole() -> None:
    """Each copy is three lines of header and the tested module; there is no other module."""
    source = ROOT / "wfgen/release_program"
    copy = ROOT / ".github/actions/release/release_program"
    names = sorted(path.relative_to(source) for path in source.rglob("*.py"))
    assert sorted(path.relative_to(copy) for path in copy.rglob("*.py")) == names
    assert Path("__main__.py") in names
    for name in names:
        header, body = (copy / name).read_text("utf-8").split("\n", 3)[:3], (source / name)
        assert all(line.startswith("# ") for line in header), name
        assert (copy / name).read_text("utf-8") == "\n".join([*header, body.read_text("utf-8")])


def test_only_the_upload_job_gets_a_token_and_it_runs_no_code_of_this_repository() -> None:
    """A program that runs there can upload to PyPI: only pip and locked tools do."""
    jobs = tree.load((ROOT / ".github/workflows/publish.yml").read_text("utf-8"))["jobs"]
    assert [name for name, job in jobs.items() if "id-token" in job["permissions"]] == ["upload"]
    assert jobs["upload"]["environment"]["name"] == "pypi"
    checkout, *others = [step for step in jobs["upload"]["steps"] if "with" in step]
    assert checkout["with"]["sparse-checkout"] == "requirements/publish.txt"
    assert not any("checkout" in step["uses"] for step in others)
    (install,) = [
        step["run"] for step in jobs["upload"]["steps"] if "install" in step.get("run", "")
    ]
    assert "--require-hashes" in install
    assert "-r requirements/publish.txt" in install
