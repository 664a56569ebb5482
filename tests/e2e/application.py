"""The sample application: its images, built from a checkout, and a pod that visits it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from tests.e2e import image
from tests.e2e.kube import Kube
from tests.e2e.outputs import Outputs
from tests.e2e.registry import Images
from tests.e2e.runs import Run
from tests.e2e.shop import APP, LISTEN, Shop, git

VERSIONS = {"server": "/version", "client": "/version.json"}
"""The path at which each service answers with the commit that its image was built from."""
PATIENCE = 300
"""Timeout of a rollout in seconds: Python and Postgres start slowly beside other tests."""
VISITOR = "visitor"
VISIT = """
import sys, time, urllib.request

while True:
    for address in sys.argv[1:]:
        try:
            urllib.request.urlopen(address, timeout=20).read()
            print("answered", address, flush=True)
        except OSError as problem:
            print("failed", address, problem, flush=True)
    time.sleep(1)
"""
ASK = """
import sys, urllib.request

address, method = sys.argv[1:]
request = urllib.request.Request(address, method=method)
print(urllib.request.urlopen(request, timeout=20).read().decode())
"""


class Application(Shop):
    """A shop whose images are built from app/ by its Dockerfiles."""

    def __init__(self, folder: Path, kube: Kube, images: Images, origin: Path) -> None:
        super().__init__(folder, kube, images, origin)
        self.names: dict[str, str] = {}
        """The name of the release of each commit."""
        for service in self.description["services"].values():
            service["timeout_seconds"] = PATIENCE

    def image(self, service: str, release: str, **behaviour: str) -> str:
        """Builds a service from the checkout; the reference by digest. `release` is a commit."""
        assert not behaviour, "only stand-ins take a behaviour"
        context, repository = self.checkout / "app" / service, f"acme/shop-{service}"
        arguments = {"GIT_SHA": release}
        tag = f"{repository}:{release}"
        digest = image.build(context, context / "Dockerfile", tag, arguments)
        return f"{self.images.host or 'ghcr.io'}/{repository}@{digest}"

    def build(self, release: str, *services: str, **behaviour: str) -> None:
        """Commits a change of these services (default: all), and builds them as `release`."""
        for service in services or APP:
            self.write_source(service, release)
        self.names[self.commit()] = release
        for service in services or APP:
            self.now[service] = self.image(service, self.sha, **behaviour)

    def begin(self, *scope: str, commit: bool = False, force: bool = False) -> Run:
        """A run of the commit that the images were built from: see `Shop.begin`."""
        return super().begin(*scope, commit=commit, force=force)

    def release(
        self, *scope: str, until: str = "", commit: bool = False, force: bool = False
    ) -> dict[str, Outputs]:
        """A release of the commit that the images were built from: see `Shop.release`."""
        return super().release(*scope, until=until, commit=commit, force=force)

    def serves(self) -> dict[str, str]:
        """The release that all ready pods of each built service answer with."""
        return name_releases(self.kube, self.names)

    def go_back(self) -> None:
        """Restores the source of the first commit, as a revert does."""
        git(self.checkout, "checkout", "--quiet", next(iter(self.names)), "--", ".")

    def query(self, sql: str) -> str:
        """The answer of Postgres to a statement, from psql."""
        command = ("psql", "--username=shop", "--tuples-only", "--no-align", f"--command={sql}")
        return self.kube.run("exec", "postgres-0", "--", *command).strip()


def name_releases(kube: Kube, names: Mapping[str, str]) -> dict[str, str]:
    """The release that each service answers with; `names` are those of commits."""
    commits = {name: kube.ask(name, LISTEN[name], VERSIONS[name], "sha") for name in APP}
    return {name: names.get(sha, sha) for name, sha in commits.items()}


class Visitor:
    """A pod beside the application that requests each Service by name once a second.

    Its log has each answer and failure. On request it also counts a visit.
    """

    def __init__(self, kube: Kube, picture: str) -> None:
        self._kube = kube
        asked = [f"http://{name}{LISTEN[name]}{VERSIONS[name]}" for name in APP]
        container = {
            "name": VISITOR,
            "image": picture,
            "command": ["python", "-c", VISIT, *asked],
        }
        kube.create(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": VISITOR},
                "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
            }
        )
        kube.run("wait", "--for=condition=Ready", f"pod/{VISITOR}", "--timeout=90s")
        kube.wait(lambda: bool(self._heard()), 60)

    def ask(self, service: str, path: str, method: str = "GET") -> str:
        """The answer of a service, requested by the name of its Service."""
        address = f"http://{service}{LISTEN[service]}{path}"
        return self._kube.run("exec", VISITOR, "--", "python", "-c", ASK, address, method)

    def visit(self) -> int:
        """Counts a visit; the number of visits, this one included."""
        return int(json.loads(self.ask("server", "/api/visits", "POST"))["visits"])

    def visits(self) -> int:
        """The number of visits."""
        return int(json.loads(self.ask("server", "/api/visits"))["visits"])

    def failures(self) -> list[str]:
        """The requests that failed since the pod started."""
        return [line for line in self._heard() if not line.startswith("answered")]

    def _heard(self) -> list[str]:
        return self._kube.run("logs", VISITOR).splitlines()


def name_base(service: str, checkout: Path) -> str:
    """The base image of a service's Dockerfile."""
    text = (checkout / "app" / service / "Dockerfile").read_text("utf-8")
    return text.partition("FROM ")[2].split()[0]


def databases(host: str) -> str:
    """The registry path of the real Postgres and Redis, for `fit_node`."""
    return f"{host}/library/" if host else ""
