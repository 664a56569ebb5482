"""Rows of the tables of docs/delivery-setup.md: jobs, secrets, tokens."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wfgen.text.quoting import code


@dataclass(frozen=True)
class Jobs:
    """Jobs of one workflow; `called` are a called workflow and its jobs."""

    workflow: str
    names: tuple[str, ...]
    called: tuple[str, tuple[str, ...]] | None = None

    def __str__(self) -> str:
        text = f"{code(self.workflow)}: {_codes(self.names)}"
        return text if self.called is None else f"{text} ({Jobs(*self.called)})"


@dataclass(frozen=True)
class Secret:
    """A secret to set. `holds` describes its value, in Markdown."""

    name: str
    holds: str
    readers: tuple[Jobs, ...]
    environments: tuple[str, ...] = ()
    """The environments whose jobs read it; empty where it must be a repository secret."""


@dataclass(frozen=True)
class Token:
    """An OIDC token that a job requests. `subject` is its `sub` claim without the repository."""

    subject: str
    readers: tuple[Jobs, ...]
    identity: str
    """The cloud identity that must trust it; empty where none does."""
    unused: str = ""
    """Why none does."""


def merged(secrets: list[Secret]) -> Secret:
    """The rows of one secret as one row."""
    return Secret(
        secrets[0].name,
        "; ".join(dict.fromkeys(secret.holds for secret in secrets)),
        tuple(dict.fromkeys(jobs for secret in secrets for jobs in secret.readers)),
        tuple(dict.fromkeys(name for secret in secrets for name in secret.environments)),
    )


def _codes(texts: Iterable[str]) -> str:
    return ", ".join(code(text) for text in texts)
