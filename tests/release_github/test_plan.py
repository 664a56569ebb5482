"""`plan`: nothing that changed is left out, nothing that did not is built again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wfgen.release_program import commands
from wfgen.release_program.failure import Failure

from .conftest import DIGESTS, Describe, Plan, Repository, service

ALL = ["redis", "server", "client"]


def image(name: str) -> str:
    return f"ghcr.io/acme/shop-{name}@sha256:{DIGESTS[name]}"


def test_first_release_builds_and_releases_everything(plan: Plan, repository: Repository) -> None:
    found = plan()
    assert found["proposed"] == "true"
    assert found["services"] == ALL
    assert found["build"] == ["server", "client", "tools"]
    assert found["images"] == {}
    assert found["scope"] == ALL
    assert (found["previous"], found["held"]) == ("none", "false")
    assert found["sha"] == repository.git("rev-parse", "HEAD")
    assert (found["trusted"], found["number"], found["go_back"]) == ("true", "0", "0")


def test_nothing_changed_means_nothing_to_release(plan: Plan, repository: Repository) -> None:
    repository.release(1, repository.git("rev-parse", "HEAD"))
    repository.commit("docs", **{"README.md": "more\n"})
    found = plan()
    assert (found["proposed"], found["services"], found["build"]) == ("false", [], [])
    assert (found["scope"], found["images"]) == (ALL, {})
    assert found["previous"] == "deploy/production/1"


def test_changed_service_is_built_and_no_other(
    plan: Plan, repository: Repository, summary: Callable[[], str]
) -> None:
    repository.release(1, repository.git("rev-parse", "HEAD"))
    repository.commit(**{"app__server__main.py": "new\n"})
    found = plan()
    assert (found["proposed"], found["services"], found["build"]) == (
        "true",
        ["server"],
        ["server"],
    )
    # In production, the record in the cluster has the images of all other services.
    assert found["images"] == {}
    head = repository.git("rev-parse", "deploy/production/1^{commit}")[:12]
    assert f"| server | changed since {head} | built in this run |" in summary()
    assert "| client | unchanged | - |" in summary()


def test_what_a_changed_service_needs_outside_the_cluster_is_asked_again(
    describe: Describe, plan: Plan, repository: Repository
) -> None:
    external = {"secret": "URL", "image": "redis:7.4.1", "command": ["true"]}
    describe(
        services={
            "redis": service("redis", built=False, external=external, workloads=[]),
            "postgres": service("postgres", built=False),
            "server": service("server", depends_on=["redis", "postgres"]),
            "client": service("client", depends_on=["server"]),
        }
    )
    sha = repository.git("rev-parse", "HEAD")
    known = {"sha": sha, "image": None}
    services = {name: {**known, "image": image(name)} for name in ("server", "client")}
    repository.release(1, sha, services={**services, "redis": known, "postgres": known})
    repository.commit(**{"app__client__main.py": "new\n"})
    assert plan()["services"] == ["redis", "client"]


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"app__server__new.py": "x\n"}, id="added"),
        pytest.param({"app__server__main.py": None}, id="deleted"),
        pytest.param(
            {"app__server__main.py": None, "docs__main.py": "print('server')\n" * 5},
            id="renamed out of the watched folder",
        ),
        pytest.param(
            {"app__server__main.py": None, "app__server__other.py": "print('server')\n" * 5},
            id="renamed within",
        ),
    ],
)
def test_files_that_come_and_go_are_changes(
    plan: Plan, repository: Repository, files: dict[str, str | None]
) -> None:
    repository.release(1, repository.git("rev-parse", "HEAD"))
    repository.commit(**files)
    assert plan()["build"] == ["server"]


def test_file_that_becomes_executable_is_a_change(plan: Plan, repository: Repository) -> None:
    repository.release(1, repository.git("rev-parse", "HEAD"))
    repository.git("update-index", "--chmod=+x", "app/server/main.py")
    repository.git("commit", "--quiet", "-m", "mode")
    assert plan(GITHUB_SHA=repository.git("rev-parse", "HEAD"))["build"] == ["server"]


def test_change_of_a_failed_run_still_ships(plan: Plan, repository: Repository) -> None:
    repository.release(1, repository.git("rev-parse", "HEAD"))
    repository.commit("its release failed: no tag", **{"app__server__main.py": "new\n"})
    repository.commit("docs", **{"README.md": "more\n"})
    assert plan()["build"] == ["server"]


def test_each_service_is_compared_with_its_own_last_release(
    plan: Plan, repository: Repository
) -> None:
    first = repository.git("rev-parse", "HEAD")
    repository.release(9, first)
    second = repository.commit(**{"app__client__main.py": "new\n", "app__tools__main.py": "new\n"})
    newer = f"ghcr.io/acme/shop-client@sha256:{'d' * 64}"
    repository.release(10, second, services={"client": {"sha": second, "image": newer}})
    found = plan()
    # Release 10 was of the client alone; the tools changed since release 9, the server did not.
    assert found["build"] == ["tools"]
    assert found["previous"] == "deploy/production/10"


@pytest.mark.parametrize(
    ("path", "services"),
    [
        ("kube__bases__redis__app.yaml", ["redis"]),
        ("kube__overlays__production__kustomization.yaml", ALL),
    ],
)
def test_changed_manifest_releases_without_a_build(
    plan: Plan,
    repository: Repository,
    summary: Callable[[], str],
    path: str,
    services: list[str],
) -> None:
    repository.release(1, repository.git("rev-parse", "HEAD"))
    repository.commit(**{path: "a: 2\n"})
    found = plan()
    assert (found["proposed"], found["services"], found["build"]) == ("true", services, [])
    assert ("| as recorded |" in summary()) == ("server" in services)


def test_service_that_is_not_deployed_is_built_and_releases_nothing(
    plan: Plan, repository: Repository
) -> None:
    repository.release(1, repository.git("rev-parse", "HEAD"))
    repository.commit(**{"app__tools__main.py": "new\n"})
    found = plan()
    assert (found["proposed"], found["services"], found["build"]) == ("false", [], ["tools"])


def test_commit_beyond_a_shallow_clone_counts_as_changed(
    plan: Plan, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = repository.git("rev-parse", "HEAD")
    repository.commit("docs", **{"README.md": "more\n"})
    shallow = Repository(tmp_path / "shallow")
    repository.git("clone", "--quiet", "--depth=1", f"file://{repository.path}", str(shallow.path))
    # The tag is there, the commit that its message names is not.
    head = shallow.git("rev-parse", "HEAD")
    services = {"server": {"sha": first, "image": image("server")}}
    shallow.release(1, head, services=services)
    monkeypatch.chdir(shallow.path)
    assert "server" in plan(WFGEN_SERVICES="server")["build"]


@pytest.fixture
def dispatch(plan: Plan) -> Plan:
    """Plans a run that was started by hand."""
    return lambda **variables: plan(GITHUB_EVENT_NAME="workflow_dispatch", **variables)


def test_dispatch_proposes_its_whole_scope_and_builds_what_changed(
    dispatch: Plan, repository: Repository, summary: Callable[[], str]
) -> None:
    repository.release(1, repository.git("rev-parse", "HEAD"))
    repository.commit(**{"app__server__main.py": "new\n"})
    found = dispatch()
    assert (found["proposed"], found["services"], found["scope"]) == ("true", ALL, ALL)
    assert found["build"] == ["server"]
    assert "| client | requested | as recorded |" in summary()
    found = dispatch(WFGEN_SERVICES="client tools")
    assert (found["services"], found["scope"]) == (["client"], ["client"])
    assert found["build"] == []


def test_force_builds_what_did_not_change(dispatch: Plan, repository: Repository) -> None:
    repository.release(1, repository.git("rev-parse", "HEAD"))
    found = dispatch(WFGEN_FORCE="true", WFGEN_SERVICES="client")
    assert (found["services"], found["build"], found["images"]) == (["client"], ["client"], {})


@pytest.mark.parametrize("event", ["push", "workflow_dispatch"])
def test_later_attempt_trusts_no_tag_and_builds_its_scope(
    plan: Plan, repository: Repository, event: str
) -> None:
    """Whoever can push a tag could otherwise keep an image from being built for ever."""
    repository.release(1, repository.git("rev-parse", "HEAD"), held=True)
    found = plan(GITHUB_RUN_ATTEMPT="2", GITHUB_EVENT_NAME=event)
    assert (found["services"], found["scope"], found["held"]) == (ALL, ALL, "false")
    assert found["build"] == ["server", "client", "tools"]
    found = plan(GITHUB_RUN_ATTEMPT="2", GITHUB_EVENT_NAME=event, WFGEN_SERVICES="client")
    assert (found["services"], found["build"]) == (["client"], ["client"])


@pytest.mark.parametrize("event", ["push", "workflow_dispatch"])
def test_while_a_release_is_held_nothing_is_proposed_or_built(
    plan: Plan,
    repository: Repository,
    capsys: pytest.CaptureFixture[str],
    summary: Callable[[], str],
    event: str,
) -> None:
    repository.release(1, repository.git("rev-parse", "HEAD"))
    repository.release(2, repository.git("rev-parse", "HEAD"), held=True)
    repository.commit(**{"app__server__main.py": "new\n"})
    found = plan(GITHUB_EVENT_NAME=event)
    assert (found["proposed"], found["services"], found["build"]) == ("false", [], [])
    assert (found["held"], found["scope"]) == ("true", ALL)
    assert "deploy/production/2: an operator went back to a release" in capsys.readouterr().err
    assert "| server | held | - |" in summary()


def test_force_and_going_back_and_a_newer_release_end_what_is_held(
    dispatch: Plan, repository: Repository
) -> None:
    head = repository.git("rev-parse", "HEAD")
    repository.release(1, head)
    repository.release(2, head, held=True)
    assert dispatch(WFGEN_FORCE="true")["services"] == ALL
    assert dispatch(WFGEN_FORCE="false", WFGEN_GO_BACK="1")["services"] == ["server", "client"]
    repository.release(3, head)
    found = dispatch(WFGEN_GO_BACK="")
    assert (found["services"], found["held"]) == (ALL, "false")


@pytest.mark.parametrize("held", ["true", 1, None, "false"])
def test_a_tag_holds_only_where_audit_wrote_so(
    plan: Plan, repository: Repository, held: object
) -> None:
    repository.release(1, repository.git("rev-parse", "HEAD"), held=held)
    assert plan()["held"] == "false"


def test_dispatch_of_an_unknown_service_names_the_known_ones(
    describe: Describe, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WFGEN_SERVICES", "server, sever")
    with pytest.raises(Failure, match="unknown service sever; production has redis, server, "):
        commands.run("plan")


def test_dispatched_ref_is_resolved_to_the_full_sha(plan: Plan, repository: Repository) -> None:
    first = repository.git("rev-parse", "HEAD")
    repository.git("tag", "v1")
    repository.commit(**{"app__server__main.py": "new\n"})
    for ref in (first, first[:9], "v1"):
        assert plan(WFGEN_REF=ref)["sha"] == first
    assert plan(WFGEN_REF="main")["sha"] == repository.git("rev-parse", "HEAD")


@pytest.mark.parametrize("ref", ["nowhere", "--all", "main@{0}", ":/first", "HEAD~0"])
def test_dispatched_ref_must_be_a_name(
    describe: Describe, repository: Repository, monkeypatch: pytest.MonkeyPatch, ref: str
) -> None:
    monkeypatch.setenv("WFGEN_REF", ref)
    with pytest.raises(Failure, match="use a branch, tag or commit of this repository"):
        commands.run("plan")


@pytest.mark.parametrize("by_ref", [True, False])
def test_what_was_not_merged_is_not_released(
    describe: Describe, repository: Repository, monkeypatch: pytest.MonkeyPatch, by_ref: bool
) -> None:
    repository.git("switch", "--quiet", "--create", "feature")
    sha = repository.commit(**{"app__server__main.py": "new\n"})
    monkeypatch.setenv("GITHUB_EVENT_NAME", "workflow_dispatch")
    monkeypatch.setenv("WFGEN_REF" if by_ref else "GITHUB_SHA", sha)
    with pytest.raises(Failure, match="is not merged into main"):
        commands.run("plan")


def test_dispatch_in_a_clone_without_the_default_branch_says_what_to_change(
    describe: Describe, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.git("update-ref", "-d", "refs/remotes/origin/main")
    monkeypatch.setenv("WFGEN_REF", repository.git("rev-parse", "HEAD"))
    with pytest.raises(Failure, match="fetch-depth: 0"):
        commands.run("plan")


def test_going_back_builds_nothing_and_takes_the_commit_of_the_tag(
    dispatch: Plan, repository: Repository
) -> None:
    first = repository.git("rev-parse", "HEAD")
    repository.release(1, first)
    second = repository.commit(**{"app__server__main.py": "new\n"})
    repository.release(2, second, services={"server": {"sha": second, "image": image("server")}})
    found = dispatch(WFGEN_GO_BACK="1")
    assert (found["proposed"], found["sha"], found["go_back"]) == ("true", first, "1")
    assert (found["services"], found["build"]) == (["server", "client"], [])
    # The record has the images, and decides which services the release has.
    assert (found["images"], found["scope"]) == ({}, ["server", "client"])


def test_going_back_leaves_a_database_alone_unless_it_is_named(
    dispatch: Plan, repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.release(1, repository.git("rev-parse", "HEAD"))
    assert "redis" not in dispatch(WFGEN_GO_BACK="1")["services"]
    assert "redis: unchanged, because of `rollback: never`" in capsys.readouterr().err
    assert dispatch(WFGEN_GO_BACK="1", WFGEN_SERVICES="redis")["services"] == ["redis"]


def test_going_back_needs_no_tag(
    dispatch: Plan, repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    """The record in the cluster has the release, whatever became of its tag."""
    head = repository.git("rev-parse", "HEAD")
    found = dispatch(WFGEN_GO_BACK="7")
    assert (found["services"], found["sha"], found["go_back"]) == (["server", "client"], head, "7")
    assert "release 7: it has no valid tag; the release record decides" in capsys.readouterr().err


def test_going_back_by_a_tag_on_an_unmerged_commit_takes_the_commit_of_the_run(
    dispatch: Plan, repository: Repository
) -> None:
    """The checkout has the default branch's files, whoever pushed the tag."""
    repository.git("switch", "--quiet", "--create", "feature")
    repository.release(1, repository.commit(**{"app__server__main.py": "evil\n"}))
    repository.git("switch", "--quiet", "main")
    head = repository.commit()
    assert dispatch(WFGEN_GO_BACK="1")["sha"] == head


