"""Finds phrases of tests/writing.yaml: `python -m tests.writing <path>...` prints them."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
LIST = Path(__file__).with_suffix(".yaml")
LEFT_OUT = re.compile(
    r"tests/writing\.yaml|LICENSE|.*\.(png|lock|sum)|requirements/.*|.*/package-lock\.json"
    r"|\.github/actions/.*|\.github/workflows/(?!ci|publish).*|tests/__snapshots__/.*"
)
"""The list itself, texts of other projects, and what wfgen generates from its sources."""


@dataclass(frozen=True)
class Pattern:
    """A phrase to avoid, a sentence that contains it, and one that does not."""

    regex: re.Pattern[str]
    instead: str
    fails: str
    passes: str


@dataclass(frozen=True)
class Match:
    """A phrase in a file. `line` counts from 1."""

    path: str
    line: int
    phrase: str
    text: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: `{self.phrase}`; use: {self.instead}\n  {self.text}"


@cache
def _list() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(LIST.read_text("utf-8"))
    return read


@cache
def patterns() -> tuple[Pattern, ...]:
    """The committed list. A phrase also matches across a line break."""
    return tuple(
        Pattern(_compiled(entry["pattern"]), entry["instead"], entry["fails"], entry["passes"])
        for entry in _list()["patterns"]
    )


def _compiled(pattern: str) -> re.Pattern[str]:
    # A line break, and the sign of a comment on the next line.
    between = r"(?:[ ]|\n[ ]*(?:\#|//|\*)?[ ]*)"
    return re.compile(rf"(?<![\w`])(?:{pattern.replace(' ', between)})(?!\w)", re.IGNORECASE)


def exceptions() -> list[dict[str, str]]:
    """Lines that may contain a phrase: path, a part of the line, the reason."""
    listed: list[dict[str, str]] = _list()["exceptions"]
    return listed


def files(below: tuple[str, ...] = ()) -> list[Path]:
    """The tracked text files below these paths; all files if none is given."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--", *below],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    return [ROOT / name for name in names if name and not LEFT_OUT.fullmatch(name)]


def matches(paths: list[Path]) -> Iterator[Match]:
    """Every phrase of the list in these files, without the exceptions."""
    for path in paths:
        try:
            text = path.read_text("utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue
        yield from matches_in(text, path.relative_to(ROOT).as_posix())


def matches_in(text: str, path: str) -> Iterator[Match]:
    """The phrases in one text."""
    lines = text.split("\n")
    for pattern in patterns():
        for match in pattern.regex.finditer(text):
            number = text.count("\n", 0, match.start()) + 1
            line = lines[number - 1]
            if not any(entry["path"] == path and entry["text"] in line for entry in exceptions()):
                phrase = " ".join(re.sub(r"\n *(#|//)", " ", match[0]).split())
                yield Match(path, number, phrase, line.strip()[:160], pattern.instead)


def main() -> int:
    """Prints the matches; returns 1 if there are any."""
    count = 0
    for match in matches(files(tuple(sys.argv[1:]))):
        print(match)
        count += 1
    print(f"{count} matches")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
