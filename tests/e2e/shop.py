"""An application in a separate namespace, and the runs of its pipeline."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.actions import REPOSITORY, SLACK, Actions
from tests.e2e.kube import Kube
from tests.e2e.outputs import Outputs, Started
from tests.e2e.proposal import propose
from tests.e2e.registry import Images
from tests.e2e.runs import Run
from wfgen.release_program.names import Job, Variable

ROOT = Path(__file__).resolve().parents[2]
ACTION = ROOT / ".github/actions/release"
LISTEN = {"postgres": ":5432", "redis": ":6379", "server": ":8000", "client": ":8080"}
DATABASES_FROM = "standin"
"""The repository of the stand-ins for databases."""
DATABASES = {"postgres": "postgres:17.2", "redis": "redis:7.4.1"}
APP = ("server", "client")
RECORD = "wfgen-release-production"


class Shop:
    """The sample project: a checkout, a namespace, and the user who releases there.

    It runs the generated release program as a user with only the Role of docs/delivery-setup.md.
    """

    def __init__(self, folder: Path, kube: Kube, images: Images, origin: Path) -> None:
        self.folder, self.kube, self.images = folder, kube, images
        self.github = Actions()
        self.checkout = folder / "checkout"
        git(folder, "clone", "--quiet", str(origin), str(self.checkout))
        self.sha = git(self.checkout, "rev-parse", "HEAD")
        self.source = folder / "source"
        """A working tree of the commit that is released."""
        git(self.checkout, "worktree", "add", "--quiet", "--detach", str(self.source))
        self.description = describe(kube.namespace, images.host)
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
        return self.images.build(f"{REPOSITORY}-{service}", {**variables, **behaviour})

    def build(self, release: str, *services: str, **behaviour: str) -> None:
        """Changes these services (default: all), and builds their images for the next release."""
        for service in services or APP:
            self.write_source(service, release, **behaviour)
            self.now[service] = self.image(service, release, **behaviour)

    def write_source(self, service: str, release: str, **behaviour: str) -> None:
        """Writes a file that differs between releases that differ."""
        text = json.dumps({"release": release, **behaviour}, sort_keys=True)
        (self.checkout / "app" / service / "SOURCE").write_text(text, "utf-8")

    def commit(self, path: str = "", old: str = "", new: str = "") -> str:
        """Replaces `old` by `new` in a file, if one is given, and commits; the commit."""
        if path:
            text = (self.checkout / path).read_text("utf-8")
            assert old in text
            (self.checkout / path).write_text(text.replace(old, new, 1), "utf-8")
        self.sha = commit(self.checkout)
        return self.sha

    def start(self, command: str, sha: str = "", **environment: str) -> Started:
        """Starts a command of the release program in a new process group, with a commit's files."""
        started = Started.make(self.folder, command)
        description = self.folder / "production.json"
        description.write_text(json.dumps(self.description), "utf-8")
        if sha:
            git(self.source, "checkout", "--quiet", "--detach", sha)
        started.run(
            [sys.executable, "-S", str(ACTION / "release_program"), command],
            self.source,
            {
                "PATH": os.environ["PATH"], "HOME": str(self.folder.parent),
                "KUBECONFIG": str(self.folder / "kubeconfig"),
                "WFGEN_DESCRIPTION": str(description),
                "GITHUB_REPOSITORY": REPOSITORY,
                "GITHUB_API_URL": self.github.url,
                "WFGEN_POLL_SECONDS": "4",  # many shops share two cores
                "WFGEN_REQUEST_SECONDS": "20",
                "GOGC": "off",  # kubectl ends before it needs to collect garbage
                **self.environment, **environment,
            },
        )  # fmt: skip
        if self.on_start:
            self.on_start(command, started.process.pid)
        return started

    def differs(self, old: str, new: str, paths: Sequence[str]) -> bool:
        """Whether any file of these paths differs between two commits."""
        return bool(git(self.checkout, "diff", "--name-only", old, new, "--", *paths))

    def begin(self, *scope: str, commit: bool = True, force: bool = False) -> Run:
        """A new run of a new commit, whose plan and builds have ended; `scope` limits it."""
        self.run_id += 1
        if commit:
            self.commit()
        needs = propose(self, self.sha, scope, everything=force)
        return Run(self, self.run_id, self.sha, needs, force)

    def release(
        self, *scope: str, until: str = "", commit: bool = True, force: bool = False
    ) -> dict[str, Outputs]:
        """A new run of a new commit, all or up to the command `until`; what each command did."""
        return self.begin(*scope, commit=commit, force=force).release(until=until)

    def return_to(self, number: int) -> Run:
        """A dispatched run that goes back to a recorded release."""
        run = self.begin(commit=False)
        auto = [n for n, s in self.description["services"].items() if s["rollback"] == "auto"]
        outputs = run.needs[Job.PLAN]["outputs"]
        outputs.update(proposed="true", build="[]", go_back=str(number))
        outputs.update({name: json.dumps(auto) for name in ("scope", "services")})
        return run

    def watch(self, run: Run | None = None, *, force: bool = False) -> dict[str, Outputs]:
        """Runs the watchdog, after the end of a run or as a dispatch; what each job did."""
        self.run_id += 1
        inputs = {
            Variable.RUN_ID: str(self.run_id),
            Variable.RUN_ATTEMPT: "1",
            Variable.FINISHED_RUN: str(run.number) if run else "",
            Variable.FINISHED_ATTEMPT: str(run.attempt) if run else "",
            Variable.FORCE: "true" if force else "",
            Variable.TOKEN: "stand-in",
            Variable.SLACK_WEBHOOK_URL: self.github.url + SLACK,
        }
        done = {"inspect": self.start("inspect", **inputs).end()}
        if done["inspect"].values.get("left") == "true":
            done["restore"] = self.start("restore", **inputs).end()
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

    def has_record(self) -> bool:
        """Whether there is a release record in the cluster."""
        return RECORD in self.kube.names("configmap")

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


def describe(namespace: str, host: str) -> dict[str, Any]:
    """The description of production, with another namespace and registry, and shorter timeouts."""
    description: dict[str, Any] = json.loads((ACTION / "production.json").read_text("utf-8"))
    description["namespace"] = namespace
    for service in description["services"].values():
        service.update(timeout_seconds=90, bake_seconds=8)
        if host and service["repository"]:
            service["repository"] = service["repository"].replace("ghcr.io", host)
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
