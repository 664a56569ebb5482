"""SchemaStore's schemas of workflows and actions, from the package check-jsonschema."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources

import jsonschema
import yaml

from tests.judges import tree
from tests.judges.findings import Finding, Sample

_VENDORED = "builtin_schemas/vendor"


def check(sample: Sample) -> list[Finding]:
    """Where files violate the schema of workflows or actions."""
    schemas = [
        *((file, "github-workflows.json") for file in sample.workflows),
        *((file, "github-actions.json") for file in sample.actions),
    ]
    return [finding for file, schema in schemas for finding in _check(sample, file, schema)]


def _check(sample: Sample, file: str, schema: str) -> list[Finding]:
    text = sample.read(file)
    try:
        document, nodes = tree.load(text), tree.compose(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return [Finding(file, line, column, "schema", "yaml", str(error.problem))]
    best = jsonschema.exceptions.best_match(validator(schema).iter_errors(document))
    if best is None:
        return []
    line, column = tree.position(tree.find(nodes, best.absolute_path))
    # Some messages contain the whole instance.
    return [Finding(file, line, column, "schema", str(best.validator), best.message[:200])]


@cache
def validator(name: str) -> jsonschema.protocols.Validator:
    """The validator of one of check-jsonschema's schemas."""
    package = resources.files("check_jsonschema")
    schema = json.loads((package / _VENDORED / name).read_text(encoding="utf-8"))
    return jsonschema.validators.validator_for(schema)(schema)
