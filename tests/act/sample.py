"""A small repository made from this one, to which tests commit."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.act.projection import project_tree

ROOT = Path(__file__).resolve().parents[2]
AUTHOR = {
    "GIT_AUTHOR_NAME": "Test",
    "GIT_AUTHOR_EMAIL": "test@example.com",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "test@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


class Sample:
    """The sample project of this repository, with workflows in a form that act reads."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def make(cls, root: Path, prepare: Callable[[Path], None] | None = None) -> Sample:
        """A new repository at `root` with one commit; `prepare` adapts its files to a cluster."""
        sample = cls(root)
        for part in ("specs", "kube", "app", ".github"):
            shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
        project_tree(root)
        (prepare or quicken)(root)
        sample.begin("the first release")
        return sample

    def begin(self, message: str) -> None:
        """Makes the folder a repository with one commit, from which jobs fetch as from GitHub."""
        self.git("init", "--quiet", "--initial-branch=main")
        # GitHub's servers allow both; git's own does not by default.
        self.git("config", "uploadpack.allowFilter", "true")
        self.git("config", "uploadpack.allowAnySHA1InWant", "true")
        self.commit(message)

    def copy(self, root: Path) -> Sample:
        """Copies the repository to another folder."""
        shutil.copytree(self.root, root)
        return Sample(root)

    def git(self, *arguments: str, given: str = "") -> str:
        """Runs git; its output. Raises subprocess.CalledProcessError."""
        return subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            env={**os.environ, **AUTHOR},
            input=given,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    @property
    def head(self) -> str:
        """The SHA of the commit that is checked out."""
        return self.git("rev-parse", "HEAD")

    @property
    def tags(self) -> list[str]:
        """The names of all tags."""
        return self.git("tag", "--list").split()

    def commit(self, message: str) -> str:
        """Commits all changes; the SHA of the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.head

    def change(self, *services: str, digest: str = "") -> str:
        """Commits a change of these services, whose images then get `digest`, if it is given."""
        for service in services:
            context = self.root / "app" / service
            (context / "CHANGED").write_text(f"after {self.head}\n", "utf-8")
            if digest:
                (context / "DIGEST").write_text(digest, "utf-8")
        return self.commit(f"change {', '.join(services)}")

    def break_build(self, service: str) -> None:
        """Makes the next builds of a service fail."""
        (self.root / "app" / service / "BROKEN").write_text("", "utf-8")
        self.commit(f"break {service}")

    def empty(self, function: str) -> None:
        """Makes a function of the release program (`room.module.function`) return 0 at once."""
        module, _, name = function.rpartition(".")
        program = self.root / ".github/actions/release/release_program"
        path = program / f"{module.replace('.', '/')}.py"
        lines = path.read_text("utf-8").splitlines()
        for node in ast.parse("\n".join(lines)).body:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                body = slice(node.body[0].lineno - 1, node.end_lineno)
                lines[body] = ["    return 0"]
                path.write_text("\n".join(lines) + "\n", "utf-8")
                return
        raise LookupError(f"no function {function} in the release program")


def quicken(root: Path) -> None:
    """Shortens the timeouts and bake times of the descriptions."""
    for path in root.glob(".github/actions/release/*.json"):
        described = json.loads(path.read_text("utf-8"))
        for service in described["services"].values():
            service.update(timeout_seconds=60, bake_seconds=1)
        path.write_text(json.dumps(described), "utf-8")
