"""What `wfgen check` and `wfgen render` do with each state of a generated file.

Only `--force` overwrites or removes a file without wfgen's header, or an edited file that no spec
generates.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import case
from tests.terminal import Terminal
from wfgen.errors import WfgenError
from wfgen.locks.pins import LOCK
from wfgen.release_program.names import PROGRAM
from wfgen.worktree.causes import Cause
from wfgen.worktree.drift import compare, write

CHECK = ".github/workflows/wfgen-check.yml"
DESCRIPTION = ".github/actions/release/production.json"
GUIDE = "docs/delivery-setup.md"
MODULE = ".github/actions/release/release_program/hosting/needs.py"
PIPELINE = ".github/workflows/production.yml"
STRAY = ".github/workflows/old.yml"
WATCHDOG = ".github/workflows/watchdog.yml"

Change = Callable[[str], str]


def causes(root: Path) -> dict[str, Cause]:
    return {drift.path: drift.cause for drift in compare(root, case.rendered(root))}


def without(*lines: int) -> Change:
    """Removes lines of a text, by number from 1."""

    def cut(text: str) -> str:
        kept = enumerate(text.split("\n"), 1)
        return "\n".join(line for number, line in kept if number not in lines)

    return cut


def conflict(text: str, line: int, other: str) -> str:
    """The conflict markers of git at a line that two branches changed."""
    lines = text.split("\n")
    ours = lines[line - 1]
    lines[line - 1 : line] = ["<<<<<<< HEAD", ours, "=======", other, ">>>>>>> feature"]
    return "\n".join(lines)


STATES: dict[str, tuple[str, Change, Cause]] = {
    "a licence above the header": (
        CHECK, lambda text: f"# Copyright Acme\n#\n{text}", Cause.EDITED,
    ),
    "its first line edited": (
        CHECK, lambda text: text.replace(": do not edit", ""), Cause.EDITED,
    ),
    "its sources edited": (
        CHECK, lambda text: text.replace("specs/project.yaml:", "specs/web.yaml:"), Cause.EDITED,
    ),
    "no first line": (CHECK, without(1), Cause.EDITED),
    "no first two lines": (CHECK, without(1, 2), Cause.EDITED),
    "no digests": (CHECK, without(3), Cause.EDITED),
    "no digests, and edited": (
        CHECK, lambda text: without(3)(text).replace("name: ", "name: my "), Cause.EDITED,
    ),
    "no header": (CHECK, without(1, 2, 3), Cause.EDITED),
    "no header, and edited": (
        CHECK, lambda text: without(1, 2, 3)(text).replace("name: ", "name: my "), Cause.FOREIGN,
    ),
    "a half": (CHECK, lambda text: text[: len(text) // 2], Cause.EDITED),
    "nothing": (CHECK, lambda _: "", Cause.FOREIGN),
    "formatted JSON": (
        DESCRIPTION, lambda text: json.dumps(json.loads(text), indent=4), Cause.EDITED,
    ),
    "a byte order mark": (MODULE, lambda text: f"\ufeff{text}", Cause.EDITED),
    "a conflict in its digests": (
        CHECK, lambda text: conflict(text, 3, text.split("\n")[2][:-1] + "0"), Cause.CONFLICT,
    ),
    "a conflict in its body": (
        PIPELINE, lambda text: conflict(text, 9, "  push: {}"), Cause.CONFLICT,
    ),
    "a conflict about all of it": (
        GUIDE, lambda text: f"<<<<<<< HEAD\n{text}=======\n{text}x\n>>>>>>> feature\n",
        Cause.CONFLICT,
    ),
}  # fmt: skip


@pytest.mark.parametrize("state", STATES)
def test_state_of_a_generated_file(terminal: Terminal, state: str) -> None:
    path, change, cause = STATES[state]
    file = terminal.root / path
    wanted = file.read_text("utf-8")
    file.write_text(change(wanted), "utf-8")
    assert causes(terminal.root) == {path: cause}
    ran = terminal.run("check")
    remedy = "wfgen render --force" if cause is Cause.FOREIGN else "wfgen render"
    assert (ran.code, ran.out.splitlines()[0]) == (
        1,
        f"{path}: {cause.value}; to fix, run `{remedy}`",
    )
    if cause is Cause.FOREIGN:
        ran = terminal.run("render")
        assert (ran.code, file.read_text("utf-8")) == (2, change(wanted))
    assert terminal.run(*remedy.split()[1:]).code == 0
    assert file.read_bytes().decode() == wanted


def test_no_other_file_is_overwritten(terminal: Terminal) -> None:
    """At each path that wfgen writes to, except for the lock."""
    wanted = tuple(file for file in case.rendered(terminal.root) if file.path != LOCK)
    assert len(wanted) > 40
    for file in wanted:
        path = terminal.root / file.path
        path.write_text("mine\n", "utf-8")
        drifts = compare(terminal.root, wanted)
        assert [(drift.path, drift.cause) for drift in drifts] == [(file.path, Cause.FOREIGN)]
        with pytest.raises(WfgenError, match="wfgen did not generate"):
            write(terminal.root, drifts)
        assert path.read_text("utf-8") == "mine\n"
        write(terminal.root, drifts, force=True)
        assert path.read_text("utf-8") == file.text


def test_force_changes_no_other_file(terminal: Terminal) -> None:
    mine = {
        ".github/workflows/ci.yml": "name: CI\n",
        ".github/actions/release/notes.md": "# Notes\n",
        "docs/other.md": "# Other\n",
    }
    case.write(terminal.root, mine)
    (terminal.root / PIPELINE).unlink()
    assert terminal.run("render", "--force").code == 0
    files = terminal.files()
    assert {path: files[path] for path in mine} == mine


# Files that no spec generates


def test_renamed_file_is_generated_again_under_its_name(terminal: Terminal) -> None:
    (terminal.root / PIPELINE).rename(terminal.root / STRAY)
    assert causes(terminal.root) == {PIPELINE: Cause.MISSING, STRAY: Cause.ORPHAN}
    ran = terminal.run("render")
    assert (ran.code, causes(terminal.root)) == (0, {})
    assert f"removed {STRAY}\n" in ran.out


@pytest.mark.parametrize("kind", ["file", "link", "linked folder", "package"])
def test_unknown_file_in_the_release_program(terminal: Terminal, kind: str) -> None:
    """Python would import it instead of the standard library's gzip, with release credentials."""
    elsewhere = terminal.root / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "__init__.py").write_text("print('mine')\n", "utf-8")
    place = terminal.root / PROGRAM
    if kind == "file":
        path = place / "gzip.py"
        path.write_text("print('mine')\n", "utf-8")
    elif kind == "link":
        path = place / "gzip.py"
        path.symlink_to(elsewhere / "__init__.py")
    elif kind == "linked folder":
        path = place / "gzip"
        path.symlink_to(elsewhere)
    else:
        path = place / "gzip/__init__.py"
        shutil.copytree(elsewhere, path.parent)
    name = path.relative_to(terminal.root).as_posix()
    assert causes(terminal.root) == {name: Cause.STRANGER}
    ran = terminal.run("render")
    assert (ran.code, f"wfgen did not generate {name}, and" in ran.err) == (2, True)
    assert terminal.run("render", "--force").code == 0
    assert (causes(terminal.root), os.path.lexists(path)) == ({}, False)
    assert (elsewhere / "__init__.py").exists()


