"""The command line: what each command says and writes, and its exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import case
from tests.terminal import Terminal
from wfgen import __version__, repository
from wfgen.cli import main

PIPELINE = ".github/workflows/production.yml"
WATCHDOG = ".github/workflows/watchdog.yml"
WFGEN = [sys.executable, "-m", "wfgen"]


# Command lines


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["chekc"], "No such command 'chekc'"),
        (["check", "--fromat", "json"], "No such option: --fromat"),
        (["check", "--format", "xml"], "--format xml: expected text, json or github"),
        (["new"], "Missing argument"),
        (["new", "worker"], "Missing option '--kind'"),
        (["render", "--only", "prodution.yml"], "did you mean production.yml?"),
        (["schema", "sever"], "did you mean server?"),
    ],
    ids=" ".join,
)
def test_mistake_in_the_command_line(terminal: Terminal, arguments: list[str], said: str) -> None:
    before = terminal.files()
    ran = terminal.run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert "Traceback" not in ran.err
    assert terminal.files() == before


def test_no_command_shows_them_all(terminal: Terminal) -> None:
    ran = terminal.run()
    assert ran.code == 2
    for command in ("render", "check", "validate", "list", "new", "schema"):
        assert f"\n  {command} " in ran.err


def test_version(terminal: Terminal) -> None:
    ran = terminal.run("--version")
    assert (ran.code, ran.out) == (0, f"wfgen {__version__}\n")


def test_help_names_every_option(terminal: Terminal) -> None:
    ran = terminal.run("render", "--help")
    assert ran.code == 0
    for option in ("--dry-run", "--diff", "--stdout", "--check", "--only", "--out-dir", "--force"):
        assert option in ran.out


# Where the repository is


def test_folder_before_the_command(terminal: Terminal) -> None:
    ran = terminal.run("-C", str(terminal.root), "list")
    assert (ran.code, ran.err) == (0, "")
    assert "specs/web.yaml" in ran.out


def test_folder_that_is_none(terminal: Terminal) -> None:
    ran = terminal.run("-C", str(terminal.root / "nowhere"), "check")
    assert ran.code == 2
    assert "nowhere is no folder" in ran.err


def test_repository_is_found_from_a_folder_within(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And an application's own `specs/` is not taken for ours."""
    inner = terminal.root / "web/tests"
    (inner / "specs").mkdir(parents=True)
    monkeypatch.chdir(inner)
    ran = terminal.run("-C", ".", "check")
    assert ran.code == 2, "a folder that is named is not left"
    with pytest.raises(SystemExit) as ended:
        main(["check"])
    assert ended.value.code == 0


# Exit codes


def test_clean_tree(terminal: Terminal) -> None:
    before = terminal.files()
    ran = terminal.run("check")
    assert ran.code == 0
    assert ran.out.endswith("generated files are what the specs say\n")
    assert terminal.run("check", "--quiet").out == ""
    assert terminal.files() == before


@pytest.mark.parametrize("command", [["render"], ["check"], ["validate"], ["list"]], ids=" ".join)
def test_no_specs_are_no_pass(terminal: Terminal, command: list[str]) -> None:
    (terminal.root / "specs/web.yaml").unlink()
    ran = terminal.run(*command)
    assert (ran.code, ran.out) == (2, "")
    assert "no specs of services: write specs/NAME.yaml, or: wfgen new" in ran.err
    (terminal.root / "specs/project.yaml").unlink()
    (terminal.root / "specs").rmdir()
    ran = terminal.run(*command)
    assert (ran.code, ran.out) == (2, "")
    assert "no specs: " in ran.err


def test_mistake_in_a_spec(terminal: Terminal) -> None:
    terminal.edit("specs/web.yaml", "kind: server", "kind: sever")
    before = terminal.files()
    for command in ("render", "check", "validate", "list"):
        ran = terminal.run(command)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.startswith("specs/web.yaml:1:7: sever is no kind of service")
        assert "hint: did you mean server?" in ran.err
        assert ran.err.endswith("1 error; nothing was written\n")
    assert terminal.files() == before


