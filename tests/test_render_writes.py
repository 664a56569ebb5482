"""What `wfgen render` writes and removes, and what it never changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import case
from tests.terminal import Terminal, fail_to_write, files_below

ACTION = ".github/actions/release/action.yml"
CHECK = ".github/workflows/wfgen-check.yml"
GUIDE = "docs/delivery-setup.md"
PIPELINE = ".github/workflows/production.yml"
STRAY = ".github/workflows/old.yml"
WATCHDOG = ".github/workflows/watchdog.yml"


def test_render_fixes_all_drift(terminal: Terminal) -> None:
    terminal.edit(PIPELINE, "name: production", "name: produce")
    terminal.edit("specs/web.yaml", "kind: server", "kind: server\nreplicas: 3")
    (terminal.root / CHECK).unlink()
    (terminal.root / STRAY).write_bytes((terminal.root / WATCHDOG).read_bytes())
    ran = terminal.run("render")
    assert ran.code == 0
    assert f"wrote {PIPELINE}\n" in ran.out
    assert f"removed {STRAY}\n" in ran.out
    assert not (terminal.root / STRAY).exists()
    assert terminal.run("check").code == 0


def test_orphans_can_be_kept(terminal: Terminal) -> None:
    (terminal.root / STRAY).write_bytes((terminal.root / WATCHDOG).read_bytes())
    assert terminal.run("render", "--no-prune").code == 0
    assert terminal.run("render", "--only", "watchdog.yml").code == 0
    assert (terminal.root / STRAY).exists()
    assert terminal.run("check").code == 1


def test_empty_folder_of_an_orphan_is_removed(terminal: Terminal) -> None:
    folder = terminal.root / ".github/actions/old"
    folder.mkdir()
    (folder / "action.yml").write_bytes((terminal.root / ACTION).read_bytes())
    assert terminal.run("render").code == 0
    assert not folder.exists()
    assert folder.parent.exists()


def make_file(path: Path) -> None:
    path.write_text("name: mine\n", "utf-8")


def make_link(path: Path) -> None:
    path.symlink_to("/etc/hostname")


def make_link_to_the_same(path: Path) -> None:
    """To the expected text, outside of the generated files."""
    same = path.parents[3] / "same.yml"
    same.write_text(next(f.text for f in case.rendered(path.parents[2]) if f.path == PIPELINE))
    path.symlink_to(same)


@pytest.mark.parametrize("make", [make_file, make_link, make_link_to_the_same])
def test_other_file_is_overwritten_with_force_only(
    terminal: Terminal, make: Callable[[Path], None]
) -> None:
    (terminal.root / PIPELINE).unlink()
    make(terminal.root / PIPELINE)
    (terminal.root / CHECK).unlink()
    before = terminal.files()
    ran = terminal.run("render")
    assert (ran.code, ran.out) == (2, "")
    assert f"wfgen did not generate {PIPELINE}; move it away" in ran.err
    assert terminal.files() == before, "missing files are not written either"
    assert terminal.run("render", "--force").code == 0
    assert terminal.run("check").code == 0
    assert not (terminal.root / PIPELINE).is_symlink()


def test_folder_in_place_of_a_file_is_kept(terminal: Terminal) -> None:
    (terminal.root / PIPELINE).unlink()
    case.write(terminal.root, {f"{PIPELINE}/precious": "data"})
    (terminal.root / ACTION).unlink()
    before = terminal.files()
    for arguments in (["render"], ["render", "--force"]):
        ran = terminal.run(*arguments)
        assert (ran.code, ran.out) == (2, "")
        assert PIPELINE in ran.err
        assert terminal.files() == before


@pytest.mark.parametrize("path", [".github", "docs"])
def test_file_in_place_of_a_folder(terminal: Terminal, path: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    case.write(out, {path: "a file\n"})
    ran = terminal.run("render", "--out-dir", str(out))
    assert ran.code == 2
    assert "cannot be written: " in ran.err
    assert ran.err.endswith("; nothing was changed\n")
    assert files_below(out) == {path: "a file\n"}


def test_full_disk_changes_nothing(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No space for the tenth file: nine temporary files exist by then, and must be removed."""
    fail_to_write(monkeypatch, 10, OSError(28, "No space left on device"))
    out = tmp_path / "out"
    out.mkdir()
    ran = terminal.run("render", "--out-dir", str(out))
    assert ran.code == 2
    assert "cannot be written: No space left on device; nothing was changed" in ran.err
    assert list(out.iterdir()) == []


def test_link_that_leads_out_of_the_repository(terminal: Terminal, tmp_path: Path) -> None:
    """Such as a committed `docs -> /etc`."""
    (terminal.root / GUIDE).unlink()
    (terminal.root / "docs").rmdir()
    (tmp_path / "elsewhere").mkdir()
    (terminal.root / "docs").symlink_to(tmp_path / "elsewhere")
    ran = terminal.run("render")
    assert ran.code == 2
    assert "docs leads out of the repository by a link" in ran.err
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_file_that_cannot_be_read(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.read_bytes

    def read_bytes(path: Path) -> bytes:
        if path.name == "watchdog.yml":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    ran = terminal.run("check")
    assert (ran.code, ran.out) == (2, "")
    assert "watchdog.yml: cannot be read: Permission denied" in ran.err
