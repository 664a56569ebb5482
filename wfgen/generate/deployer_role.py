"""The rules of the Role that the release program needs in an environment's cluster.

A test runs the program against a fake cluster and compares these rules with its requests.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from wfgen.generate.plan import PlannedEnvironment
from wfgen.specs.kinds.service import Health, ServiceSpec

WRITE = ("get", "list", "create", "patch", "delete")
"""The verbs of server-side apply, pruning and rollbacks."""


@dataclass(frozen=True)
class Rule:
    """A rule of the deployer's Role. The core API group is empty."""

    group: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    reason: str


_ALWAYS = (
    Rule(
        "",
        ("configmaps",),
        ("get", "list", "create", "update", "patch", "delete"),
        "includes the release record",
    ),
    Rule("", ("secrets", "services"), WRITE, "objects in the manifests"),
    Rule("apps", ("deployments", "statefulsets", "daemonsets"), WRITE, ""),
    Rule("batch", ("cronjobs",), WRITE, ""),
    Rule("networking.k8s.io", ("ingresses", "networkpolicies"), WRITE, ""),
    Rule("autoscaling", ("horizontalpodautoscalers",), WRITE, ""),
    Rule("policy", ("poddisruptionbudgets",), WRITE, ""),
    Rule("", ("pods",), ("get", "list"), "watch the rollout"),
    Rule("", ("pods/log",), ("get",), "report why it failed"),
    Rule("", ("events",), ("list",), ""),
)


def rules(environment: PlannedEnvironment) -> list[Rule]:
    """What the release program does in the environment's namespace, and nothing else."""
    deployed = environment.deployed
    inside = [s.spec for s in deployed if environment.name not in s.spec.external]
    preview = environment.spec.preview
    needed = [*_ALWAYS, *_of_workloads(inside), *_of_health_checks(inside)]
    if not preview or len(inside) < len(deployed) or any(spec.migrate for spec in inside):
        reason = "migrations, connection checks, pulls of images to roll back to"
        needed.append(Rule("batch", ("jobs",), WRITE, reason))
    if preview:
        needed.append(Rule("", ("namespaces",), WRITE, "one per pull request"))
        needed.append(Rule("", ("resourcequotas",), ("create", "patch"), "its quota"))
    else:
        needed.append(Rule("", ("namespaces",), ("get",), "kubectl checks that it exists"))
    return needed


def _of_workloads(specs: list[ServiceSpec]) -> Iterator[Rule]:
    # A StatefulSet does not replace a broken pod; a service that is never rolled back keeps it.
    restored = [w.kind for spec in specs if spec.rollback == "auto" for w in spec.workloads]
    if "StatefulSet" in restored:
        yield Rule("", ("pods",), ("delete",), "remove a stuck pod of a StatefulSet")
    kinds = {workload.kind for spec in specs for workload in spec.workloads}
    revisions = {"Deployment": "replicasets", "DaemonSet": "controllerrevisions"}
    if used := tuple(name for kind, name in revisions.items() if kind in kinds):
        yield Rule("apps", used, ("list",), "distinguish new pods from old ones")


def _of_health_checks(specs: list[ServiceSpec]) -> Iterator[Rule]:
    health = [spec.health for spec in specs if isinstance(spec.health, Health)]
    if any(check.exec is None for check in health):
        yield Rule("", ("pods/proxy",), ("get",), "request the health address")
    if any(check.exec is not None for check in health):
        yield Rule("", ("pods/exec",), ("get", "create"), "run the health command")