def test_compiled_python_is_ignored(terminal: Terminal) -> None:
    cache = terminal.root / PROGRAM / "__pycache__"
    cache.mkdir()
    (cache / "kubectl.cpython-311.pyc").write_bytes(b"compiled")
    assert causes(terminal.root) == {}


EDITS: dict[str, Change] = {
    "a step": lambda text: text + "# mine\n",
    "no digests": without(3),
    "other digests": lambda text: text.replace(", body ", ", body 0"),
    "a conflict": lambda text: conflict(text, 12, "permissions: write-all"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_edited_orphan_is_kept(terminal: Terminal, edit: str) -> None:
    """Such as a copy with changes; no other file is written either."""
    text = EDITS[edit]((terminal.root / WATCHDOG).read_text("utf-8"))
    (terminal.root / STRAY).write_text(text, "utf-8")
    (terminal.root / CHECK).unlink()
    ran = terminal.run("check")
    line = f"{STRAY}: {Cause.EDITED_ORPHAN.value}; to fix, run `wfgen render --force`"
    assert (ran.code, line in ran.out.splitlines()) == (1, True)
    before = terminal.files()
    ran = terminal.run("render")
    assert (ran.code, ran.out, terminal.files()) == (2, "", before)
    assert f"no spec generates {STRAY}, but it was edited by hand; to keep the file, " in ran.err
    assert terminal.run("render", "--force").code == 0
    assert not (terminal.root / STRAY).exists()
    assert terminal.run("check").code == 0


def test_orphan_without_its_header_is_kept(terminal: Terminal) -> None:
    """As the message about edited orphans advises."""
    text = without(1, 2, 3)((terminal.root / WATCHDOG).read_text("utf-8"))
    (terminal.root / STRAY).write_text(text, "utf-8")
    assert terminal.run("check").code == 0
    assert terminal.run("render", "--force").code == 0
    assert (terminal.root / STRAY).read_text("utf-8") == text


def test_all_files_that_need_force_are_reported(terminal: Terminal) -> None:
    (terminal.root / STRAY).write_text((terminal.root / WATCHDOG).read_text("utf-8") + "#\n")
    (terminal.root / PIPELINE).write_text("name: mine\n", "utf-8")
    ran = terminal.run("render")
    assert ran.code == 2
    assert f"wfgen did not generate {PIPELINE}; " in ran.err
    assert f"no spec generates {STRAY}, but" in ran.err


def test_nothing_is_removed_behind_a_link(terminal: Terminal, tmp_path: Path) -> None:
    """Generated folders and files of another project."""
    other = tmp_path / "other"
    shutil.copytree(terminal.root / ".github", other / "github")
    shutil.copytree(terminal.root / "docs", other / "docs")
    shutil.rmtree(terminal.root / "docs")
    (terminal.root / "docs").symlink_to(other / "docs")
    (other / "docs/old.md").write_bytes((other / "docs/delivery-setup.md").read_bytes())
    (terminal.root / ".github/linked").symlink_to(other / "github")
    (terminal.root / ".github/workflows/linked.yml").symlink_to(other / "github/workflows/a.yml")
    assert terminal.run("render").code == 0
    assert (other / "docs/old.md").exists()
    assert (other / "github/workflows/production.yml").exists()
    assert (terminal.root / ".github/workflows/linked.yml").is_symlink()


# Checkouts, file systems and other projects


def test_checkout_with_crlf_is_a_note(terminal: Terminal) -> None:
    """Git for Windows converts line endings; what GitHub runs stays the same."""
    files = [file.path for file in case.rendered(terminal.root) if file.path != LOCK]
    for path in files:
        file = terminal.root / path
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    ran = terminal.run("check")
    assert ran.code == 0
    note = f"{len(files)} files have CRLF line endings and are otherwise up to date"
    assert f"note: {note}" in ran.err
    noted = json.loads(terminal.run("check", "--format", "json").out)
    assert (noted["drift"], noted["notes"][0].startswith(note)) == ([], True)
    assert f"::notice::{note}" in terminal.run("check", "--format", "github").out
    assert terminal.run("render").code == 0
    assert terminal.run("check").err == terminal.run("render").err, "the note is gone"
    assert b"\r" not in (terminal.root / CHECK).read_bytes()


def git(folder: Path, *arguments: str) -> str:
    """What git prints, without the settings of this machine."""
    program = shutil.which("git", path=os.defpath)
    assert program, "no git"
    settings = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    environment = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.defpath}
    return subprocess.run(
        [program, *settings, *arguments],
        cwd=folder, env=environment, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip


def test_offered_git_attributes_prevent_crlf(terminal: Terminal, tmp_path: Path) -> None:
    """In clones with the settings of Git for Windows."""
    guide = (terminal.root / GUIDE).read_text("utf-8")
    offered = guide.split("\n## Git attributes\n")[1].split("```gitattributes\n")[1].split("```")[0]
    git(terminal.root, "init", "--quiet")
    for name, attributes in (("before", ""), ("after", offered)):
        case.write(terminal.root, {".gitattributes": attributes})
        git(terminal.root, "add", "--all")
        git(terminal.root, "commit", "--quiet", "--message", name)
        clone = ["clone", "--quiet", "--config", "core.autocrlf=true"]
        git(tmp_path, *clone, str(terminal.root), name)
        ran = terminal.run("-C", str(tmp_path / name), "check")
        assert (ran.code, "see Git attributes in docs/" in ran.err) == (0, name == "before")
    generated = {file.path for file in case.rendered(terminal.root)}
    paths = [*generated, LOCK, "specs/web.yaml"]
    checked = git(terminal.root, "check-attr", "linguist-generated", "--", *paths).splitlines()
    marked = {line.split(": ")[0] for line in checked if line.endswith(": set")}
    assert marked == generated - {LOCK}


def test_checkout_with_crlf_hides_no_drift(terminal: Terminal) -> None:
    """The cause and the diff are the same as with LF."""
    file = terminal.root / CHECK
    text = file.read_bytes()
    file.write_bytes(text.replace(b"\n", b"\r\n"))
    terminal.edit("specs/project.yaml", "registry:", "default_branch: trunk\nregistry:")
    assert causes(terminal.root)[CHECK] is Cause.SPECS
    edited = text.replace(b"timeout-minutes: ", b"timeout-minutes: 9").replace(b"\n", b"\r\n")
    file.write_bytes(edited)
    (drift,) = (drift for drift in compare(terminal.root, case.rendered(terminal.root))
                if drift.path == CHECK)  # fmt: skip
    assert drift.cause is Cause.EDITED
    assert drift.line == text.split(b"\n").index(b"    branches: [main]") + 1
    taken = [line[1:].strip() for line in drift.change().splitlines() if line[0] == "-"]
    assert taken == ["branches: [main]", *["timeout-minutes: 910"] * text.count(b"timeout-")]


def test_pipe_is_not_read(terminal: Terminal) -> None:
    """Reading would block."""
    (terminal.root / PIPELINE).unlink()
    os.mkfifo(terminal.root / PIPELINE)
    os.mkfifo(terminal.root / STRAY)
    assert causes(terminal.root) == {PIPELINE: Cause.FOREIGN}
    assert terminal.run("render", "--force").code == 0
    assert (terminal.root / PIPELINE).is_file()


def test_folder_in_place_of_a_file(terminal: Terminal) -> None:
    (terminal.root / PIPELINE).unlink()
    (terminal.root / PIPELINE).mkdir()
    assert causes(terminal.root) == {PIPELINE: Cause.FOREIGN}


def test_read_only_file_is_replaced(terminal: Terminal) -> None:
    """A file is replaced by rename, which needs write permission on the folder only."""
    terminal.edit(PIPELINE, "name: production", "name: produce")
    (terminal.root / PIPELINE).chmod(0o444)
    ran = bound(terminal, "render")
    assert (ran.returncode, ran.stderr.count("cannot")) == (0, 0)
    assert causes(terminal.root) == {}


@pytest.mark.parametrize("folder", [".github/workflows", "docs", "."])
def test_read_only_folder_is_an_error_and_nothing_is_lost(terminal: Terminal, folder: str) -> None:
    for path in (PIPELINE, GUIDE, MODULE):
        with (terminal.root / path).open("a") as file:
            file.write("edited\n")
    before = terminal.files()
    (terminal.root / folder).chmod(0o555)
    ran = bound(terminal, "render")
    (terminal.root / folder).chmod(0o755)
    assert ran.returncode == 2
    assert "cannot be written: Permission denied; nothing was changed" in ran.stderr
    assert terminal.files() == before


def bound(terminal: Terminal, command: str) -> subprocess.CompletedProcess[str]:
    """Runs a command without root's permission to ignore the modes of files."""
    command_line = [sys.executable, "-m", "wfgen", command, "-C", str(terminal.root)]
    if os.geteuid() == 0:
        setpriv = shutil.which("setpriv", path=os.defpath)
        if setpriv is None:
            case.missing("setpriv")
        capabilities = "-dac_override,-dac_read_search,-fowner"
        command_line = [setpriv, f"--bounding-set={capabilities}", *command_line]
    return subprocess.run(command_line, capture_output=True, text=True, check=False)


def test_two_projects_in_one_repository(terminal: Terminal) -> None:
    """Each changes files in its own folder only; the inner one gets a note about GitHub."""
    outer, inner = terminal.root, terminal.root / "inner"
    (outer / ".git").mkdir()
    for folder in ("specs", "web"):
        shutil.copytree(outer / folder, inner / folder)
    before = terminal.files()
    ran = terminal.run("-C", str(inner), "render")
    assert ran.code == 0
    assert "note: inner is a folder of another repository; GitHub only runs workflows" in ran.err
    assert {path: text for path, text in terminal.files().items() if path in before} == before
    (inner / STRAY).write_bytes((inner / WATCHDOG).read_bytes())
    (outer / STRAY).write_bytes((outer / WATCHDOG).read_bytes())
    assert terminal.run("-C", str(inner), "render").code == 0
    assert (outer / STRAY).exists()
    (inner / STRAY).write_bytes((inner / WATCHDOG).read_bytes())
    ran = terminal.run("render")
    assert (ran.code, "folder of another repository" in ran.err) == (0, False)
    assert (inner / STRAY).exists()
    assert not (outer / STRAY).exists()
