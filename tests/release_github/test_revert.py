"""`revert`: the code goes back to what is live, by one pull request or issue, never by force."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.github_api import Api
from wfgen.release_program import commands
from wfgen.release_program.commands import _undo
from wfgen.release_program.failure import Failure
from wfgen.release_program.hosting.github import GitHubError

from .conftest import Describe, Repository, of_release

SHOP = "/repos/acme/shop"
BRANCH = "wfgen/revert-production"
PULL = {"number": 7, "html_url": "https://github.com/acme/shop/pull/7", "node_id": "PR_7"}
ISSUE = {"number": 8, "html_url": "https://github.com/acme/shop/issues/8"}
SERVER = "app__server__main.py"
CLIENT = "app__client__main.py"

Outputs = Callable[[], dict[str, str]]


class Shop(Repository):
    """A clone and its origin, a bare repository beside it."""

    def merge(self, message: str = "a change", /, **files: str | None) -> str:
        """Commits to main, at the origin too; returns the SHA."""
        sha = self.commit(message, **files)
        self.git("push", "--quiet", "origin", "main")
        return sha

    def merge_branch(self, *commits: dict[str, str | None], squash: bool) -> str:
        """Merges a branch with these commits into main, as a pull request would."""
        self.git("switch", "--quiet", "--create", "feature")
        for files in commits:
            self.commit("step", **files)
        self.git("switch", "--quiet", "main")
        self.git("merge", "--quiet", *(("--squash",) if squash else ("--no-ff",)), "feature")
        self.git("branch", "--quiet", "-D", "feature")
        return self.merge("squashed") if squash else self.merge("on top", **{"README.md": "top\n"})

    def origin(self, *arguments: str) -> str:
        """What git says at the origin."""
        return self.git("--git-dir", f"{self.path}/../origin.git", *arguments)

    def tree(self, revision: str) -> str:
        return self.origin("rev-parse", f"{revision}^{{tree}}")


@pytest.fixture
def shop(repository: Repository, describe: Describe) -> Shop:
    made = Shop(repository.path)
    made.git("init", "--quiet", "--bare", "--initial-branch=main", "../origin.git")
    made.git("remote", "add", "origin", str(made.path / "../origin.git"))
    made.git("push", "--quiet", "origin", "main")
    return made


@pytest.fixture
def github(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """An App's token, and an API without an open pull request or issue of wfgen."""
    monkeypatch.setenv("WFGEN_APP_TOKEN", "app-token")
    api.on("GET", f"{SHOP}/pulls", [])
    api.on("POST", f"{SHOP}/pulls", PULL, 201)
    api.on("PATCH", f"{SHOP}/pulls/7", PULL)
    api.on("GET", f"{SHOP}/issues", [])
    api.on("POST", f"{SHOP}/issues", ISSUE, 201)
    return api


@pytest.fixture
def fail(needs: Callable[..., None], outputs: Outputs) -> Callable[..., dict[str, str]]:
    """Runs `revert` after release 42 of `bad` failed and was rolled back to `good`."""

    def run(
        good: str,
        bad: str,
        services: tuple[str, ...] = ("redis", "server", "client"),
        go_back: str = "0",
        **release: str,
    ) -> dict[str, str]:
        # What plan proposed is not what failed: deploy decides.
        plan = {"sha": "e" * 40, "services": '["tools"]', "go_back": go_back}
        end = {"release": "42", "lkg_sha": good, "cause": "app", "restored": "all", **release}
        end = {"sha": bad, "services": json.dumps(services), **end}
        needs(plan=("success", plan), release=("failure", of_release(1, **end)))
        assert commands.run("revert") == 0
        return outputs()

    return run


Fail = Callable[..., dict[str, str]]


