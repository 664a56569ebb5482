"""One module per command, imported when it runs. Its docstring is the command's help, `run` its
function: parameters are options, the result is the exit code.
"""

from __future__ import annotations

import importlib
from types import ModuleType

COMMANDS = {
    "render": "Write every generated file and remove orphans.",
    "check": "Compare the files in the repository with the specs.",
    "validate": "Check the specs; with --output, the generated files as well.",
    "list": "List services, pipelines and generated files.",
    "explain": "Show which template line and spec fields made a line.",
    "history": "Show how the releases to an environment ended.",
    "new": "Write the first files of a new service.",
    "schema": "Print the JSON Schemas of the specs, for editors.",
    "simulate": "Show what the jobs do when some of them fail.",
    "verify": "Check the safety properties in every run of the pipelines.",
    "graph": "Draw a pipeline, and how a run of it ends.",
    "pins update": "Update the lock to the newest releases, or add actions.",
    "pins pull": "Copy into the lock what a bot bumped in generated files only.",
    "pins verify": "Check that each commit is the release that its comment names.",
}
"""Every command with its help in one line, so that a list of them imports none."""
GROUPS = {"pins": "Update, complete and verify the lock of actions."}


def command_named(arguments: list[str]) -> str | None:
    """The command that the first arguments name."""
    for name in COMMANDS:
        if name.split() == arguments[: len(name.split())]:
            return name
    return None


def module_of(command: str) -> ModuleType:
    """The module of a command, imported: most commands import what others do not need."""
    return importlib.import_module(".".join(["wfgen.cli.commands", *command.split()]))
