"""The sample project and its pipelines, in the cluster that `make e2e` starts."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.act.github import GitHub
from tests.act.run import Run
from tests.act.runner import Place, Runner
from tests.act.sample import ROOT, Sample
from tests.e2e import behaving
from tests.e2e.application import PATIENCE, databases, name_releases
from tests.e2e.kube import Kube
from tests.e2e.registry import Images
from tests.e2e.shop import APP, LISTEN, fit_node, page_role, serves, stand_ins
from tests.github_api import serving

BUILD = ROOT / "tests/e2e/standins/build-push"
BEHAVING, REAL = "tests.e2e.behaving", "tests.e2e.image"
"""Modules that build images: of the stand-in, or from the Dockerfiles in app/."""
DESCRIBED = ".github/actions/release/{}.json"
PULL_REQUEST = "12"


@dataclass(frozen=True)
class Live:
    """What is live in an environment."""

    kube: Kube
    environment: str
    names: Mapping[str, str] | None = None
    """The release of each commit: the sample application answers with its commit."""

    def serves(self) -> dict[str, str]:
        """The release that all ready pods of each built service answer with."""
        return serves(self.kube) if self.names is None else name_releases(self.kube, self.names)

    @property
    def record(self) -> dict[str, Any]:
        """The release record; {} if there is none."""
        name = f"wfgen-release-{self.environment}"
        maps = [c for c in self.kube.objects("configmap") if c["metadata"]["name"] == name]
        return json.loads(maps[0]["data"]["record.json"]) if maps else {}

    def pods(self, *services: str) -> set[str]:
        """The names of the ready pods of these services (default: all)."""
        names = services or tuple(LISTEN)
        return {pod["metadata"]["name"] for name in names for pod in self.kube.pods(name)}


@dataclass
class Shop(Runner):
    """The sample project, with separate namespaces for production and a preview."""

    images: Images
    production: Live
    preview: Live
    runs: int = 0
    tagged: set[str] = field(default_factory=set)
    """The tags that existed before the last run."""

    def start(
        self, event: str, workflow: str, payload: dict[str, Any], run: int, **more: Any
    ) -> Run:
        """Runs a workflow; `github.requests` then has the requests of this run only."""
        self.tagged = set(self.sample.tags)
        self.github.requests.clear()
        return super().start(event, workflow, payload, run, **more)

    def new_run(self) -> int:
        """The id of the next run."""
        self.runs += 1
        return self.runs

    def change(self, release: str, *services: str, **behaviour: str) -> str:
        """Commits a release of these services (default: all) that behaves as given."""
        for service in services or APP:
            behave(self.sample.root, service, release, **behaviour)
        return self.sample.commit(f"release {release}")

    def release(self, release: str, *services: str, **behaviour: str) -> Run:
        """Commits a release as `change` does, and runs the production pipeline."""
        self.change(release, *services, **behaviour)
        return self.push(self.new_run())

    def replace(self, path: str, old: str, new: str) -> None:
        """Changes a file of the project, for the next commit."""
        file = self.sample.root / path
        text = file.read_text("utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), "utf-8")

    def describe(self, service: str, **values: Any) -> None:
        """Changes fields of a service in production's description."""
        path = self.sample.root / DESCRIBED.format("production")
        described = json.loads(path.read_text("utf-8"))
        described["services"][service].update(values)
        path.write_text(json.dumps(described), "utf-8")

    def image(self, service: str) -> str:
        """The reference of the image that a build of the newest commit makes of a service."""
        environment = behaving.read_behaviour(self.sample.root / "app" / service)
        built = {**environment, "GIT_SHA": self.sample.head}
        return self.images.build(f"acme/shop-{service}", built)


def behave(root: Path, service: str, release: str, **behaviour: str) -> None:
    """Writes how a service's next image behaves: variables of standin/."""
    variables = {"RELEASE": release, "LISTEN": LISTEN[service], "READINESS": "/readyz"}
    variables.update(behaviour)
    text = "".join(f"{name}={value}\n" for name, value in variables.items())
    (root / "app" / service / behaving.BEHAVIOUR).write_text(text, "utf-8")


def adapt(root: Path, namespace: str, host: str, timeout: int) -> None:
    """Sets the namespaces, the registry and timeouts in seconds; the stand-ins are release one."""
    for environment in ("production", "staging"):
        path = root / DESCRIBED.format(environment)
        described = json.loads(path.read_text("utf-8"))
        described["namespace"] = described["namespace"].replace("shop", namespace, 1)
        for service in described["services"].values():
            service.update(timeout_seconds=timeout, bake_seconds=8)
        path.write_text(json.dumps(described), "utf-8")
    if host:
        for path in [p for p in root.glob(".github/**/*") if p.suffix in (".yml", ".json")]:
            text = path.read_text("utf-8").replace("ghcr.io/acme/", f"{host}/acme/")
            path.write_text(text, "utf-8")
    for service in APP:
        behave(root, service, "one")


@contextmanager
def open_shop(folder: Path, kube: Kube, images: Images, builder: str = BEHAVING) -> Iterator[Shop]:
    """A shop before its first release. Its users have the roles of docs/delivery-setup.md."""
    real, namespace = builder == REAL, kube.namespace
    preview = Kube(f"{namespace}-pr-{PULL_REQUEST}", kube.folder)

    def prepare(root: Path) -> None:
        adapt(root, namespace, images.host, PATIENCE if real else 120)
        fit_node(root, databases(images.host) if real else stand_ins(images.host))

    sample = Sample.make(folder / "shop", prepare)
    users = {"shop": folder / "production", "shop-staging": folder / "staging"}
    place = Place(users, _variables(builder, images.host), BUILD, patience=600)
    names = {sample.head: "one"} if real else None
    github = GitHub(sample)
    try:
        kube.set_up(page_role("production"), users["shop"])
        preview.give_rights(page_role("staging"), users["shop-staging"])
        preview.make_volumes()
        with serving(github):
            lives = Live(kube, "production", names), Live(preview, "staging", names)
            yield Shop(folder, sample, github, place, images, *lives)
    finally:
        kube.tear_down()
        preview.tear_down()


def _variables(builder: str, host: str) -> dict[str, str]:
    """More variables of the jobs' environment than `Runner` sets."""
    # With these, builders find the registry and the cache.
    known = {name: value for name, value in os.environ.items() if name.startswith("E2E_")}
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return {
        **known,
        "XDG_CACHE_HOME": cache,
        "WFGEN_TEST_ROOT": str(ROOT),
        "WFGEN_TEST_BUILDER": builder,
        "WFGEN_TEST_REGISTRY": host,
        "WFGEN_POLL_SECONDS": "4",  # many shops share two cores
        "WFGEN_REQUEST_SECONDS": "20",
    }
