"""YAML as GitHub reads it: `on` is a string, and every key has its line.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#about-yaml-syntax-for-workflows
"""

from __future__ import annotations

from typing import Any

import yaml

from wfgen.text import scalars
from wfgen.text.positions import compose


class Located(dict[str, Any]):
    """A mapping, with the line (from 1) of each key in `lines`."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, int] = {}


class YamlError(Exception):
    """YAML that GitHub does not accept; `line` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line, self.message = line, message


def load(text: str) -> Any:
    """Plain values: mappings are `Located`. Raises `YamlError`."""
    try:
        return _value(compose(text))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlError(mark.line + 1 if mark else 1, f"not YAML: {error.problem}") from error
    except yaml.reader.ReaderError as error:
        raise YamlError(1, f"not YAML: {error}") from error
    except RecursionError as error:
        raise YamlError(1, "nested too deeply, or an alias inside its own anchor") from error


def _value(node: Any) -> Any:
    if isinstance(node, yaml.ScalarNode):
        # A block or a quoted scalar is always a string.
        return node.value if node.style else scalars.read(node.value)[0]
    if isinstance(node, yaml.SequenceNode):
        return [_value(item) for item in node.value]
    mapping = Located()
    for key, value in node.value if node else ():
        line = key.start_mark.line + 1
        name = str(key.value)
        if name in mapping:
            raise YamlError(line, f"duplicate key `{name}`")
        mapping[name] = _value(value)
        mapping.lines[name] = line
    return mapping


def text(value: Any) -> str:
    """A plain value as text; "" for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
