"""Drift as SARIF, as annotations of a pull request, and as a preview."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests import case
from tests.terminal import Terminal
from wfgen.generate.templating import built_in_templates
from wfgen.worktree.causes import Cause

CHECK = ".github/workflows/wfgen-check.yml"
GUIDE = "docs/delivery-setup.md"
PIPELINE = ".github/workflows/production.yml"
STRAY = ".github/workflows/old.yml"
WATCHDOG = ".github/workflows/watchdog.yml"
LOGIN = "_login-step.yml"


def line_of(terminal: Terminal, path: str, text: str) -> int:
    lines = (terminal.root / path).read_text("utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def sarif(text: str) -> dict[str, Any]:
    """The one run of a SARIF 2.1.0 document."""
    document = json.loads(text)
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert run["tool"]["driver"]["name"] == "wfgen"
    for result in run["results"]:
        assert result["ruleId"] in rules
        assert result["level"] == "error"
        region = result["locations"][0]["physicalLocation"]["region"]
        assert min(region.values()) >= 1
    checked: dict[str, Any] = run
    return checked


def place(result: dict[str, Any]) -> tuple[str, int]:
    physical = result["locations"][0]["physicalLocation"]
    return physical["artifactLocation"]["uri"], physical["region"]["startLine"]


# Code scanning


def test_drift_as_sarif(terminal: Terminal) -> None:
    terminal.edit(PIPELINE, "name: production", "name: produce")
    (terminal.root / CHECK).unlink()
    (terminal.root / STRAY).write_bytes((terminal.root / WATCHDOG).read_bytes())
    ran = terminal.run("check", "--format", "sarif")
    assert (ran.code, ran.err.count("::")) == (1, 0)
    run = sarif(ran.out)
    assert {place(result): result["ruleId"] for result in run["results"]} == {
        (PIPELINE, line_of(terminal, PIPELINE, "name: produce")): "drift-edited",
        (CHECK, 1): "drift-missing",
        (STRAY, 1): "drift-orphan",
    }
    for result in run["results"]:
        path, text = place(result)[0], result["message"]["text"]
        assert text.startswith(f"{path}: ")
        fix = "remove it" if path == STRAY else "fix"
        assert f"; to {fix}, run `wfgen render`\n\n--- " in text
    assert run["invocations"][0]["executionSuccessful"] is True
    assert {rule["shortDescription"]["text"] for rule in run["tool"]["driver"]["rules"]} == {
        cause.value for cause in Cause
    }


def test_no_drift_as_sarif(terminal: Terminal) -> None:
    for command in (["check"], ["validate"], ["validate", "--output"]):
        ran = terminal.run(*command, "--format", "sarif")
        assert (ran.code, sarif(ran.out)["results"]) == (0, [])


@pytest.mark.parametrize("command", ["check", "validate", "render"])
def test_errors_in_specs_as_sarif(terminal: Terminal, command: str) -> None:
    terminal.edit("specs/web.yaml", "kind: server", "kind: sever")
    ran = terminal.run(command, "--format", "sarif")
    assert (ran.code, ran.err) == (2, "")
    (result,) = sarif(ran.out)["results"]
    assert (place(result), result["ruleId"]) == (("specs/web.yaml", 1), "unknown-kind")
    assert result["message"]["text"].endswith("\n\nHint: did you mean `server`?")


def test_error_that_stops_a_command_as_sarif(terminal: Terminal) -> None:
    (terminal.root / ".github/workflows/_pins.yml").write_bytes(b"\xff")
    ran = terminal.run("check", "--format", "sarif")
    assert (ran.code, ran.err.count("wfgen:")) == (2, 0)
    (invocation,) = sarif(ran.out)["invocations"]
    assert invocation["executionSuccessful"] is False
    (notification,) = invocation["toolExecutionNotifications"]
    assert "byte 1 is not UTF-8" in notification["message"]["text"]


# Annotations


def test_each_file_of_one_change_is_annotated(terminal: Terminal) -> None:
    for path in (CHECK, WATCHDOG):
        terminal.edit(path, "permissions: {}", "permissions: write-all")
    ran = terminal.run("check", "--format", "github")
    marks = re.findall(
        r"^::error file=(.+),line=(\d+)::2 files: edited by hand, ", ran.out, re.MULTILINE
    )
    assert marks == [
        (path, str(line_of(terminal, path, "write-all"))) for path in (WATCHDOG, CHECK)
    ]


def test_change_of_headers_alone_is_annotated_once(terminal: Terminal) -> None:
    terminal.edit("specs/project.yaml", "registry:", "secrets: [UNUSED]\nregistry:")
    ran = terminal.run("check", "--format", "github")
    assert (
        len(re.findall(r"^::error file=.*,line=1::\d+ files: out of date", ran.out, re.MULTILINE))
        == 1
    )
    assert ran.out.count("::error") == 1


# Preview


def test_preview_of_a_changed_template(terminal: Terminal) -> None:
    """First a count, then each file, then the diffs; those of headers only come last."""
    text = (built_in_templates() / LOGIN).read_text("utf-8")
    case.write(terminal.root, {f"templates/{LOGIN}": f"      # knock\n{text}"})
    counts = {file.path: file.text.count("# knock") for file in case.rendered(terminal.root)}
    files = {path: count for path, count in counts.items() if count}
    assert len(files) > 1
    ran = terminal.run("render", "--diff")
    first, *rest = ran.out.splitlines()
    assert re.fullmatch(
        rf"\d+ of \d+ files would change, {sum(files.values())} lines"
        r"(; \d+ only in their headers)?",
        first,
    )
    cause = "out of date (templates or wfgen changed)"
    assert rest[: len(files)] == [
        f"  {path}: {cause} (+{count} -0)" for path, count in sorted(files.items())
    ]
    assert rest[len(files)] == ""
    shown = re.findall(r"^--- a/(.+)$", ran.out, re.MULTILINE)
    assert shown[: len(files)] == sorted(files)
    assert ran.out.count("\n+++ b/") == len(shown)


def test_files_that_differ_only_in_their_headers_are_counted_separately(terminal: Terminal) -> None:
    terminal.edit("specs/project.yaml", "registry:", 'watchdog_schedule: "5 * * * *"\nregistry:')
    ran = terminal.run("render", "--diff")
    summary = r"(\d+) of \d+ files would change, 4 lines; (\d+) only in their headers\n"
    match = re.match(summary, ran.out)
    assert match
    shown = re.findall(r"^--- a/(.+)$", ran.out, re.MULTILINE)
    assert shown[:2] == [WATCHDOG, GUIDE]
    assert shown[2:] == sorted(shown[2:])
    assert len(shown) == int(match[1]) == 2 + int(match[2])


def test_only_headers_would_change(terminal: Terminal) -> None:
    terminal.edit("specs/project.yaml", "registry:", "secrets: [UNUSED]\nregistry:")
    ran = terminal.run("render", "--dry-run")
    assert re.fullmatch(r"[1-9]\d* of \d+ files would change, only in their headers\n", ran.out)


def test_nothing_would_change(terminal: Terminal) -> None:
    ran = terminal.run("render", "--diff")
    assert re.fullmatch(r"0 of \d+ files would change\n", ran.out)


@pytest.mark.parametrize("option", [[], ["--diff"], ["--dry-run"]])
def test_exit_code_of_a_change(terminal: Terminal, option: list[str]) -> None:
    assert terminal.run("render", *option, "--exit-code").code == 0
    (terminal.root / CHECK).unlink()
    assert terminal.run("render", *option, "--exit-code").code == 1
    assert (terminal.root / CHECK).exists() is (option == [])
