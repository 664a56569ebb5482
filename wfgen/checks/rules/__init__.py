"""Limits that a rendered workflow must keep so that GitHub accepts and runs it.

To add a rule, write a module here, add it to `RULES`, and add a passing and a failing workflow to
tests/test_rules.py. The module's docstring is its documentation: title, reason with the address of
a page, remedy. Its `check` yields violations. Rules that only patches can break are in
`wfgen.checks.safety`, properties of all runs in `wfgen.checks.properties`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, cast

import yaml

from wfgen.checks.rules import (
    enterprise_server,
    expression_length,
    file_size,
    job_count,
    locked_actions,
    login_lifetime,
    matrix_size,
    reusable_workflows,
    variable_size,
)
from wfgen.checks.rules._workflow import Violation, WorkflowText
from wfgen.findings import Diagnostic, Position
from wfgen.generate.render import RenderedFile
from wfgen.release_program import names

__all__ = ["RULES", "Documented", "Rule", "name_of", "remedy_of", "verify"]

_FEW = 6
"""Specs that a message names."""


class Documented(Protocol):
    """A module whose docstring documents what it checks."""

    __name__: str
    __doc__: str


class Rule(Documented, Protocol):
    """One module of this package."""

    check: Callable[[WorkflowText], Iterator[Violation]]


RULES = cast(
    "tuple[Rule, ...]",
    (
        enterprise_server,
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
    """The rule's id in findings: `file-size`."""
    return rule.__name__.rpartition(".")[2].replace("_", "-")


def remedy_of(rule: Documented) -> str:
    """What to do: the last paragraph of the documentation."""
    return rule.__doc__.strip().rpartition("\n\n")[2].replace("\n", " ")


def verify(files: Iterable[RenderedFile], platform: str = "github.com") -> list[Diagnostic]:
    """The findings in workflows and actions, each at the spec that caused it, sorted."""
    files = tuple(files)
    texts = {file.path: file.text for file in files}
    findings = []
    for file in files:
        if file.path.startswith(".github/") and file.path.endswith(".yml"):
            workflow = WorkflowText(file.path, file.text, texts, platform)
            try:
                for rule in RULES:
                    for violation in rule.check(workflow):
                        hint = remedy_of(rule)
                        findings.append(_diagnostic(file, violation, name_of(rule), hint))
            except yaml.YAMLError as error:
                violation = Violation(f"not YAML: {' '.join(str(error).split())}")
                findings.append(_diagnostic(file, violation, "template", "correct the template"))
    return sorted(findings)


def _diagnostic(file: RenderedFile, violation: Violation, name: str, hint: str) -> Diagnostic:
    cause = _cause(file, violation.job)
    place = file.path if cause else f"{file.path}, made from {_named(file.sources)}"
    position = Position(cause or "specs/project.yaml")
    return Diagnostic(position, f"{place}: {violation.message}", name, hint)


def _cause(file: RenderedFile, job: str) -> str:
    """The spec that a job is made from; "" where it is made from several."""
    path = f"specs/{names.built_service(job)}.yaml"
    return path if path in file.sources else ""


def _named(sources: tuple[str, ...]) -> str:
    more = len(sources) - _FEW
    return ", ".join(sources[:_FEW]) + (f" and {more:,} more" if more > 0 else "")
