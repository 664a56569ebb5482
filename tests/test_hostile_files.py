"""Files in `specs/` that are not text: a clear message, exit code 2, and nothing is written.

Cases that can be written as text are in `cases/bad/`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.terminal import Terminal

SPEC = "specs/hostile.yaml"
Make = Callable[[Path], object]

FILES: dict[str, tuple[Make, str]] = {
    "a folder": (
        lambda path: path.mkdir(),
        f"{SPEC}:1:1: unexpected folder in `specs/` [spec-file]",
    ),
    "a link to itself": (
        lambda path: path.symlink_to(path.name),
        f"{SPEC}:1:1: cannot read the file: Too many levels of symbolic links [spec-file]",
    ),
    "a link to nowhere": (
        lambda path: path.symlink_to("nowhere"),
        f"{SPEC}:1:1: cannot read the file: No such file or directory [spec-file]",
    ),
    "a pipe without a writer": (
        os.mkfifo,
        f"{SPEC}:1:1: not a regular file [spec-file]",
    ),
    "a device": (
        lambda path: path.symlink_to("/dev/zero"),
        f"{SPEC}:1:1: not a regular file [spec-file]",
    ),
    "10 MB of text": (
        lambda path: path.write_bytes(b"kind: server # more\n" * 500_000),
        f"{SPEC}:1:1: file has 10,000,000 bytes; the maximum is 1,000,000 bytes [spec-file]",
    ),
    "a megabyte of brackets": (
        lambda path: path.write_bytes(b"[" * 1_000_000),
        f"{SPEC}:1:52: nested deeper than 50 levels [yaml-depth]",
    ),
    "a megabyte of aliases": (
        lambda path: path.write_bytes(b"a: &a [x]\n" + b"b: [*a, *a, *a, *a]\n" * 40_000),
        f"{SPEC}:1:4: YAML anchors and aliases are not supported [yaml-anchor]",
    ),
    "a megabyte of errors": (
        lambda path: path.write_bytes(b"kind: yes\n" * 90_000),
        f"{SPEC}:1:1: too many errors [too-many]",
    ),
    "an empty file": (
        lambda path: path.write_bytes(b""),
        f"{SPEC}:1:1: the file is empty [empty-spec]",
    ),
    "Latin-1": (
        lambda path: path.write_bytes("kind: server # für alle\n".encode("latin-1")),
        f"{SPEC}:1:1: byte 17 is not valid UTF-8 [spec-file]",
    ),
    "UTF-16": (
        lambda path: path.write_bytes("kind: server\n".encode("utf-16")),
        f"{SPEC}:1:1: byte 1 is not valid UTF-8 [spec-file]",
    ),
    "an image": (
        lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
        f"{SPEC}:1:1: byte 1 is not valid UTF-8 [spec-file]",
    ),
    "a NUL": (
        lambda path: path.write_bytes(b"kind: server\nimage:\0\n"),
        f"{SPEC}:2:1: character `U+0000` is not allowed in YAML [yaml-syntax]",
    ),
    "an escape sequence": (
        lambda path: path.write_bytes(b"kind: \x1b[31mserver\n"),
        f"{SPEC}:1:1: character `U+001B` is not allowed in YAML [yaml-syntax]",
    ),
    "a tab": (
        lambda path: path.write_bytes(b"kind: server\nbuild:\n\tcontext: web\n"),
        f"{SPEC}:3:1: tabs are not allowed for indentation [yaml-tab]",
    ),
    "CR line endings": (
        lambda path: path.write_bytes(b"kind: server\rbuild: {context: web}\rcolour: blue\r"),
        f"{SPEC}:3:1: unknown field `colour` [unknown-field]",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_hostile_file(terminal: Terminal, name: str) -> None:
    make, message = FILES[name]
    make(terminal.root / SPEC)
    before = {path: path.lstat().st_mtime_ns for path in terminal.root.rglob("*")}
    ran = terminal.run("render")
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err.splitlines()
    assert re.search(r"\n\d+ errors?\n$", ran.err)
    assert "Traceback" not in ran.err
    assert "\x1b" not in ran.err
    assert {path: path.lstat().st_mtime_ns for path in terminal.root.rglob("*")} == before


def test_byte_order_mark_and_crlf_are_read(terminal: Terminal) -> None:
    """Some editors write these."""
    path = terminal.root / "specs/web.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert terminal.run("validate").code == 0


def test_file_that_may_not_be_read(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root can read everything, so the test raises the error."""
    real = Path.read_bytes

    def read_bytes(path: Path) -> bytes:
        if path.name == "web.yaml":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    ran = terminal.run("render")
    assert (ran.code, ran.out) == (2, "")
    assert "specs/web.yaml:1:1: cannot read the file: Permission denied [spec-file]" in ran.err


def test_specs_that_are_not_a_folder(terminal: Terminal) -> None:
    (terminal.root / "specs").rename(terminal.root / "other")
    (terminal.root / "specs").write_text("kind: server\n", "utf-8")
    ran = terminal.run("render")
    assert (ran.code, ran.out) == (2, "")
    assert "cannot read the folder `specs`: Not a directory" in ran.err


def test_all_errors_of_all_files_are_reported_at_once(terminal: Terminal) -> None:
    for index, (make, _) in enumerate(FILES.values()):
        make(terminal.root / f"specs/hostile-{index}.yaml")
    ran = terminal.run("check")
    assert ran.code == 2
    reported = {line.split(":")[0] for line in ran.err.splitlines() if line.startswith("specs/")}
    assert reported >= {f"specs/hostile-{index}.yaml" for index in range(len(FILES))}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"\xff", ".github/workflows/_pins.yml: byte 1 is not UTF-8"),
        (b"    uses: a/b@v1\n", "_pins.yml:1: a/b@v1 is not pinned: a tag or branch can move;"),
        (
            b"name: Pins\n",
            "_pins.yml: no actions; restore it, or remove it and run `wfgen render`",
        ),
    ],
)
def test_lock_that_cannot_be_used(terminal: Terminal, text: bytes, message: str) -> None:
    (terminal.root / ".github/workflows/_pins.yml").write_bytes(text)
    before = terminal.files()
    ran = terminal.run("render")
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert terminal.files() == before