def test_pull_request_brings_the_default_branch_back_to_what_is_live(
    shop: Shop, github: Api, fail: Fail
) -> None:
    good = shop.git("rev-parse", "main")
    shop.merge("Add `x` for @bob", **{SERVER: "bad\n"})
    bad = shop.merge("more", **{SERVER: "worse\n", CLIENT: None})
    config = (shop.path / ".git/config").read_text()
    found = fail(good, bad)
    assert found == {"reverted": "pull-request", "address": PULL["html_url"], "reason": "none"}
    assert shop.tree(BRANCH) == shop.tree(good)
    assert shop.origin("rev-list", "--parents", "-1", BRANCH).split()[1:] == [bad]
    (made,) = github.sent("POST", f"{SHOP}/pulls")
    assert (made["head"], made["base"]) == (BRANCH, "main")
    assert made["title"] == "Revert release 42 of production"
    # As code: nobody is called, nothing closes the quotation.
    assert "Add 'x' for @bob`\n" in made["body"]
    # The checkout is as it was.
    assert shop.git("status", "--porcelain", "--branch").splitlines()[0].startswith("## main")
    assert shop.git("rev-parse", "HEAD") == bad
    assert len(shop.git("worktree", "list").splitlines()) == 1
    assert (shop.path / ".git/config").read_text() == config


def test_commit_and_pull_request_say_what_failed_in_trailers(
    shop: Shop, github: Api, fail: Fail
) -> None:
    good = shop.git("rev-parse", "main")
    bad = shop.merge(**{SERVER: "bad\n"})
    fail(good, bad)
    trailers = [
        "Reverts-Release: production/42",
        f"Reverts-Commits: {good}..{bad}",
        "Failed-Run: https://github.com/acme/shop/actions/runs/77",
    ]
    message = shop.origin("log", "-1", "--format=%(trailers)", BRANCH)
    assert message.splitlines() == trailers
    (made,) = github.sent("POST", f"{SHOP}/pulls")
    assert made["body"].strip().splitlines()[-3:] == trailers


@pytest.mark.parametrize("squash", [True, False])
def test_merges_and_squashes_are_taken_out_whole(
    shop: Shop, github: Api, fail: Fail, squash: bool
) -> None:
    good = shop.git("rev-parse", "main")
    shop.merge(**{SERVER: "one\n"})
    bad = shop.merge_branch({SERVER: "two\n"}, {"app__server__new.py": "x\n"}, squash=squash)
    assert fail(good, bad)["reverted"] == "pull-request"
    assert shop.tree(BRANCH) == shop.tree(good)


def test_what_was_merged_after_the_failed_commit_stays(shop: Shop, github: Api, fail: Fail) -> None:
    good = shop.git("rev-parse", "main")
    bad = shop.merge(**{SERVER: "bad\n"})
    shop.merge("newer", **{CLIENT: "newer\n"})
    fail(good, bad)
    assert shop.origin("diff", "--name-only", f"main..{BRANCH}") == "app/server/main.py"


def test_pipeline_of_one_service_leaves_the_changes_of_others(
    shop: Shop, github: Api, fail: Fail
) -> None:
    good = shop.git("rev-parse", "main")
    shop.merge("the client's", **{CLIENT: "fine\n"})
    bad = shop.merge(**{SERVER: "bad\n"})
    fail(good, bad, services=("server",))
    assert shop.origin("diff", "--name-only", f"main..{BRANCH}") == "app/server/main.py"


def test_open_pull_request_is_extended_and_never_forced(
    shop: Shop, github: Api, fail: Fail
) -> None:
    good = shop.git("rev-parse", "main")
    fail(good, shop.merge(**{SERVER: "bad\n"}))
    before = shop.origin("rev-parse", BRANCH)
    # As branch protection would: a push that is not forwards fails.
    shop.origin("config", "receive.denyNonFastForwards", "true")
    bad = shop.merge("the next", **{CLIENT: "bad too\n"})
    github.now("GET", f"{SHOP}/pulls", [PULL])
    assert fail(good, bad, release="43")["address"] == PULL["html_url"]
    assert shop.tree(BRANCH) == shop.tree(good)
    assert shop.origin("rev-list", "--parents", "-1", BRANCH).split()[1:] == [before, bad]
    assert len(github.sent("POST", f"{SHOP}/pulls")) == 1
    (changed,) = github.sent("PATCH", f"{SHOP}/pulls/7")
    assert changed["title"] == "Revert release 43 of production"
    asked = next(r for r in github.requests if r.path == f"{SHOP}/pulls")
    assert asked.query["head"] == [f"acme:{BRANCH}"]


