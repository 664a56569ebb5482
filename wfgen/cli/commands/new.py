"""Write the first files of a new service.

Its spec, a kustomize base, its entries in the overlays and, where its folder does not exist, a
first program with a Dockerfile. All files are written, or none.
"""

from __future__ import annotations

from typing import Annotated

from wfgen.adopt import scaffold
from wfgen.cli.console import echo
from wfgen.cli.declared import Argument, Option
from wfgen.cli.options import Directory, find_root
from wfgen.errors import EXIT_CLEAN
from wfgen.specs.loading import PROJECT_FILE

Name = Annotated[str, Argument(help="Name of the service.")]
Kind = Annotated[str, Option("--kind", help="client, server, redis or postgres.")]


def run(name: Name, kind: Kind, directory: Directory = None) -> int:
    root = find_root(directory)
    new, changed = scaffold.scaffold(root, name, kind)
    for verb, paths in {"wrote": new, "changed": changed}.items():
        for path in paths:
            echo(f"{verb} {path}")
    if not (root / PROJECT_FILE).is_file():
        echo(f"next: write {PROJECT_FILE} with the project's name, registry and environments")
    echo("next: run `wfgen render`, then commit all files")
    return EXIT_CLEAN
