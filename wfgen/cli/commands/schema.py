"""Print the JSON Schemas of the specs, for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from wfgen.cli.console import echo
from wfgen.cli.declared import Argument, Option
from wfgen.errors import EXIT_CLEAN
from wfgen.specs import schema

Kind = Annotated[str | None, Argument(help="project, or a kind. Default: all.")]
OutDir = Annotated[Path | None, Option("--out-dir", help="Write one file per kind here.")]


def run(kind: Kind = None, out_dir: OutDir = None) -> int:
    echo(schema.export(kind, out_dir))
    return EXIT_CLEAN
