"""The fast YAML reader: without positions, and with every scalar as a text, `on` and `3` included.

Reads what wfgen or a tool wrote. Where mistakes are reported at their place, `positions` reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

_Texts: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


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
