"""Runs the release program as the pipelines do, with a fake cluster."""

from __future__ import annotations

import base64
import gzip
import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.github_api import Api, serving
from tests.judges.tools import find_program
from tests.kube_api import FakeCluster
from tests.kube_api.world import World
from tests.release_program.forks import Forks
from wfgen.release_program.names import PER_ATTEMPT, build_job, untag

ROOT = Path(__file__).resolve().parents[2]
RECORD = "wfgen-release-production"
APP = "server,client"
"""The services with images built from source; releasing only them makes a test shorter."""


def digest(text: str) -> str:
    """A digest that begins with `text` in hexadecimal."""
    return "sha256:" + (text.encode().hex() + "0" * 64)[:64]


@dataclass
class Outputs:
    """The result of a command."""

    code: int
    log: str
    values: dict[str, str] = field(default_factory=dict)
    """Outputs; those that carry the attempt, without it."""
    summary: str = ""

    def has(self, **values: str) -> bool:
        """Whether these are among the outputs."""
        return values.items() <= self.values.items()


@dataclass(frozen=True)
class Start:
    """The start of a test: a checkout and a cluster to copy, and the id of the last run."""

    forks: Forks
    checkout: Path
    world: World
    run_id: int
    api: Api
    """GitHub's API: which attempts of runs have ended."""


def describe(environment: str) -> dict[str, Any]:
    """The description of an environment of the sample project: with shorter times, and without the
    approval, which the tests of it add.
    """
    path = ROOT / f".github/actions/release/{environment}.json"
    description: dict[str, Any] = json.loads(path.read_text("utf-8"))
    for service in description["services"].values():
        service.update(timeout_seconds=60, bake_seconds=0.3)
    description.pop("approval", None)
    return description


