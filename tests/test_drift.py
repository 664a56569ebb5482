"""The cause of each file that differs from the specs, and what is printed about it."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import case
from tests.terminal import Terminal
from wfgen.generate.templating import built_in_templates
from wfgen.worktree.causes import Cause
from wfgen.worktree.drift import compare

BUILD = ".github/workflows/_build.yml"
CHECK = ".github/workflows/wfgen-check.yml"
DESCRIPTION = ".github/actions/release/production.json"
GUIDE = "docs/delivery-setup.md"
LOCK = ".github/workflows/_pins.yml"
MODULE = ".github/actions/release/release_program/hosting/needs.py"
PIPELINE = ".github/workflows/production.yml"
STRAY = ".github/workflows/old.yml"
WATCHDOG = ".github/workflows/watchdog.yml"


def causes(root: Path) -> dict[str, Cause]:
    return {drift.path: drift.cause for drift in compare(root, case.rendered(root))}


def every_cause(terminal: Terminal) -> dict[str, str]:
    """Creates one file of each cause; returns their messages."""
    root = terminal.root
    terminal.edit(BUILD, "timeout-minutes: ", "timeout-minutes: 9")
    (root / CHECK).unlink()
    (root / STRAY).write_bytes((root / WATCHDOG).read_bytes())
    terminal.edit("specs/web.yaml", "kind: server", "kind: server\nreplicas: 3")
    (root / PIPELINE).write_text("name: mine\n", "utf-8")
    template = (built_in_templates() / "watchdog.yml").read_text("utf-8")
    case.write(root, {"templates/watchdog.yml": f"{template}# ours\n"})
    uses = re.compile("(docker/[a-z-]+@)[0-9a-f]{40}")
    (root / LOCK).write_text(uses.sub(rf"\g<1>{'1' * 40}", (root / LOCK).read_text()), "utf-8")
    return {
        BUILD: "edited by hand",
        CHECK: "missing",
        STRAY: "orphaned: no spec generates this file",
        DESCRIPTION: "out of date (specs changed)",
        PIPELINE: "blocked: a file that wfgen did not generate already exists",
        WATCHDOG: "out of date (templates or wfgen changed)",
    }


# Causes


@pytest.mark.parametrize("path", [CHECK, GUIDE, DESCRIPTION, MODULE])
def test_every_edited_byte_is_found(terminal: Terminal, path: str) -> None:
    """In header and body, in each style of comment. Of long files every 29th byte."""
    (wanted,) = (file for file in case.rendered(terminal.root) if file.path == path)
    text = wanted.text.encode()
    for index in [*range(min(300, len(text))), *range(300, len(text), 29)]:
        other = b"x" if text[index : index + 1] != b"x" else b"y"
        (terminal.root / path).write_bytes(text[:index] + other + text[index + 1 :])
        (drift,) = compare(terminal.root, (wanted,), orphans=False)
        line = text.count(b"\n", 0, index)
        causes = {Cause.EDITED}
        if line == 2:  # an edited digest looks like an old one
            causes |= {Cause.SPECS, Cause.TEMPLATES}
        if b"uses: " in text.split(b"\n")[line]:
            causes |= {Cause.PINS}
        if b"WFGEN_REQUIREMENT: " in text.split(b"\n")[line]:
            causes |= {Cause.SPECS}
        assert drift.cause in causes, index


def test_each_cause(terminal: Terminal) -> None:
    expected = every_cause(terminal)
    messages = {path: cause.value for path, cause in causes(terminal.root).items()}
    assert {path: messages[path] for path in expected} == expected


@pytest.mark.parametrize("requirement", ["", 'wfgen_requirement: "wfgen-cli==0.1.0"\n'])
def test_a_raised_version_changes_one_line_at_most(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, requirement: str
) -> None:
    """... and that line is not reported as an edit or as a pin."""
    spec = (terminal.root / "specs/project.yaml").read_text("utf-8")
    spec = re.sub(r"wfgen_requirement: .*\n", requirement, spec)
    case.write(terminal.root, {"specs/project.yaml": spec})
    terminal.run("render")
    before = {file.path: file.text for file in case.rendered(terminal.root)}
    for name, module in [*sys.modules.items()]:
        if name.startswith("wfgen") and hasattr(module, "__version__"):
            monkeypatch.setattr(module, "__version__", "9.9.9")
    assert {file.path: file.text for file in case.rendered(terminal.root)} == before
    terminal.edit("specs/project.yaml", 'wfgen: "0.1.0"', 'wfgen: "9.9.9"')
    after = {file.path: file.text for file in case.rendered(terminal.root)}
    changed = [
        line
        for path, text in after.items()
        for line in set(text.split("\n")) - set(before[path].split("\n"))
    ]
    assert changed == ([] if requirement else ['  WFGEN_REQUIREMENT: "wfgen-cli==9.9.9"'])
    assert causes(terminal.root) == ({} if requirement else {CHECK: Cause.SPECS})
    terminal.edit("specs/project.yaml", 'wfgen: "9.9.9"', 'wfgen: "0.2.0"')
    note = "requires wfgen 0.2.0, but this is wfgen 9.9.9; install 0.2.0, or change `wfgen`"
    assert note in terminal.run("check").err


def test_edit_is_reported_whatever_else_changed(terminal: Terminal) -> None:
    """The next render, which a change of specs requires, overwrites it."""
    terminal.edit("specs/project.yaml", "registry:", "secrets: [UNUSED]\nregistry:")
    case.write(terminal.root, {"templates/watchdog.yml": "name: other\n"})
    terminal.edit(WATCHDOG, "name: watchdog", "name: edited")
    assert causes(terminal.root)[WATCHDOG] is Cause.EDITED


def test_pins_bumped_in_one_place(terminal: Terminal) -> None:
    text = (terminal.root / BUILD).read_text("utf-8")
    bumped = re.sub(r"(actions/checkout@)[0-9a-f]{40} # \S+", rf"\g<1>{'1' * 40} # v9.9.9", text)
    assert bumped != text
    (terminal.root / BUILD).write_text(bumped, "utf-8")
    assert causes(terminal.root) == {BUILD: Cause.PINS}


def test_bot_that_bumps_lock_and_files_alike_leaves_no_drift(terminal: Terminal) -> None:
    for path in (terminal.root / ".github").rglob("*.yml"):
        text = path.read_text("utf-8")
        new = rf"\g<1>{'1' * 40} # v9.9.9"
        path.write_text(re.sub(r"(actions/checkout@)[0-9a-f]{40} # \S+", new, text), "utf-8")
    assert "v9.9.9" in (terminal.root / LOCK).read_text("utf-8")
    assert causes(terminal.root) == {}


@pytest.mark.parametrize("change", [b"\xff\xfe", b"\r", b"\0", b"\n"])
def test_bytes_that_are_not_text(terminal: Terminal, change: bytes) -> None:
    path = terminal.root / CHECK
    path.write_bytes(path.read_bytes() + change)
    ran = terminal.run("check")
    assert ran.code == 1
    assert f"{CHECK}: edited by hand" in ran.out
    assert terminal.run("render").code == 0
    assert terminal.run("check").code == 0


def test_files_without_the_header_are_not_orphans(terminal: Terminal) -> None:
    case.write(
        terminal.root,
        {
            ".github/workflows/ci.yml": "name: CI\n",
            ".github/dependabot.yml": "# wfgen writes the workflows: do not edit them\n",
            "docs/other.md": "# Other\n\nGenerated by wfgen from specs/web.yaml: do not edit\n",
        },
    )
    assert causes(terminal.root) == {}


# Output


def test_check_names_each_with_its_diff_and_remedy(terminal: Terminal) -> None:
    expected = every_cause(terminal)
    before = terminal.files()
    ran = terminal.run("check")
    assert (ran.code, terminal.files()) == (1, before)
    for path, cause in expected.items():
        remedy = {
            PIPELINE: "overwrite it, run `wfgen render --force`",
            STRAY: "remove it, run `wfgen render`",
        }.get(path, "fix, run `wfgen render`")
        line = rf"^({path}|\d+ files): {re.escape(cause)}.*; to {remedy}$"
        assert re.search(line, ran.out, re.MULTILINE), path
        assert path in ran.out
    assert f"--- a/{BUILD}\n+++ b/{BUILD}\n" in ran.out
    assert f"--- /dev/null\n+++ b/{CHECK}\n" in ran.out
    assert f"--- a/{STRAY}\n+++ /dev/null\n" in ran.out
    last = ran.out.splitlines()[-1]
    assert re.fullmatch(
        r"\d+ files differ: 1 missing; \d+ out of date \(specs changed\); "
        r"1 out of date \(templates or wfgen changed\); 1 edited by hand; "
        r"(\d+ only the action pins differ; )?1 orphaned: no spec generates this file; "
        r"1 blocked: a file that wfgen did not generate already exists",
        last,
    )


def test_check_as_json(terminal: Terminal) -> None:
    every_cause(terminal)
    ran = terminal.run("check", "--format", "json")
    assert ran.code == 1
    entries: dict[str, dict[str, Any]] = {e["path"]: e for e in json.loads(ran.out)["drift"]}
    named = {path: entry["cause"] for path, entry in entries.items()}
    assert (named[BUILD], named[CHECK], named[STRAY]) == ("edited", "missing", "orphan")
    assert (named[DESCRIPTION], named[WATCHDOG], named[PIPELINE]) == (
        "specs",
        "templates",
        "foreign",
    )
    line = next(n for n, text in enumerate((terminal.root / BUILD).read_text().splitlines(), 1)
                if "timeout-minutes: 9" in text)  # fmt: skip
    assert entries[BUILD]["line"] == line
    assert entries[BUILD]["diff"].startswith(f"--- a/{BUILD}\n")
    assert terminal.run("render", "--force").code == 0
    clean = json.loads(terminal.run("check", "--format", "json").out)
    assert (clean["drift"], len(clean["notes"])) == ([], 1)
    assert clean["notes"][0].startswith("bumped since this wfgen was released: docker/")


def test_check_annotates_the_pull_request(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    assert terminal.run("check").code == 0
    assert re.fullmatch(r"### wfgen check: \d+ generated files are .*\n", page.read_text("utf-8"))
    page.unlink()
    text = (terminal.root / GUIDE).read_text("utf-8")
    (terminal.root / GUIDE).write_text(f"{text}```` fence\n", "utf-8")
    ran = terminal.run("check")
    line = text.count("\n") + 1
    message = f"{GUIDE}: edited by hand; to fix, run `wfgen render`"
    assert f"\n::error file={GUIDE},line={line}::{message}\n" in ran.out
    assert f"**{message}**\n\n`````diff\n--- a/{GUIDE}\n" in page.read_text("utf-8")
    assert page.read_text("utf-8").endswith("-```` fence\n`````\n")


def test_comment_in_a_spec_changes_nothing(terminal: Terminal) -> None:
    """Nor do the order of fields and quotes."""
    path = terminal.root / "specs/project.yaml"
    first, rest = path.read_text("utf-8").split("\n", 1)
    path.write_text(f"# a comment\n{rest}{first.replace(': ', ':  ')} # another\n", "utf-8")
    assert first == "project: shop"
    assert causes(terminal.root) == {}


def test_one_change_in_many_files_is_printed_once(terminal: Terminal) -> None:
    """A new value in the project's spec reaches the header of every file that comes from it."""
    terminal.edit("specs/project.yaml", "registry:", "secrets: [UNUSED]\nregistry:")
    ran = terminal.run("check")
    assert ran.code == 1
    differing = causes(terminal.root)
    count = len(differing)
    assert count > 2
    assert not any("/release_program/" in path for path in differing), "no spec changes it"
    assert ran.out.startswith(
        f"{count} files: out of date (specs changed), only in their headers; "
        "to fix, run `wfgen render`\n  .github/actions/"
    )
    assert ran.out.count("\n--- a/") == 1
    summary = f"{count} files differ: {count} out of date (specs changed)"
    assert ran.out.splitlines()[-1] == summary


def test_long_diff_is_cut(terminal: Terminal) -> None:
    for path in (terminal.root / ".github/workflows").glob("*.yml"):
        if path.name != "_pins.yml":
            path.unlink()
    ran = terminal.run("check")
    assert ran.code == 1
    assert "more lines; run `wfgen render --diff`" in ran.out
    assert len(ran.out.splitlines()) < 25 * len(causes(terminal.root)) + 5
