"""The commands from outside: as the composite action starts them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from wfgen import release_program
from wfgen.release_program.__main__ import parser
from wfgen.release_program.commands import COMMANDS

from .conftest import Describe, Repository

FOLDER = Path(release_program.__file__).parent


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


@pytest.mark.parametrize(
    ("command", "variable"),
    [("verdict", "WFGEN_NEEDS"), ("notify", "WFGEN_STEPS"), ("closed", "WFGEN_NAMESPACES")],
)
def test_malformed_json_is_no_traceback(
    describe: Describe, monkeypatch: pytest.MonkeyPatch, command: str, variable: str
) -> None:
    monkeypatch.setenv(variable, "{")
    done = start(command)
    assert (done.returncode, done.stderr.strip()) == (
        1,
        f"error: {variable} is not JSON: use ${{{{ toJSON(...) }}}}",
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_what_a_command_does_reads_and_writes(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args([name, "--help"])
    output = capsys.readouterr()
    assert (ended.value.code, output.err) == (0, "")
    about, _, declared = output.out.partition("\nreads:\n")
    assert re.search(r"^[A-Z].*\.$", about, re.MULTILINE)
    command = COMMANDS[name]
    lines = dict(re.findall(r"^  (\S+) +(.+)$", declared, re.MULTILINE))
    writes = {output: str(written) for output, written in command.writes.items()}
    assert lines.items() >= {**command.reads, **writes}.items()


def test_help_lists_all_commands() -> None:
    listed = re.findall(r"^    (\w+)", start("--help").stdout, re.MULTILINE)
    assert listed == [*COMMANDS]


def test_an_unknown_command_is_a_usage_error() -> None:
    done = start("nobody")
    assert done.returncode == 2
    assert "invalid choice: 'nobody'" in done.stderr


def test_only_the_module_of_the_command_is_imported() -> None:
    code = (
        "import sys; from wfgen.release_program import commands; commands.function_of('notify');"
        "print(*sorted(name for name in sys.modules if 'release_program.commands.' in name))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["wfgen.release_program.commands.notify"]
