"""wfgen's command line, run in the tests' own process."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from wfgen.cli.app import main

OF_A_REPOSITORY = (
    "render", "check", "validate", "list", "explain", "history", "new", "pins",
)  # fmt: skip


@dataclass(frozen=True)
class Ran:
    """A command that has ended: its exit code, and what it said."""

    code: int
    out: str
    err: str


class Terminal:
    """Runs commands in a repository."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self._capsys = capsys

    def run(self, *arguments: str) -> Ran:
        """Runs `wfgen <arguments>`, and where the command knows a repository, for this one."""
        self._capsys.readouterr()
        here = ["-C", str(self.root)] if arguments and arguments[0] in OF_A_REPOSITORY else []
        with pytest.raises(SystemExit) as ended:
            main([*arguments, *here])
        said = self._capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Ran(ended.value.code, said.out, said.err)

    def edit(self, path: str, before: str, after: str) -> None:
        """Replaces a text that a file is known to have."""
        text = (self.root / path).read_text("utf-8")
        assert before in text
        (self.root / path).write_text(text.replace(before, after), "utf-8")

    def files(self) -> dict[str, str]:
        """What lies in the repository."""
        return files_below(self.root)


def fail_to_write(monkeypatch: pytest.MonkeyPatch, number: int, error: BaseException) -> None:
    """Lets the file of this number that is created exclusively, from 1, raise an error."""
    real, numbers = Path.open, itertools.count(1)

    def fail(path: Path, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        if mode == "xb" and next(numbers) == number:
            raise error
        return real(path, mode, *arguments, **options)

    monkeypatch.setattr(Path, "open", fail)


def files_below(root: Path) -> dict[str, str]:
    """What lies below a folder, by path: a file's text, or what a path is instead."""
    found = {}
    for path in sorted(root.rglob("*")):
        if path.is_symlink():
            text = f"link to {path.readlink()}"
        elif path.is_file():
            text = path.read_bytes().decode("utf-8", errors="replace")
        else:
            text = "no file"
        found[path.relative_to(root).as_posix()] = text
    return found
