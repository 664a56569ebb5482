"""The rules of GitHub Actions that this package follows, each with its page and its witnesses."""

from __future__ import annotations

from dataclasses import dataclass

DOCS = "https://docs.github.com/en/actions/"


@dataclass(frozen=True)
class Rule:
    """One rule, in a sentence."""

    name: str
    """How the code refers to it."""
    text: str
    page: str
    """The address of the page that says so."""
    witnesses: tuple[str, ...] = ()
    """Which program agrees in the tests: "engine" (GitHub's own expression engine), "act". Where
    there is none, the documentation alone vouches for it."""


TABLE: tuple[Rule, ...] = ()
