"""Reverts a failed release in the default branch, by one pull request or else one issue.

An open pull request of an earlier revert is extended by a commit that has both its branch and the
default branch as parents: nothing is pushed by force.
"""

from __future__ import annotations

import os

from ..contract import Description, load
from ..hosting import git
from ..hosting.github import GitHub, GitHubError
from ..hosting.needs import Needs
from ..hosting.outputs import add_summary, notice, warning, write_output
from ..names import NONE, Output, Variable
from ._undo import (
    ASIDE,
    ByHandError,
    NothingToRevertError,
    Range,
    find_range,
    is_ours,
    tree_without,
)

LABEL = "wfgen-revert"
AUTO_MERGE = """
mutation($id: ID!, $method: PullRequestMergeMethod!) {
  enablePullRequestAutoMerge(input: {pullRequestId: $id, mergeMethod: $method}) {
    clientMutationId
  }
}"""


def revert() -> int:
    """Opens or extends the one pull request that reverts the releases that failed.

    Only after a rollback that restored services, and only if the change caused the failure. If the
    revert conflicts, or there is no App's token, an issue with the exact commands is opened: the
    default token cannot change workflows, and its pull requests run no checks. A failed revert is
    not reverted. The checkout needs fetch-depth: 0.
    """
    description, needs = load(), Needs.load()
    try:
        reverted, address, title = _revert(description, needs)
    except NothingToRevertError as reason:
        notice(f"nothing is reverted: {reason}")
        write_output(Output.REVERTED, NONE)
        write_output(Output.ADDRESS, NONE)
        write_output(Output.REASON, str(reason))
        return 0
    write_output(Output.REVERTED, reverted)
    write_output(Output.ADDRESS, address)
    write_output(Output.REASON, NONE)
    add_summary(f"### {title}\n\n{address}")
    notice(f"{title}: {address}")
    return 0


def _revert(description: Description, needs: Needs) -> tuple[str, str, str]:
    """Opens a pull request or an issue; returns which, its address and its title.

    Raises `NothingToRevertError`.
    """
    app = os.environ.get(Variable.APP_TOKEN, "")
    token = os.environ.get(Variable.TOKEN, "")
    server = os.environ.get(Variable.SERVER_URL, "https://github.com")
    span = find_range(description, needs, git.credential(app or token, server))
    try:
        tree = tree_without(span)
        if not app:
            raise ByHandError(
                "no GitHub App is set up to open pull requests (docs/delivery-setup.md, GitHub App)"
            )
        _push(span, tree, git.credential(app, server))
        return "pull-request", _pull_request(span, GitHub(app)), span.title
    except ByHandError as reason:
        return "issue", _issue(span, str(reason), token), span.title


def _push(span: Range, tree: str, credential: dict[str, str]) -> None:
    """Commits the tree to the branch, as a fast-forward. Raises `ByHandError`."""
    base, ours = git.commit(span.base), git.commit(f"refs/remotes/origin/{span.branch}")
    parents = [base]
    if ours and not git.is_ancestor(ours, base):
        for commit in git.read("rev-list", "--no-merges", ours, f"^{base}").split():
            if not is_ours(commit, span.description.environment):
                raise ByHandError(
                    f"branch {span.branch} has commit {commit[:12]}, which wfgen did not make"
                )
        if git.is_ancestor(base, ours) and tree == git.read("rev-parse", f"{ours}^{{tree}}"):
            return
        parents = [ours, base]
    message = ("-m", span.title, "-m", span.text)
    commit = git.read(
        "commit-tree", tree, *(f"-p{parent}" for parent in parents), *message, environment=ASIDE
    )
    target = f"{commit}:refs/heads/{span.branch}"
    done = git.run("push", "--quiet", "origin", target, environment=credential)
    if done.returncode:
        hint = "; the App needs `contents: write` and `workflows: write`"
        raise ByHandError(f"the push was refused: {done.stderr.strip()}{hint}")


def _pull_request(span: Range, github: GitHub) -> str:
    """The address of the one pull request, opened or updated. Raises `ByHandError`."""
    permission = "pull-requests: write"
    owner = github.repository.partition("/")[0]
    branch = span.description.default_branch
    content = {"title": span.title, "body": span.text}
    try:
        query = f"pulls?state=open&base={branch}&head={owner}:{span.branch}"
        present = next(github.pages(query, permission), None)
        if present:
            request = github.patch(f"pulls/{present['number']}", content, permission)
        else:
            ends = {"head": span.branch, "base": branch}
            request = github.post("pulls", {**content, **ends}, permission)
    except GitHubError as error:
        raise ByHandError(f"branch {span.branch} was pushed, but {error}") from error
    if span.description.revert.auto_merge:
        _merge_later(github, request["node_id"])
    return str(request["html_url"])


def _merge_later(github: GitHub, node: str) -> None:
    """Lets GitHub merge once the required checks pass; a warning if it cannot."""
    try:
        # As the repository allows; a rebase would lose the merge that extends a branch.
        squash = github.get("", "contents: write").get("allow_squash_merge", True)
        method = "SQUASH" if squash else "MERGE"
        github.graphql(AUTO_MERGE, {"id": node, "method": method})
    except GitHubError as error:
        warning(
            f"the pull request will not be merged automatically: {error}. To fix, turn on the "
            "repository's setting `Allow auto-merge` and a required check on the default branch"
        )


def _issue(span: Range, reason: str, token: str) -> str:
    """The address of the one open issue with the commands. They are also in the log and summary."""
    mark = f"<!-- wfgen:revert:{span.description.environment} -->"
    body = f"{span.text}\nRevert it by hand: {reason}.\n\n```shell\n{span.commands}\n```\n"
    warning(f"{span.title} by hand: {reason}\n{span.commands}")
    add_summary(f"### {span.title}\n\n{body}")
    github, permission = GitHub(token), "issues: write"
    content = {"title": span.title, "body": f"{mark}\n{body}"}
    for issue in github.pages(f"issues?state=open&labels={LABEL}", permission):
        if mark in (issue.get("body") or "") and "pull_request" not in issue:
            if issue["body"] != content["body"]:
                github.patch(f"issues/{issue['number']}", content, permission)
                update = {"body": f"{span.title}: the commands above now cover this release too."}
                github.post(f"issues/{issue['number']}/comments", update, permission)
            return str(issue["html_url"])
    opened = github.post("issues", {**content, "labels": [LABEL]}, permission)
    return str(opened["html_url"])
