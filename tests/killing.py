"""Stops a render at one point after another, and looks at what it left: `python -m tests.killing`.

A process of its own, as it forks and the tests' process has threads. The points are what Python
audits: each call that opens, makes, renames or removes something.
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
    f"os.{call}" for call in ("chmod", "listdir", "mkdir", "remove", "rename", "rmdir", "scandir")
) | {"open", "fcntl.flock"}
RENDERED = [".github/a/one.yml", ".github/a/two.yml", ".github/b/three.json", "docs/page.md"]
ADDED, SAME, ORPHAN = ".github/c/d/four.yml", ".github/a/same.yml", ".github/old/five.yml"


@dataclass
class Trial:
    """A repository as it is before and after a render, and what was found of renders stopped."""

    root: Path
    before: dict[str, str]
    after: dict[str, str]
    wanted: tuple[RenderedFile, ...]
    found: Counter[str] = field(default_factory=Counter)

    def stop(self, how: str, point: int) -> bool:
        """Stops one render at a point; False where it ended before.

        Where a point is a size, the kernel kills at odd ones and refuses at even ones.
        """
        self.reset()
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os._exit(self._render(how, point, writer))
        os.close(writer)
        with os.fdopen(reader, "rb", buffering=0) as pipe:
            said = pipe.read().decode().strip()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        self.look(f"{how} at {point}: {said or status}", said)
        return status != 0

    def _render(self, how: str, point: int, writer: int) -> int:
        """In the child: its exit code."""
        left = itertools.count(point, -1)
        stopped = []

        def stop(event: str, _: tuple[Any, ...]) -> None:
            if how != "size" and event in POINTS and next(left) == 0:
                if how == "kill":
                    os.kill(os.getpid(), signal.SIGKILL)
                stopped.append(event)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        sys.addaudithook(stop)
        if how == "size":  # no file may grow beyond so many bytes
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

    def look(self, where: str, said: str) -> None:
        """Each file old or new, the next check says what it is, the next render mends it."""
        left = {path: text for path, text in files_below(self.root).items() if text != "no file"}
        litter = [path for path in left if is_temporary(Path(path).name)]
        assert not (said and litter), where
        for path in {*left, *self.before} - {*litter, UNFINISHED}:
            assert left.get(path) in (self.before.get(path), self.after.get(path)), (where, path)
        known = {path: left.get(path) for path in {*self.before, *self.after}}
        changed = [path for path in known if known[path] != self.before.get(path)]
        _, notes = drift.check(self.root, self.wanted)
        told = "; ".join(notes)
        if all(known[path] == self.after.get(path) for path in known):
            state = "new"
            assert "before it finished" not in told, where
        elif changed:
            state = "mixed"
            assert "was stopped before it finished" in told, where
            total = len({path for path in known if self.before.get(path) != self.after.get(path)})
            assert not said or f"; {len(changed)} of {total} files were changed" in said, where
        else:
            state = "old"
            assert not said or "No space left on device" in said or "File too large" in said, where
            assert not said or UNFINISHED not in left, where
        self.found[state] += 1
        drift.update(self.root, self.wanted)
        assert {path for path, text in files_below(self.root).items() if text != "no file"} == set(
            self.after
        ), where
        assert drift.check(self.root, self.wanted) == ([], []), where


def small(root: Path) -> Trial:
    """Files to replace, to add and to leave, one to remove, and one of somebody else."""

    def text(path: str, version: str) -> str:
        return header.add(path, f"{version}\n" * 50, ["specs/a.yaml"], version, version)

    before = {path: text(path, "old") for path in [*RENDERED, ORPHAN]}
    after = {path: text(path, "new") for path in [*RENDERED, ADDED]}
    others = {SAME: text(SAME, "same"), ".github/a/mine.yml": "name: mine\n"}
    wanted = (*(RenderedFile(path, made, ()) for path, made in after.items()),
              RenderedFile(SAME, others[SAME], ()))  # fmt: skip
    return Trial(root, {**before, **others}, {**after, **others}, wanted)


def two_at_once(root: Path) -> None:
    """A second render starts while the first is between two files, and must wait for its end."""
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
    begun = os.pipe()  # only now: the first must not hold it open

    def tell(event: str, _: tuple[Any, ...]) -> None:
        if event == "fcntl.flock":
            os.write(begun[1], b" ")

    children.append(_start(trial, newest, tell))
    os.close(begun[1])
    os.read(begun[0], 1)  # it asks for its turn, or has ended without
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
    """What the specs of a repository make, in place of what an older wfgen made."""
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
    print(json.dumps(trial.found))


if __name__ == "__main__":
    main(*sys.argv[1:])
