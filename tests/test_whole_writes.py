"""Files are written all or none, by one process at a time; an interrupted render is reported."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.terminal import Terminal, fail_to_write
from wfgen.errors import WfgenError
from wfgen.worktree import drift, locking

CHECK = ".github/workflows/wfgen-check.yml"
PIPELINE = ".github/workflows/production.yml"
ROOT = Path(__file__).parents[1]
SIGN = ".wfgen-unfinished"


def stop(how: str, *places: Path) -> dict[str, int]:
    """Stops renders at each point; returns how often each state occurred."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.killing", how, *map(str, places)],
        cwd=ROOT, capture_output=True, text=True, check=False,
        timeout=900,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    states: dict[str, int] = json.loads(ran.stdout or "{}")
    return states


@pytest.mark.parametrize("how", ["kill", "full"])
def test_stopped_at_any_point(how: str, tmp_path: Path) -> None:
    """Killed, or the disk is full: each file is old or new, and the next render finishes."""
    states = stop(how, tmp_path / "repository")
    assert states["old"] > 30
    assert states["mixed"] >= 5, "six files are replaced or removed"
    assert states["new"] > 0


def test_stopped_within_a_file(tmp_path: Path) -> None:
    """Killed or refused by the kernel within the first file."""
    assert stop("size", tmp_path / "repository") == {"old": 20}


@pytest.mark.slow
def test_stopped_at_any_point_of_this_repository(tmp_path: Path) -> None:
    """Hundreds of points: before each call that changes something."""
    states = stop("kill", tmp_path / "repository", ROOT)
    assert sum(states.values()) > 200
    assert states["old"] > 30
    assert states["mixed"] > 30


def test_two_renders_at_once(tmp_path: Path) -> None:
    stop("two", tmp_path / "repository")


@contextmanager
def held(folder: Path, how: int) -> Iterator[None]:
    """Locks the folder as another process would: a lock belongs to the opened file."""
    handle = os.open(folder, os.O_RDONLY)
    fcntl.flock(handle, how)
    yield
    os.close(handle)


def test_waiting_for_another_process_ends(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "PATIENCE", 0.0)
    (terminal.root / CHECK).unlink()
    before = terminal.files()
    with held(terminal.root, fcntl.LOCK_EX):
        for command in ("render", "check"):
            ran = terminal.run(command)
            assert (ran.code, ran.out) == (2, "")
            assert "another wfgen is writing to " in ran.err
    assert terminal.files() == before
    with held(terminal.root, fcntl.LOCK_SH):
        assert terminal.run("render").code == 2, "a reader holds the lock"
        assert terminal.run("check").code == 1, "readers share the lock"
    assert terminal.run("render").code == 0


def test_file_system_without_locks(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*_: object) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", flock)
    (terminal.root / CHECK).unlink()
    assert terminal.run("render").code == 0
    assert terminal.run("check").code == 0


def interrupt_render(terminal: Terminal) -> None:
    """Leaves what a render leaves that is killed after the first of two files."""
    terminal.edit(PIPELINE, "name: production", "name: produce")
    for name in ("production.yml", "wfgen-check.yml"):
        ready = terminal.root / f".github/workflows/.{name}.wfgen-tmp"
        ready.write_bytes((terminal.root / CHECK).read_bytes()[:100])
    (terminal.root / SIGN).touch()


def test_interrupted_render_is_reported(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    interrupt_render(terminal)
    page = tmp_path / "page.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    note = "the last `wfgen render` was stopped before it finished: some files are old, some"
    ran = terminal.run("check")
    assert (ran.code, f"note: {note} are new; to finish, run `wfgen render`\n" in ran.err) == (
        1,
        True,
    )
    assert f"Note: {note}" in page.read_text("utf-8")
    assert json.loads(terminal.run("check", "--format", "json").out)["notes"][0].startswith(note)
    (run,) = json.loads(terminal.run("check", "--format", "sarif").out)["runs"]
    (notification,) = run["invocations"][0]["toolExecutionNotifications"]
    assert (notification["level"], notification["message"]["text"].startswith(note)) == (
        "note",
        True,
    )
    assert terminal.run("check", "--format", "github").out.startswith(f"::notice::{note}")


def test_next_render_removes_temporary_files(terminal: Terminal) -> None:
    before = terminal.files()
    interrupt_render(terminal)
    assert terminal.run("render").code == 0
    assert terminal.files() == before


def test_rendering_some_files_does_not_finish(terminal: Terminal) -> None:
    interrupt_render(terminal)
    assert terminal.run("render", "--only", "watchdog").code == 0
    assert terminal.run("render", "--only", "production").code == 0
    ran = terminal.run("check")
    assert (ran.code, f"note: {SIGN} is left over from a stopped" in ran.err) == (0, True)
    assert terminal.run("render").code == 0
    assert not (terminal.root / SIGN).exists()


def test_temporary_file_is_not_an_orphan(terminal: Terminal) -> None:
    """Though it begins with the header."""
    ready = terminal.root / ".github/workflows/.production.yml.wfgen-tmp"
    ready.write_bytes((terminal.root / PIPELINE).read_bytes())
    assert terminal.run("check").code == 0


def test_interrupt_changes_nothing(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C between two temporary files."""
    for path in (CHECK, PIPELINE):
        (terminal.root / path).unlink()
    before = terminal.files()
    fail_to_write(monkeypatch, 2, KeyboardInterrupt())
    assert terminal.run("render").code == 130
    assert terminal.files() == before


def test_folder_that_cannot_be_read(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """It could contain an orphan."""
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("/cluster-login"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(WfgenError, match="cluster-login: cannot be read: Permission denied"):
        drift.compare(terminal.root, ())
