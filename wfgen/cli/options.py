"""Options that several commands have, and the folder that `--directory` leads to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wfgen.cli.console import echo
from wfgen.errors import WfgenError
from wfgen.specs.kustomize import Overlays

if TYPE_CHECKING:
    from wfgen.cli.repository import Repository

Directory = Annotated[
    Path | None,
    typer.Option(
        "-C",
        "--directory",
        help="The repository. By default, the nearest folder with specs, from the current one up.",
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format", help="text, json or github. Default: github under GitHub Actions, else text."
    ),
]
FindingFormat = Annotated[
    str | None,
    typer.Option(
        "--format",
        help="text, json, github or sarif. Default: github under GitHub Actions, else text.",
    ),
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Only print errors.")]
Pipeline = Annotated[
    str, typer.Argument(metavar="WORKFLOW", help="The name of a workflow (production) or its path.")
]


def find_root(directory: Path | None) -> Path:
    """The named folder, or the nearest one with specs, from the current folder up.

    Raises `WfgenError` where the named folder does not exist.
    """
    start = (directory or Path.cwd()).resolve()
    if not start.is_dir():
        raise WfgenError(f"{directory} is not a folder")
    folders = (start, *start.parents) if directory is None else (start,)
    # An application's folder may have another `specs/`: look for project.yaml first.
    for sign in ("specs/project.yaml", "specs"):
        for folder in folders:
            if (folder / sign).exists():
                return folder
    return start


def open_repository(directory: Path | None) -> Repository:
    """The repository with its specs read and its overlays checked; prints the notes on it."""
    root = find_root(directory)
    overlays = Overlays(root).start()
    # Imported while kustomize runs: this takes half of a command's time.
    from wfgen.cli import repository

    try:
        opened = repository.load(root, overlays)
    finally:
        overlays.stop()
    for note in opened.notes:
        echo(f"note: {note}", error=True)
    return opened
