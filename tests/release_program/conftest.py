"""Runs the release program as the pipelines do, with a fake cluster."""

from __future__ import annotations

import base64
import gzip
import itertools
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.judges.tools import find_program
from tests.kube_api import FakeCluster
from tests.kube_api.world import World
from tests.release_program.forks import Forks

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
    summary: str = ""


@dataclass(frozen=True)
class Start:
    """The start of a test: a checkout and a cluster to copy, and the id of the last run."""

    forks: Forks
    checkout: Path
    world: World
    run_id: int


def describe(environment: str) -> dict[str, Any]:
    """The description of an environment of the sample project, with shorter times."""
    path = ROOT / f".github/actions/release/{environment}.json"
    description: dict[str, Any] = json.loads(path.read_text("utf-8"))
    for service in description["services"].values():
        service.update(timeout_seconds=60, bake_seconds=0.3)
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
        self.run_id = start.run_id
        cluster.restore(start.world)

    def commit(self, path: str = "", old: str = "", new: str = "") -> str:
        """Replaces `old` by `new` in a file, if one is given, and commits; the commit."""
        if path:
            text = (self.checkout / path).read_text("utf-8")
            assert old in text
            (self.checkout / path).write_text(text.replace(old, new, 1), "utf-8")
        self.sha = commit(self.checkout)
        return self.sha

    def start(self, command: str, **environment: str) -> int:
        """Starts a command in a new process group; the group's id. `end` must follow."""
        description = self.folder / "description.json"
        description.write_text(json.dumps(self.description), "utf-8")
        for name in ("outputs", "summary"):
            (self.folder / name).write_text("")
        variables = {
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
            "GITHUB_OUTPUT": str(self.folder / "outputs"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "SECRET_POSTGRES_PASSWORD": "placeholder-of-the-test",
            **self.environment,
            **environment,
        }
        return self.forks.start(command, self.checkout, variables, self.folder / "log")

    def end(self) -> Outputs:
        """Waits until the started command ends; its result."""
        code, log = self.forks.end(), (self.folder / "log").read_text("utf-8")
        values, summary = _read(self.folder / "outputs"), (self.folder / "summary").read_text()
        return Outputs(code, log, values, summary)

    def run(self, command: str, **environment: str) -> Outputs:
        """Runs a command; its result."""
        self.start(command, **environment)
        return self.end()

    def preflight(self, **environment: str) -> Outputs:
        """Runs the preflight of a new run with images c3 and s3, unless `environment` differs."""
        self.run_id += 1
        names = [n for n, s in self.description["services"].items() if s["deploy"]]
        inputs = {
            "WFGEN_SERVICES": json.dumps(names),
            "WFGEN_IMAGES": json.dumps(self.images(client="c3", server="s3")),
        }
        return self.run("preflight", **inputs, **environment)

    def images(self, **tags: str) -> dict[str, str]:
        """References by digest for the services in `APP`."""
        return {
            name: f"ghcr.io/acme/shop-{name}@{digest(tags[name])}"
            for name in ("client", "server")
            if name in tags
        }

    def release(self, until: str = "", services: str = "", **tags: str) -> dict[str, Outputs]:
        """Runs the jobs of _deploy.yml by its conditions, all or up to `until`.

        `services` are separated by commas (default: all); `tags` name the images.
        """
        self.run_id += 1
        names = [n for n, s in self.description["services"].items() if s["deploy"]]
        inputs = {
            "WFGEN_SERVICES": json.dumps(services.split(",") if services else names),
            "WFGEN_IMAGES": json.dumps(self.images(**tags)),
        }
        done = {"preflight": self.run("preflight", **inputs)}
        for command in ("migrate", "deploy", "monitor"):
            if done["preflight"].values["proceed"] != "true" or until in done:
                break
            done[command] = self.run(command)
            if done[command].code:
                break
        verified = "monitor" in done and not done["monitor"].code
        if until not in done and done["preflight"].values["proceed"] != "false" and not verified:
            done["rollback"] = self.run("rollback")
        return done

    @property
    def record(self) -> dict[str, Any]:
        """The release record in the cluster."""
        stored = self.cluster.find("ConfigMap", RECORD, "shop")
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
        values[name] = "\n".join(itertools.takewhile(mark.__ne__, lines))
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
def empty(tmp_path_factory: pytest.TempPathFactory, server: FakeCluster, forks: Forks) -> Start:
    """The sample project in a commit, and an empty namespace."""
    checkout = tmp_path_factory.mktemp("project") / "checkout"
    shutil.copytree(ROOT / "kube", checkout / "kube")
    git(checkout, "init", "--quiet", "--template=", "--initial-branch=main")
    commit(checkout)
    return Start(forks, checkout, server.snapshot(), run_id=1)


@pytest.fixture(scope="session")
def released(
    tmp_path_factory: pytest.TempPathFactory, server: FakeCluster, empty: Start
) -> tuple[Start, dict[str, Outputs]]:
    """The first good release, c1 and s1, made once; and the results of its jobs."""
    release = Release(tmp_path_factory.mktemp("released"), server, empty)
    done = release.release(client="c1", server="s1")
    assert done["monitor"].code == 0, done
    return Start(release.forks, release.checkout, server.snapshot(), release.run_id), done


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
    return Start(release.forks, release.checkout, server.snapshot(), release.run_id)


@pytest.fixture
def in_flight(tmp_path: Path, server: FakeCluster, deployed: Start) -> Release:
    """The sample project with a second release in flight, c2 and s2, owned by the last run."""
    release = Release(tmp_path, server, deployed)
    release.change_record(lease=time.time() + 1800)  # `deployed` may be older than a lease
    return release
