"""The projects of the matrix, and the sample that a run tries."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from tests import sampling

Values = Mapping[str, Any]
Specs = dict[str, str]
"""Texts by path, as in a case of `tests/cases/`."""

_AWS = "arn:aws:iam::111122223333:role/shop"
_POOL = "projects/1/locations/global/workloadIdentityPools/github/providers/acme"
_ACCOUNT = "shop-123456.iam.gserviceaccount.com"
_AZURE = {
    name: f"00000000-0000-0000-0000-00000000000{number}"
    for number, name in enumerate(("client_id", "tenant_id", "subscription_id"), 1)
}

REGISTRIES: Mapping[str, Values] = {
    "ghcr": {"namespace": "acme"},
    "ecr": {"account": "111122223333", "region": "eu-central-1", "role": f"{_AWS}-build"},
    "gar": {
        "location": "europe-west1",
        "project": "shop-123456",
        "repository": "images",
        "workload_identity_provider": _POOL,
        "service_account": f"build@{_ACCOUNT}",
    },
    "acr": {"name": "shopimages", **_AZURE},
    "dockerhub": {"namespace": "acme", "username": "acme-bot", "token_secret": "HUB_TOKEN"},
}
CLUSTERS: Mapping[str, Values] = {
    "eks": {"name": "shop", "region": "eu-central-1", "role": f"{_AWS}-release"},
    "gke": {
        "name": "shop",
        "location": "europe-west1",
        "project": "shop-123456",
        "workload_identity_provider": _POOL,
        "service_account": f"release@{_ACCOUNT}",
    },
    "aks": {"name": "shop", "resource_group": "shop-rg", **_AZURE},
    "kubeconfig": {},
}
TRIGGERS: Mapping[str, Mapping[str, Values]] = {
    "push": {"production": {"deploy_on": "push"}},
    "approval": {"production": {"deploy_on": "push", "approval": True}},
    "dispatch": {"production": {"deploy_on": "dispatch", "approval": True}},
    "preview": {
        "production": {"deploy_on": "push"},
        "staging": {"deploy_on": "pull_request", "label": "preview"},
    },
}
"""The environments, without their cluster."""
PLATFORMS: Mapping[str, Values] = {
    "github.com": {},
    "ghes": {
        "platform": "ghes",
        "server": "https://github.example.com",
        "pull_request_runner": "ubuntu-22.04",
    },
}
LAYOUTS = ("per-environment", "per-service")


@dataclass(frozen=True)
class Project:
    """One project of the matrix."""

    registry: str
    cluster: str
    trigger: str
    platform: str
    layout: str

    def __str__(self) -> str:
        return "-".join((self.registry, self.cluster, self.trigger, self.platform, self.layout))

    @property
    def specs(self) -> Specs:
        """The spec files, and what they refer to."""
        cluster = {"type": self.cluster, **CLUSTERS[self.cluster]}
        registry = {"type": self.registry, **REGISTRIES[self.registry]}
        if (self.registry, self.platform) == ("ghcr", "ghes"):
            registry["host"] = "containers.github.example.com"
        environments = TRIGGERS[self.trigger]
        project: Values = {
            "project": "shop",
            "wfgen": "0.1.0",
            "layout": self.layout,
            **PLATFORMS[self.platform],
            "registry": registry,
            "secrets": ["SESSION_KEY", "SLACK_URL"]
            + (["HUB_TOKEN"] if self.registry == "dockerhub" else []),
            "notify": {"slack_secret": "SLACK_URL"},
            "environments": {
                name: {**values, "cluster": cluster} for name, values in environments.items()
            },
        }
        web: Values = {
            "kind": "server",
            "build": {"context": "web"},
            "secrets": ["SESSION_KEY"],
            "migrate": {"command": ["python", "-m", "web.migrate"]},
        }
        worker: Values = {"kind": "server", "build": {"context": "worker"}, "depends_on": ["web"]}
        return {
            "specs/project.yaml": _yaml(project),
            "specs/web.yaml": _yaml(web),
            "specs/worker.yaml": _yaml(worker),
            "web/Dockerfile": "FROM scratch\n",
            "worker/Dockerfile": "FROM scratch\n",
        }


def _yaml(values: Values) -> str:
    """YAML; a mapping in JSON is also YAML."""
    return "".join(f"{name}: {json.dumps(value)}\n" for name, value in values.items())


_FIELDS = (tuple(REGISTRIES), tuple(CLUSTERS), tuple(TRIGGERS), tuple(PLATFORMS), LAYOUTS)
PROJECTS = tuple(
    Project(*(values[at] for values, at in zip(_FIELDS, index, strict=True)))
    for index in product(*(range(len(values)) for values in _FIELDS))
    if sum(index) % 2 == 0
)
"""Half of all combinations, which has every combination of any four fields."""
SAMPLE = 4
"""Number of projects in a run that does not try all of them."""


def chosen() -> tuple[Project, ...]:
    """All projects if WFGEN_MATRIX is `all`, as in `make matrix`; else a sample by the seed."""
    if os.environ.get("WFGEN_MATRIX") == "all":
        return PROJECTS
    return tuple(random.Random(f"{sampling.SEED} matrix").sample(PROJECTS, SAMPLE))
