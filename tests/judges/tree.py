"""Reads YAML as GitHub does, with positions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml


class _Loader(yaml.CSafeLoader):
    """Reads `on`, `yes` etc. as text, as YAML 1.2 does; only true and false are booleans."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag != "tag:yaml.org,2002:bool" or first in "tTfF"
    ]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def load(text: str) -> Any:
    """The document as plain values. Raises yaml.YAMLError."""
    return yaml.load(text, _Loader)  # noqa: S506  (a safe loader)


def compose(text: str) -> yaml.Node:
    """The document as nodes with positions. Raises yaml.YAMLError."""
    return yaml.compose(text, _Loader) or yaml.ScalarNode("tag:yaml.org,2002:null", "")


def find(node: yaml.Node, path: Iterable[str | int]) -> yaml.Node | None:
    """The node at the end of a path of keys and indices, or None."""
    for part in path:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
        elif isinstance(node, yaml.MappingNode):
            values = [value for key, value in node.value if key.value == part]
            if not values:
                return None
            node = values[0]
        else:
            return None
    return node


def position(node: yaml.Node | None) -> tuple[int, int]:
    """Line and column of a node, from 1; (1, 1) if there is none."""
    if node is None or node.start_mark is None:
        return 1, 1
    return node.start_mark.line + 1, node.start_mark.column + 1
