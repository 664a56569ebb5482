"""`plan` for pull requests and merge groups: what they change is built, and a preview is proposed
only to who may have one and asked for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wfgen.release_program import commands
from wfgen.release_program.failure import Failure

from .conftest import DIGESTS, Describe, Plan, Repository

ALL = ["redis", "server", "client"]
OWN = {"full_name": "acme/shop"}
PREVIEW = {"name": "preview"}


def image(name: str) -> str:
    return f"ghcr.io/acme/shop-{name}@sha256:{DIGESTS[name]}"


@pytest.fixture
def branch(repository: Repository) -> str:
    """The head of a branch that changed the client. Then main went on, in the server."""
    repository.release(3, repository.git("rev-parse", "HEAD"))
    repository.git("switch", "--quiet", "--create", "feature")
    sha = repository.commit(**{"app__client__main.py": "new\n"})
    repository.git("switch", "--quiet", "main")
    repository.commit(**{"app__server__main.py": "newer\n"})
    return sha


@pytest.fixture
def request_of(
    describe: Describe, branch: str, repository: Repository, tmp_path: Path, plan: Plan
) -> Plan:
    """Plans a pull request of the branch; keywords change it, and the event around it."""

    def run(
        event: dict[str, Any] | None = None, actor: str = "ada", **values: Any
    ) -> dict[str, Any]:
        request = {
            "number": 12,
            "state": "open",
            "user": {"login": "ada"},
            "labels": [PREVIEW],
            "head": {"sha": branch, "ref": "feature", "repo": OWN},
            "base": {"sha": repository.git("rev-parse", "main~"), "ref": "main", "repo": OWN},
            **values,
        }
        text = json.dumps({"action": "synchronize", "pull_request": request, **(event or {})})
        (tmp_path / "event.json").write_text(text)
        return plan(
            GITHUB_EVENT_NAME="pull_request",
            GITHUB_EVENT_PATH=str(tmp_path / "event.json"),
            GITHUB_SHA="f" * 40,
            GITHUB_ACTOR=actor,
        )

    return run


@pytest.fixture
def preview(
    describe: Describe, request_of: Plan, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, Any]]:
    """Plans a pull request where the environment has previews, for a label."""
    describe(preview=True, environment="staging", label="preview")
    monkeypatch.setenv("WFGEN_BASE_ENVIRONMENT", "production")
    return request_of


def test_preview_is_of_the_head_with_production_images_for_the_rest(
    preview: Plan, branch: str, summary: Callable[[], str]
) -> None:
    found = preview()
    assert found["sha"] == branch
    assert (found["proposed"], found["trusted"], found["number"]) == ("true", "true", "12")
    assert (found["scope"], found["services"], found["build"]) == (ALL, ALL, ["client"])
    assert found["images"] == {"server": image("server"), "tools": image("tools")}
    assert "| built in this run |" in summary()
    assert "| server | unchanged | as recorded |" in summary()


def test_preview_builds_what_production_does_not_run(
    preview: Plan, branch: str, repository: Repository
) -> None:
    """The base environment is behind the branch: its image is of other content."""
    repository.git("switch", "--quiet", "--create", "later", "main")
    sha = repository.commit(**{"app__client__main.py": "new\n"})
    repository.git("switch", "--quiet", "main")
    repository.git("update-ref", "refs/remotes/origin/main", "main")
    found = preview(head={"sha": sha, "ref": "later", "repo": OWN})
    assert found["build"] == ["server", "client"]
    assert found["images"] == {"tools": image("tools")}


def test_preview_in_a_later_attempt_takes_no_image_of_a_tag(
    preview: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_RUN_ATTEMPT", "2")
    found = preview()
    assert (found["images"], found["build"]) == ({}, ["server", "client"])


def test_preview_without_any_release_builds_what_it_runs(
    preview: Plan, repository: Repository
) -> None:
    repository.git("tag", "--delete", "deploy/production/3")
    found = preview()
    assert (found["images"], found["build"]) == ({}, ["server", "client"])


def test_preview_without_its_label_is_built_and_not_deployed(preview: Plan) -> None:
    found = preview(labels=[{"name": "bug"}])
    assert (found["proposed"], found["services"], found["build"]) == ("false", [], ["client"])
    assert (found["trusted"], found["number"], found["images"]) == ("true", "12", {})


@pytest.mark.parametrize(
    ("action", "label", "proposed"),
    [
        ("labeled", "preview", "true"),
        ("labeled", "bug", "false"),
        ("unlabeled", "bug", "false"),
        ("reopened", None, "true"),
    ],
)
def test_label_event_starts_a_preview_for_the_label_of_previews_alone(
    preview: Plan, action: str, label: str | None, proposed: str
) -> None:
    """Somebody who sorts requests by labels deploys nothing again, though a preview is there."""
    event = {"action": action, **({"label": {"name": label}} if label else {})}
    found = preview(event, labels=[PREVIEW, {"name": "bug"}])
    assert (found["proposed"], found["build"]) == (proposed, ["client"])


@pytest.mark.parametrize(
    ("action", "proposed"), [("opened", "true"), ("labeled", "false"), ("unlabeled", "false")]
)
def test_previews_that_need_no_label_are_not_started_by_one(
    describe: Describe, preview: Plan, action: str, proposed: str
) -> None:
    describe(preview=True, environment="staging", label=None)
    event = {"action": action, "label": {"name": "bug"}}
    assert preview(event, labels=[])["proposed"] == proposed


UNTRUSTED = [
    pytest.param({"head": {"full_name": "eve/shop"}}, id="fork"),
    pytest.param({"head": None}, id="fork that was deleted"),
    pytest.param({"user": {"login": "dependabot[bot]"}}, id="Dependabot"),
    pytest.param({"state": "closed"}, id="closed meanwhile"),
]


@pytest.mark.parametrize("values", UNTRUSTED)
@pytest.mark.parametrize("previews", [True, False])
def test_what_must_not_have_credentials_is_built_and_never_deployed(
    describe: Describe, preview: Plan, branch: str, values: dict[str, Any], previews: bool
) -> None:
    if not previews:
        describe()
    if "head" in values:
        values = {"head": {"sha": branch, "ref": "main", "repo": values["head"]}}
    found = preview(**values)
    assert (found["trusted"], found["proposed"], found["services"]) == ("false", "false", [])
    assert (found["build"], found["images"]) == (["client"], {})


def test_run_that_dependabot_started_is_not_trusted(preview: Plan) -> None:
    """GitHub looks at who started the run, not only at who opened the request."""
    assert preview(actor="dependabot[bot]")["trusted"] == "false"
    assert preview(actor="bob")["trusted"] == "true"


def test_request_without_previews_builds_what_it_changes_alone(request_of: Plan) -> None:
    """Compared with the merge base: what main changed since is not the request's."""
    found = request_of()
    assert (found["proposed"], found["services"], found["build"]) == ("false", [], ["client"])
    assert (found["trusted"], found["number"], found["go_back"]) == ("true", "12", "0")


