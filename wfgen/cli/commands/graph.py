"""Draw a pipeline, and how a run of it ends.

GitHub shows Mermaid in Markdown: put it into a code block of the language mermaid.
"""

from __future__ import annotations

from typing import Annotated

from wfgen.checks.scenarios import picture
from wfgen.checks.scenarios.scenario import read_options, simulate
from wfgen.cli.commands._workflow import open_workflow
from wfgen.cli.console import echo
from wfgen.cli.declared import Option
from wfgen.cli.options import Directory, Pipeline, find_root
from wfgen.errors import EXIT_CLEAN, WfgenError

Scenario = Annotated[
    str | None,
    Option("--scenario", help='Colour it by a run: options of simulate, such as "--fail X".'),
]
Form = Annotated[str, Option("--as", help="mermaid, dot or svg.")]


def run(
    pipeline: Pipeline,
    scenario: Scenario = None,
    form: Form = "mermaid",
    directory: Directory = None,
) -> int:
    if form not in picture.FORMS:
        raise WfgenError(f"--as {form}: expected mermaid, dot or svg")
    opened = open_workflow(find_root(directory), pipeline)
    story = simulate(opened, read_options(opened, scenario)) if scenario is not None else None
    echo(picture.draw(picture.drawing(opened.workflow, story), form))
    return EXIT_CLEAN
