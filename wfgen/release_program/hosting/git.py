"""git by subprocess, in the checkout that the program runs in. Nothing here writes to it."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Mapping

from ..failure import Failure
from ..names import Variable


class GitError(Failure):
    """A git command that failed, with what git said about it."""


def run(
    *arguments: str, directory: str = ".", environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """One git command, whatever its exit code. It never asks for a password.

    Bytes that are not UTF-8 (old commit messages) are replaced instead of ending the release.
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
    """What a git command prints, without the white space around it. Raises GitError."""
    done = run(*arguments, directory=directory, environment=environment)
    if done.returncode:
        complaint = done.stderr.strip() or f"exit code {done.returncode}"
        raise GitError(f"git {arguments[0]}: {complaint}")
    return done.stdout.strip()


def commit(revision: str) -> str:
    """The full SHA of a commit that this clone has, or ''."""
    done = run("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    return done.stdout.strip() if done.returncode == 0 else ""


def is_ancestor(older: str, newer: str) -> bool:
    """Whether `newer` contains `older`; False too where the clone lacks one of them."""
    return run("merge-base", "--is-ancestor", older, newer).returncode == 0


def credential(token: str, server: str) -> dict[str, str]:
    """An environment in which git authenticates to `server` (https://github.com), for one command.

    Neither the command line (any process may read it) nor .git/config (any later step may) holds
    the token. The first, empty value drops a header that actions/checkout may have left behind;
    GitHub refuses two. https://git-scm.com/docs/git-config#Documentation/git-config.txt-GITCONFIGCOUNT
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
