"""git by subprocess, in the checkout of the job. Nothing in this module writes to it."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Mapping

from ..failure import Failure
from ..names import Variable


class GitError(Failure):
    """A git command failed. The message has its error output."""


def run(
    *arguments: str, directory: str = ".", environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs one git command, whatever its exit code, without prompts.

    Bytes that are not UTF-8 (old commit messages) are replaced.
    """
    return subprocess.run(
        ["git", *arguments],
        cwd=directory,
        env={**os.environ, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
        errors="replace",
    )


def read(
    *arguments: str, directory: str = ".", environment: Mapping[str, str] | None = None
) -> str:
    """The output of a git command, stripped. Raises `GitError`."""
    done = run(*arguments, directory=directory, environment=environment)
    if done.returncode:
        reason = done.stderr.strip() or f"exit code {done.returncode}"
        raise GitError(f"git {arguments[0]}: {reason}")
    return done.stdout.strip()


def commit(revision: str) -> str:
    """The full SHA of a commit; '' if this clone does not have it."""
    done = run("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    return done.stdout.strip() if done.returncode == 0 else ""


def is_ancestor(older: str, newer: str) -> bool:
    """Whether `newer` contains `older`; False also if this clone lacks one of them."""
    return run("merge-base", "--is-ancestor", older, newer).returncode == 0


def merge_base(one: str, other: str) -> str:
    """The best common ancestor of two commits; '' if this clone has none."""
    done = run("merge-base", one, other)
    return done.stdout.strip() if done.returncode == 0 else ""


def credential(token: str, server: str) -> dict[str, str]:
    """The environment for a git command that authenticates to `server` (https://github.com).

    The token is neither on the command line, which any process can read, nor in .git/config, which
    any later step can. The first, empty value removes a header that actions/checkout may have left;
    GitHub rejects two. https://git-scm.com/docs/git-config#Documentation/git-config.txt-GITCONFIGCOUNT
    """
    key = f"http.{server.rstrip('/')}/.extraheader"
    secret = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    first = int(os.environ.get(Variable.GIT_CONFIG_COUNT) or 0)
    return {
        "GIT_CONFIG_COUNT": str(first + 2),
        f"GIT_CONFIG_KEY_{first}": key,
        f"GIT_CONFIG_VALUE_{first}": "",
        f"GIT_CONFIG_KEY_{first + 1}": key,
        f"GIT_CONFIG_VALUE_{first + 1}": f"AUTHORIZATION: basic {secret}",
    }
