"""What the release program does in a cluster: the rules of the Role that its jobs need.

A test runs the program against a fake cluster and holds these rules to the requests that it makes.
"""

from __future__ import annotations

from dataclasses import dataclass

from wfgen.generate.plan import PlannedEnvironment
from wfgen.specs.kinds.service import Health

WRITE = ("get", "list", "create", "patch", "delete")
"""What server-side apply, pruning and rolling back need of an object."""


@dataclass(frozen=True)
class Rule:
    """A rule of the deployer's Role; an empty group is the core one."""

    group: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    reason: str


def rules(environment: PlannedEnvironment) -> list[Rule]:
    """What the release program does in the environment's namespace, no more."""
    inside = [s.spec for s in environment.deployed if environment.name not in s.spec.external]
    kinds = {workload.kind for spec in inside for workload in spec.workloads}
    health = [spec.health for spec in inside if isinstance(spec.health, Health)]
    jobs = not environment.spec.preview or len(inside) < len(environment.deployed)
    jobs = jobs or any(s.migrate for s in inside)
    found = [
        Rule(
            "",
            ("configmaps",),
            ("get", "list", "create", "update", "patch", "delete"),
            "also the release record",
        ),
        Rule("", ("secrets", "services"), WRITE, "what the manifests have"),
        Rule("apps", ("deployments", "statefulsets", "daemonsets"), WRITE, ""),
        Rule("batch", ("cronjobs",), WRITE, ""),
        Rule("networking.k8s.io", ("ingresses", "networkpolicies"), WRITE, ""),
        Rule("autoscaling", ("horizontalpodautoscalers",), WRITE, ""),
        Rule("policy", ("poddisruptionbudgets",), WRITE, ""),
        Rule("", ("pods",), ("get", "list"), "watch the rollout"),
        Rule("", ("pods/log",), ("get",), "tell why it failed"),
        Rule("", ("events",), ("list",), ""),
    ]
    # It does not replace a broken pod by itself; services that are never rolled back stay so.
    if any(w.kind == "StatefulSet" for s in inside if s.rollback == "auto" for w in s.workloads):
        found.append(Rule("", ("pods",), ("delete",), "free a StatefulSet of a stuck pod"))
    revisions = {"Deployment": "replicasets", "DaemonSet": "controllerrevisions"}
    if used := tuple(name for kind, name in revisions.items() if kind in kinds):
        found.append(Rule("apps", used, ("list",), "tell new pods from old ones"))
    if any(each.exec is None for each in health):
        found.append(Rule("", ("pods/proxy",), ("get",), "ask the health address"))
    if any(each.exec is not None for each in health):
        found.append(Rule("", ("pods/exec",), ("get", "create"), "run the health command"))
    if jobs:
        found.append(
            Rule("batch", ("jobs",), WRITE, "migrations, connection checks, images to go back to")
        )
    if environment.spec.preview:
        found.append(Rule("", ("namespaces",), WRITE, "one per pull request"))
        found.append(Rule("", ("resourcequotas",), ("create", "patch"), "its quota"))
    else:
        found.append(Rule("", ("namespaces",), ("get",), "kubectl looks whether it is there"))
    return found
