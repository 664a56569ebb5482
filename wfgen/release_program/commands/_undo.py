"""What a revert removes, and the resulting tree. Calls no API and writes no ref.

The range is everything merged after the last known good release, up to the one that failed. It is
reverted on the tip of the default branch, in a temporary work tree.
"""

from __future__ import annotations

import re
import shlex
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ..contract import Description
from ..failure import Failure
from ..hosting import git
from ..hosting.needs import Needs, run_address
from ..hosting.outputs import warning
from ..names import Job, Output
from ..state import endings

TRAILER = "Reverts-Release"
LISTED = 50
"""Maximum number of commits that are listed: a body of GitHub's has at most 65,536 characters."""
ASIDE = {
    "GIT_AUTHOR_NAME": "github-actions[bot]",
    "GIT_AUTHOR_EMAIL": "41898282+github-actions[bot]@users.noreply.github.com",
    "GIT_COMMITTER_NAME": "github-actions[bot]",
    "GIT_COMMITTER_EMAIL": "41898282+github-actions[bot]@users.noreply.github.com",
    "GIT_LFS_SKIP_SMUDGE": "1",  # the pointers are what is reverted
}
"""Environment of the git commands that write objects."""


class NothingToRevertError(Exception):
    """Nothing is reverted. The message is the reason, a clause."""


class ByHandError(Exception):
    """The program cannot revert. The message is the reason, a clause."""


@dataclass(frozen=True)
class Range:
    """What is reverted: everything after the last known good commit, up to the failed one."""

    description: Description
    release: str
    good: str
    bad: str
    commits: tuple[str, ...]
    """Newest first, a merge as one commit."""
    paths: tuple[str, ...] = ()
    """What is reverted of them; () for everything."""

    @property
    def branch(self) -> str:
        return f"wfgen/revert-{self.description.environment}"

    @property
    def base(self) -> str:
        return f"refs/remotes/origin/{self.description.default_branch}"

    @property
    def title(self) -> str:
        return f"Revert release {self.release} of {self.description.environment}"

    @property
    def trailers(self) -> str:
        return (
            f"{TRAILER}: {self.description.environment}/{self.release}\n"
            f"Reverts-Commits: {self.good}..{self.bad}\n"
            f"Failed-Run: {run_address() or 'by hand'}"
        )

    @property
    def text(self) -> str:
        """Of both the commit and the pull request: a squash keeps the trailers of either."""
        shown = self.commits[:LISTED]
        subjects = [git.read("log", "-1", "--format=%h %s", commit)[:200] for commit in shown]
        # As code, so that no @name in a subject notifies anybody.
        listed = "\n".join("- `" + subject.replace("`", "'") + "`" for subject in subjects)
        if len(self.commits) > LISTED:
            listed += f"\n- and {len(self.commits) - LISTED} more"
        return (
            f"Release {self.release} failed and was rolled back to {self.good[:12]}.\n"
            f"This reverts everything merged since, up to {self.bad[:12]}:\n\n{listed}\n\n"
            f"{self.trailers}\n"
        )

    @property
    def commands(self) -> str:
        """The shell commands that do the same."""
        reverts = [
            " ".join(("git", *_revert_arguments(commit))) for commit in self.commits[:LISTED]
        ]
        if len(self.commits) > LISTED:
            span = " ".join((f"{self.good}..{self.bad} --", *map(shlex.quote, self.paths)))
            reverts = [
                f"for commit in $(git rev-list --first-parent {span}); do",
                '  git rev-parse --quiet --verify "$commit^2" && mainline="-m 1" || mainline=""',
                '  git revert --no-commit $mainline "$commit" || break',
                "done",
            ]
        steps = [
            "git fetch origin",
            f"git switch --create {self.branch} origin/{self.description.default_branch}",
            *reverts,
            f'git commit -m "{self.title}" -m "{self.trailers}"',
            f"git push origin HEAD:{self.branch}",
        ]
        return "\n".join(steps)


