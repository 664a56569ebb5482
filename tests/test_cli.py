"""The command line: errors in it, where it finds the repository, exit codes and formats."""

from __future__ import annotations

import gc
import json
from pathlib import Path

import pytest

from tests import case
from tests.terminal import Terminal
from wfgen import __version__
from wfgen.cli import repository
from wfgen.cli.app import main

# Command lines


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["chekc"], "No such command 'chekc'"),
        (["check", "--fromat", "json"], "No such option: --fromat"),
        (["check", "--format", "xml"], "--format xml: expected text, json, github or sarif"),
        (["list", "--format", "sarif"], "--format sarif: expected text, json or github"),
        (["new"], "Missing argument"),
        (["new", "worker"], "Missing option '--kind'"),
        (["render", "--only", "prodution.yml"], "did you mean `production.yml`?"),
        (["schema", "sever"], "did you mean `server`?"),
    ],
    ids=" ".join,
)
def test_error_in_the_command_line(terminal: Terminal, arguments: list[str], message: str) -> None:
    before = terminal.files()
    ran = terminal.run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert "Traceback" not in ran.err
    assert terminal.files() == before


def test_no_command_lists_all_commands(terminal: Terminal) -> None:
    ran = terminal.run()
    assert ran.code == 2
    for command in ("render", "check", "validate", "list", "new", "schema", "pins"):
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
    ran = terminal.run("-C", str(terminal.root), "pins", "update", "--offline")
    assert (ran.code, ran.out) == (0, ".github/workflows/_pins.yml is unchanged\n")


def test_folder_that_does_not_exist(terminal: Terminal) -> None:
    ran = terminal.run("-C", str(terminal.root / "nowhere"), "check")
    assert ran.code == 2
    assert "nowhere is not a folder" in ran.err


def test_repository_is_found_from_a_folder_within(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not mistaken for another `specs/`, of an application."""
    inner = terminal.root / "web/tests"
    (inner / "specs").mkdir(parents=True)
    monkeypatch.chdir(inner)
    ran = terminal.run("-C", ".", "check")
    assert ran.code == 2, "wfgen does not leave a folder that was named"
    with pytest.raises(SystemExit) as ended:
        main(["check"])
    assert ended.value.code == 0


# Exit codes


def test_clean_tree(terminal: Terminal) -> None:
    before = terminal.files()
    ran = terminal.run("check")
    assert ran.code == 0
    assert ran.out.endswith("generated files are up to date\n")
    assert terminal.run("check", "--quiet").out == ""
    assert terminal.files() == before


@pytest.mark.parametrize("command", [["render"], ["check"], ["validate"], ["list"]], ids=" ".join)
def test_no_specs_are_an_error(terminal: Terminal, command: list[str]) -> None:
    (terminal.root / "specs/web.yaml").unlink()
    ran = terminal.run(*command)
    assert (ran.code, ran.out) == (2, "")
    assert "no service specs found; to create one, run `wfgen new" in ran.err
    (terminal.root / "specs/project.yaml").unlink()
    (terminal.root / "specs").rmdir()
    ran = terminal.run(*command)
    assert (ran.code, ran.out) == (2, "")
    assert "no specs found in `" in ran.err


def test_error_in_a_spec(terminal: Terminal) -> None:
    terminal.edit("specs/web.yaml", "kind: server", "kind: sever")
    before = terminal.files()
    for command in ("render", "check", "validate", "list"):
        ran = terminal.run(command)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.startswith("specs/web.yaml:1:7: unknown kind `sever`")
        assert "hint: did you mean `server`?" in ran.err
        assert ran.err.endswith("\n1 error\n")
    assert terminal.files() == before


def test_project_that_cannot_be_read_does_not_wait_for_kustomize(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """kustomize runs meanwhile and is killed: which overlays are the project's is unknown."""
    slow = '#!/bin/sh\n/bin/sleep 60 < /dev/null > /dev/null 2>&1\n: > "${0%/*}/ended"\n'
    case.write(tmp_path, {"bin/kubectl": slow})
    (tmp_path / "bin/kubectl").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    overlay = "kube/overlays/production/kustomization.yaml"
    case.write(terminal.root, {overlay: "resources: []\n", "specs/project.yaml": "project: [\n"})
    assert terminal.run("check").code == 2
    assert not (tmp_path / "bin/ended").exists()
    gc.collect()  # a process left behind is a warning, and warnings are errors here


def test_internal_error_has_its_traceback(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*_: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(repository, "load", load)
    ran = terminal.run("check")
    assert ran.code == 3
    assert "RuntimeError: boom" in ran.err
    assert "internal error; please report it" in ran.err


def test_interrupt_has_no_traceback(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(repository, "load", load)
    ran = terminal.run("check")
    assert ran.code == 130
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("template", "text", "message"),
    [
        ("watchdog.yml", "a\n#{% if %}#\n", "templates/watchdog.yml:2: Expected an expression"),
        ("watchdog.yml", "a\n\n#{{ nope }}#\n", "templates/watchdog.yml:3: 'nope' is undefined"),
        ("watchdog.yml", "#{{ nope.x }}#\n", "templates/watchdog.yml:1: 'nope' is undefined"),
        ("watchdog.yml", '#{{ 1 + "a" }}#\n', "templates/watchdog.yml:1: TypeError: unsupported"),
        ("watchdog.yml", "#{{ plan }}#\n", "templates/watchdog.yml:1: a template prints a Plan"),
        ("watchdog.yml", '#{{ pin("a/b") }}#\n', "watchdog.yml:1: `a/b` is not in the lock"),
        ("watchdog.yml", '#{% include "x.yml" %}#\n', "watchdog.yml:1: no template x.yml"),
        ("_environment.yml", "a\n#{{ nope }}#\n", "templates/_environment.yml:2: 'nope'"),
    ],
)
def test_error_in_a_template(terminal: Terminal, template: str, text: str, message: str) -> None:
    case.write(terminal.root, {f"templates/{template}": text})
    before = terminal.files()
    ran = terminal.run("render")
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert str(terminal.root) not in ran.err, "paths are relative to the repository"
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
            "message": "unknown kind `sever`",
            "rule": "unknown-kind",
            "hint": "did you mean `server`?",
        }


def test_error_that_stops_a_command_as_json(terminal: Terminal) -> None:
    (terminal.root / "specs/web.yaml").unlink()
    ran = terminal.run("check", "--format", "json")
    assert (ran.code, ran.err) == (2, "")
    (error,) = json.loads(ran.out)["errors"]
    assert error["message"].startswith("no service specs found")


def test_errors_are_annotations_under_github_actions(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "page.md"))
    terminal.edit("specs/web.yaml", "kind: server", "kind: sever")
    ran = terminal.run("check")
    place = "::error file=specs/web.yaml,line=1,col=7::"
    assert f"{place}unknown kind `sever` [unknown-kind]\n" in ran.err
    assert "specs/web.yaml:1:7: unknown kind `sever`" in (tmp_path / "page.md").read_text("utf-8")
    (terminal.root / "specs/web.yaml").unlink()
    assert "\n::error::no service specs found" in terminal.run("check").err
    assert "no service specs found" in (tmp_path / "page.md").read_text("utf-8")
    assert "::error" not in terminal.run("check", "--format", "text").err


def test_page_that_cannot_be_written_changes_nothing(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "no/folder"))
    assert terminal.run("check").code == 0
