"""Generated workflows and actions against GitHub's schemas, as check-jsonschema ships them.

https://check-jsonschema.readthedocs.io/en/stable/usage.html
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from wfgen.errors import WfgenError
from wfgen.findings import Diagnostic, Position
from wfgen.generate.render import RenderedFile
from wfgen.release_program import names

RULE = "github-schema"
_SCHEMAS = {names.WORKFLOWS: "vendor.github-workflows", names.ACTIONS: "vendor.github-actions"}


def validate_files(files: Iterable[RenderedFile]) -> list[Diagnostic]:
    """What the schemas refuse in workflows and actions, sorted.

    Raises `WfgenError` where check-jsonschema is not installed.
    """
    if importlib.util.find_spec("check_jsonschema") is None:
        raise WfgenError(
            '--output needs check-jsonschema; to install it, run `pip install "wfgen-cli[schemas]"`'
        )
    yaml_files = [file for file in files if file.path.endswith(".yml")]
    diagnostics: list[Diagnostic] = []
    for folder, schema in _SCHEMAS.items():
        selected = [file for file in yaml_files if file.path.startswith(f"{folder}/")]
        diagnostics += _check(schema, selected) if selected else []
    return sorted(diagnostics)


def _check(schema: str, files: list[RenderedFile]) -> Iterator[Diagnostic]:
    with TemporaryDirectory() as folder:
        for file in files:
            path = Path(folder, file.path)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file.text, "utf-8")
        options = ["--builtin-schema", schema, "--output-format", "json"]
        done = subprocess.run(
            [sys.executable, "-m", "check_jsonschema", *options, *(file.path for file in files)],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    try:
        report = json.loads(done.stdout)
    except json.JSONDecodeError:
        raise WfgenError(f"check-jsonschema failed: {done.stderr.strip()}") from None
    for error in report["errors"]:
        best = error.get("best_deep_match", error)
        route = best["path"].removeprefix("$").removeprefix(".")
        message = f"{route}: {best['message']}" if route else best["message"]
        yield Diagnostic(Position(error["filename"]), message, RULE)
    for error in report.get("parse_errors", ()):
        yield Diagnostic(Position(error["filename"]), error["message"], RULE)
