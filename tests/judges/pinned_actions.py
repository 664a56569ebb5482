"""Our own judge: actions that others publish are pinned, known, and called as they declare."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml

from tests.judges import tree
from tests.judges.findings import Finding, Sample
from tests.judges.tools import HERE

_PIN = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)(?P<path>/[^@]+)?@(?P<ref>\S+)")
_SHA = re.compile(r"[0-9a-f]{40}")
_VERSION = re.compile(r"#\s*(?P<version>v\d+\.\d+\.\d+)\s*$")


@cache
def known_actions() -> dict[str, Any]:
    """Action to its version, commit, inputs and outputs.

    actions.json was read in November 2026 from the actions' own repositories: the newest release
    tag that could be verified, the commit that it peels to, and `action.yml` at that commit.
    """
    text = (HERE / "actions.json").read_text(encoding="utf-8")
    known: dict[str, Any] = json.loads(text)
    return known


def check(sample: Sample) -> list[Finding]:
    """Every `uses:` of another repository stands in actions.json, and so do its `with:` keys."""
    findings = []
    for file in sample.files:
        text = sample.read(file)
        try:
            document = tree.compose(text)
        except yaml.YAMLError:
            continue  # the schema's judge says so
        lines = text.splitlines()
        for step in _with_uses(document):
            for node, rule, message in _check_step(step, lines):
                line, column = tree.position(node)
                findings.append(Finding(file, line, column, "pinned actions", rule, message))
    return findings


def _with_uses(node: yaml.Node) -> Iterator[yaml.MappingNode]:
    """Every mapping with a `uses` text in it: the steps, and the jobs that call a workflow."""
    if isinstance(node, yaml.MappingNode):
        if isinstance(tree.find(node, ["uses"]), yaml.ScalarNode):
            yield node
        for _, value in node.value:
            yield from _with_uses(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _with_uses(value)


def _check_step(step: yaml.MappingNode, lines: list[str]) -> Iterator[tuple[yaml.Node, str, str]]:
    uses = tree.find(step, ["uses"])
    assert uses is not None
    if uses.value.startswith(("$/", "./")):
        return
    pin = _PIN.fullmatch(uses.value)
    if pin is None or not _SHA.fullmatch(pin["ref"]):
        yield uses, "pin", f"{uses.value} is not owner/name@ with a full commit SHA"
        return
    action = known_actions().get(pin["repository"] + (pin["path"] or ""))
    if action is None:
        yield uses, "unknown", f"{uses.value} does not stand in actions.json"
        return
    if pin["ref"] != action["sha"]:
        yield uses, "pin", f"{pin['ref']} is not the commit of {action['version']}"
    comment = _VERSION.search(lines[uses.start_mark.line])
    if comment is None or comment["version"] != action["version"]:
        yield uses, "version", f"the comment # {action['version']} is missing"
    yield from _check_inputs(step, uses, action["inputs"])


def _check_inputs(
    step: yaml.MappingNode, uses: yaml.Node, inputs: dict[str, dict[str, Any]]
) -> Iterator[tuple[yaml.Node, str, str]]:
    # GitHub compares the names of inputs without case.
    declared = {name.lower(): about for name, about in inputs.items()}
    given = tree.find(step, ["with"])
    pairs = given.value if isinstance(given, yaml.MappingNode) else []
    names = {key.value.lower(): key for key, _ in pairs}
    for name, key in names.items():
        if name not in declared:
            yield key, "input", f"{uses.value} has no input {key.value}"
        elif "deprecated" in declared[name]:
            yield key, "input", f"{key.value} is deprecated: {declared[name]['deprecated']}"
    for name, about in declared.items():
        if about.get("required") and "default" not in about and name not in names:
            yield uses, "input", f"{uses.value} needs the input {name}"
