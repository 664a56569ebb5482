"""Checks that actions of others are pinned, known, and called with their declared inputs."""

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
    """Version, commit, inputs and outputs by action.

    actions.json was read in November 2026 from the repositories of the actions: the newest release
    tag that could be verified, the commit that it peels to, and `action.yml` at that commit.
    """
    text = (HERE / "actions.json").read_text(encoding="utf-8")
    known: dict[str, Any] = json.loads(text)
    return known


def check(sample: Sample) -> list[Finding]:
    """Checks each `uses:` of another repository, and its `with:` keys, against actions.json."""
    findings = []
    for file in sample.files:
        text = sample.read(file)
        try:
            document = tree.compose(text)
        except yaml.YAMLError:
            continue  # a finding of `schema`
        lines = text.splitlines()
        for step in _with_uses(document):
            for node, rule, message in _check_step(step, lines):
                line, column = tree.position(node)
                findings.append(Finding(file, line, column, "pinned actions", rule, message))
    return findings


def _with_uses(node: yaml.Node) -> Iterator[yaml.MappingNode]:
    """Each mapping with a text at `uses`: steps, and jobs that call a workflow."""
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
        yield uses, "unknown", f"{uses.value} is not in actions.json"
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
    # GitHub ignores the case of input names.
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
