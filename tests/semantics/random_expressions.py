"""Random expressions over random contexts; some are not valid."""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any

CONTEXTS = ("github", "needs", "inputs", "env")
KEYS = ("result", "outputs", "A", "b-c", "_d", "Key", "null", "true", "name")
WORDS = (
    "", " ", "success", "Failure", "true", "0", "1", "-1", " 12 ", "0x1F", "0o17", "0b11", "-0x1",
    "1e3", ".5", "5.", "1e999", "Infinity", "-Infinity", "NaN", "null", "a,b", "{0}", "{{x}} {1}",
    "}", "\xdf", "SS", "\u0131", "I", "\u0130", "\xe9", "\U0001f600", "\uff5e", "a\nb",
    '[1, "x", null]', '{"A": {"b-c": [1, 2]}}', "[]", "{}", "1.50", "abc", "ABC",
)  # fmt: skip
NUMBERS = (
    "0", "1", "-1", "+2", "1.5", ".25", "-.5", "0xff", "0o7", "1e3", "1e21", "1.5e-7", "0.1",
    "123456789012345678901", "0.000015258789062", "0.00001525878906250", "1e-16", "NaN", "Infinity",
    "-0", "1e400", "0b1",
)  # fmt: skip
OPERATORS = ("==", "!=", "<", "<=", ">", ">=", "&&", "||")
FUNCTIONS = {
    "contains": (2, 2), "startsWith": (2, 2), "endsWith": (2, 2), "format": (1, 4), "join": (1, 2),
    "toJSON": (1, 1), "fromJSON": (1, 1), "case": (3, 5), "success": (0, 0), "failure": (0, 0),
    "always": (0, 0), "cancelled": (0, 0), "TOJSON": (1, 1), "nothing": (0, 2),
}  # fmt: skip
NOISE = tuple("()[].,*!'=&-# \t\n\"\fx1")
TEXT = re.compile(r"'((?:[^']|'')*+)'")


class Generator:
    """Makes pairs of an expression and its contexts; a seed always gives the same ones."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def context(self) -> dict[str, Any]:
        """All contexts, with values of every type."""
        return {name: self._plain(0) for name in CONTEXTS}

    def expression(self) -> str:
        """One in ten has a random character that may make it invalid.

        No text has several escaped quotes: the engine (0.3.61) unescapes only the first one, unlike
        GitHub's runner.
        """
        text = self._expression(0)
        if self.random.random() < 0.1:
            place = self.random.randrange(len(text) + 1)
            text = text[:place] + self._pick(*NOISE) + text[place + self.random.randrange(2) :]
        several = any(literal.count("''") > 1 for literal in TEXT.findall(text))
        return self.expression() if several else text

    def _pick(self, *values: str) -> str:
        return self.random.choice(values)

    def _plain(self, depth: int) -> Any:
        kind = self.random.random()
        if depth < 3 and kind < 0.7 - 0.15 * depth:
            size = self.random.randrange(5)
            if self.random.random() < 0.3:
                return [self._plain(depth + 1) for _ in range(size)]
            return {self._pick(*KEYS): self._plain(depth + 1) for _ in range(size)}
        if kind < 0.9:
            return self._pick(*WORDS)
        return self.random.choice((None, True, False, 0, 1, -3, 1.5, 1e21, 12345.6789))

    def _expression(self, depth: int) -> str:
        kind = self.random.random()
        if depth > 4 or kind < 0.12:
            return self._literal()
        if kind < 0.4:
            return self._access(depth)
        if kind < 0.62:
            space = self._pick(" ", " ", "", "\n")
            left, right = self._expression(depth + 1), self._expression(depth + 1)
            return f"{left}{space}{self._pick(*OPERATORS)}{space}{right}"
        if kind < 0.7:
            return f"({self._expression(depth + 1)})"
        if kind < 0.78:
            return "!" + self._expression(depth + 1)
        return self._call(depth) + (self._index(depth) if self.random.random() < 0.2 else "")

    def _literal(self) -> str:
        if self.random.random() < 0.5:
            return "'" + self._pick(*WORDS, "it's").replace("'", "''") + "'"
        return self._pick(*NUMBERS, "true", "false", "null", "True")

    def _access(self, depth: int) -> str:
        name = self._pick(*CONTEXTS, self._pick("GitHub", "nowhere") if depth == 0 else "needs")
        return name + "".join(self._index(depth) for _ in range(self.random.randrange(4)))

    def _index(self, depth: int) -> str:
        kind = self.random.random()
        if kind < 0.55:
            key = self._pick(*KEYS)
            return "." + self._pick(key, key.upper(), key.lower())
        if kind < 0.75:
            return self._pick(".*", "[*]")
        if kind < 0.9:
            return f"[{self._pick('0', '1', '2.7', '-1', '*', 'null')}]"
        return f"[{self._expression(depth + 2)}]"

    def _call(self, depth: int) -> str:
        name = self._pick(*FUNCTIONS)
        least, most = FUNCTIONS[name]
        count = self.random.randint(least, most)
        if self.random.random() < 0.03:
            count += self.random.choice((-1, 1))
        arguments = [self._expression(depth + 1) for _ in range(count)]
        if name.lower() == "fromjson" and self.random.random() < 0.7:
            arguments[:1] = ["'" + json.dumps(self._plain(1)).replace("'", "''") + "'"]
        if name == "format" and self.random.random() < 0.8:
            arguments[:1] = [self._pick("'{0}'", "'{1}-{0}'", "'{{{0}}}'", "'a{2}'", "'{0:x}{'")]
        return f"{name}({', '.join(arguments)})"
