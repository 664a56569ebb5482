"""Show how the releases to an environment ended.

Reads the tags of this clone; to fetch missing ones, run `git fetch --tags`.
"""

from __future__ import annotations

from typing import Annotated

from wfgen.cli.console import chosen_format, echo
from wfgen.cli.declared import Argument, Option
from wfgen.cli.options import Directory, Format, find_root
from wfgen.errors import EXIT_CLEAN
from wfgen.report import history
from wfgen.specs import loading

Environment = Annotated[str, Argument(help="Name of the environment.")]
Limit = Annotated[int, Option("-n", "--limit", min=1, help="Maximum number of releases to show.")]


def run(
    environment: Environment, limit: Limit = 20, directory: Directory = None, format_: Format = None
) -> int:
    as_json = chosen_format(format_) == "json"
    project = loading.load(find_root(directory))
    releases = history.releases_of(project, environment)[:limit]
    echo(history.as_json(releases) if as_json else history.as_text(releases, environment))
    return EXIT_CLEAN
