"""The commands from outside: as the composite action starts them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from wfgen import release_program
from wfgen.release_program import __main__ as program

from .conftest import Describe, Repository

FOLDER = Path(release_program.__file__).parent
GIT_SIDE = ["plan", "images", "audit", "revert", "notify", "verdict", "gate", "comment", "closed"]


def start(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(FOLDER), *arguments], capture_output=True, text=True, check=False
    )


def test_plan_runs_from_its_folder_and_writes_outputs(
    describe: Describe, repository: Repository, tmp_path: Path
) -> None:
    done = start("plan")
    assert done.returncode == 0, done.stderr
    assert f"\n{repository.git('rev-parse', 'HEAD')}\n" in (tmp_path / "output").read_text()


def test_refusal_is_one_line_and_exit_code_1(
    describe: Describe, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WFGEN_SERVICES", "nobody")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    done = start("plan")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("::error::unknown service nobody; production has ")


def test_git_that_fails_is_no_traceback(
    describe: Describe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    done = start("plan")
    assert done.returncode == 1
    assert "error: git for-each-ref: fatal: not a git repository" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("variable", ["WFGEN_NEEDS", "WFGEN_PLAN"])
def test_malformed_json_is_no_traceback(
    describe: Describe, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "{")
    done = start("images")
    assert (done.returncode, done.stderr.strip()) == (
        1,
        f"error: {variable} is not JSON: pass ${{{{ toJSON(...) }}}}",
    )


def test_help_says_what_each_command_reads_and_writes() -> None:
    for name in GIT_SIDE:
        text = program.COMMANDS[name].__doc__ or ""
        assert "Reads: " in text, name
        assert "Writes" in text, name
        assert text.partition("\n")[0].endswith("."), name
