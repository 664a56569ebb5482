"""Removes what no recorded release uses any more."""

from __future__ import annotations

from ..cluster import kubectl, manifests
from ..cluster.kubectl import key
from ..contract import load
from ..failure import Failure
from ..hosting.outputs import log
from ..state import record, stored
from ..state.record import GOOD, KEPT
from .rollback import KEPT_KINDS

KINDS = (
    "configmaps,secrets,services,deployments,statefulsets,daemonsets,cronjobs,ingresses,"
    "horizontalpodautoscalers,poddisruptionbudgets,networkpolicies"
)


def prune() -> int:
    """Deletes objects of ours that are not in the last known good release.

    ConfigMaps and Secrets stay as long as one of the last ten releases uses them, as going back
    needs them. Volumes, claims, namespaces and Jobs are never deleted. Does nothing while a release
    is in flight.
    """
    description = load()
    found = record.read(description)
    if found is None or found.state != GOOD or found.in_flight is not None:
        state = found.state if found else "that nothing was released"
        log(f"the record says {state}: nothing is pruned")
        return 0
    parts = stored.parts(description)
    kept = sorted(parts)[-KEPT:]
    current = stored.read(description, found.release)
    if current is None:
        raise Failure(f"the manifests of release {found.release} are gone; nothing is pruned")
    used = {key(thing) for thing in current}
    for release in kept:
        objects = stored.read(description, release) or []
        used |= {key(t) for t in objects if t["kind"] in ("ConfigMap", "Secret")}
    selector = ",".join(f"{name}={value}" for name, value in manifests.OWNED.items())
    unused = [
        thing
        for thing in kubectl.select(KINDS, description.place, selector)
        if key(thing) not in used and thing["kind"] not in KEPT_KINDS
    ]
    unused += [
        t
        for release, things in parts.items()
        if release not in (*kept, found.release)
        for t in things
    ]
    for thing in unused:
        log(f"delete {key(thing)}")
    kubectl.delete(unused)
    log(f"{len(unused)} objects pruned")
    return 0
