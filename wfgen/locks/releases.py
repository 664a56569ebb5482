"""The releases of an action: the version tags of its repository, read with git.

Annotated tags are peeled to their commits (https://git-scm.com/docs/git-ls-remote). GitHub accepts
the tag object in `uses:` as well, but it cannot be compared with a later release.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from wfgen.errors import WfgenError
from wfgen.locks.pins import split_version

HOST = "https://github.com"
"""Where the repositories are; git's `url.<base>.insteadOf` can change it."""
TIMEOUT = 60
"""Seconds per repository."""
_AT_ONCE = 8
_ATTEMPTS = 2
_LINE = re.compile(r"(?P<sha>[0-9a-f]{40})\trefs/tags/(?P<tag>\S+?)(?P<peeled>\^\{\})?")


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags of a repository."""

    commits: dict[str, str]
    """Tag to commit."""
    objects: dict[str, str]
    """Tag to tag object, for annotated tags."""
    error: str = ""
    """git's error, where the repository could not be read."""

    def newest(self, version: str) -> str:
        """The highest version with the same prefix as `version`; prereleases do not count.

        Of `v5` and `v5.0.0` the longer one, as it does not move. "" where there is none.
        """
        form = split_version(version)
        before = form[0] if form else "v"
        versions = [
            (split[1], len(tag), tag)
            for tag in self.commits
            if (split := split_version(tag)) and split[0] == before
        ]
        return max(versions)[2] if versions else ""

    def named(self, commit: str) -> str:
        """The longest tag at a commit; "" where there is none."""
        return max((tag for tag, sha in self.commits.items() if sha == commit), key=len, default="")


def ask(repositories: Iterable[str], otherwise: str = "") -> dict[str, Tags]:
    """The tags of each repository (`owner/name`); `otherwise` is what to do without a network.

    Raises `WfgenError` where git is missing or no repository could be read.
    """
    names = sorted(set(repositories))
    tags: dict[str, Tags] = {}
    todo = names
    for _ in range(_ATTEMPTS):
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            tags |= zip(todo, pool.map(_ask, todo), strict=True)
        todo = [name for name in todo if tags[name].error]
    if names and all(answer.error for answer in tags.values()):
        hint = f"; without a network, {otherwise}" if otherwise else ""
        raise WfgenError(f"cannot reach {HOST}: {tags[names[0]].error}{hint}")
    return tags


def _ask(repository: str) -> Tags:
    command = ["git", "ls-remote", "--tags", f"{HOST}/{repository}"]
    # GitHub asks for a password where a repository does not exist.
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
    except FileNotFoundError:
        raise WfgenError("git not found; it reads the tags of actions") from None
    except subprocess.TimeoutExpired:
        return Tags({}, {}, f"no answer within {TIMEOUT} s")
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        return Tags({}, {}, lines[-1].removeprefix("fatal: ") if lines else "git failed")
    commits: dict[str, str] = {}
    objects: dict[str, str] = {}
    for line in done.stdout.splitlines():
        if match := _LINE.fullmatch(line):
            if match["peeled"]:
                objects[match["tag"]] = commits.get(match["tag"], "")
            commits[match["tag"]] = match["sha"]
    return Tags(commits, objects)