def test_request_does_not_depend_on_tags_or_on_what_is_held(
    request_of: Plan, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.release(4, repository.git("rev-parse", "main"), held=True)
    monkeypatch.setenv("GITHUB_RUN_ATTEMPT", "2")
    found = request_of()
    assert (found["build"], found["held"]) == (["client"], "false")


def test_request_that_changes_no_service_builds_none(
    request_of: Plan, repository: Repository
) -> None:
    repository.git("switch", "--quiet", "--create", "docs", "main")
    sha = repository.commit(**{"README.md": "more\n"})
    found = request_of(head={"sha": sha, "ref": "docs", "repo": OWN})
    assert (found["proposed"], found["build"]) == ("false", [])


def test_request_with_an_unknown_base_builds_everything(
    request_of: Plan, repository: Repository
) -> None:
    base = {"sha": "e" * 40, "ref": "gone", "repo": OWN}
    assert request_of(base=base)["build"] == ["server", "client", "tools"]


def test_base_branch_that_is_gone_is_replaced_by_its_commit(
    request_of: Plan, repository: Repository
) -> None:
    base = {"sha": repository.git("rev-parse", "main~"), "ref": "gone", "repo": OWN}
    assert request_of(base=base)["build"] == ["client"]


@pytest.mark.parametrize("previews", [True, False])
def test_merge_group_is_built_and_tested_and_nothing_else(
    describe: Describe,
    repository: Repository,
    branch: str,
    tmp_path: Path,
    plan: Plan,
    capsys: pytest.CaptureFixture[str],
    previews: bool,
) -> None:
    describe(preview=previews)
    repository.git("switch", "--quiet", "--create", "queue", "main")
    repository.git("merge", "--quiet", "--no-ff", "-m", "Merge #12", "feature")
    head = repository.git("rev-parse", "HEAD")
    group = {
        "head_sha": head,
        "head_ref": "refs/heads/gh-readonly-queue/main/pr-12-0123",
        "base_sha": repository.git("rev-parse", "main"),
        "base_ref": "refs/heads/main",
    }
    (tmp_path / "event.json").write_text(
        json.dumps({"action": "checks_requested", "merge_group": group})
    )
    found = plan(
        GITHUB_EVENT_NAME="merge_group",
        GITHUB_EVENT_PATH=str(tmp_path / "event.json"),
        GITHUB_SHA=head,
    )
    assert (found["sha"], found["build"]) == (head, ["client"])
    assert (found["proposed"], found["services"], found["images"]) == ("false", [], {})
    assert (found["number"], found["trusted"]) == ("0", "false")
    reason = "a merge group gets no preview" if previews else "production has no previews"
    assert f"no preview: {reason}" in capsys.readouterr().err


@pytest.mark.parametrize("event", ["pull_request", "merge_group"])
@pytest.mark.parametrize("text", ["{}", "", "[]", '{"pull_request": null, "merge_group": {}}'])
def test_invalid_event_is_named(
    describe: Describe,
    repository: Repository,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    event: str,
    text: str,
) -> None:
    (tmp_path / "event.json").write_text(text)
    monkeypatch.setenv("GITHUB_EVENT_NAME", event)
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(tmp_path / "event.json"))
    with pytest.raises(Failure, match=f"the event {event} is missing or invalid"):
        commands.run("plan")


def test_preview_is_of_a_pull_request_only(
    describe: Describe, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe(preview=True, environment="staging")
    monkeypatch.setenv("GITHUB_EVENT_NAME", "push")
    with pytest.raises(Failure, match="previews of pull requests only: the event is `push`"):
        commands.run("plan")
