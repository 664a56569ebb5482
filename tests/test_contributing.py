"""CONTRIBUTING.md: its recipes are followed to the letter."""

from __future__ import annotations

import json
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

# A file's name in backticks, a blank line, and its text, or changes to it, in one or more blocks.
STEP = re.compile(r"`(?P<path>[^`\s]+)`:\n(?P<blocks>(?:\n```\w+\n(?:.*\n)*?```\n)+)")
FENCED = re.compile(r"```(?P<language>\w+)\n(?P<text>(?:.*\n)*?)```")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of this repository, but for what is installed in it."""
    for name in COPIED:
        skip = shutil.ignore_patterns("__pycache__", "node_modules")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=skip)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def follow(heading: str, root: Path) -> str:
    """Does what a recipe says; returns its commands."""
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
                assert not path.exists(), path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(body, "utf-8")
    return commands


def changed(text: str, diff: str) -> str:
    """A text after a change; its lines of context stand in the text once."""
    lines = diff.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if line[0] != "+")
    assert text.count(before) == 1, before
    return text.replace(before, "".join(line[1:] for line in lines if line[0] != "-"))


def wfgen(root: Path, *arguments: str, module: str = "wfgen") -> str:
    """What the copy's wfgen prints, or another module of the copy."""
    line = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(line, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def update_snapshots(root: Path, commands: str, case: str) -> str:
    """Runs the recipe's `make test`, for one case alone; returns that case's snapshot."""
    (arguments,) = re.findall(r"make test PYTEST='(.+)'", commands)
    wfgen(root, *arguments.split(), "-k", f"test_output and {case}", module="pytest")
    return (root / f"tests/__snapshots__/test_ok_cases/test_output[{case}].yml").read_text("utf-8")


def test_recipe_for_a_kind(copy: Path) -> None:
    """The new kind has first files, a schema, a row in the reference, and it renders."""
    commands = follow("add a kind", copy)
    assert "make reference" in commands
    wfgen(copy, "docs/reference.md", module="wfgen.report.reference")
    assert "| `rabbitmq` |" in (copy / "docs/reference.md").read_text("utf-8")
    assert "specs/broker.yaml" in wfgen(copy, "new", "broker", "--kind", "rabbitmq")
    assert "wrote .github/workflows/production.yml" in wfgen(copy, "render")
    wfgen(copy, "check")
    assert json.loads(wfgen(copy, "schema", "rabbitmq"))["properties"]["kind"]
    assert '"image": "rabbitmq"' in update_snapshots(copy, commands, "rabbitmq")


def test_recipe_for_a_template(copy: Path) -> None:
    """The new file is rendered, only the page that lists files changes, and no judge complains."""
    commands = follow("add a template", copy)
    assert "make render" in commands
    written = re.findall(r"^wrote (.+)$", wfgen(copy, "render"), re.MULTILINE)
    assert written == [".github/workflows/nightly.yml", "docs/delivery-setup.md"]
    wfgen(copy, "check")
    assert ".github/workflows/nightly.yml: |" in update_snapshots(copy, commands, "base")
    assert [str(found) for found in judge([copy / written[0]], copy)] == []
