"""Log lines, annotations, outputs for later jobs, and the run's summary.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from ..names import PER_ATTEMPT, Variable, tagged

_declared: dict[str, Callable[[str], bool]] = {}
"""The outputs of the running command, each with the test of its values."""


def log(text: str) -> None:
    """Prints a line, unbuffered."""
    print(text, flush=True)


def notice(text: str) -> None:
    """Prints a line that the run's page shows too."""
    _annotate("notice", text)


def warning(text: str) -> None:
    """Prints a line that the run's page shows as a warning."""
    _annotate("warning", text)


def error(text: str) -> None:
    """Prints a line that the run's page shows as an error."""
    _annotate("error", text)


@contextmanager
def group(title: str) -> Iterator[None]:
    """Folds the lines of the log that are printed inside."""
    folds = os.environ.get(Variable.IN_ACTIONS) == "true"
    log(f"::group::{title}" if folds else f"--- {title}")
    try:
        yield
    finally:
        if folds:
            log("::endgroup::")


def declare(outputs: Mapping[str, Callable[[str], bool]]) -> None:
    """Sets the outputs of the running command, each with the test of its values."""
    _declared.clear()
    _declared.update(outputs)


def write_output(name: str, value: str) -> None:
    """Writes an output of the step; prints it if the program was started by hand.

    An output of `PER_ATTEMPT` gets the attempt of the run. Raises `ValueError` if the running
    command does not declare the output, or this value, or if the value is empty.
    """
    if not value or name not in _declared or not _declared[name](value):
        raise ValueError(f"the command does not declare the output {name}={value}")
    if name in PER_ATTEMPT:
        value = tagged(value, run_attempt())
    path = os.environ.get(Variable.OUTPUT)
    if not path:
        log(f"{name}={value}")
        return
    delimiter = f"end-{uuid.uuid4().hex}"
    with open(path, "a", encoding="utf-8") as file:
        file.write(f"{name}<<{delimiter}\n{value}\n{delimiter}\n")


def run_attempt() -> str:
    """The attempt of this run; 1 where the program was started by hand."""
    return os.environ.get(Variable.RUN_ATTEMPT) or "1"


def add_summary(markdown: str) -> None:
    """Adds Markdown to the run's page, if there is one."""
    path = os.environ.get(Variable.STEP_SUMMARY)
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(markdown.rstrip("\n") + "\n\n")


def _annotate(level: str, text: str) -> None:
    if os.environ.get(Variable.IN_ACTIONS) == "true":
        escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        log(f"::{level}::{escaped}")
    else:
        print(f"{level}: {text}", file=sys.stderr, flush=True)