def test_defect_of_ours_says_so(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(repository, "load", load)
    ran = terminal.run("check")
    assert ran.code == 3
    assert "RuntimeError: boom" in ran.err
    assert "a defect of wfgen" in ran.err


def test_interrupt_is_no_defect(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(repository, "load", load)
    ran = terminal.run("check")
    assert ran.code == 130
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("template", "text", "said"),
    [
        ("watchdog.yml", "a\n#{% if %}#\n", "templates/watchdog.yml:2: Expected an expression"),
        ("watchdog.yml", "a\n\n#{{ nope }}#\n", "templates/watchdog.yml:3: 'nope' is undefined"),
        ("watchdog.yml", "#{{ nope.x }}#\n", "templates/watchdog.yml:1: 'nope' is undefined"),
        ("watchdog.yml", '#{{ 1 + "a" }}#\n', "templates/watchdog.yml:1: TypeError: unsupported"),
        ("watchdog.yml", "#{{ plan }}#\n", "templates/watchdog.yml:1: a template prints a Plan"),
        ("watchdog.yml", '#{{ pin("a/b") }}#\n', "watchdog.yml:1: a/b is not in the lock"),
        ("watchdog.yml", '#{% include "x.yml" %}#\n', "watchdog.yml:1: no template x.yml"),
        ("_release-job.yml", "a\n#{{ nope }}#\n", "templates/_release-job.yml:2: 'nope'"),
    ],
)
def test_error_in_a_template(terminal: Terminal, template: str, text: str, said: str) -> None:
    case.write(terminal.root, {f"templates/{template}": text})
    before = terminal.files()
    ran = terminal.run("render")
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert str(terminal.root) not in ran.err, "the path is the repository's"
    assert terminal.files() == before


# Formats


def test_errors_as_json(terminal: Terminal) -> None:
    terminal.edit("specs/web.yaml", "kind: server", "kind: sever")
    for command in ("check", "validate"):
        ran = terminal.run(command, "--format=json")
        assert (ran.code, ran.err) == (2, "")
        (error,) = json.loads(ran.out)["errors"]
        assert error == {
            "file": "specs/web.yaml",
            "line": 1,
            "column": 7,
            "message": "sever is no kind of service",
            "rule": "unknown-kind",
            "hint": "did you mean server?",
        }


def test_what_stops_a_command_as_json(terminal: Terminal) -> None:
    (terminal.root / "specs/web.yaml").unlink()
    ran = terminal.run("check", "--format", "json")
    assert (ran.code, ran.err) == (2, "")
    (error,) = json.loads(ran.out)["errors"]
    assert error["message"].startswith("no specs of services")


def test_errors_become_annotations_by_themselves(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "page.md"))
    terminal.edit("specs/web.yaml", "kind: server", "kind: sever")
    ran = terminal.run("check")
    place = "::error file=specs/web.yaml,line=1,col=7::"
    assert f"{place}sever is no kind of service [unknown-kind]\n" in ran.err
    assert "specs/web.yaml:1:7: sever is no kind" in (tmp_path / "page.md").read_text("utf-8")
    (terminal.root / "specs/web.yaml").unlink()
    assert "\n::error::no specs of services" in terminal.run("check").err
    assert "no specs of services" in (tmp_path / "page.md").read_text("utf-8")
    assert "::error" not in terminal.run("check", "--format", "text").err


def test_page_that_cannot_be_written_changes_nothing(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "no/folder"))
    assert terminal.run("check").code == 0


# render


def test_rendering_again_writes_nothing(terminal: Terminal) -> None:
    (terminal.root / PIPELINE).unlink()
    ran = terminal.run("render")
    assert ran.code == 0
    assert f"wrote {PIPELINE}\n" in ran.out
    times = {path: path.stat().st_mtime_ns for path in terminal.root.rglob("*")}
    again = terminal.run("render")
    assert (again.code, "wrote" in again.out) == (0, False)
    assert {path: path.stat().st_mtime_ns for path in terminal.root.rglob("*")} == times


@pytest.mark.parametrize("option", ["--dry-run", "--diff", "--stdout", "--check"])
def test_looking_writes_nothing(terminal: Terminal, option: str) -> None:
    terminal.edit(PIPELINE, "name: production", "name: produce")
    before = terminal.files()
    ran = terminal.run("render", option)
    assert ran.code == (1 if option == "--check" else 0)
    said = {
        "--dry-run": f"{PIPELINE}: edited by hand\n1 of ",
        "--diff": f"--- a/{PIPELINE}\n+++ b/{PIPELINE}\n",
        "--stdout": f"==> {PIPELINE} <==\n# Generated by wfgen from specs/project.yaml",
        "--check": f"{PIPELINE}: edited by hand",
    }
    assert said[option] in ran.out
    assert terminal.files() == before


def test_only_some_files(terminal: Terminal) -> None:
    for path in (PIPELINE, WATCHDOG):
        (terminal.root / path).unlink()
    ran = terminal.run("render", "--only", "watchdog.yml")
    assert ran.code == 0
    assert (terminal.root / WATCHDOG).exists()
    assert not (terminal.root / PIPELINE).exists()
    assert terminal.run("render", "--only", PIPELINE).code == 0
    (terminal.root / PIPELINE).unlink()
    ran = terminal.run("render", "--only", "production")
    assert (ran.code, f"wrote {PIPELINE}\n" in ran.out) == (0, True)
    assert terminal.run("check").code == 0


def test_another_folder(terminal: Terminal, tmp_path: Path) -> None:
    before = terminal.files()
    ran = terminal.run("render", "--out-dir", str(tmp_path / "out"))
    assert ran.code == 0
    assert terminal.files() == before
    made = Terminal(tmp_path / "out", terminal._capsys).files()
    generated = {
        path: text for path, text in before.items() if path.startswith((".github/", "docs"))
    }
    generated.pop(".github/workflows/_pins.yml")  # the lock, which is the repository's own
    assert {path: text for path, text in made.items() if path in generated} == generated
    assert set(made) - set(generated) == {".github"}


