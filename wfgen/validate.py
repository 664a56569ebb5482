"""Rendered workflows against GitHub's schema, as SchemaStore has it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib import resources
from typing import Any

import yaml
from jsonschema import Draft7Validator

from wfgen.diagnostics import Diagnostic, Position
from wfgen.errors import WfgenError
from wfgen.render import RenderedFile


class _Loader(yaml.SafeLoader):
    """YAML without 1.1's other booleans than true and false: `on` is a key."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern) for tag, pattern in resolvers if not tag.endswith(":bool") or first in "tTfF"
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def validate_files(files: Iterable[RenderedFile]) -> list[Diagnostic]:
    """What the schema says against the workflows. Raises `WfgenError` where no schema is installed."""
    validator = Draft7Validator(_schema())
    found = []
    for file in files:
        if not file.path.startswith(".github/workflows/"):
            continue
        tree = yaml.load(file.text, Loader=_Loader)  # noqa: S506 - a SafeLoader
        for error in validator.iter_errors(tree):
            route = ".".join(str(part) for part in error.absolute_path)
            found.append(
                Diagnostic(Position(file.path), f"{route}: {error.message}", "github-schema")
            )
    return sorted(found)


def _schema() -> Any:
    try:
        folder = resources.files("check_jsonschema.builtin_schemas.vendor")
    except ModuleNotFoundError as error:
        raise WfgenError(
            "validate --output needs GitHub's schema: pip install 'wfgen[validate]'"
        ) from error
    return json.loads((folder / "github-workflows.json").read_text("utf-8"))
