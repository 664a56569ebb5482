"""The fast YAML reader: plain values of texts that wfgen or a tool wrote, without positions.

`on` and `yes` are texts, as in YAML 1.2. Where a user's mistakes are reported, `positions` reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import yaml

_Texts: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_Safe: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Values(_Safe):  # type: ignore[misc]
    """Of YAML 1.1's plain values, true and false alone are booleans, and none is a date."""

    yaml_implicit_resolvers: ClassVar = {
        first: [
            (tag, pattern)
            for tag, pattern in resolvers
            if not tag.endswith(":timestamp") and (not tag.endswith(":bool") or first in "tTfF")
        ]
        for first, resolvers in _Safe.yaml_implicit_resolvers.items()
    }


def values(text: str) -> Any:
    """The values of a document. Raises `yaml.YAMLError`."""
    return yaml.load(text, Loader=_Values)  # noqa: S506 - a safe loader


def texts(text: str) -> Any:
    """The document with every scalar as a text. Raises `yaml.YAMLError`."""
    return yaml.load(text, Loader=_Texts)  # noqa: S506 - builds only texts


def all_texts(text: str | bytes) -> list[Any]:
    """Every document of a text, as `texts` reads it."""
    return list(yaml.load_all(text, Loader=_Texts))


def scalars_of(text: str) -> Iterator[str]:
    """Every scalar of a document as a text, keys included. Raises `yaml.YAMLError`."""
    for event in yaml.parse(text, Loader=_Texts):
        if isinstance(event, yaml.ScalarEvent):
            yield event.value
