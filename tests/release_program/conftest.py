"""The release program, run as the pipelines run it, against a fake cluster."""

from __future__ import annotations

import base64
import gzip
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

from tests.judges.tools import find_program
from tests.kube_api import FakeCluster
from tests.kube_api.world import World

ROOT = Path(__file__).resolve().parents[2]
RECORD = "wfgen-release-production"
APP = "server,client"
"""The services that are built here; a release of them alone is a shorter test."""


def digest(text: str) -> str:
    """A digest that a test can tell by its beginning."""
    return "sha256:" + (text.encode().hex() + "0" * 64)[:64]


@dataclass
class Outputs:
    """How a command ended."""

    code: int
    log: str
    values: dict[str, str] = field(default_factory=dict)
    summary: str = ""


@dataclass(frozen=True)
class Start:
    """Where a test begins: a checkout and a cluster to copy, and the number of the last run."""

    checkout: Path
    world: World
    run_id: int


def describe(environment: str) -> dict[str, Any]:
    """The description of an environment of the sample project, but hurried."""
    path = ROOT / f".github/actions/release/{environment}.json"
    description: dict[str, Any] = json.loads(path.read_text("utf-8"))
    for service in description["services"].values():
        service.update(timeout_seconds=60, bake_seconds=0.3)
    return description


def git(checkout: Path, *arguments: str) -> str:
    """What git prints in a checkout."""
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
    """Commits whatever changed, also nothing, and returns the commit."""
    git(checkout, "add", "--all")
    git(checkout, "commit", "--quiet", "--allow-empty", "--message", "a change")
    return git(checkout, "rev-parse", "HEAD")


