"""What the generated pipelines push and release, as other workflows may name it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from wfgen.checks.other_deployers.texts import UNKNOWN
from wfgen.generate.plan import Plan

_KINDS = {
    "deployment": ("deployment", "deployments", "deploy"),
    "statefulset": ("statefulset", "statefulsets", "sts"),
    "daemonset": ("daemonset", "daemonsets", "ds"),
    "cronjob": ("cronjob", "cronjobs", "cj"),
}
"""Names of kinds that kubectl accepts."""
_NAMES = {name: kind for kind, names in _KINDS.items() for name in names}


@dataclass(frozen=True)
class Targets:
    """What belongs to the specs."""

    repositories: Mapping[str, str]
    """The repositories of built images, and the spec of each."""
    workloads: Mapping[tuple[str, str], str]
    """Kind in lower case and name, and the spec of each."""
    namespaces: Mapping[str, str]
    """Regular expressions of namespaces, and the environment of each."""
    folders: Mapping[str, str]
    """Folders with manifests, and what they are."""
    names: frozenset[str]
    """Names of the services and of the project, which a Helm release may have."""

    def repository(self, word: str) -> str:
        """The repository that an image reference names; "" for any other.

        Parts that are only known in a run can be anything, except for the end of the name.
        """
        name = re.split(r"[:@](?=[^/]*$)", word.removeprefix("docker://"))[0]
        for repository in self.repositories:
            if name.rpartition("/")[2] != repository.rpartition("/")[2]:
                continue
            if re.fullmatch(_pattern(name), repository):
                return repository
        return ""

    def workload(self, words: list[str]) -> str:
        """The workload that arguments of kubectl name, as `Deployment web of spec`; "" for none."""
        for first, second in pairwise([*words, ""]):
            kind, slash, name = first.partition("/")
            kind = _NAMES.get(kind.partition(".")[0].lower(), "")
            name = name if slash else second
            if (kind, name) in self.workloads:
                return f"{kind} `{name}` of `{self.workloads[kind, name]}`"
        return ""

    def environment(self, namespace: str) -> str:
        """The environment whose namespace this is; "" for any other."""
        for pattern, environment in self.namespaces.items():
            if namespace and re.fullmatch(pattern, namespace):
                return environment
        return ""

    def folder(self, path: str) -> str:
        """What the folder of a path is; "" where it belongs to no spec."""
        inside = f"{path}/"
        for folder, what in self.folders.items():
            if inside.startswith(folder) or (path and folder.startswith(inside)):
                return what
        return ""


def targets_of(plan: Plan) -> Targets:
    """Everything that belongs to the specs of a plan."""
    services = [service for e in plan.environments for service in e.services]
    deployed = [service for e in plan.environments for service in e.deployed]
    return Targets(
        repositories={s.repository: s.service.file.path for s in services if s.repository},
        workloads={
            (workload.kind.lower(), workload.name or s.name): s.service.file.path
            for s in deployed
            for workload in s.spec.workloads
        },
        namespaces={_namespace(e.namespace): e.name for e in plan.environments},
        folders=dict(_folders(plan)),
        names=frozenset({plan.project.spec.project, *(s.name for s in services)}),
    )


def _folders(plan: Plan) -> Iterator[tuple[str, str]]:
    for environment in plan.environments:
        yield f"{environment.overlay}/", f"the overlay of environment `{environment.name}`"
    for environment in plan.environments:
        for service in environment.deployed:
            for folder in service.manifests:
                yield folder, f"the manifests of `{service.service.file.path}`"


def _namespace(namespace: str) -> str:
    number = rf"(?:[0-9]+|{re.escape(UNKNOWN)})"
    return number.join(map(re.escape, namespace.split("{number}")))


def _pattern(text: str) -> str:
    return ".*".join(map(re.escape, text.split(UNKNOWN)))
