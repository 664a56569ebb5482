"""`wfgen_requirement`: what pip installs for the drift check; only wfgen-cli is accepted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic_core import PydanticCustomError

from wfgen.specs.kinds._model import _BELOW_ROOT, Matching

__all__ = ["Requirement", "path_of"]

# https://packaging.python.org/en/latest/specifications/dependency-specifiers/
_NAME = r"[Ww][Ff][Gg][Ee][Nn][-_.]+[Cc][Ll][Ii](?: ?\[[A-Za-z0-9._, -]+\])?"
_VERSION = r"(?:===?|~=|!=|<=?|>=?) ?[A-Za-z0-9.*+!_-]+"
_RELEASE = rf"{_NAME}(?: ?{_VERSION}(?: ?, ?{_VERSION})*)?"
_URL = rf"(?:{_NAME} ?@ ?)?(?:git\+)?(?:https|ssh)://[!-~]+"
# Without a slash, pip takes a word for the name of a project on PyPI.
_PATH = _BELOW_ROOT + r"(?=\.|[^-].*/)[A-Za-z0-9_.@+/ -]*[A-Za-z0-9_.@+/-]"

_REFUSED = (
    (
        r".*(?:<[A-Za-z][^>]*>|\.\.\.|\b(?:OWNER|HOST|COMMIT)\b)",
        "replace the placeholder with a value",
        "for example, `wfgen-cli==0.1.0`",
    ),
    (
        r"(?i:wfgen)(?: *$| *[\[@=<>~!;])",
        "use `wfgen-cli==<version>`, or `./wfgen` for a folder",
        "the package `wfgen` on PyPI is an unrelated project",
    ),
    (
        r"(?:.*@ ?)?file:|[/\\~]|[A-Za-z]:[/\\]|(?:[^:]*/)?\.\.(?:/|$)",
        "use `wfgen-cli==<version>`, or a path relative to the repository root",
        "pip runs in a checkout of the repository",
    ),
)
"""Frequent mistakes: the pattern at the text's start, what to write, and a hint."""


@dataclass(frozen=True)
class _Requirement(Matching):
    def _match(self, text: str) -> str:
        for pattern, expected, hint in _REFUSED:
            if re.match(pattern, text):
                context = {"noun": self.noun, "expected": expected, "hint": hint}
                raise PydanticCustomError("format", "no", context)
        return super()._match(text)


Requirement = Annotated[
    str,
    _Requirement(
        f"{_RELEASE}|{_URL}|{_PATH}",
        "requirement",
        "use `wfgen-cli==<version>`, a path such as `./tools/wfgen`, or a git URL",
        "for example, `git+https://git.example.com/tools/wfgen@v1`",
    ),
]


def path_of(requirement: str) -> str | None:
    """The path that a requirement names, relative to the repository's root; None for others."""
    return requirement if re.fullmatch(_PATH, requirement) else None
