"""An application in a separate namespace, and the runs of its pipeline."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.kube import Kube
from tests.e2e.registry import Images

ROOT = Path(__file__).resolve().parents[2]
ACTION = ROOT / ".github/actions/release"
LISTEN = {"postgres": ":5432", "redis": ":6379", "server": ":8000", "client": ":8080"}
DATABASES_FROM = "standin"
"""The repository of the stand-ins for databases."""
DATABASES = {"postgres": "postgres:17.2", "redis": "redis:7.4.1"}
APP = ("server", "client")
JOBS = ("preflight", "migrate", "deploy", "monitor")
RECORD = "wfgen-release-production"


@dataclass
class Outputs:
    """The result of a job's command."""

    code: int
    log: str
    values: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    seconds: float = 0.0


class Shop:
    """The sample project: a checkout, a namespace, and the user who releases there.

    It runs the generated release program as a user with only the Role of docs/delivery-setup.md.
    """

    def __init__(self, folder: Path, kube: Kube, images: Images, origin: Path) -> None:
        self.folder, self.kube, self.images = folder, kube, images
        self.checkout = folder / "checkout"
        git(folder, "clone", "--quiet", str(origin), str(self.checkout))
        self.sha = git(self.checkout, "rev-parse", "HEAD")
        self.description = describe(kube.namespace)
        self.run_id = 0
        self.environment: dict[str, str] = {}
        self.now: dict[str, str] = {}
        """The image of each service in the next release."""
        self.on_start: Callable[[str, int], None] | None = None
        """Called with each command that starts and its process group."""
        kube.set_up(page_role("production"), folder / "kubeconfig")

    def image(self, service: str, release: str, **behaviour: str) -> str:
        """Builds an image of a service; its reference by digest. `behaviour` is for standin/."""
        variables = {"RELEASE": release, "LISTEN": LISTEN[service], "READINESS": "/readyz"}
        return self.images.build(f"acme/shop-{service}", {**variables, **behaviour})

    def build(self, release: str, *services: str, **behaviour: str) -> None:
        """Builds images of these services (default: all) for the next release."""
        for service in services or APP:
            self.now[service] = self.image(service, release, **behaviour)

    def commit(self, path: str = "", old: str = "", new: str = "") -> str:
        """Replaces `old` by `new` in a file, if one is given, and commits; the commit."""
        if path:
            text = (self.checkout / path).read_text("utf-8")
            assert old in text
            (self.checkout / path).write_text(text.replace(old, new, 1), "utf-8")
        self.sha = commit(self.checkout)
        return self.sha

    def start(self, command: str, **environment: str) -> subprocess.Popen[str]:
        """Starts a command of the release program in a new process group."""
        number = len(list(self.folder.glob("*.outputs")))
        files = {name: self.folder / f"{number}.{name}" for name in ("outputs", "summary")}
        for file in files.values():
            file.touch()
        description = self.folder / "production.json"
        description.write_text(json.dumps(self.description), "utf-8")
        process = subprocess.Popen(
            [sys.executable, "-S", str(ACTION / "release_program"), command],
            cwd=self.checkout, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
            env={
                "PATH": os.environ["PATH"], "HOME": str(self.folder.parent),
                "KUBECONFIG": str(self.folder / "kubeconfig"),
                "WFGEN_DESCRIPTION": str(description), "WFGEN_SHA": self.sha,
                "GITHUB_REPOSITORY": "acme/shop", "GITHUB_RUN_ID": str(self.run_id),
                "GITHUB_OUTPUT": str(files["outputs"]),
                "GITHUB_STEP_SUMMARY": str(files["summary"]),
                "WFGEN_POLL_SECONDS": "4",  # many shops share two cores
                "GOGC": "off",  # kubectl ends before it needs to collect garbage
                "SECRET_POSTGRES_PASSWORD": "placeholder-of-the-test",
                **self.environment, **environment,
            },
        )  # fmt: skip
        self._files, self._started = files, time.time()
        if self.on_start:
            self.on_start(command, process.pid)
        return process

    def end(self, process: subprocess.Popen[str]) -> Outputs:
        """Waits until a command ends; its result."""
        files = self._files
        log = process.communicate(timeout=400)[0]
        values, summary = read_outputs(files["outputs"]), files["summary"].read_text()
        return Outputs(process.returncode, log, values, summary, time.time() - self._started)

    def run(self, command: str, **environment: str) -> Outputs:
        """Runs a command; its result."""
        return self.end(self.start(command, **environment))

    def cut_off(self, process: subprocess.Popen[str], number: signal.Signals) -> Outputs:
        """Sends a signal to a command and its kubectl, and waits for the end; the result."""
        os.killpg(process.pid, number)
        return self.end(process)

    def release(
        self, *services: str, until: str = "", commit: bool = True, **environment: str
    ) -> dict[str, Outputs]:
        """Runs the jobs of _deploy.yml by its conditions, all or up to `until`.

        It is a new run of a new commit and `services` (default: all); `environment` is for
        preflight.
        """
        self.run_id += 1
        if commit:
            self.commit()
        names = services or tuple(self.description["services"])
        inputs = {"WFGEN_SERVICES": json.dumps(names), "WFGEN_IMAGES": json.dumps(self.now)}
        done = {"preflight": self.run("preflight", **inputs, **environment)}
        for command in JOBS[1:]:
            if done["preflight"].values.get("proceed") != "true" or until in done:
                break
            done[command] = self.run(command)
            if done[command].code:
                break
        verified = "monitor" in done and not done["monitor"].code
        if until not in done and done["preflight"].values["proceed"] != "false" and not verified:
            done["rollback"] = self.run("rollback")
        return done

    def apply_by_hand(self) -> None:
        """Deploys the application without wfgen: client-side apply, plain Secrets."""
        folder = self.checkout / "by-hand"
        folder.mkdir()
        images = [
            {"name": name, "newName": image.split("@")[0], "digest": image.split("@")[1]}
            for name, image in self.now.items()
        ]
        layer = {
            "resources": ["../kube/overlays/production"],
            "namespace": self.kube.namespace,
            "images": images,
        }
        (folder / "kustomization.yaml").write_text(json.dumps(layer))
        for name in ("server", "postgres"):
            value = "--from-literal=POSTGRES_PASSWORD=placeholder-of-the-test"
            self.kube.run("create", "secret", "generic", f"{name}-secrets", value)
        self.kube.run("apply", "-k", str(folder))
        for name in APP:
            self.kube.run("rollout", "status", f"deployment/{name}", "--timeout=90s")
            self.kube.wait(lambda: len(self.kube.pods(name)) == 2, 90)  # noqa: B023 - at once

    @property
    def record(self) -> dict[str, Any]:
        """The release record in the cluster."""
        stored = self.kube.get("configmap", RECORD)
        record: dict[str, Any] = json.loads(stored["data"]["record.json"])
        return record

    def serves(self) -> dict[str, str]:
        """The release that all ready pods of each built service answer with."""
        return serves(self.kube)


