"""The release program, run as the pipelines run it, against a fake cluster."""

from __future__ import annotations

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

ROOT = Path(__file__).resolve().parents[2]


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


class Release:
    """A checkout, a cluster, and one run of a pipeline after the other."""

    def __init__(self, folder: Path, cluster: FakeCluster) -> None:
        self.folder, self.cluster = folder, cluster
        self.checkout = folder / "checkout"
        shutil.copytree(ROOT / "kube", self.checkout / "kube")
        for path in self.checkout.rglob("*.yaml"):  # faster than anybody's patience
            text = path.read_text("utf-8")
            path.write_text(
                text.replace("progressDeadlineSeconds: 1", "progressDeadlineSeconds: 9"), "utf-8"
            )
        described = json.loads(
            (ROOT / ".github/actions/release/production.json").read_text("utf-8")
        )
        for service in described["services"].values():
            service.update(timeout_seconds=12, bake_seconds=1)
            if service["health"] and service["health"]["type"] == "exec":
                service["health"] = None
        self.description: dict[str, Any] = described
        self.environment: dict[str, str] = {}
        self.run_id = 1
        self.git("init", "--quiet", "--initial-branch=main")
        self.sha = self.commit()
        cluster.namespace("shop")

    def git(self, *arguments: str) -> str:
        who = {
            f"GIT_{role}_{what}": "test@example.com"
            for role in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        return subprocess.run(
            ["git", *arguments], cwd=self.checkout, env={**os.environ, **who},
            check=True, capture_output=True, text=True,
        ).stdout.strip()  # fmt: skip

    def commit(self) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "a change")
        self.sha = self.git("rev-parse", "HEAD")
        return self.sha

    def run(self, command: str, **environment: str) -> Outputs:
        """One command, in a process of its own."""
        description = self.folder / "description.json"
        description.write_text(json.dumps(self.description), "utf-8")
        outputs, summary = self.folder / "outputs", self.folder / "summary"
        outputs.write_text("")
        summary.write_text("")
        process = subprocess.run(
            [sys.executable, str(ROOT / "wfgen/release_program"), command],
            cwd=self.checkout,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.folder),
                **self.cluster.environment,
                "WFGEN_DESCRIPTION": str(description),
                "WFGEN_POLL_SECONDS": "0.15",
                "WFGEN_DOUBT_SECONDS": "0.5",
                "WFGEN_RETRY_SECONDS": "0.1",
                "WFGEN_SHA": self.sha,
                "GITHUB_REPOSITORY": "acme/shop",
                "GITHUB_RUN_ID": str(self.run_id),
                "GITHUB_OUTPUT": str(outputs),
                "GITHUB_STEP_SUMMARY": str(summary),
                "SECRET_POSTGRES_PASSWORD": "placeholder-of-the-test",
                **self.environment,
                **environment,
            },
            check=False,
            capture_output=True,
            text=True,
            timeout=90,
        )
        log = process.stdout + process.stderr
        return Outputs(process.returncode, log, _read(outputs), summary.read_text("utf-8"))

    def images(self, **tags: str) -> dict[str, str]:
        """References by digest for the services that are built here."""
        return {
            name: f"ghcr.io/acme/shop-{name}@{digest(tags[name])}"
            for name in ("client", "server")
            if name in tags
        }

    def release(self, until: str = "rollback", **tags: str) -> dict[str, Outputs]:
        """The jobs of _deploy.yml by its conditions; `tags` tell the images apart."""
        self.run_id += 1
        names = [n for n, s in self.description["services"].items() if s["deploy"]]
        images = json.dumps(self.images(**tags))
        done = {
            "preflight": self.run(
                "preflight", WFGEN_SERVICES=json.dumps(names), WFGEN_IMAGES=images
            )
        }
        if done["preflight"].values.get("proceed") == "true":
            for command in ("migrate", "deploy", "monitor"):
                done[command] = self.run(command)
                if done[command].code or command == until:
                    break
        if until == "rollback" and (
            done["preflight"].values.get("proceed") != "false"
            and done.get("monitor", Outputs(1, "")).code
        ):
            done["rollback"] = self.run("rollback")
        return done

    @property
    def record(self) -> dict[str, Any]:
        """The release record in the cluster."""
        found = self.cluster.find("ConfigMap", "wfgen-release-production", "shop")
        return json.loads(found["data"]["record.json"]) if found else {}

    @property
    def writes(self) -> list[str]:
        """Verb and path of every request that changed something, in order."""
        return [
            f"{each['verb']} {each['path']}"
            for each in self.cluster.requests
            if not each["dry_run"] and each["status"] < 300
        ]

    def settle(self, seconds: float = 3) -> None:
        """Waits until the fake's controllers have nothing left to do."""
        time.sleep(seconds)


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


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[FakeCluster]:
    find_program("kubectl")
    with FakeCluster(tmp_path) as cluster:
        yield cluster


@pytest.fixture
def shop(tmp_path: Path, cluster: FakeCluster) -> Release:
    """The sample project and an empty cluster."""
    return Release(tmp_path, cluster)
