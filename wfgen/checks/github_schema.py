"""Rendered workflows and actions against GitHub's schemas, as SchemaStore has them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib import resources
from typing import Any

from jsonschema import Draft7Validator

from wfgen.errors import WfgenError
from wfgen.findings import Diagnostic, Position
from wfgen.generate.files import ACTIONS, WORKFLOWS
from wfgen.generate.render import RenderedFile
from wfgen.text.reader import values

_SCHEMAS = {WORKFLOWS: "github-workflows.json", ACTIONS: "github-actions.json"}


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
        tree = values(file.text)
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
