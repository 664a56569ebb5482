"""What a rendered workflow must keep to, so that GitHub takes it. `RULES` is the only registry.

A rule is a module: its docstring is its documentation (title, reason, remedy), its `check`
yields what breaks it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, cast

import yaml

from wfgen.checks.rules import (
    expression_length,
    file_size,
    job_count,
    locked_actions,
    login_lifetime,
    matrix_size,
    reusable_workflows,
    variable_size,
)
from wfgen.checks.rules._workflow import Broken, Workflow
from wfgen.findings import Diagnostic, Position
from wfgen.generate.render import RenderedFile
from wfgen.release_program import names

__all__ = ["RULES", "Documented", "Rule", "name_of", "remedy_of", "verify"]

_FEW = 6
"""As many specs are named in a message."""


class Documented(Protocol):
    """A module whose docstring is the documentation of what it checks."""

    __name__: str
    __doc__: str


class Rule(Documented, Protocol):
    """One file of this package."""

    check: Callable[[Workflow], Iterator[Broken]]


RULES = cast(
    "tuple[Rule, ...]",
    (
        expression_length,
        file_size,
        job_count,
        locked_actions,
        login_lifetime,
        matrix_size,
        reusable_workflows,
        variable_size,
    ),
)


def name_of(rule: Documented) -> str:
    """The rule's name in messages."""
    return rule.__name__.rpartition(".")[2].replace("_", "-")


def remedy_of(rule: Documented) -> str:
    """The last paragraph of its documentation: what to do."""
    return rule.__doc__.strip().rpartition("\n\n")[2].replace("\n", " ")


def verify(files: Iterable[RenderedFile]) -> list[Diagnostic]:
    """What breaks a rule, each at the spec that caused it, sorted."""
    files = tuple(files)
    texts = {file.path: file.text for file in files}
    found = []
    for file in files:
        if file.path.startswith(".github/") and file.path.endswith(".yml"):
            workflow = Workflow(file.path, file.text, texts)
            try:
                for rule in RULES:
                    for broken in rule.check(workflow):
                        hint = remedy_of(rule)
                        found.append(_diagnostic(file, broken, name_of(rule), hint))
            except yaml.YAMLError as error:
                broken = Broken(f"no YAML: {' '.join(str(error).split())}")
                found.append(_diagnostic(file, broken, "template", "mend the template"))
    return sorted(found)


def _diagnostic(file: RenderedFile, broken: Broken, name: str, hint: str) -> Diagnostic:
    cause = _cause(file, broken.job)
    place = file.path if cause else f"{file.path}, made from {_named(file.sources)}"
    position = Position(cause or "specs/project.yaml")
    return Diagnostic(position, f"{place}: {broken.message}", name, hint)


def _cause(file: RenderedFile, job: str) -> str:
    """The spec that a job is made from; "" where it is made from all of them."""
    path = f"specs/{names.built_service(job)}.yaml"
    return path if path in file.sources else ""


def _named(sources: tuple[str, ...]) -> str:
    more = len(sources) - _FEW
    return ", ".join(sources[:_FEW]) + (f" and {more:,} more" if more > 0 else "")
