"""Takes a bad release out of the default branch again: by one pull request, or else one issue.

An open pull request of ours is extended by a commit that has both its branch and the default
branch as parents, so that nothing is ever pushed by force.
"""

from __future__ import annotations

import os

from ..contract import load
from ..hosting import git
from ..hosting.github import GitHub, GitHubError
from ..hosting.needs import Needs
from ..hosting.outputs import add_summary, notice, warning, write_output
from ..names import Output, Variable
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

    Only after a rollback that restored services, and only where the change is to blame. An issue
    with the exact commands where the revert conflicts or there is no App's token (the default token
    may not touch workflows, and its pull requests run no checks). Nothing where the release that
    failed has no more than our own revert in it. The checkout needs fetch-depth: 0.
    """
    description, needs = load(), Needs.load()
    app = os.environ.get(Variable.APP_TOKEN, "")
    token = os.environ.get(Variable.TOKEN, "")
    server = os.environ.get(Variable.SERVER_URL, "https://github.com")
    try:
        span = find_range(description, needs, git.credential(app or token, server))
        try:
            tree = tree_without(span)
            if not app:
                raise ByHandError(
                    "no GitHub App is set up that may open pull requests "
                    "(docs/delivery-setup.md, GitHub App)"
                )
            _push(span, tree, git.credential(app, server))
            reverted, address = "pull-request", _pull_request(span, GitHub(app))
        except ByHandError as reason:
            reverted, address = "issue", _issue(span, str(reason), token)
    except NothingToRevertError as reason:
        notice(f"nothing is reverted: {reason}")
        write_output(Output.REVERTED, "none")
        write_output(Output.ADDRESS, "")
        write_output(Output.REASON, str(reason))
        return 0
    write_output(Output.REVERTED, reverted)
    write_output(Output.ADDRESS, address)
    write_output(Output.REASON, "")
    add_summary(f"### {span.title}\n\n{address}")
    notice(f"{span.title}: {address}")
    return 0


def _push(span: Range, tree: str, credential: dict[str, str]) -> None:
    """Brings the branch to this tree, forwards only. Raises `ByHandError`."""
    base, ours = git.commit(span.base), git.commit(f"refs/remotes/origin/{span.branch}")
    parents = [base]
    if ours and not git.is_ancestor(ours, base):
        for commit in git.read("rev-list", "--no-merges", ours, f"^{base}").split():
            if not is_ours(commit, span.description.environment):
                raise ByHandError(f"{span.branch} has a commit of somebody else, {commit[:12]}")
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
    """The address of the one open pull request, opened or brought up to date."""
    permission = "pull-requests: write"
    owner = github.repository.partition("/")[0]
    branch = span.description.default_branch
    words = {"title": span.title, "body": span.text}
    try:
        asked = f"pulls?state=open&base={branch}&head={owner}:{span.branch}"
        found = next(github.pages(asked, permission), None)
        if found:
            found = github.patch(f"pulls/{found['number']}", words, permission)
        else:
            found = github.post("pulls", {**words, "head": span.branch, "base": branch}, permission)
    except GitHubError as error:
        raise ByHandError(f"branch {span.branch} is ready, but {error}") from error
    if span.description.revert.auto_merge:
        _merge_later(github, found["node_id"])
    return str(found["html_url"])


def _merge_later(github: GitHub, node: str) -> None:
    """Asks GitHub to merge as soon as the required checks are green; a warning where it cannot."""
    try:
        # As the repository allows; a rebase would lose the merge that extends a branch.
        squash = github.get("", "contents: write").get("allow_squash_merge", True)
        method = "SQUASH" if squash else "MERGE"
        github.graphql(AUTO_MERGE, {"id": node, "method": method})
    except GitHubError as error:
        warning(
            f"the pull request does not merge by itself: {error}. It takes the repository's "
            "setting `Allow auto-merge` and a required check on the default branch"
        )


def _issue(span: Range, reason: str, token: str) -> str:
    """The address of the one open issue with the commands; in the log and summary in any case."""
    mark = f"<!-- wfgen:revert:{span.description.environment} -->"
    body = (
        f"{span.text}\nThis has to be done by hand: {reason}.\n\n```shell\n{span.commands}\n```\n"
    )
    warning(f"{span.title} has to be done by hand: {reason}\n{span.commands}")
    add_summary(f"### {span.title}\n\n{body}")
    github, permission = GitHub(token), "issues: write"
    words = {"title": span.title, "body": f"{mark}\n{body}"}
    for issue in github.pages(f"issues?state=open&labels={LABEL}", permission):
        if mark in (issue.get("body") or "") and "pull_request" not in issue:
            if issue["body"] != words["body"]:
                github.patch(f"issues/{issue['number']}", words, permission)
                news = {"body": f"{span.title}: the commands above now cover this release as well."}
                github.post(f"issues/{issue['number']}/comments", news, permission)
            return str(issue["html_url"])
    made = github.post("issues", {**words, "labels": [LABEL]}, permission)
    return str(made["html_url"])
