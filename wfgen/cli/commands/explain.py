"""Show which template line and spec fields made a line.

With the conditions and loops around it, and the patches that changed it.
"""

from __future__ import annotations

from typing import Annotated

from wfgen.cli.console import chosen_format, echo
from wfgen.cli.declared import Argument
from wfgen.cli.options import Directory, Format, find_root
from wfgen.errors import EXIT_CLEAN
from wfgen.explain import explanation, lines
from wfgen.specs import loading

Place = Annotated[str, Argument(metavar="FILE:LINE", help="A line of a generated file.")]


def run(place: Place, directory: Directory = None, format_: Format = None) -> int:
    as_json = chosen_format(format_) == "json"
    explained = lines.explain(loading.load(find_root(directory)), place)
    echo(explanation.as_json(explained) if as_json else explanation.as_text(explained))
    return EXIT_CLEAN