def git(checkout: Path, *arguments: str) -> str:
    """Runs git in a checkout; its output."""
    who = {
        f"GIT_{role}_{what}": "test@example.com"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    return subprocess.run(
        ["git", *arguments], cwd=checkout, env={**os.environ, **who},
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip


def commit(checkout: Path) -> str:
    """Commits all changes, or an empty commit; the commit."""
    git(checkout, "add", "--all")
    git(checkout, "commit", "--quiet", "--allow-empty", "--message", "a change")
    return git(checkout, "rev-parse", "HEAD")


class Release:
    """A checkout, a cluster, and the runs of a pipeline."""

    def __init__(self, folder: Path, cluster: FakeCluster, start: Start) -> None:
        self.folder, self.cluster, self.forks = folder, cluster, start.forks
        self.checkout = folder / "checkout"
        shutil.copytree(start.checkout, self.checkout)
        self.sha = git(self.checkout, "rev-parse", "HEAD")
        self.description: dict[str, Any] = describe("production")
        self.environment: dict[str, str] = {}
        self.run_id, self.attempt, self.api = start.run_id, 1, start.api
        self.plan: dict[str, str] = {}
        """Outputs of job `plan` that a test sets."""
        start.api.clear()
        cluster.restore(start.world)

    def commit(self, path: str = "", old: str = "", new: str = "") -> str:
        """Replaces `old` by `new` in a file, if one is given, and commits; the commit."""
        if path:
            text = (self.checkout / path).read_text("utf-8")
            assert old in text
            (self.checkout / path).write_text(text.replace(old, new, 1), "utf-8")
        self.sha = commit(self.checkout)
        return self.sha

    def build(self, **tags: str) -> None:
        """Commits a change of the sources of those services whose tag is a new one."""
        before = git(self.checkout, "rev-parse", "HEAD^{tree}")
        for name, tag in tags.items():
            version = self.checkout / f"app/{name}/version"
            version.parent.mkdir(parents=True, exist_ok=True)
            version.write_text(tag, "utf-8")
        git(self.checkout, "add", "--all")
        if git(self.checkout, "write-tree") != before:
            self.commit()

    def needs(self, services: str = "", **tags: str) -> str:
        """WFGEN_NEEDS of a run whose scope are these services, and which built these images."""
        names = [n for n, s in self.description["services"].items() if s["deploy"]]
        scope = json.dumps(services.split(",") if services else names)
        plan = {"proposed": "true", "scope": scope, "services": scope, "go_back": "0", **self.plan}
        jobs: dict[str, Any] = {"plan": {"result": "success", "outputs": plan}}
        for name, tag in tags.items():
            built = {"digest": digest(tag)}
            jobs[build_job(name)] = {"result": "success", "outputs": built}
        return json.dumps(jobs)

    def ended(self, run_id: int, attempt: int = 1, status: str = "completed") -> None:
        """Makes GitHub say that an attempt of a run has this status; it knows no other."""
        path = f"/repos/acme/shop/actions/runs/{run_id}/attempts/{attempt}"
        self.api.now("GET", path, {"status": status})

    def start(self, command: str, **environment: str) -> int:
        """Starts a command in a new process group; the group's id. `end` must follow."""
        variables = {**self.variables, **environment}
        for name in ("outputs", "summary"):
            (self.folder / name).write_text("")
        return self.forks.start(command, self.checkout, variables, self.folder / "log")

    def run_beside(self, command: str, **environment: str) -> Outputs:
        """Runs a command while another one, which was started, has not ended; its result."""
        outputs = self.folder / "outputs-beside"
        outputs.write_text("")
        variables = {**self.variables, "GITHUB_OUTPUT": str(outputs), **environment}
        done = subprocess.run(
            [sys.executable, str(ROOT / "wfgen/release_program"), command],
            cwd=self.checkout, env=variables, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        return Outputs(done.returncode, done.stdout, _read(outputs))

    @property
    def variables(self) -> dict[str, str]:
        """The environment of a command of this attempt."""
        description = self.folder / "description.json"
        description.write_text(json.dumps(self.description), "utf-8")
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            **self.cluster.environment,
            "WFGEN_DESCRIPTION": str(description),
            "GOGC": "off",  # kubectl ends before it needs to collect garbage
            "WFGEN_POLL_SECONDS": "0.4",
            "WFGEN_DOUBT_SECONDS": "0.4",
            "WFGEN_RETRY_SECONDS": "0.1",
            "WFGEN_SHA": self.sha,
            "GITHUB_REPOSITORY": "acme/shop",
            "GITHUB_RUN_ID": str(self.run_id),
            "GITHUB_RUN_ATTEMPT": str(self.attempt),
            "GITHUB_API_URL": self.api.url,
            "GITHUB_TOKEN": "token-of-the-test",
            "GITHUB_OUTPUT": str(self.folder / "outputs"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "SECRET_POSTGRES_PASSWORD": "placeholder-of-the-test",
            **self.environment,
        }

    def end(self) -> Outputs:
        """Waits until the started command ends; its result."""
        code, log = self.forks.end(), (self.folder / "log").read_text("utf-8")
        values, summary = _read(self.folder / "outputs"), (self.folder / "summary").read_text()
        return Outputs(code, log, values, summary)

    def run(self, command: str, **environment: str) -> Outputs:
        """Runs a command; its result."""
        self.start(command, **environment)
        return self.end()

    def preflight(self, services: str = "", **environment: str) -> Outputs:
        """Runs the preflight of a new run with images c3 and s3, unless `environment` differs."""
        self.build(client="c3", server="s3")
        return self.begin(services, **environment)

    def begin(self, services: str = "", **environment: str) -> Outputs:
        """Runs the preflight of a new run for `sha`, which built the images c3 and s3."""
        self.next_run()
        needs = self.needs(services, client="c3", server="s3")
        return self.run("preflight", **{"WFGEN_NEEDS": needs, **environment})

    def next_run(self) -> None:
        """Begins another run."""
        self.run_id, self.attempt = self.run_id + 1, 1

    def images(self, **tags: str) -> dict[str, str]:
        """References by digest for the services in `APP`."""
        return {
            name: f"ghcr.io/acme/shop-{name}@{digest(tags[name])}"
            for name in ("client", "server")
            if name in tags
        }

    def release(self, until: str = "", services: str = "", **tags: str) -> dict[str, Outputs]:
        """Runs the jobs of _deploy.yml by its conditions, all or up to `until`.

        `services` are separated by commas (default: all); `tags` name the images, of which new ones
        are a change that is committed.
        """
        self.build(**tags)
        self.next_run()
        return self.attempt_all(until, self.needs(services, **tags))

    def attempt_all(self, until: str, needs: str) -> dict[str, Outputs]:
        """Runs the jobs of _deploy.yml in one attempt of a run, all or up to `until`."""
        done: dict[str, Outputs] = {}
        for command in ("preflight", "migrate", "deploy"):
            done[command] = self.run(command, WFGEN_NEEDS=needs)
            if until in done or done[command].code:
                break
            if done[command].values.get("proceed") == "false":
                return done
        deployed = "deploy" in done and not done["deploy"].code
        if until not in done and (deployed or self.description["preview"]):
            done["monitor"] = self.run("monitor")
        verified = "monitor" in done and done["monitor"].values["verified"] == "true"
        if until not in done and not verified and not self.description["preview"]:
            done["rollback"] = self.run("rollback")
        return done

    @property
    def record(self) -> dict[str, Any]:
        """The release record in the cluster."""
        stored = self.cluster.find("ConfigMap", RECORD, "shop")
        assert stored is not None
        record: dict[str, Any] = json.loads(stored["data"]["record.json"])
        return record

    @property
    def preview_record(self) -> dict[str, Any]:
        """The release record of the preview of pull request 7."""
        stored = self.cluster.find("ConfigMap", "wfgen-release-staging", "shop-pr-7")
        assert stored is not None
        record: dict[str, Any] = json.loads(stored["data"]["record.json"])
        return record

    def change_record(self, **values: Any) -> None:
        """Changes fields of the record."""
        text = json.dumps({**self.record, **values})
        self.cluster.patch("ConfigMap", RECORD, "shop", {"data": {"record.json": text}})

    def manifests(self, release: int) -> dict[str, Any]:
        """The stored manifests of a release, by kind/name."""
        stored = self.cluster.find("ConfigMap", f"{RECORD}-{release}", "shop")
        assert stored is not None
        packed = base64.b64decode(stored["data"]["manifests"])
        objects = json.loads(gzip.decompress(packed))
        return {f"{obj['kind']}/{obj['metadata']['name']}": obj for obj in objects}

    def change_manifests(self, release: int, objects: list[dict[str, Any]]) -> None:
        """Replaces the stored manifests of a release."""
        packed = base64.b64encode(gzip.compress(json.dumps(objects).encode())).decode()
        data = {"data": {"manifests": packed}}
        self.cluster.patch("ConfigMap", f"{RECORD}-{release}", "shop", data)

    @property
    def writes(self) -> list[str]:
        """Verb and path of each request that changed an object, in order."""
        return [
            f"{request['verb']} {request['path']}"
            for request in self.cluster.requests
            if not request["dry_run"] and request["status"] < 300
        ]


def _read(path: Path) -> dict[str, str]:
    values: dict[str, str] = {}
    lines = iter(path.read_text("utf-8").splitlines())
    for line in lines:
        name, _, mark = line.partition("<<")
        value = "\n".join(itertools.takewhile(mark.__ne__, lines))
        assert value, f"the output {name} is empty"
        values[name] = untag(value)[0] if name in PER_ATTEMPT else value
    return values


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeCluster]:
    """One API server for all tests, as kubectl caches discovery per address."""
    find_program("kubectl")
    with FakeCluster(tmp_path_factory.mktemp("cluster")) as cluster:
        cluster.namespace("shop")
        yield cluster


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """Starts the commands of all tests."""
    with Forks(ROOT / "wfgen/release_program") as forks:
        yield forks


@pytest.fixture(scope="session")
def api() -> Iterator[Api]:
    """GitHub's API, which knows the attempts of runs that a test names."""
    api = Api()
    with serving(api):
        yield api


@pytest.fixture(scope="session")
def empty(
    tmp_path_factory: pytest.TempPathFactory, server: FakeCluster, forks: Forks, api: Api
) -> Start:
    """The sample project in a commit, and an empty namespace."""
    checkout = tmp_path_factory.mktemp("project") / "checkout"
    shutil.copytree(ROOT / "kube", checkout / "kube")
    git(checkout, "init", "--quiet", "--template=", "--initial-branch=main")
    commit(checkout)
    return Start(forks, checkout, server.snapshot(), 1, api)


@pytest.fixture(scope="session")
def released(
    tmp_path_factory: pytest.TempPathFactory, server: FakeCluster, empty: Start
) -> tuple[Start, dict[str, Outputs]]:
    """The first good release, c1 and s1, made once; and the results of its jobs."""
    release = Release(tmp_path_factory.mktemp("released"), server, empty)
    done = release.release(client="c1", server="s1")
    assert "monitor" in done, done
    assert done["monitor"].code == 0, done
    return Start(
        release.forks, release.checkout, server.snapshot(), release.run_id, empty.api
    ), done


@pytest.fixture
def cluster(server: FakeCluster, empty: Start) -> FakeCluster:
    """A cluster with an empty namespace `shop`."""
    server.restore(empty.world)
    return server


@pytest.fixture
def first(tmp_path: Path, server: FakeCluster, empty: Start) -> Release:
    """The sample project before its first release."""
    return Release(tmp_path, server, empty)


@pytest.fixture
def shop(
    tmp_path: Path, server: FakeCluster, released: tuple[Start, dict[str, Outputs]]
) -> Release:
    """The sample project after its first good release, c1 and s1."""
    return Release(tmp_path, server, released[0])


@pytest.fixture(scope="session")
def deployed(
    tmp_path_factory: pytest.TempPathFactory,
    server: FakeCluster,
    released: tuple[Start, dict[str, Outputs]],
) -> Start:
    """The state after the deploy of a second release, c2 and s2, made once."""
    release = Release(tmp_path_factory.mktemp("deployed"), server, released[0])
    done = release.release("deploy", client="c2", server="s2")
    assert done["deploy"].code == 0, done
    server.wait(lambda: server.rolled_out("shop"), 60)
    return Start(release.forks, release.checkout, server.snapshot(), release.run_id, release.api)


@pytest.fixture
def in_flight(tmp_path: Path, server: FakeCluster, deployed: Start) -> Release:
    """The sample project with a second release in flight, c2 and s2, owned by the last run."""
    release = Release(tmp_path, server, deployed)
    release.change_record(lease=time.time() + 1800)  # `deployed` may be older than a lease
    return release
