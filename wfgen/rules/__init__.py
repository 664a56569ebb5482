"""What a rendered file must keep to, so that GitHub takes it. `RULES` is the only registry.

A rule is a module: its docstring is its documentation (title, reason, remedy), its `check`
yields what breaks it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, cast

from wfgen.diagnostics import Diagnostic, Position
from wfgen.render import RenderedFile
from wfgen.rules import expression_length, file_size, matrix_size, reusable_workflows

__all__ = ["RULES", "Rule", "verify"]


class Rule(Protocol):
    """One file of this package."""

    __name__: str
    __doc__: str
    check: Callable[[RenderedFile], Iterator[str]]


RULES = cast("tuple[Rule, ...]", (expression_length, file_size, matrix_size, reusable_workflows))


def name_of(rule: Rule) -> str:
    """The rule's name in messages."""
    return rule.__name__.rpartition(".")[2].replace("_", "-")


def verify(files: Iterable[RenderedFile]) -> list[Diagnostic]:
    """What breaks a rule, each named by the specs that caused it."""
    found = []
    for file in files:
        if not file.path.startswith(".github/workflows/"):
            continue
        for rule in RULES:
            for message in rule.check(file):
                spec = file.sources[0] if len(file.sources) == 1 else "specs/project.yaml"
                named = ", ".join(file.sources[:6]) + (", ..." if len(file.sources) > 6 else "")
                found.append(
                    Diagnostic(
                        Position(spec),
                        f"{file.path}, made from {named}: {message}",
                        name_of(rule),
                        rule.__doc__.strip().rpartition("\n\n")[2].replace("\n", " "),
                    )
                )
    return sorted(found)
