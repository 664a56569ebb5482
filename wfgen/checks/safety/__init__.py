"""Safety rules that a patch must not break, unless it waives the rule by name with a reason.

To add one, write a module here, add it to `RULES` (a patch may waive it) or `MUSTS` (it may not),
and add a passing and a failing patch to tests/test_safety.py. The module's docstring is its
documentation: title, reason with the address of a page, remedy. Its `check` yields messages.
GitHub's limits, in `wfgen.checks.rules`, apply to patched files as well and cannot be waived;
properties of whole runs are in `wfgen.checks.properties`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, cast

from wfgen.checks import rules
from wfgen.checks.rules._workflow import WorkflowText
from wfgen.checks.safety import (
    environment_lock,
    granted_permissions,
    known_jobs,
    no_expression_in_scripts,
    pull_request_permissions,
    rollback_always,
    secrets_by_name,
    visible_failures,
)
from wfgen.checks.safety._patched import PatchedFile, PatchViolation

__all__ = [
    "CHECKS",
    "MUSTS",
    "REMEDIES",
    "RULES",
    "WAIVABLE",
    "PatchRule",
    "PatchViolation",
    "PatchedFile",
]

_LINE = re.compile("^line [0-9]+ ")


class PatchRule(rules.Documented, Protocol):
    """One module of this package."""

    check: Callable[[PatchedFile], Iterator[str]]


RULES = cast(
    "tuple[PatchRule, ...]",
    (
        environment_lock,
        no_expression_in_scripts,
        pull_request_permissions,
        rollback_always,
        secrets_by_name,
        visible_failures,
    ),
)
MUSTS = cast("tuple[PatchRule, ...]", (granted_permissions, known_jobs))


def _patch_rules(file: PatchedFile) -> Iterator[PatchViolation]:
    for rule in (*RULES, *MUSTS):
        for message in rule.check(file):
            yield PatchViolation(rules.name_of(rule), message)


def _limits(file: PatchedFile) -> Iterator[PatchViolation]:
    workflow = WorkflowText(file.path, file.text, file.others, file.platform)
    for rule in rules.RULES:
        for violation in rule.check(workflow):
            # Patches move lines: a violation is the same one on another line.
            yield PatchViolation(rules.name_of(rule), _LINE.sub("", violation.message))


CHECKS: tuple[Callable[[PatchedFile], Iterable[PatchViolation]], ...] = (_patch_rules, _limits)
"""Everything that a patched file is checked for."""

WAIVABLE = {rules.name_of(rule) for rule in RULES}
"""The names of the rules that a patch may waive."""
_ALL: tuple[rules.Documented, ...] = (*RULES, *MUSTS, *rules.RULES)
REMEDIES = {rules.name_of(rule): rules.remedy_of(rule) for rule in _ALL}
"""What to do, by the name of the rule."""
