"""What a job says: lines in the log, annotations, outputs for later jobs, the run's summary.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from ..names import Variable

_declared: dict[str, Callable[[str], bool]] = {}
"""The outputs of the running command; each says whether it can have a value."""


def log(text: str) -> None:
    """A line of the log, shown at once."""
    print(text, flush=True)


def notice(text: str) -> None:
    """A line that stands on the run's page as well."""
    _annotate("notice", text)


def warning(text: str) -> None:
    """A line that stands on the run's page as a warning."""
    _annotate("warning", text)


def error(text: str) -> None:
    """A line that stands on the run's page as an error."""
    _annotate("error", text)


@contextmanager
def group(title: str) -> Iterator[None]:
    """Folds the lines of the log that are written inside."""
    folds = os.environ.get(Variable.IN_ACTIONS) == "true"
    log(f"::group::{title}" if folds else f"--- {title}")
    try:
        yield
    finally:
        if folds:
            log("::endgroup::")


def declare(outputs: Mapping[str, Callable[[str], bool]]) -> None:
    """Sets the outputs that the running command can write, and which values each can have."""
    _declared.clear()
    _declared.update(outputs)


def write_output(name: str, value: str) -> None:
    """Writes an output of the step; prints it where the program was started by hand.

    Raises `ValueError` where the running command does not declare it, or this value.
    """
    if name not in _declared or not _declared[name](value):
        raise ValueError(f"the command does not declare the output {name}={value}")
    path = os.environ.get(Variable.OUTPUT)
    if not path:
        log(f"{name}={value}")
        return
    mark = f"end-{uuid.uuid4().hex}"
    with open(path, "a", encoding="utf-8") as file:
        file.write(f"{name}<<{mark}\n{value}\n{mark}\n")


def add_summary(markdown: str) -> None:
    """Markdown for the run's page; nothing where there is no such page."""
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
