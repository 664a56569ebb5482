"""The sample application itself: its images built from a checkout, and somebody who visits it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

from tests.e2e import image
from tests.e2e.kube import Kube
from tests.e2e.registry import Images
from tests.e2e.shop import APP, LISTEN, Outputs, Shop, git

VERSIONS = {"server": "/version", "client": "/version.json"}
"""Where each service says the commit that its image was built from."""
PATIENCE = 300
"""Seconds. Python and Postgres start slowly beside other tests; a crash is seen without waiting."""
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
    """The shop with images that are built from app/ by its own Dockerfiles."""

    def __init__(self, folder: Path, kube: Kube, images: Images, origin: Path) -> None:
        super().__init__(folder, kube, images, origin)
        self.names: dict[str, str] = {}
        """The release of each commit."""
        for service in self.description["services"].values():
            service["timeout_seconds"] = PATIENCE

    def image(self, service: str, release: str, **behaviour: str) -> str:
        """The reference, by digest, of a service as the checkout has it; `release` is a commit."""
        assert not behaviour, "a real image behaves as its source says"
        context, repository = self.checkout / "app" / service, f"acme/shop-{service}"
        arguments = {"GIT_SHA": release}
        tag = f"{repository}:{release}"
        digest = image.build(context, context / "Dockerfile", tag, arguments)
        return f"{self.images.host or 'ghcr.io'}/{repository}@{digest}"

    def build(self, release: str, *services: str, **behaviour: str) -> None:
        """Images of these services (all that are built here), of a commit that gets this name."""
        self.names[self.commit()] = release
        super().build(self.sha, *services, **behaviour)

    def release(
        self, *services: str, until: str = "", commit: bool = False, **environment: str
    ) -> dict[str, Outputs]:
        """As of any shop, but of the commit that the images were built from."""
        return super().release(*services, until=until, commit=commit, **environment)

    def serves(self) -> dict[str, str]:
        """What each service that is built here answers, asked in each ready pod: its release."""
        return name_releases(self.kube, self.names)

    def go_back(self) -> None:
        """Makes the source of the checkout again what it was at first, as a revert does."""
        time.sleep(1)  # git counts whole seconds: a commit is not to be older than a rollback
        git(self.checkout, "checkout", "--quiet", next(iter(self.names)), "--", ".")

    def query(self, sql: str) -> str:
        """What Postgres itself answers."""
        command = ("psql", "--username=shop", "--tuples-only", "--no-align", f"--command={sql}")
        return self.kube.run("exec", "postgres-0", "--", *command).strip()


def name_releases(kube: Kube, names: Mapping[str, str]) -> dict[str, str]:
    """What each service answers, asked in each ready pod; `names` has the release of a commit."""
    told = {name: kube.ask(name, LISTEN[name], VERSIONS[name], "sha") for name in APP}
    return {name: names.get(sha, sha) for name, sha in told.items()}


class Visitor:
    """A pod beside the application, which asks its Services by name, again and again.

    It says all the time which release is there, and when told it counts a visit.
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
        """What a service answers, through its name and its Service."""
        address = f"http://{service}{LISTEN[service]}{path}"
        return self._kube.run("exec", VISITOR, "--", "python", "-c", ASK, address, method)

    def visit(self) -> int:
        """Counts a visit; how many there are then."""
        return int(json.loads(self.ask("server", "/api/visits", "POST"))["visits"])

    def visits(self) -> int:
        """How many visits there are."""
        return int(json.loads(self.ask("server", "/api/visits"))["visits"])

    def failures(self) -> list[str]:
        """What was asked since the visitor came, and not answered."""
        return [line for line in self._heard() if not line.startswith("answered")]

    def _heard(self) -> list[str]:
        return self._kube.run("logs", VISITOR).splitlines()


def name_base(service: str, checkout: Path) -> str:
    """The image that a service's Dockerfile builds on."""
    text = (checkout / "app" / service / "Dockerfile").read_text("utf-8")
    return text.partition("FROM ")[2].split()[0]


def databases(host: str) -> str:
    """Where Postgres and Redis themselves are pulled from, for `fit_node`."""
    return f"{host}/library/" if host else ""