@pytest.mark.parametrize("number", ["1; rm", "0", "01", "-1", "1234567", "v1"])
def test_going_back_to_what_is_not_a_number_is_refused(
    describe: Describe, repository: Repository, monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    repository.release(2, repository.git("rev-parse", "HEAD"))
    monkeypatch.setenv("WFGEN_GO_BACK", number)
    with pytest.raises(Failure, match="use the number of a release; known releases: 2"):
        commands.run("plan")


def test_going_back_with_nothing_that_may_go_back_is_refused(
    describe: Describe, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe(services={"redis": service("redis", built=False, rollback="never")})
    monkeypatch.setenv("WFGEN_GO_BACK", "1")
    with pytest.raises(Failure, match="name a service with `rollback: never`"):
        commands.run("plan")


@pytest.mark.parametrize(
    "entry",
    [
        {"sha": "HEAD", "image": image("server")},
        {"sha": "--output=x", "image": image("server")},
        {"image": image("server")},
        {"sha": None, "image": "evil.example.com/x@sha256:" + "a" * 64},
        {"sha": None, "image": "ghcr.io/acme/shop-server:latest"},
        {"sha": None, "image": image("server") + " --privileged"},
        {"sha": None, "image": image("client")},
        {"sha": None, "image": None},
        "server",
        None,
    ],
)
def test_what_a_tag_says_is_not_trusted(
    plan: Plan, repository: Repository, capsys: pytest.CaptureFixture[str], entry: Any
) -> None:
    head = repository.git("rev-parse", "HEAD")
    repository.release(1, head)
    if isinstance(entry, dict) and entry.get("sha", "") is None:
        entry = {**entry, "sha": head}
    repository.release(2, head, services={"server": entry})
    found = plan(WFGEN_SERVICES="server")
    # Either the entry counts as changed, or the whole tag is ignored.
    assert found["build"] == ["server"] or found["previous"].endswith("/1")
    assert "ignored" in capsys.readouterr().err


def test_unusable_entry_is_not_replaced_by_an_older_one(plan: Plan, repository: Repository) -> None:
    head = repository.git("rev-parse", "HEAD")
    repository.release(1, head)
    repository.release(2, head, services={"server": {"sha": head, "image": "evil"}})
    assert plan()["build"] == ["server"]


def test_service_nobody_knows_any_more_is_left_out(
    plan: Plan, repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    head = repository.git("rev-parse", "HEAD")
    repository.release(1, head, services={"gone": {"sha": head, "image": "x@sha256:" + "a" * 64}})
    assert "gone" not in plan()["scope"]
    assert "'gone' is not in the description; ignored" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["3", "03", "x", "3/4"])
def test_tag_that_audit_did_not_make_is_no_release(
    plan: Plan, repository: Repository, name: str
) -> None:
    repository.git("tag", "--annotate", "-m", "by hand", f"deploy/production/{name}")
    repository.git("tag", "deploy/production/8")
    repository.release(4, repository.git("rev-parse", "HEAD"), release=5)
    found = plan()
    assert (found["previous"], found["proposed"]) == ("none", "true")


def test_tag_whose_number_is_too_long_is_ignored_with_a_warning(
    plan: Plan, repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever can push a tag cannot exhaust the numbers."""
    head = repository.git("rev-parse", "HEAD")
    repository.release(999999, head)
    repository.release(1000000, head)
    assert plan()["previous"] == "deploy/production/999999"
    err = capsys.readouterr().err
    assert "tag deploy/production/1000000 is ignored" in err
    assert "at most 6 digits" in err
