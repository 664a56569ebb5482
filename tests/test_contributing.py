"""CONTRIBUTING.md: its recipes, followed exactly in a copy, leave the tests green."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.judges import judge

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
COPIED = ("wfgen", "templates", "specs", "app", "kube", "docs", ".github", "tests")
OVER_KINDS = (
    "tests/test_registries.py", "tests/test_new.py", "tests/test_reference.py",
    "tests/test_bad_cases.py",
    "tests/release_program/test_preview.py::test_the_quota_admits_what_wfgen_new_writes",
)  # fmt: skip
"""The tests that run over all kinds, or over messages that list them."""
OVER_FILES = ("tests/test_drift.py", "tests/test_drift_reports.py", "tests/test_delivery_setup.py")
"""The tests that run over all generated files."""

# A file's name in backticks, a blank line, and its text or changes to it in one or more blocks.
STEP = re.compile(r"`(?P<path>[^`\s]+)`:\n(?P<blocks>(?:\n```\w+\n(?:.*\n)*?```\n)+)")
FENCED = re.compile(r"```(?P<language>\w+)\n(?P<text>(?:.*\n)*?)```")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of this repository without installed packages."""
    for name in COPIED:
        skip = shutil.ignore_patterns("__pycache__", "node_modules")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=skip)
    modules = "tests/judges/node_modules"
    if (ROOT / modules).is_dir():  # npm's, for tests that run in the copy
        (tmp_path / modules).symlink_to(ROOT / modules)
    for path in (*ROOT.glob("[!.]*.*"), ROOT / "Makefile"):
        if path.is_file():
            shutil.copy(path, tmp_path)
    return tmp_path


def follow(heading: str, root: Path) -> str:
    """Writes the files of a recipe; returns its commands."""
    text = PAGE.partition(f"## Recipe: {heading}\n")[2].partition("\n## ")[0]
    steps = list(STEP.finditer(text))
    blocks = [block for step in steps for block in FENCED.findall(step["blocks"])]
    (commands,) = [str(body) for language, body in FENCED.findall(text) if language == "sh"]
    assert len(blocks) == len(FENCED.findall(text)) - 1, "a block without the name of its file"
    for step in steps:
        for language, body in FENCED.findall(step["blocks"]):
            path = root / step["path"]
            if language == "diff":
                path.write_text(changed(path.read_text("utf-8"), body), "utf-8")
            else:
                assert not path.exists() or path.read_text("utf-8") == body, path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(body, "utf-8")
    return commands


def changed(text: str, diff: str) -> str:
    """A text after a change; its context lines must appear once. Unchanged if it has the change."""
    lines = diff.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if line[0] != "+")
    after = "".join(line[1:] for line in lines if line[0] != "-")
    if after in text:  # whoever follows the recipe runs this test as well
        return text
    assert text.count(before) == 1, before
    return text.replace(before, after)


def wfgen(root: Path, *arguments: str, module: str = "wfgen") -> str:
    """Standard output of the copy's wfgen, or of another module, that exits with code 0."""
    line = [sys.executable, "-m", module, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(
        line, cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr
    return done.stdout


def update_snapshots(root: Path, commands: str, case: str) -> str:
    """Runs the recipe's `make test` for one case and all messages; returns the case's snapshot."""
    (arguments,) = re.findall(r"make test PYTEST='(.+)'", commands)
    some = f"test_output and {case} or test_messages"
    wfgen(root, *arguments.split(), "-k", some, module="pytest")
    return (root / f"tests/__snapshots__/test_ok_cases/test_output[{case}].yml").read_text("utf-8")


def test_recipe_for_a_kind(copy: Path) -> None:
    """The new kind has first files, a schema, a row in the reference, and passes the tests."""
    commands = follow("add a kind", copy)
    assert "make reference" in commands
    wfgen(copy, "docs/reference.md", module="wfgen.report.reference")
    assert "| `memcached` |" in (copy / "docs/reference.md").read_text("utf-8")
    assert json.loads(wfgen(copy, "schema", "memcached"))["properties"]["kind"]
    assert '"image": "memcached"' in update_snapshots(copy, commands, "memcached")
    wfgen(copy, "-q", "-x", "-m", "not slow and not e2e", *OVER_KINDS, module="pytest")
    assert "specs/cache.yaml" in wfgen(copy, "new", "cache", "--kind", "memcached")
    assert "wrote .github/workflows/production.yml" in wfgen(copy, "render")
    wfgen(copy, "check")


def test_recipe_for_a_template(copy: Path) -> None:
    """Only the new file and the page that lists files change; tests over all files pass."""
    wfgen(copy, "render")
    commands = follow("add a template", copy)
    assert "make render" in commands
    written = re.findall(r"^wrote (\S+)$", wfgen(copy, "render"), re.MULTILINE)
    # Fewer for whoever follows the recipe and runs this test.
    assert set(written) <= {".github/workflows/overlays.yml", "docs/delivery-setup.md"}
    wfgen(copy, "check")
    assert ".github/workflows/overlays.yml: |" in update_snapshots(copy, commands, "base")
    wfgen(copy, "-q", "-x", "-m", "not slow and not e2e", *OVER_FILES, module="pytest")
    findings = judge([copy / ".github/workflows/overlays.yml"], copy)
    assert [str(finding) for finding in findings] == []