def test_second_run_of_the_job_adds_no_commit(shop: Shop, github: Api, fail: Fail) -> None:
    good = shop.git("rev-parse", "main")
    bad = shop.merge(**{SERVER: "bad\n"})
    fail(good, bad)
    before = shop.origin("rev-parse", BRANCH)
    github.now("GET", f"{SHOP}/pulls", [PULL])
    fail(good, bad)
    assert shop.origin("rev-parse", BRANCH) == before


def test_branch_that_somebody_works_on_is_left_to_them(shop: Shop, github: Api, fail: Fail) -> None:
    good = shop.git("rev-parse", "main")
    bad = shop.merge(**{SERVER: "bad\n"})
    fail(good, bad)
    shop.git("switch", "--quiet", "--detach", f"origin/{BRANCH}")
    shop.git("commit", "--quiet", "--allow-empty", "-m", "by hand")
    shop.git("push", "--quiet", "origin", f"HEAD:{BRANCH}")
    theirs = shop.origin("rev-parse", BRANCH)
    shop.git("switch", "--quiet", "main")
    bad = shop.merge(**{CLIENT: "bad\n"})
    assert fail(good, bad)["reverted"] == "issue"
    assert shop.origin("rev-parse", BRANCH) == theirs
    assert "which wfgen did not make" in github.sent("POST", f"{SHOP}/issues")[0]["body"]


def test_conflict_is_an_issue_that_names_the_files(shop: Shop, github: Api, fail: Fail) -> None:
    good = shop.git("rev-parse", "main")
    bad = shop.merge(**{SERVER: "bad\n"})
    shop.merge("on top of it", **{SERVER: "bad, changed\n"})
    found = fail(good, bad)
    assert (found["reverted"], found["address"]) == ("issue", ISSUE["html_url"])
    (made,) = github.sent("POST", f"{SHOP}/issues")
    assert f"reverting {bad[:12]} conflicts in app/server/main.py" in made["body"]
    assert github.sent("POST", f"{SHOP}/pulls") == []
    assert BRANCH not in shop.origin("branch")
    assert len(shop.git("worktree", "list").splitlines()) == 1


