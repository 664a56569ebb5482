"""Repositories of actions on this machine, which git reads instead of GitHub's."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import case

GIT = shutil.which("git")
CONFIGURATION = """\
[url "{address}"]
	insteadOf = https://github.com/
[user]
	name = Nobody
	email = nobody@example.com
[init]
	defaultBranch = main
"""


def reach(monkeypatch: pytest.MonkeyPatch, configuration: Path, address: str) -> None:
    """Configures git to read GitHub's repositories from another address."""
    configuration.write_text(CONFIGURATION.format(address=address), "utf-8")
    monkeypatch.setenv("PATH", str(Path(GIT or case.missing("git")).parent))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(configuration))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


class GitHost:
    """A folder of bare repositories in place of https://github.com/."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.address = f"file://{root}/"

    def git(self, *arguments: str, at: Path, stdin: str = "") -> str:
        settings = self.root / "gitconfig"
        settings.write_text(CONFIGURATION.format(address=self.address), "utf-8")
        done = subprocess.run(
            [GIT or case.missing("git"), *arguments],
            cwd=at,
            env={**os.environ, "GIT_CONFIG_GLOBAL": str(settings), "GIT_CONFIG_NOSYSTEM": "1"},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def publish(self, repository: str, *tags: str) -> dict[str, str]:
        """A repository with a commit per tag; returns the commit of each.

        `v1.2.3` is a lightweight tag, `v1.2.3!` an annotated one, `v1.2.3!!` an annotated tag of
        an annotated tag, `v1=v1.2.3` a lightweight one at the commit of another.
        """
        who = "Nobody <nobody@example.com> 1700000000 +0000"
        stream: list[str] = []
        marks: dict[str, int] = {}
        for mark, tag in enumerate(tags, 1):
            name, _, other = tag.partition("=")
            name = name.rstrip("!")
            marks[name] = marks[other] if other else mark
            if not other:
                text = f"data {len(name)}\n{name}\n"
                stream.append(f"commit refs/heads/main\nmark :{mark}\ncommitter {who}\n{text}\n")
            if tag.endswith("!!"):
                inner = f"tag inner-{name}\nmark :{mark + 1000}\nfrom :{mark}\n"
                stream.append(f"{inner}tagger {who}\ndata 1\nx\n")
                stream.append(f"tag {name}\nfrom :{mark + 1000}\ntagger {who}\ndata 1\nx\n")
            elif tag.endswith("!"):
                stream.append(f"tag {name}\nfrom :{mark}\ntagger {who}\ndata 1\nx\n")
            else:
                stream.append(f"reset refs/tags/{name}\nfrom :{marks[name]}\n\n")
        hosted = self.root / repository
        hosted.mkdir(parents=True)
        self.git("init", "--quiet", "--bare", at=hosted)
        self.git("fast-import", "--quiet", "--export-marks=marks", at=hosted, stdin="".join(stream))
        lines = (hosted / "marks").read_text("utf-8").split()
        commits = dict(zip(lines[::2], lines[1::2], strict=True))
        return {name: commits[f":{mark}"] for name, mark in marks.items()}
