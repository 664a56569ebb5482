"""What `preflight` asks git, in a clone that may lack file contents and rewritten commits."""

from __future__ import annotations

import os
import re
from functools import cached_property

from .. import names
from ..contract import Description
from ..hosting import git
from ..hosting.outputs import log, warning
from ..names import Variable

HIGHEST_NUMBER = 999_999
"""Tags with higher numbers are ignored: whoever can push a tag could use all numbers up."""


class Clone:
    """The checkout of the released commit, with all history."""

    def __init__(self, description: Description) -> None:
        self._branch = description.default_branch
        self._environment = description.environment
        self._asked: set[str] = set()

    def has(self, sha: str) -> bool:
        """Whether the clone has a commit; fetches it by its id where it does not."""
        if git.commit(sha):
            return True
        if sha in self._asked or not re.fullmatch(r"[0-9a-f]{40}", sha):
            return False
        self._asked.add(sha)
        return self._fetch(sha) and bool(git.commit(sha))

    def contains(self, newer: str, older: str) -> bool:
        """Whether a commit is, or has as ancestor, another one; False where that is not known."""
        return git.is_ancestor(older, newer)

    @cached_property
    def default_tip(self) -> str:
        """The current commit of the default branch; '' where it cannot be fetched."""
        ref = f"refs/remotes/origin/{self._branch}"
        fetched = self._fetch(f"+refs/heads/{self._branch}:{ref}")
        return git.commit(ref) if fetched else ""

    def highest_number(self) -> int:
        """The highest number of a release in the environment's tags; 0 without tags."""
        prefixes = [
            f"refs/tags/{tag(self._environment, '')}"
            for tag in (names.deploy_tag, names.rollback_tag)
        ]
        listed = git.read("for-each-ref", "--format=%(refname:strip=2)", *prefixes).splitlines()
        numbers = [number for tag in listed if (number := names.tagged_release(tag))]
        if ignored := [number for number in numbers if number > HIGHEST_NUMBER]:
            warning(f"tags with a number above {HIGHEST_NUMBER} are ignored: {sorted(ignored)}")
        return max((number for number in numbers if number <= HIGHEST_NUMBER), default=0)

    def _fetch(self, what: str) -> bool:
        server = os.environ.get(Variable.SERVER_URL) or "https://github.com"
        token = os.environ.get(Variable.TOKEN, "")
        done = git.run(
            "fetch", "--quiet", "--no-tags", "origin", what,
            environment=git.credential(token, server) if token else {},
        )  # fmt: skip
        if done.returncode:
            log(f"cannot fetch {what}: {done.stderr.strip()}")
        return done.returncode == 0