def serves(kube: Kube) -> dict[str, str]:
    """The release that all ready pods of each built service answer with."""
    return {name: kube.ask(name, LISTEN[name]) for name in APP}


def describe(namespace: str) -> dict[str, Any]:
    """The description of production, with another namespace and shorter timeouts."""
    description: dict[str, Any] = json.loads((ACTION / "production.json").read_text("utf-8"))
    description["namespace"] = namespace
    for service in description["services"].values():
        service.update(timeout_seconds=90, bake_seconds=8)
    return description


def stand_ins(host: str) -> str:
    """The registry path of the databases' stand-ins, for `fit_node`."""
    return f"{host}/{DATABASES_FROM}/".removeprefix("/")


def fit_node(checkout: Path, databases: str) -> None:
    """Changes manifests so that several shops fit on a small node.

    `databases` is the registry path of the databases' images, as `host/repository/`.
    """
    for path in checkout.glob("kube/bases/*/*.yaml"):
        text = re.sub(r"\bcpu: \d+m\b", "cpu: 5m", path.read_text("utf-8"))
        text = re.sub(r"image: (postgres|redis):", rf"image: {databases}\1:", text)
        path.write_text(text, "utf-8")


def page_role(environment: str) -> list[dict[str, Any]]:
    """A deployer's role and its binding from docs/delivery-setup.md."""
    page = (ROOT / "docs/delivery-setup.md").read_text("utf-8")
    block = page.partition(f"### Deployer role of {environment}\n")[2].split("```")[1]
    return list(yaml.safe_load_all(block.removeprefix("yaml\n")))


def git(folder: Path, *arguments: str) -> str:
    """Runs git in a folder; its output."""
    roles = ("AUTHOR", "COMMITTER")
    who = {f"GIT_{role}_{what}": "test@example.com" for role in roles for what in ("NAME", "EMAIL")}
    return subprocess.run(
        ["git", *arguments], cwd=folder, env={**os.environ, **who},
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip


def commit(checkout: Path) -> str:
    """Commits all changes, or an empty commit; the commit."""
    git(checkout, "add", "--all")
    git(checkout, "commit", "--quiet", "--allow-empty", "--message", "a change")
    return git(checkout, "rev-parse", "HEAD")


def read_outputs(path: Path) -> dict[str, str]:
    """The outputs of a step; of one name the last."""
    values: dict[str, str] = {}
    lines = iter(path.read_text("utf-8").splitlines())
    for line in lines:
        name, _, mark = line.partition("<<")
        values[name] = "\n".join(itertools.takewhile(mark.__ne__, lines))
    return values
