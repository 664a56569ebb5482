"""`wfgen verify`, and its part in `wfgen render`: generated files pass, a fault is reported."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tests import case
from tests.safety.faults import DEPLOY, FAULTS, PRODUCTION
from tests.terminal import Terminal, files_below
from wfgen.checks import proof as verify
from wfgen.checks import static

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"


@pytest.mark.slow
@pytest.mark.parametrize("name", case.names("ok"))
def test_the_files_of_every_case_hold_every_property(name: str, tmp_path: Path) -> None:
    """Both layouts, previews, all clusters and registries."""
    files = case.rendered(case.write(tmp_path, case.read("ok", name)))
    texts = {file.path: file.text for file in files}
    paths = [path for path in texts if path.startswith(".github/workflows/")]
    assert verify.prove(static.read_all(paths, texts.__getitem__)).broken == ()


@pytest.mark.parametrize("name", case.names("ok"))
def test_render_accepts_every_case(name: str, tmp_path: Path) -> None:
    files = case.rendered(case.write(tmp_path, case.read("ok", name)))
    assert static.check_rendered(files) == []


def test_a_rendered_repository_holds(terminal: Terminal) -> None:
    ran = terminal.run("verify", "--format", "json", "-C", str(terminal.root))
    report = json.loads(ran.out)
    assert (ran.code, report["errors"]) == (0, [])
    assert report["runs"] == sum(sum(tried["runs"].values()) for tried in report["tried"]) > 1_000
    assert all(rule["page"].startswith("https://") for rule in report["documented_only"])
    assert "cancel" in " ".join(rule["rule"] for rule in report["documented_only"])


def test_a_fault_is_reported_with_a_command_that_shows_it(terminal: Terminal) -> None:
    """In every format; with the smallest run that shows it."""
    terminal.edit(DEPLOY, "always() && !(needs.deploy", "failure() && !(needs.deploy")
    ran = terminal.run("verify", "-C", str(terminal.root))
    assert ran.code == 1
    line = next(line for line in ran.out.splitlines() if "to see it, run `" in line)
    command = shlex.split(line.partition("to see it, run `")[2].rstrip("`"))
    assert command[:3] == ["wfgen", "simulate", "production"]
    assert len(command) == 5, "one job fails"
    shown = json.loads(terminal.run(*command[1:], "--format", "json", "-C", str(terminal.root)).out)
    rollback = next(job for job in shown["jobs"] if job["job"] == "release/rollback")
    assert rollback["result"] == "skipped"
    report = json.loads(terminal.run("verify", "--format", "json", "-C", str(terminal.root)).out)
    assert {error["property"] for error in report["errors"]} >= {"rollback-runs"}
    ran = terminal.run("verify", "--format", "github", "-C", str(terminal.root))
    assert f"::error file={PRODUCTION},line=1" in ran.out


def test_a_repository_without_generated_files_does_not_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = Terminal(tmp_path, capsys).run("verify", "-C", str(tmp_path))
    assert ran.code == 2
    assert "no generated workflow found in .github/workflows; first run `wfgen render`" in ran.err


def test_a_render_that_breaks_a_property_writes_nothing(terminal: Terminal) -> None:
    """From a template of the repository without the lock's queue."""
    text = (TEMPLATES / "_lock.yml").read_text("utf-8")
    assert text.count("      queue: max\n") == 1
    case.write(terminal.root, {"templates/_lock.yml": text.replace("      queue: max\n", "")})
    before = files_below(terminal.root)
    for command in ("render", "check"):
        ran = terminal.run(command)
        assert ran.code == 2
        assert f"{DEPLOY}:" in ran.err
        assert "job release/deploy: its lock lacks `queue: max` [one-lock]" in ran.err
    assert files_below(terminal.root) == before


def test_a_fault_still_fits_its_file() -> None:
    """A fault whose place no longer exists would test nothing."""
    for fault in FAULTS:
        assert fault.put_into((ROOT / fault.file).read_text("utf-8"))