def test_quiet_says_nothing(terminal: Terminal) -> None:
    (terminal.root / PIPELINE).unlink()
    ran = terminal.run("render", "--quiet")
    assert (ran.code, ran.out) == (0, "")


def test_same_bytes_whatever_the_machine(terminal: Terminal, tmp_path: Path) -> None:
    """Neither the order of sets, nor time zone, language or current folder reach the output."""
    made = []
    for seed, zone, language in (("1", "UTC", "C"), ("2", "Asia/Tokyo", "C.UTF-8")):
        out = tmp_path / f"out{seed}"
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": language}
        command = [*WFGEN, "render", "-C", str(terminal.root), "--out-dir", str(out)]
        subprocess.run(command, env=environment, cwd=tmp_path, check=True, capture_output=True)
        made.append(Terminal(out, terminal._capsys).files())
    assert made[0] == made[1]
    assert PIPELINE in made[0]
    for path, text in made[0].items():
        if path.startswith(".github/") and text != "no file":
            assert text.endswith("\n"), path
            assert not text.endswith("\n\n"), path
            assert "\r" not in text, path


# Other commands


def test_specs_are_validated(terminal: Terminal) -> None:
    assert terminal.run("validate").out == "2 specs are sound\n"
    assert json.loads(terminal.run("validate", "--format", "json").out) == {"errors": []}


def test_output_is_held_against_githubs_schemas(terminal: Terminal) -> None:
    clean = terminal.run("validate", "--output")
    assert (clean.code, clean.out.endswith(" files, 0 findings\n")) == (0, True)
    workflow = "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    stepz: []\n"
    case.write(terminal.root, {"templates/watchdog.yml": workflow})
    ran = terminal.run("validate", "--output")
    assert ran.code == 1
    assert f"{WATCHDOG}:1:1: jobs.a: " in ran.out
    assert "[github-schema]" in ran.out
    ran = terminal.run("validate", "--output", "--format", "json")
    assert ran.code == 1
    assert {error["file"] for error in json.loads(ran.out)["errors"]} == {WATCHDOG}


def test_list_says_what_comes_from_what(terminal: Terminal) -> None:
    ran = terminal.run("list")
    assert ran.code == 0
    assert "  web  server  specs/web.yaml  production\n" in ran.out
    found = json.loads(terminal.run("list", "--format", "json").out)
    assert [service["name"] for service in found["services"]] == ["web"]
    assert [pipeline["name"] for pipeline in found["pipelines"]] == ["production"]
    files = {file["path"]: file["specs"] for file in found["files"]}
    assert files[PIPELINE] == ["specs/web.yaml", "specs/project.yaml"]
    assert set(files) <= set(terminal.files())


def test_schemas(terminal: Terminal, tmp_path: Path) -> None:
    one = json.loads(terminal.run("schema", "redis").out)
    assert one["properties"]["kind"]["const"] == "redis"
    every = json.loads(terminal.run("schema").out)
    assert {"project", "client", "server", "redis", "postgres"} <= set(every)
    assert terminal.run("schema", "--out-dir", str(tmp_path / "schemas")).code == 0
    written = json.loads((tmp_path / "schemas/redis.schema.json").read_text("utf-8"))
    assert written == one == every["redis"]
    (tmp_path / "file").touch()
    ran = terminal.run("schema", "--out-dir", str(tmp_path / "file"))
    assert ran.code == 2
    assert "file: File exists" in ran.err


# As a process of its own


def test_reader_that_goes_away_changes_no_exit_code(terminal: Terminal) -> None:
    """`wfgen check | head -1` under pipefail must not pass where there is drift."""
    for path in (PIPELINE, WATCHDOG):
        (terminal.root / path).unlink()
    for command, code in (("check", 1), ("render", 0)):
        reader, writer = os.pipe()
        os.close(reader)
        environment = {**os.environ, "PYTHONUNBUFFERED": ""}  # so that the end comes at the end
        ran = subprocess.run(
            [*WFGEN, command, "-C", str(terminal.root)],
            env=environment, stdout=writer, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
        os.close(writer)
        assert ran.returncode == code
        assert "Traceback" not in ran.stderr
        assert "BrokenPipe" not in ran.stderr
    assert terminal.run("check").code == 0


@pytest.mark.parametrize(
    ("command", "unneeded"),
    [
        ("--version", {"wfgen.kinds", "jinja2", "yaml", "ruamel.yaml", "jsonschema"}),
        ("schema", {"jinja2", "ruamel.yaml", "jsonschema"}),
        ("check", {"ruamel.yaml", "jsonschema", "wfgen.schema", "wfgen.scaffold"}),
    ],
)
def test_command_imports_what_it_needs(
    terminal: Terminal, command: str, unneeded: set[str]
) -> None:
    code = f"import sys; from wfgen.cli import run, COMMANDS; run(COMMANDS, ['{command}'])\n"
    code += "print(*sys.modules, file=sys.stderr)"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=terminal.root, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert unneeded & set(ran.stderr.split()) == set()
