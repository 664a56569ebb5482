"""The first release of the sample project, from which the tests start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.act.github import GitHub
from tests.act.run import Run
from tests.act.runner import Shop, on_fake
from tests.act.sample import Sample
from tests.github_api import Request, serving
from tests.kube_api import FakeCluster
from tests.kube_api.world import World


@dataclass(frozen=True)
class First:
    """The first release of all services, and the state after it."""

    root: Path
    """The folder of the repository."""
    run: Run
    world: World
    writes: list[dict[str, Any]]
    """The requests that wrote to the cluster."""
    requests: list[Request]
    """The requests to GitHub and Slack."""
    images: dict[str, str]
    """The image of each workload."""


@contextmanager
def open_shop(folder: Path, sample: Sample) -> Iterator[Shop]:
    """A shop with an empty cluster."""
    github = GitHub(sample)
    with FakeCluster(folder) as cluster, serving(github):
        yield Shop(folder, sample, github, on_fake(cluster), cluster)


def release_first(folder: Path) -> First:
    """Makes the first release."""
    sample = Sample.make(folder / "shop")
    with open_shop(folder, sample) as shop:
        shop.cluster.namespace("shop")
        run = shop.push(run=1)
        cluster = shop.cluster
        return First(
            root=sample.root,
            run=run,
            writes=cluster.requests,
            world=cluster.snapshot(),
            requests=shop.github.requests,
            images=cluster.images("shop"),
        )
