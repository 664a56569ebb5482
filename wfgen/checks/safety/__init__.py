"""What a patch must not break, unless it waives the rule by name and says why.

A rule is a module, as in `wfgen.checks.rules`: its docstring is its documentation (title, reason,
remedy), its `check` yields what breaks it, in words. `RULES` can be waived; `MUSTS`, and GitHub's
limits, cannot. A patch answers for what is broken with it and was not without it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, cast

from wfgen.checks import rules
from wfgen.checks.rules._workflow import Workflow
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
from wfgen.checks.safety._checked import Broken, Checked

__all__ = ["CHECKS", "MUSTS", "REMEDIES", "RULES", "WAIVABLE", "Broken", "Checked", "Rule"]


_LINE = re.compile("^line [0-9]+ ")


class Rule(rules.Documented, Protocol):
    """One file of this package."""

    check: Callable[[Checked], Iterator[str]]


RULES = cast(
    "tuple[Rule, ...]",
    (
        environment_lock,
        no_expression_in_scripts,
        pull_request_permissions,
        rollback_always,
        secrets_by_name,
        visible_failures,
    ),
)
MUSTS = cast("tuple[Rule, ...]", (granted_permissions, known_jobs))


def _text_rules(checked: Checked) -> Iterator[Broken]:
    for rule in (*RULES, *MUSTS):
        for message in rule.check(checked):
            yield Broken(rules.name_of(rule), message)


def _limits(checked: Checked) -> Iterator[Broken]:
    workflow = Workflow(checked.path, checked.text, checked.others)
    for rule in rules.RULES:
        for broken in rule.check(workflow):
            # Patches move lines: a finding is the same one, wherever it stands.
            yield Broken(rules.name_of(rule), _LINE.sub("", broken.message))


CHECKS: tuple[Callable[[Checked], Iterable[Broken]], ...] = (_text_rules, _limits)
"""All that is asked of a patched file. The properties of `wfgen verify` are one more: a function
that yields `Broken(property, counterexample)`; `checked.others` has all files as they will be."""

WAIVABLE = {rules.name_of(rule) for rule in RULES}
"""The names that a patch may waive; a property's name is one more."""
_ALL: tuple[rules.Documented, ...] = (*RULES, *MUSTS, *rules.RULES)
REMEDIES = {rules.name_of(rule): rules.remedy_of(rule) for rule in _ALL}
"""What to do about each."""
