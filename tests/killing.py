"""Stops a render at each point in turn, and checks what it leaves: `python -m tests.killing`.

A separate process, since it forks and the tests' process has threads. The points are Python's audit
events: calls that open, create, rename or remove a file or folder.
https://docs.python.org/3/library/audit_events.html
"""

from __future__ import annotations

import errno
import itertools
import json
import os
import resource
import shutil
import signal
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.terminal import files_below
from wfgen.errors import WfgenError
from wfgen.generate.render import RenderedFile
from wfgen.locks.pins import LOCK
from wfgen.text import header
from wfgen.worktree import drift
from wfgen.worktree.writing import UNFINISHED, is_temporary

POINTS = frozenset(
    f"os.{call}" for call in ("listdir", "mkdir", "remove", "rename", "rmdir", "scandir")
) | {"open", "fcntl.flock"}
RENDERED = [".github/a/one.yml", ".github/a/two.yml", ".github/b/three.json", "docs/page.md"]
ADDED, SAME, ORPHAN = ".github/c/d/four.yml", ".github/a/same.yml", ".github/old/five.yml"


@dataclass
class Trial:
    """A repository before and after a render, and the counted states after stopped renders."""

    root: Path
    before: dict[str, str]
    after: dict[str, str]
    wanted: tuple[RenderedFile, ...]
    states: Counter[str] = field(default_factory=Counter)

    def stop(self, how: str, point: int) -> bool:
        """Stops one render at a point; returns whether it was stopped.

        Where the point is a size, the kernel kills the process at odd sizes and refuses to write
        at even ones.
        """
        self.reset()
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os._exit(self._render(how, point, writer))
        os.close(writer)
        with os.fdopen(reader, "rb", buffering=0) as pipe:
            message = pipe.read().decode().strip()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        self.look(f"{how} at {point}: {message or status}", message)
        return status != 0

    def _render(self, how: str, point: int, writer: int) -> int:
        """The child process; returns its exit code."""
        left = itertools.count(point, -1)
        stopped = []

        def stop(event: str, _: tuple[Any, ...]) -> None:
            if how != "size" and event in POINTS and next(left) == 0:
                if how == "kill":
                    os.kill(os.getpid(), signal.SIGKILL)
                stopped.append(event)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        sys.addaudithook(stop)
        if how == "size":  # the maximum number of bytes of a file
            if point % 2:
                signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_FSIZE, (point, point))
        try:
            drift.update(self.root, self.wanted)
        except (WfgenError, OSError) as error:
            os.write(writer, str(error).encode())
            return 2
        return 1 if stopped else 0

    def reset(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)
        for path, text in self.before.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(text, "utf-8")

    def look(self, where: str, message: str) -> None:
        """Each file is old or new, the next check reports the state, the next render finishes."""
        left = {path: text for path, text in files_below(self.root).items() if text != "no file"}
        temporary = [path for path in left if is_temporary(Path(path).name)]
        assert not (message and temporary), where
        for path in {*left, *self.before} - {*temporary, UNFINISHED}:
            assert left.get(path) in (self.before.get(path), self.after.get(path)), (where, path)
        known = {path: left.get(path) for path in {*self.before, *self.after}}
        changed = [path for path in known if known[path] != self.before.get(path)]
        _, notes = drift.check(self.root, self.wanted)
        note = "; ".join(notes)
        if all(known[path] == self.after.get(path) for path in known):
            state = "new"
            assert "before it finished" not in note, where
        elif changed:
            state = "mixed"
            assert "was stopped before it finished" in note, where
            total = len({path for path in known if self.before.get(path) != self.after.get(path)})
            assert not message or f"; {len(changed)} of {total} files were changed" in message, (
                where
            )
        else:
            state = "old"
            assert (
                not message or "No space left on device" in message or "File too large" in message
            ), where
            assert not message or UNFINISHED not in left, where
        self.states[state] += 1
        drift.update(self.root, self.wanted)
        assert {path for path, text in files_below(self.root).items() if text != "no file"} == set(
            self.after
        ), where
        assert drift.check(self.root, self.wanted) == ([], []), where


def small(root: Path) -> Trial:
    """Files to replace, to add, to keep and to remove, and one that wfgen did not generate."""

    def text(path: str, version: str) -> str:
        return header.add(path, f"{version}\n" * 50, ["specs/a.yaml"], version, version)

    before = {path: text(path, "old") for path in [*RENDERED, ORPHAN]}
    after = {path: text(path, "new") for path in [*RENDERED, ADDED]}
    others = {SAME: text(SAME, "same"), ".github/a/mine.yml": "name: mine\n"}
    wanted = (*(RenderedFile(path, made, ()) for path, made in after.items()),
              RenderedFile(SAME, others[SAME], ()))  # fmt: skip
    return Trial(root, {**before, **others}, {**after, **others}, wanted)


def two_at_once(root: Path) -> None:
    """A second render starts while the first is between two files, and must wait for it."""
    trial = small(root)
    newest = tuple(
        RenderedFile(file.path, file.text.replace("new", "newest"), ()) for file in trial.wanted
    )
    trial.reset()
    halfway, go_on = os.pipe(), os.pipe()
    renames = itertools.count(1)

    def pause(event: str, _: tuple[Any, ...]) -> None:
        if event == "os.rename" and next(renames) == 3:
            os.write(halfway[1], b" ")
            os.read(go_on[0], 1)

    children = [_start(trial, trial.wanted, pause)]
    os.close(halfway[1])
    os.read(halfway[0], 1)
    begun = os.pipe()  # only now: the first process must not inherit it

    def signal_lock(event: str, _: tuple[Any, ...]) -> None:
        if event == "fcntl.flock":
            os.write(begun[1], b" ")

    children.append(_start(trial, newest, signal_lock))
    os.close(begun[1])
    os.read(begun[0], 1)  # it waits for the lock, or has ended without one
    os.write(go_on[1], b" ")
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
    assert drift.check(trial.root, newest) == ([], [])


def _start(trial: Trial, wanted: tuple[RenderedFile, ...], hook: Any) -> int:
    child = os.fork()
    if not child:
        try:
            sys.addaudithook(hook)
            drift.update(trial.root, wanted)
            os._exit(0)
        finally:
            os._exit(1)
    return child


def real(root: Path, specs: Path) -> Trial:
    """The generated files of a repository, in place of those of an older wfgen."""
    from tests import case

    wanted = case.rendered(specs)
    wanted = tuple(file for file in wanted if file.path != LOCK)
    after = {file.path: file.text for file in wanted}
    before = {}
    for path, made in after.items():
        parsed = header.parse(made)
        assert parsed is not None, path
        body = f"{parsed.body.rstrip()}\n\n"
        before[path] = header.add(path, body, ["specs/old.yaml"], "older", parsed.templates)
    return Trial(root, before, after, wanted)


def main(how: str, root: str, specs: str = "") -> None:
    if how == "two":
        two_at_once(Path(root))
        return
    trial = real(Path(root), Path(specs)) if specs else small(Path(root))
    if how == "size":
        for point in range(0, 260, 13):
            assert trial.stop(how, point)
    else:
        point = 0
        while trial.stop(how, point):
            point += 1
    print(json.dumps(trial.states))


if __name__ == "__main__":
    main(*sys.argv[1:])
