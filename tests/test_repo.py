"""This repository: what is committed is what its specs make."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.terminal import Terminal

ROOT = Path(__file__).resolve().parents[1]


def test_committed_files_are_what_the_specs_make(capsys: pytest.CaptureFixture[str]) -> None:
    """The job that every pull request runs. `make render` mends it."""
    ran = Terminal(ROOT, capsys).run("check", "--format", "text")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, ran.out.strip())


def test_release_program_is_copied_whole() -> None:
    """Three lines of header, then the module as it is tested here; and no other module."""
    source = ROOT / "wfgen/release_program"
    copy = ROOT / ".github/actions/release/release_program"
    names = sorted(path.relative_to(source) for path in source.rglob("*.py"))
    assert sorted(path.relative_to(copy) for path in copy.rglob("*.py")) == names
    assert Path("__main__.py") in names
    for name in names:
        header, body = (copy / name).read_text("utf-8").split("\n", 3)[:3], (source / name)
        assert all(line.startswith("# ") for line in header), name
        assert (copy / name).read_text("utf-8") == "\n".join([*header, body.read_text("utf-8")])
