"""Rendered workflows and actions against GitHub's schemas, as SchemaStore has them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib import resources
from typing import Any

import yaml
from jsonschema import Draft7Validator

from wfgen.errors import WfgenError
from wfgen.findings import Diagnostic, Position
from wfgen.generate.render import RenderedFile
from wfgen.release_program import names


class _Loader(yaml.SafeLoader):
    """YAML without 1.1's other booleans than true and false: `on` is a key."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern) for tag, pattern in resolvers if not tag.endswith(":bool") or first in "tTfF"
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


_SCHEMAS = {names.WORKFLOWS: "github-workflows.json", names.ACTIONS: "github-actions.json"}


def validate_files(files: Iterable[RenderedFile]) -> list[Diagnostic]:
    """What GitHub's schemas say against workflows and actions, sorted.

    Raises `WfgenError` where the schemas are not installed.
    """
    validators = {folder: Draft7Validator(_schema(name)) for folder, name in _SCHEMAS.items()}
    found = []
    for file in files:
        folder = next((each for each in validators if file.path.startswith(f"{each}/")), None)
        if folder is None or not file.path.endswith(".yml"):
            continue
        tree = yaml.load(file.text, Loader=_Loader)  # noqa: S506 - a SafeLoader
        for error in validators[folder].iter_errors(tree):
            route = ".".join(str(part) for part in error.absolute_path)
            message = f"{route}: {error.message}" if route else error.message
            found.append(Diagnostic(Position(file.path), message, "github-schema"))
    return sorted(found)


def _schema(name: str) -> Any:
    try:
        folder = resources.files("check_jsonschema.builtin_schemas.vendor")
    except ModuleNotFoundError as error:
        raise WfgenError(
            "validate --output needs GitHub's schemas: pip install check-jsonschema"
        ) from error
    return json.loads((folder / name).read_text("utf-8"))