class Release:
    """A checkout, a cluster, and one run of a pipeline after the other."""

    def __init__(self, folder: Path, cluster: FakeCluster, start: Start) -> None:
        self.folder, self.cluster = folder, cluster
        self.checkout = folder / "checkout"
        shutil.copytree(start.checkout, self.checkout)
        self.sha = git(self.checkout, "rev-parse", "HEAD")
        self.description: dict[str, Any] = describe("production")
        self.environment: dict[str, str] = {}
        self.run_id = start.run_id
        cluster.restore(start.world)

    def commit(self, path: str = "", old: str = "", new: str = "") -> str:
        """A new commit, with `new` for `old` in a file of the checkout where one is given."""
        if path:
            text = (self.checkout / path).read_text("utf-8")
            assert old in text
            (self.checkout / path).write_text(text.replace(old, new, 1), "utf-8")
        self.sha = commit(self.checkout)
        return self.sha

    def start(self, command: str, **environment: str) -> subprocess.Popen[str]:
        """Starts a command, in a process of its own."""
        description = self.folder / "description.json"
        description.write_text(json.dumps(self.description), "utf-8")
        for name in ("outputs", "summary"):
            (self.folder / name).write_text("")
        return subprocess.Popen(
            [sys.executable, "-S", str(ROOT / "wfgen/release_program"), command],
            cwd=self.checkout,
            env={
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
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # who ends the job ends its kubectl
        )

    def end(self, process: subprocess.Popen[str]) -> Outputs:
        """What a command that was started said, when it has ended."""
        log = "".join(process.communicate(timeout=300))
        values, summary = _read(self.folder / "outputs"), (self.folder / "summary").read_text()
        return Outputs(process.returncode, log, values, summary)

    def run(self, command: str, **environment: str) -> Outputs:
        """One command from beginning to end."""
        return self.end(self.start(command, **environment))

    def preflight(self, **environment: str) -> Outputs:
        """A preflight of a new run, unless told otherwise, with images c3 and s3."""
        self.run_id += 1
        names = [n for n, s in self.description["services"].items() if s["deploy"]]
        told = {
            "WFGEN_SERVICES": json.dumps(names),
            "WFGEN_IMAGES": json.dumps(self.images(client="c3", server="s3")),
        }
        return self.run("preflight", **told, **environment)

    def images(self, **tags: str) -> dict[str, str]:
        """References by digest for the services that are built here."""
        return {
            name: f"ghcr.io/acme/shop-{name}@{digest(tags[name])}"
            for name in ("client", "server")
            if name in tags
        }

    def release(self, until: str = "", services: str = "", **tags: str) -> dict[str, Outputs]:
        """The jobs of _deploy.yml by its conditions, all or `until` one of them.

        `services` is a comma list, of all where it is empty; `tags` tell the images apart.
        """
        self.run_id += 1
        names = [n for n, s in self.description["services"].items() if s["deploy"]]
        told = {
            "WFGEN_SERVICES": json.dumps(services.split(",") if services else names),
            "WFGEN_IMAGES": json.dumps(self.images(**tags)),
        }
        done = {"preflight": self.run("preflight", **told)}
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
        found = self.cluster.find("ConfigMap", RECORD, "shop")
        assert found is not None
        record: dict[str, Any] = json.loads(found["data"]["record.json"])
        return record

    def change_record(self, **values: Any) -> None:
        """Makes the record say something else, as if it had come about."""
        text = json.dumps({**self.record, **values})
        self.cluster.patch("ConfigMap", RECORD, "shop", {"data": {"record.json": text}})

    def manifests(self, release: int) -> dict[str, Any]:
        """The stored manifests of a release, by kind/name."""
        found = self.cluster.find("ConfigMap", f"{RECORD}-{release}", "shop")
        assert found is not None
        packed = base64.b64decode(found["data"]["manifests"])
        objects = json.loads(gzip.decompress(packed))
        return {f"{thing['kind']}/{thing['metadata']['name']}": thing for thing in objects}

    def change_manifests(self, release: int, objects: list[dict[str, Any]]) -> None:
        """Makes a release's stored manifests others, as if it had been another one."""
        packed = base64.b64encode(gzip.compress(json.dumps(objects).encode())).decode()
        data = {"data": {"manifests": packed}}
        self.cluster.patch("ConfigMap", f"{RECORD}-{release}", "shop", data)

    @property
    def writes(self) -> list[str]:
        """Verb and path of every request that changed something, in order."""
        return [
            f"{each['verb']} {each['path']}"
            for each in self.cluster.requests
            if not each["dry_run"] and each["status"] < 300
        ]


def _read(path: Path) -> dict[str, str]:
    values: dict[str, str] = {}
    lines = iter(path.read_text("utf-8").splitlines())
    for line in lines:
        name, _, mark = line.partition("<<")
        told = []
        for each in lines:
            if each == mark:
                break
            told.append(each)
        values[name] = "\n".join(told)
    return values


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeCluster]:
    """One API server for all tests: kubectl keeps what discovery told it of an address."""
    find_program("kubectl")
    with FakeCluster(tmp_path_factory.mktemp("cluster")) as cluster:
        cluster.namespace("shop")
        yield cluster


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory, server: FakeCluster) -> Start:
    """The sample project in a commit, and nothing in its namespace."""
    checkout = tmp_path_factory.mktemp("project") / "checkout"
    shutil.copytree(ROOT / "kube", checkout / "kube")
    git(checkout, "init", "--quiet", "--template=", "--initial-branch=main")
    commit(checkout)
    return Start(checkout, server.snapshot(), run_id=1)


@pytest.fixture(scope="session")
def released(
    tmp_path_factory: pytest.TempPathFactory, server: FakeCluster, empty: Start
) -> tuple[Start, dict[str, Outputs]]:
    """The first good release, c1 and s1, made once; and what its jobs said."""
    release = Release(tmp_path_factory.mktemp("released"), server, empty)
    done = release.release(client="c1", server="s1")
    assert done["monitor"].code == 0, done
    return Start(release.checkout, server.snapshot(), release.run_id), done


@pytest.fixture
def cluster(server: FakeCluster, empty: Start) -> FakeCluster:
    """A cluster with an empty namespace, shop."""
    server.restore(empty.world)
    return server


@pytest.fixture
def first(tmp_path: Path, server: FakeCluster, empty: Start) -> Release:
    """The sample project, before its first release."""
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
    """After the deploy of a second release, c2 and s2, made once."""
    release = Release(tmp_path_factory.mktemp("deployed"), server, released[0])
    done = release.release("deploy", client="c2", server="s2")
    assert done["deploy"].code == 0, done
    server.wait(lambda: server.rolled_out("shop"), 60)
    return Start(release.checkout, server.snapshot(), release.run_id)


@pytest.fixture
def flying(tmp_path: Path, server: FakeCluster, deployed: Start) -> Release:
    """The sample project with a second release in flight, c2 and s2, which the last run owns."""
    release = Release(tmp_path, server, deployed)
    release.change_record(lease=time.time() + 1800)  # `deployed` may be older than a lease
    return release