def find_range(description: Description, needs: Needs, credential: dict[str, str]) -> Range:
    """What to revert. Raises `NothingToRevertError`; `Failure` if the clone lacks a commit."""
    _demand_cause(needs)
    good, bad = needs.output(Job.RELEASE, Output.LKG_SHA), endings.sha(needs)
    if not good:
        raise NothingToRevertError("there was no release before this one")
    span = Range(description, needs.output(Job.RELEASE, Output.RELEASE), good, bad, ())
    done = git.run(
        "fetch", "--quiet", "--prune", "--no-tags", "origin",
        f"+refs/heads/{description.default_branch}:{span.base}",
        "+refs/heads/wfgen/*:refs/remotes/origin/wfgen/*",  # a pattern may match nothing
        environment=credential,
    )  # fmt: skip
    if done.returncode:
        warning(f"git fetch failed, using the checkout: {done.stderr.strip()}")
    for commit in (good, bad, span.base):
        if not git.commit(commit):
            raise Failure(f"this clone has no {commit}: actions/checkout needs fetch-depth: 0")
    if not git.is_ancestor(good, bad) or not git.is_ancestor(bad, span.base):
        raise NothingToRevertError("the failed commit does not follow the last known good release")
    # The pipeline of one service reverts that service's changes only.
    paths: list[str] = []
    deployed = [service.name for service in description.services.values() if service.deploy]
    released = needs.released or needs.services
    if set(released) != set(deployed):
        for service in description.in_order(released):
            paths += [*service.watch, *service.manifests]
    listed = git.read("rev-list", "--first-parent", f"{good}..{bad}", "--", *paths)
    span = Range(description, span.release, good, bad, tuple(listed.split()), tuple(paths))
    if not span.commits:
        raise NothingToRevertError("nothing was merged after the last known good release")
    if all(is_ours(commit, description.environment) for commit in span.commits):
        raise NothingToRevertError("the failed commit is a revert, and reverts are not reverted")
    return span


def _demand_cause(needs: Needs) -> None:
    """Raises `NothingToRevertError` unless services were restored because of a bad change."""
    if needs.output(Job.PLAN, Output.GO_BACK):
        raise NothingToRevertError("the run went back to a recorded release")
    if needs.output(Job.RELEASE, Output.CAUSE) != "app":
        raise NothingToRevertError("the change is not known to have caused the failure")
    if not re.match("all|except", needs.output(Job.RELEASE, Output.RESTORED)):
        raise NothingToRevertError("no service was restored")


def is_ours(commit: str, environment: str) -> bool:
    """Whether this program made a commit, or all commits that a merge brought."""
    brought = git.read("rev-list", "--no-merges", f"{commit}^1..{commit}").split()
    pattern = re.compile(rf"^{TRAILER}: {re.escape(environment)}/", re.MULTILINE)
    messages = [git.read("log", "-1", "--format=%B", commit) for commit in brought]
    return bool(messages) and all(pattern.search(message) for message in messages)


def _revert_arguments(commit: str) -> tuple[str, ...]:
    """Arguments of git that revert a commit, or all that a merge brought, without committing."""
    parents = git.read("log", "-1", "--format=%P", commit).split()
    mainline = ("-m", "1") if len(parents) > 1 else ()
    return ("revert", "--no-commit", *mainline, commit)


def tree_without(span: Range) -> str:
    """The default branch's tree without the range. Raises `ByHandError`, `NothingToRevertError`."""
    oldest = git.read("rev-list", "--first-parent", f"{span.good}..{span.bad}").split()[-1]
    if git.commit(f"{oldest}^1") != span.good:
        raise ByHandError(
            f"merge {oldest[:12]} brought the last known good commit together with others"
        )
    with tempfile.TemporaryDirectory() as folder:
        aside = str(Path(folder, "tree"))
        git.read("worktree", "add", "--quiet", "--detach", aside, span.base, environment=ASIDE)
        try:
            for commit in span.commits:
                arguments = _revert_arguments(commit)
                if git.run(*arguments, directory=aside, environment=ASIDE).returncode:
                    files = git.read("diff", "--name-only", "--diff-filter=U", directory=aside)
                    names = ", ".join(files.splitlines())
                    raise ByHandError(f"reverting {commit[:12]} conflicts in {names}")
            tree = git.read("write-tree", directory=aside)
        finally:
            git.run("worktree", "remove", "--force", aside)
    if tree == git.read("rev-parse", f"{span.base}^{{tree}}"):
        raise NothingToRevertError("the default branch already has the last known good code")
    return tree
