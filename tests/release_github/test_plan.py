"""`plan` and `images`: nothing that changed is left out, nothing that did not is built again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wfgen.release_program import commands
from wfgen.release_program.failure import Failure

from .conftest import DIGESTS, Describe, Repository, service

Outputs = Callable[[], dict[str, str]]
ALL = ["redis", "server", "client"]


def image(name: str) -> str:
    return f"ghcr.io/acme/shop-{name}@sha256:{DIGESTS[name]}"


@pytest.fixture
def plan(
    describe: Describe, outputs: Outputs, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, Any]]:
    """Plans with these variables; lists and objects of the outputs decoded."""

    def run(**variables: str) -> dict[str, Any]:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        assert commands.run("plan") == 0
        found: dict[str, Any] = dict(outputs())
        for name in ("services", "build", "images"):
            found[name] = json.loads(found[name])
        return found

    return run


Plan = Callable[..., dict[str, Any]]


def test_first_release_builds_and_releases_everything(plan: Plan, repository: Repository) -> None:
    found = plan()
    assert found["any"] == "true"
    assert found["services"] == ALL
    assert found["build"] == ["server", "client", "tools"]
    assert found["images"] == {}
    assert found["previous"] == ""
    assert found["sha"] == repository.git("rev-parse", "HEAD")
    assert (found["trusted"], found["number"], found["go_back"]) == ("true", "", "")


def test_nothing_changed_means_nothing_to_release(plan: Plan, repository: Repository) -> None:
    repository.release(1, repository.git("rev-parse", "HEAD"))
    repository.commit("docs", **{"README.md": "more\n"})
    found = plan()
    assert (found["any"], found["services"], found["build"]) == ("false", [], [])
    assert found["images"] == {name: image(name) for name in DIGESTS}
    assert found["previous"] == "deploy/production/1"


def test_changed_service_is_built_and_the_others_keep_their_digest(
    plan: Plan, repository: Repository
) -> None:
    repository.release(1, repository.git("rev-parse", "HEAD"))
    repository.commit(**{"app__server__main.py": "new\n"})
    found = plan()
    assert (found["any"], found["services"], found["build"]) == ("true", ["server"], ["server"])
    assert found["images"] == {"client": image("client"), "tools": image("tools")}


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
    assert found["images"] == {"server": image("server"), "client": newer}
    assert found["previous"] == "deploy/production/10"


@pytest.mark.parametrize(
    ("path", "services"),
    [
        ("kube__bases__redis__app.yaml", ["redis"]),
        ("kube__overlays__production__kustomization.yaml", ALL),
    ],
)
def test_changed_manifest_releases_without_a_build(
    plan: Plan, repository: Repository, path: str, services: list[str]
) -> None:
    repository.release(1, repository.git("rev-parse", "HEAD"))
    repository.commit(**{path: "a: 2\n"})
    found = plan()
    assert (found["any"], found["services"], found["build"]) == ("true", services, [])
    assert found["images"] == {name: image(name) for name in DIGESTS}


def test_service_that_is_not_deployed_is_built_and_releases_nothing(
    plan: Plan, repository: Repository
) -> None:
    repository.release(1, repository.git("rev-parse", "HEAD"))
    repository.commit(**{"app__tools__main.py": "new\n"})
    found = plan()
    assert (found["any"], found["services"], found["build"]) == ("false", [], ["tools"])


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


def test_force_builds_what_did_not_change(plan: Plan, repository: Repository) -> None:
    repository.release(1, repository.git("rev-parse", "HEAD"))
    found = plan(WFGEN_FORCE="true", WFGEN_SERVICES="client")
    assert (found["services"], found["build"], found["images"]) == (["client"], ["client"], {})


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


def test_going_back_takes_the_recorded_images_and_builds_nothing(
    plan: Plan, repository: Repository
) -> None:
    first = repository.git("rev-parse", "HEAD")
    repository.release(1, first)
    second = repository.commit(**{"app__server__main.py": "new\n"})
    repository.release(2, second, services={"server": {"sha": second, "image": image("server")}})
    found = plan(WFGEN_GO_BACK="1")
    assert (found["any"], found["sha"], found["go_back"]) == ("true", first, "1")
    assert (found["services"], found["build"]) == (["server", "client"], [])
    assert found["images"] == {"server": image("server"), "client": image("client")}
    # Release 2 was of the server alone: the client is as release 1 left it.
    assert plan(WFGEN_GO_BACK="2")["images"] == found["images"]


def test_going_back_leaves_a_database_alone_unless_it_is_named(
    plan: Plan, repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.release(1, repository.git("rev-parse", "HEAD"))
    assert "redis" not in plan(WFGEN_GO_BACK="1")["services"]
    assert "redis: unchanged, because of `rollback: never`" in capsys.readouterr().err
    assert plan(WFGEN_GO_BACK="1", WFGEN_SERVICES="redis")["services"] == ["redis"]


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"WFGEN_GO_BACK": "7"}, "release '7' of production not found; known releases: 2, 1"),
        ({"WFGEN_GO_BACK": "1; rm"}, "release '1; rm' of production not found"),
        ({"WFGEN_GO_BACK": "1", "WFGEN_SERVICES": "client"}, "do not have client: cannot go back"),
    ],
)
def test_going_back_to_what_is_not_recorded_is_refused(
    describe: Describe,
    repository: Repository,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    message: str,
) -> None:
    first = repository.git("rev-parse", "HEAD")
    repository.release(1, first, services={"server": {"sha": first, "image": image("server")}})
    repository.release(2, first)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Failure, match=message):
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
    assert image("server") not in found["images"].values() or found["previous"].endswith("/1")
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
    assert "gone" not in plan()["images"]
    assert "'gone' is not in the description; ignored" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["3", "03", "x", "3/4"])
def test_tag_that_audit_did_not_make_is_no_release(
    plan: Plan, repository: Repository, name: str
) -> None:
    repository.git("tag", "--annotate", "-m", "by hand", f"deploy/production/{name}")
    repository.git("tag", "deploy/production/8")
    repository.release(4, repository.git("rev-parse", "HEAD"), release=5)
    found = plan()
    assert (found["previous"], found["any"]) == ("", "true")


def pull_request(path: Path, sha: str, **values: Any) -> str:
    """The path of an event file."""
    repository = {"full_name": "acme/shop"}
    request = {
        "number": 12,
        "state": "open",
        "user": {"login": "ada"},
        "labels": [],
        "head": {"sha": sha, "repo": repository},
        "base": {"repo": repository},
        **values,
    }
    (path / "event.json").write_text(json.dumps({"pull_request": request}))
    return str(path / "event.json")


@pytest.fixture
def preview(describe: Describe, repository: Repository, tmp_path: Path, plan: Plan) -> Plan:
    """Plans the preview of a branch that changed the client; keywords change the event."""
    describe(preview=True, environment="staging", label="preview")
    repository.release(3, repository.git("rev-parse", "HEAD"))
    repository.git("switch", "--quiet", "--create", "feature")
    sha = repository.commit(**{"app__client__main.py": "new\n"})
    repository.git("switch", "--quiet", "main")

    def run(**values: Any) -> dict[str, Any]:
        event = pull_request(tmp_path, sha, **{"labels": [{"name": "preview"}], **values})
        return plan(
            WFGEN_BASE_ENVIRONMENT="production",
            GITHUB_EVENT_NAME="pull_request",
            GITHUB_EVENT_PATH=event,
            GITHUB_SHA="f" * 40,
            GITHUB_ACTOR=values.get("user", {}).get("login", "ada"),
        )

    return run


def test_preview_is_of_the_head_with_production_images_for_the_rest(
    preview: Plan, repository: Repository
) -> None:
    found = preview()
    assert found["sha"] == repository.git("rev-parse", "feature")
    assert (found["any"], found["trusted"], found["number"]) == ("true", "true", "12")
    assert (found["services"], found["build"]) == (ALL, ["client"])
    assert found["images"] == {"server": image("server"), "tools": image("tools")}


def test_preview_without_its_label_is_built_and_not_deployed(preview: Plan) -> None:
    found = preview(labels=[])
    assert (found["any"], found["services"], found["build"]) == ("false", [], ["client"])


def test_preview_of_a_branch_that_changed_nothing_is_complete(
    preview: Plan, repository: Repository
) -> None:
    main = repository.git("rev-parse", "main")
    found = preview(head={"sha": main, "repo": {"full_name": "acme/shop"}})
    assert (found["any"], found["services"], found["build"]) == ("true", ALL, [])


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"fork": {"full_name": "eve/shop"}}, id="fork"),
        pytest.param({"fork": None}, id="fork that was deleted"),
        pytest.param({"user": {"login": "dependabot[bot]"}}, id="Dependabot"),
        pytest.param({"state": "closed"}, id="closed meanwhile"),
    ],
)
def test_what_must_not_have_credentials_is_built_and_never_deployed(
    preview: Plan, repository: Repository, values: dict[str, Any]
) -> None:
    sha = repository.git("rev-parse", "feature")
    if "fork" in values:
        values = {"head": {"sha": sha, "repo": values["fork"]}}
    found = preview(**values)
    assert (found["trusted"], found["any"], found["services"]) == ("false", "false", [])
    assert found["build"] == ["client"]


def test_preview_without_a_pull_request_is_refused(
    describe: Describe, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe(preview=True, environment="staging")
    (tmp_path / "event.json").write_text("{}")
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(tmp_path / "event.json"))
    with pytest.raises(Failure, match="the event of a pull request"):
        commands.run("plan")


@pytest.fixture
def collect(
    describe: Describe, outputs: Outputs, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, str]]:
    """Runs `images` after a plan to release all, with these builds and known images."""

    def run(build: list[str], known: dict[str, str], **digests: str) -> dict[str, str]:
        plan = {
            "services": json.dumps(ALL),
            "build": json.dumps(build),
            "images": json.dumps(known),
        }
        jobs = {
            f"build_{k}": {"result": "success", "outputs": {"digest": v}}
            for k, v in digests.items()
        }
        monkeypatch.setenv("WFGEN_PLAN", json.dumps(plan))
        monkeypatch.setenv("WFGEN_NEEDS", json.dumps(jobs))
        assert commands.run("images") == 0
        found: dict[str, str] = json.loads(outputs()["images"])
        return found

    return run


Collect = Callable[..., dict[str, str]]


def test_images_are_what_was_built_and_what_was_known(collect: Collect) -> None:
    known = {"client": image("client"), "tools": image("tools")}
    fresh = f"sha256:{'e' * 64}"
    assert collect(["server"], known, server=fresh) == {
        **known,
        "server": f"ghcr.io/acme/shop-server@{fresh}",
    }
    everything = {name: image(name) for name in DIGESTS}
    assert collect([], everything) == everything


@pytest.mark.parametrize("digest", ["", "latest", "sha256:abc", f"sha256:{'e' * 64} x"])
def test_deployed_service_without_a_digest_stops_the_release(collect: Collect, digest: str) -> None:
    # That an older image is known must not help: it is not the commit's.
    known = {"client": image("client"), "server": image("server")}
    with pytest.raises(Failure, match=r"server: job build_server \(success\) wrote no digest"):
        collect(["server"], known, server=digest)


def test_image_of_another_repository_is_no_image(collect: Collect) -> None:
    known = {"client": "evil.example.com/client@sha256:" + "b" * 64, "server": image("server")}
    with pytest.raises(Failure, match=r"client: job build_client \(absent\)"):
        collect([], known)
