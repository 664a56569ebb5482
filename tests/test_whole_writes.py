"""Files are written all or none, by one process at a time, and what was left halfway is known."""

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
    """Stops renders at each point, and returns how often which state was found."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.killing", how, *map(str, places)],
        cwd=ROOT, capture_output=True, text=True, check=False,
        timeout=900,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    found: dict[str, int] = json.loads(ran.stdout or "{}")
    return found


@pytest.mark.parametrize("how", ["kill", "full"])
def test_stopped_at_any_point(how: str, tmp_path: Path) -> None:
    """Killed, or the disk is full: each file is old or new, and a later render mends the set."""
    found = stop(how, tmp_path / "repository")
    assert found["old"] > 30
    assert found["mixed"] >= 5, "six files are replaced or removed one after another"
    assert found["new"] > 0


def test_stopped_within_a_file(tmp_path: Path) -> None:
    """Killed or refused by the kernel after some bytes of the first file."""
    assert stop("size", tmp_path / "repository") == {"old": 20}


@pytest.mark.slow
def test_stopped_at_any_point_of_this_repository(tmp_path: Path) -> None:
    """Hundreds of points: before each call that changes something."""
    found = stop("kill", tmp_path / "repository", ROOT)
    assert sum(found.values()) > 200
    assert found["old"] > 30
    assert found["mixed"] > 30


def test_two_renders_at_once(tmp_path: Path) -> None:
    stop("two", tmp_path / "repository")


@contextmanager
def held(folder: Path, how: int) -> Iterator[None]:
    """As another process holds the folder: a lock belongs to the opened file."""
    handle = os.open(folder, os.O_RDONLY)
    fcntl.flock(handle, how)
    yield
    os.close(handle)


def test_nobody_waits_for_ever(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
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
        assert terminal.run("render").code == 2, "somebody reads"
        assert terminal.run("check").code == 1, "readers do not disturb one another"
    assert terminal.run("render").code == 0


def test_file_system_without_locks(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*_: object) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", flock)
    (terminal.root / CHECK).unlink()
    assert terminal.run("render").code == 0
    assert terminal.run("check").code == 0


def leave_halfway(terminal: Terminal) -> None:
    """What a render leaves that was killed after its first file of two."""
    terminal.edit(PIPELINE, "name: production", "name: produce")
    for name in ("production.yml", "wfgen-check.yml"):
        ready = terminal.root / f".github/workflows/.{name}.abc.wfgen-tmp"
        ready.write_bytes((terminal.root / CHECK).read_bytes()[:100])
    (terminal.root / SIGN).touch()


def test_set_that_is_half_written_is_told(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    leave_halfway(terminal)
    page = tmp_path / "page.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    said = "the last `wfgen render` was stopped before it finished: some files are old, some"
    ran = terminal.run("check")
    assert (ran.code, f"note: {said} are new; to finish, run `wfgen render`\n" in ran.err) == (
        1,
        True,
    )
    assert f"Note: {said}" in page.read_text("utf-8")
    assert json.loads(terminal.run("check", "--format", "json").out)["notes"][0].startswith(said)
    (run,) = json.loads(terminal.run("check", "--format", "sarif").out)["runs"]
    (told,) = run["invocations"][0]["toolExecutionNotifications"]
    assert (told["level"], told["message"]["text"].startswith(said)) == ("note", True)
    assert terminal.run("check", "--format", "github").out.startswith(f"::notice::{said}")


def test_next_render_tidies_up(terminal: Terminal) -> None:
    before = terminal.files()
    leave_halfway(terminal)
    assert terminal.run("render").code == 0
    assert terminal.files() == before


def test_rendering_some_files_finishes_nothing(terminal: Terminal) -> None:
    leave_halfway(terminal)
    assert terminal.run("render", "--only", "watchdog").code == 0
    assert terminal.run("render", "--only", "production").code == 0
    ran = terminal.run("check")
    assert (ran.code, f"note: {SIGN} is left over from a stopped" in ran.err) == (0, True)
    assert terminal.run("render").code == 0
    assert not (terminal.root / SIGN).exists()


def test_what_lies_ready_is_no_orphan(terminal: Terminal) -> None:
    """Though it begins as a file of ours does."""
    ready = terminal.root / ".github/workflows/.production.yml.abc.wfgen-tmp"
    ready.write_bytes((terminal.root / PIPELINE).read_bytes())
    assert terminal.run("check").code == 0


def test_interrupt_leaves_nothing(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C between two temporary files."""
    for path in (CHECK, PIPELINE):
        (terminal.root / path).unlink()
    before = terminal.files()
    fail_to_write(monkeypatch, 2, KeyboardInterrupt())
    assert terminal.run("render").code == 130
    assert terminal.files() == before


def test_folder_that_cannot_be_looked_into(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An orphan could be in it."""
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("/cluster-login"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(WfgenError, match="cluster-login: cannot be read: Permission denied"):
        drift.compare(terminal.root, ())