def test_without_an_app_the_issue_has_commands_that_do_the_same(
    shop: Shop,
    github: Api,
    fail: Fail,
    summary: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.delenv("WFGEN_APP_TOKEN")
    good = shop.git("rev-parse", "main")
    shop.merge("$(touch broken) `touch broken`", **{SERVER: "one\n"})
    bad = shop.merge_branch({SERVER: "two\n"}, squash=False)
    assert fail(good, bad)["reverted"] == "issue"
    (made,) = github.sent("POST", f"{SHOP}/issues")
    assert made["labels"] == ["wfgen-revert"]
    found = re.search(r"```shell\n(.*?)```", made["body"], re.DOTALL)
    assert found
    assert found.group(1) in summary()
    clone = tmp_path / "clone"
    shop.git("clone", "--quiet", str(tmp_path / "origin.git"), str(clone))
    subprocess.run(["bash", "-euc", found.group(1)], cwd=clone, check=True, capture_output=True)
    assert shop.tree(BRANCH) == shop.tree(good)
    assert "Reverts-Release: production/42" in shop.origin("log", "-1", "--format=%B", BRANCH)
    assert not (clone / "broken").exists()


def test_range_that_is_long_fits_into_an_issue(
    shop: Shop, github: Api, fail: Fail, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """GitHub refuses a body with more than 65,536 characters."""
    monkeypatch.delenv("WFGEN_APP_TOKEN")
    monkeypatch.setattr(_undo, "LISTED", 3)
    good = shop.git("rev-parse", "main")
    for number in range(3):
        shop.merge("x" * 5000, **{SERVER: f"{number}\n"})
    shop.merge("the client's", **{CLIENT: "fine\n"})
    bad = shop.merge_branch({SERVER: "branch\n"}, squash=False)
    assert fail(good, bad, services=("server",))["reverted"] == "issue"
    (made,) = github.sent("POST", f"{SHOP}/issues")
    assert "- and 1 more\n" in made["body"]
    assert len(made["body"]) < 3000
    found = re.search(r"```shell\n(.*?)```", made["body"], re.DOTALL)
    assert found
    clone = tmp_path / "clone"
    shop.git("clone", "--quiet", str(tmp_path / "origin.git"), str(clone))
    subprocess.run(["bash", "-euc", found.group(1)], cwd=clone, check=True, capture_output=True)
    changed = shop.origin("diff", "--name-only", f"{good}..{BRANCH}").split()
    assert changed == ["README.md", "app/client/main.py"], "the server has its old code"


def test_open_issue_is_brought_up_to_date(
    shop: Shop, github: Api, fail: Fail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WFGEN_APP_TOKEN")
    good = shop.git("rev-parse", "main")
    fail(good, shop.merge(**{SERVER: "bad\n"}))
    (made,) = github.sent("POST", f"{SHOP}/issues")
    # Pull requests are in GitHub's list of issues; they may quote ours.
    quoting = {**PULL, "body": made["body"], "pull_request": {}}
    github.now("GET", f"{SHOP}/issues", [quoting, {**ISSUE, "body": made["body"]}])
    github.on("PATCH", f"{SHOP}/issues/8", ISSUE)
    github.on("POST", f"{SHOP}/issues/8/comments", {}, 201)
    bad = shop.merge(**{CLIENT: "bad\n"})
    assert fail(good, bad, release="43")["address"] == ISSUE["html_url"]
    assert bad in github.sent("PATCH", f"{SHOP}/issues/8")[0]["body"]
    assert len(github.sent("POST", f"{SHOP}/issues/8/comments")) == 1
    assert len(github.sent("POST", f"{SHOP}/issues")) == 1


def test_issue_that_cannot_be_made_leaves_the_commands_in_the_summary(
    shop: Shop,
    github: Api,
    fail: Fail,
    summary: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("WFGEN_APP_TOKEN")
    github.now("GET", f"{SHOP}/issues", {"message": "Resource not accessible"}, 403)
    good = shop.git("rev-parse", "main")
    bad = shop.merge(**{SERVER: "bad\n"})
    with pytest.raises(GitHubError, match="`issues: write`"):
        fail(good, bad)
    assert f"git revert --no-commit {bad}" in summary()


@pytest.mark.parametrize("squash", [True, False])
def test_our_own_revert_is_never_reverted(
    shop: Shop, github: Api, fail: Fail, squash: bool
) -> None:
    good = shop.git("rev-parse", "main")
    bad = shop.merge(**{SERVER: "bad\n"})
    fail(good, bad)
    if squash:  # GitHub's message of a squash: title, number, the commit's text
        shop.git("merge", "--quiet", "--squash", f"origin/{BRANCH}")
        message = shop.origin("log", "-1", "--format=%B", BRANCH)
        reverted = shop.merge(message.replace("production\n", "production (#7)\n", 1))
    else:
        shop.git("merge", "--quiet", "--no-ff", "-m", "Merge pull request #7", f"origin/{BRANCH}")
        shop.git("push", "--quiet", "origin", "main")
        reverted = shop.git("rev-parse", "main")
    before = shop.origin("rev-parse", BRANCH)
    github.requests.clear()
    # The release of the revert fails too: it has the bad commit and its revert, or, where the bad
    # one was good at first, the revert alone.
    assert "already" in fail(good, reverted, release="43")["reason"]
    assert "is a revert" in fail(bad, reverted, release="43")["reason"]
    assert shop.origin("rev-parse", BRANCH) == before
    assert github.requests == []


def test_change_on_top_of_our_revert_is_reverted(shop: Shop, github: Api, fail: Fail) -> None:
    good = shop.git("rev-parse", "main")
    fail(good, shop.merge(**{SERVER: "bad\n"}))
    shop.git("merge", "--quiet", "--squash", f"origin/{BRANCH}")
    shop.merge(shop.origin("log", "-1", "--format=%B", BRANCH))
    bad = shop.merge(**{CLIENT: "bad\n"})
    assert fail(good, bad, release="44")["reverted"] == "pull-request"
    assert shop.tree(BRANCH) == shop.tree(good)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"cause": "infra"}, "not known to have caused"),
        ({"cause": "none"}, "not known to have caused"),
        ({"restored": "nothing"}, "no service was restored"),
        ({"restored": "failed"}, "no service was restored"),
        ({"restored": "verified"}, "no service was restored"),
        ({"lkg_sha": "none"}, "no release before"),
        ({"go_back": "41"}, "went back to a recorded release"),
    ],
)
def test_no_revert_where_the_change_is_not_to_blame(
    shop: Shop, github: Api, fail: Fail, values: dict[str, str], reason: str
) -> None:
    good = shop.git("rev-parse", "main")
    found = fail(good, shop.merge(**{SERVER: "bad\n"}), **values)
    assert (found["reverted"], found["address"]) == ("none", "none")
    assert reason in found["reason"]
    assert github.requests == []
    assert BRANCH not in shop.origin("branch")


