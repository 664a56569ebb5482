"""The releases of an action: the version tags of its repository, asked by git.

Tags are peeled: what an annotated tag names is the commit, not the tag's own object, which GitHub
takes in a `uses:` and which a later release cannot be compared with
(https://git-scm.com/docs/git-ls-remote).
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
"""Where actions are; git's `url.<base>.insteadOf` leads elsewhere."""
TIMEOUT = 60
"""Seconds for one repository."""
_AT_ONCE = 8
_ATTEMPTS = 2
_LINE = re.compile(r"(?P<sha>[0-9a-f]{40})\trefs/tags/(?P<tag>\S+?)(?P<peeled>\^\{\})?")


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags of a repository.

    `commits` has the commit of each, `objects` the tag objects of annotated ones. `error` is
    git's, where it could not be asked.
    """

    commits: dict[str, str]
    objects: dict[str, str]
    error: str = ""

    def newest(self, version: str) -> str:
        """The highest version of the same form, `version` included; tags of tests are none.

        Of `v5` and `v5.0.0` the longer one, as it does not move. "" where none has the form.
        """
        form = split_version(version)
        before = form[0] if form else "v"
        found = {tag: split_version(tag) for tag in self.commits}
        like = [
            (each[1], len(tag), tag) for tag, each in found.items() if each and each[0] == before
        ]
        return max(like)[2] if like else ""

    def named(self, commit: str) -> str:
        """The longest tag at a commit; "" where there is none."""
        return max((tag for tag, sha in self.commits.items() if sha == commit), key=len, default="")


def ask(repositories: Iterable[str]) -> dict[str, Tags]:
    """The tags of each repository (`owner/name`).

    Raises `WfgenError` where git is missing or no repository at all could be reached.
    """
    names = sorted(set(repositories))
    found: dict[str, Tags] = {}
    todo = names
    for _ in range(_ATTEMPTS):
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found |= zip(todo, pool.map(_ask, todo), strict=True)
        todo = [name for name in todo if found[name].error]
    if names and all(tags.error for tags in found.values()):
        raise WfgenError(
            f"{HOST} cannot be reached: {found[names[0]].error}; "
            "without a network there is only: wfgen pins update --offline"
        )
    return found


def _ask(repository: str) -> Tags:
    command = ["git", "ls-remote", "--tags", f"{HOST}/{repository}"]
    # A repository that does not exist asks for a password.
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
    except FileNotFoundError:
        raise WfgenError("git is not here; it asks the actions' repositories") from None
    except subprocess.TimeoutExpired:
        return Tags({}, {}, f"no answer within {TIMEOUT} s")
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        return Tags({}, {}, said[-1].removeprefix("fatal: ") if said else "git failed")
    commits: dict[str, str] = {}
    objects: dict[str, str] = {}
    for line in done.stdout.splitlines():
        if found := _LINE.fullmatch(line):
            if found["peeled"]:
                objects[found["tag"]] = commits.get(found["tag"], "")
            commits[found["tag"]] = found["sha"]
    return Tags(commits, objects)
