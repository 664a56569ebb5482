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
    """A command that has ended: its exit code and output."""

    code: int
    out: str
    err: str


class Terminal:
    """Runs commands in a repository."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self._capsys = capsys

    def run(self, *arguments: str) -> Ran:
        """Runs `wfgen <arguments>` for this repository."""
        self._capsys.readouterr()
        here = ["-C", str(self.root)] if arguments and arguments[0] in OF_A_REPOSITORY else []
        with pytest.raises(SystemExit) as ended:
            main([*arguments, *here])
        output = self._capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Ran(ended.value.code, output.out, output.err)

    def edit(self, path: str, before: str, after: str) -> None:
        """Replaces a text of a file, which must contain it."""
        text = (self.root / path).read_text("utf-8")
        assert before in text
        (self.root / path).write_text(text.replace(before, after), "utf-8")

    def files(self) -> dict[str, str]:
        """The files of the repository."""
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
    """Everything below a folder by path: the text of a file, or what else it is."""
    entries = {}
    for path in sorted(root.rglob("*")):
        if path.is_symlink():
            text = f"link to {path.readlink()}"
        elif path.is_file():
            text = path.read_bytes().decode("utf-8", errors="replace")
        else:
            text = "no file"
        entries[path.relative_to(root).as_posix()] = text
    return entries