def test_no_revert_where_the_failed_commit_does_not_follow_the_good_one(
    shop: Shop, github: Api, fail: Fail
) -> None:
    old = shop.git("rev-parse", "main")
    live = shop.merge(**{SERVER: "good\n"})
    assert "does not follow" in fail(live, old)["reason"]
    assert "nothing was merged after" in fail(live, live)["reason"]


def test_good_commit_from_inside_a_merge_is_left_to_people(
    shop: Shop, github: Api, fail: Fail
) -> None:
    shop.git("switch", "--quiet", "--create", "feature")
    inside = shop.commit(**{SERVER: "good\n"})
    shop.git("switch", "--quiet", "main")
    shop.commit(**{CLIENT: "x\n"})
    shop.git("merge", "--quiet", "--no-ff", "feature")
    bad = shop.merge(**{CLIENT: "bad\n"})
    # Reverting the merge by its first parent would take the good commit out as well.
    assert fail(inside, bad)["reverted"] == "issue"


def test_missing_history_says_what_to_change(
    shop: Shop, github: Api, fail: Fail, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    good = shop.git("rev-parse", "main")
    bad = shop.merge(**{SERVER: "bad\n"})
    source = f"file://{tmp_path / 'origin.git'}"
    shop.git("clone", "--quiet", "--depth=1", source, str(tmp_path / "shallow"))
    monkeypatch.chdir(tmp_path / "shallow")
    with pytest.raises(Failure, match="fetch-depth: 0"):
        fail(good, bad)


def test_refused_push_is_an_issue_with_the_reason(shop: Shop, github: Api, fail: Fail) -> None:
    hook = shop.path / "../origin.git/hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho 'refusing to update workflow'\nexit 1\n")
    hook.chmod(0o755)
    good = shop.git("rev-parse", "main")
    shop.commit(**{SERVER: "bad\n"})
    hook.chmod(0o644)
    shop.git("push", "--quiet", "origin", "main")
    hook.chmod(0o755)
    assert fail(good, shop.git("rev-parse", "main"))["reverted"] == "issue"
    (made,) = github.sent("POST", f"{SHOP}/issues")
    assert "refusing to update workflow" in made["body"]
    assert "`workflows: write`" in made["body"]


