"""List services, pipelines and generated files.

Each generated file has the specs that it is generated from.
"""

from __future__ import annotations

from wfgen.cli.console import chosen_format, echo
from wfgen.cli.options import Directory, Format, find_root
from wfgen.errors import EXIT_CLEAN
from wfgen.report import listing
from wfgen.specs import loading


def run(directory: Directory = None, format_: Format = None) -> int:
    as_json = chosen_format(format_) == "json"
    project = loading.load(find_root(directory))
    echo(listing.as_json(project) if as_json else listing.as_text(project))
    return EXIT_CLEAN
