"""Options that several commands have, and the folder that `--directory` leads to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from wfgen.cli import remembered, root
from wfgen.cli.console import echo
from wfgen.cli.declared import Argument, Option
from wfgen.errors import WfgenError
from wfgen.specs.kustomize import Overlays

if TYPE_CHECKING:
    from wfgen.cli.repository import Repository

Directory = Annotated[
    Path | None,
    Option(
        "-C",
        "--directory",
        help="The repository. By default, the nearest folder with specs, from the current one up.",
    ),
]
Format = Annotated[
    str | None,
    Option(
        "--format", help="text, json or github. Default: github under GitHub Actions, else text."
    ),
]
FindingFormat = Annotated[
    str | None,
    Option(
        "--format",
        help="text, json, github or sarif. Default: github under GitHub Actions, else text.",
    ),
]
Quiet = Annotated[bool, Option("-q", "--quiet", help="Only print errors.")]
Pipeline = Annotated[
    str, Argument(metavar="WORKFLOW", help="The name of a workflow (production) or its path.")
]


Verbose = Annotated[
    bool, Option("-v", "--verbose", help="Say whether the answer is from the cache.")
]
NoCache = Annotated[
    bool, Option("--no-cache", help="Do not use, or add to, what earlier runs found.")
]


def find_root(directory: Path | None) -> Path:
    """As `root.find_root`; raises `WfgenError` where the named folder does not exist."""
    try:
        return Path(root.find_root(None if directory is None else str(directory)))
    except NotADirectoryError as error:
        raise WfgenError(f"{directory} is not a folder") from error


def open_repository(directory: Path | None, *, cache: bool = True) -> Repository:
    """The repository with its specs read and its overlays checked; prints the notes on it."""
    folder = find_root(directory)
    overlays = Overlays(folder, remembered.snapshot(str(folder)) if cache else None).start()
    # Imported while kustomize runs: this takes half of a command's time.
    from wfgen.cli import repository

    try:
        opened = repository.load(folder, overlays)
        overlays.remember()
    finally:
        overlays.stop()
    for note in opened.notes:
        echo(f"note: {note}", error=True)
    return opened
