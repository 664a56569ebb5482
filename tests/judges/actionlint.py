"""actionlint with shellcheck and pyflakes."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import yaml

from tests.judges import tree
from tests.judges.findings import Finding, Sample
from tests.judges.tools import find_program, run

# Prefix of the workflows made from actions, in the sample's own directory.
_MADE = ".github/workflows/action-"


def check(sample: Sample) -> list[Finding]:
    """Findings in workflows, and in the steps of composite actions.

    actionlint reads no action.yml, and no scripts of actions that a workflow uses. So the steps of
    an action are checked as those of a workflow with the action's inputs.
    """
    made = {}
    for number, action in enumerate(sample.actions):
        workflow, moved = _as_workflow(sample.read(action))
        if workflow:
            name = f"{_MADE}{number}.yml"
            (sample.root / name).write_text(workflow, encoding="utf-8")
            made[name] = (action, moved)
    command = [find_program("actionlint"), "-no-color", "-format", "{{json .}}"]
    command += ["-shellcheck", shlex.quote(find_program("shellcheck"))]
    command += ["-pyflakes", shlex.quote(find_program("pyflakes"))]
    # An empty configuration: that of the repository could silence checks.
    command += ["-config-file", _empty_file(sample.root)]
    output = run([*command, *sample.workflows, *made], cwd=sample.root, accept=(0, 1))
    findings = []
    for error in json.loads(output):
        file, (line, column) = error["filepath"], (error["line"], error["column"])
        if file in made:
            file, (lines, columns) = made[file]
            line, column = line - lines, column - columns
        findings.append(Finding(file, line, column, "actionlint", error["kind"], error["message"]))
    return findings


def _as_workflow(action: str) -> tuple[str, tuple[int, int]]:
    """The steps of a composite action as a workflow, and how many lines and columns they moved.

    The text is empty if the action has no steps; the judges of `SHAPE` report whether it should.
    """
    try:
        document, nodes = tree.load(action), tree.compose(action)
    except yaml.YAMLError:
        return "", (0, 0)
    steps = tree.find(nodes, ["runs", "steps"])
    if not isinstance(steps, yaml.SequenceNode) or steps.flow_style:
        return "", (0, 0)
    inputs = {name: {"type": "string"} for name in document.get("inputs") or {}}
    header = [
        f"on: {json.dumps({'workflow_call': {'inputs': inputs}})}",
        "jobs:",
        "  action:",
        "    runs-on: ubuntu-24.04",
        "    steps:",
    ]
    first, last = steps.start_mark.line, steps.end_mark.line
    indent = "    "
    lines = [indent + line if line else line for line in action.splitlines()[first : last + 1]]
    return "\n".join([*header, *lines, ""]), (len(header) - first, len(indent))


def _empty_file(directory: Path) -> str:
    path = directory / "actionlint-empty.yaml"
    path.touch()
    return str(path)