def test_pull_request_that_is_refused_is_an_issue(shop: Shop, github: Api, fail: Fail) -> None:
    refused = {"message": "Resource not accessible by integration"}
    github.now("POST", f"{SHOP}/pulls", refused, 403)
    good = shop.git("rev-parse", "main")
    assert fail(good, shop.merge(**{SERVER: "bad\n"}))["reverted"] == "issue"
    assert "`pull-requests: write`" in github.sent("POST", f"{SHOP}/issues")[0]["body"]


@pytest.mark.parametrize(("squash", "method"), [(True, "SQUASH"), (False, "MERGE")])
def test_pull_request_merges_by_itself_where_asked(
    shop: Shop, describe: Describe, github: Api, fail: Fail, squash: bool, method: str
) -> None:
    describe(revert={"auto_merge": True})
    github.on("GET", SHOP, {"allow_squash_merge": squash})
    github.on("POST", "/graphql", {"data": {}})
    good = shop.git("rev-parse", "main")
    fail(good, shop.merge(**{SERVER: "bad\n"}))
    (asked,) = github.sent("POST", "/graphql")
    assert "enablePullRequestAutoMerge" in asked["query"]
    assert asked["variables"] == {"id": "PR_7", "method": method}


def test_refused_auto_merge_is_a_warning(
    shop: Shop,
    describe: Describe,
    github: Api,
    fail: Fail,
    capsys: pytest.CaptureFixture[str],
) -> None:
    describe(revert={"auto_merge": True})
    github.on("GET", SHOP, {})
    clean = {"errors": [{"message": "Pull request is in clean status"}]}
    github.on("POST", "/graphql", clean)
    good = shop.git("rev-parse", "main")
    assert fail(good, shop.merge(**{SERVER: "bad\n"}))["reverted"] == "pull-request"
    said = capsys.readouterr().err
    assert "clean status" in said
    assert "`Allow auto-merge` and a required check" in said


def test_tokens_reach_git_by_the_environment_alone(
    shop: Shop,
    github: Api,
    fail: Fail,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    good = shop.git("rev-parse", "main")
    bad = shop.merge(**{SERVER: "bad\n"})
    # From here on, origin is an HTTP server that asks for the App's token, and whose answers end
    # in an issue. actions/checkout left its own header in the configuration.
    shop.git("remote", "set-url", "origin", f"{github.url}/acme/shop")
    shop.git("config", f"http.{github.url}/.extraheader", "AUTHORIZATION: basic b2xk")
    monkeypatch.setenv("GITHUB_SERVER_URL", github.url)
    config = (shop.path / ".git/config").read_text()
    arguments = tmp_path / "arguments"
    wrapper = tmp_path / "bin/git"
    wrapper.parent.mkdir()
    real = subprocess.run(["which", "git"], capture_output=True, text=True, check=True).stdout
    wrapper.write_text(f'#!/bin/sh\necho "$@" >> {arguments}\nexec {real.strip()} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", str(wrapper.parent), prepend=":")
    fail(good, bad)
    secret = base64.b64encode(b"x-access-token:app-token").decode()
    asked = [r for r in github.requests if r.path == "/acme/shop/info/refs"]
    assert {r.query["service"][0] for r in asked} == {"git-upload-pack", "git-receive-pack"}
    assert {r.headers["authorization"] for r in asked} == {f"basic {secret}"}
    said = capfd.readouterr()
    places = (arguments.read_text(), said.out, said.err, (shop.path / ".git/config").read_text())
    assert "push" in places[0]
    assert not any(word in place for place in places for word in (secret, "app-token"))
    assert places[3] == config
