"""Removes objects that no recorded release uses."""

from __future__ import annotations

from collections.abc import Iterable

from ..cluster import kubectl, manifests
from ..cluster.kubectl import key
from ..contract import Description, load
from ..failure import Failure
from ..hosting.outputs import log
from ..state import stored
from ..state.fence import Fence
from ..state.record import read_record
from ..state.record_format import GOOD, KEPT_RELEASES
from ._restore import KEPT_KINDS

KINDS = (
    "configmaps,secrets,services,deployments,statefulsets,daemonsets,cronjobs,ingresses,"
    "horizontalpodautoscalers,poddisruptionbudgets,networkpolicies"
)


def prune() -> int:
    """Deletes objects with wfgen's label that are not in the last known good release.

    ConfigMaps and Secrets that one of the last ten releases uses are kept: going back needs them.
    Volumes, claims, namespaces and Jobs are never deleted. Does nothing while a release is in
    flight. A step of the monitor's job, after the commit point: its failure fails no release.
    """
    description = load()
    record = read_record(description)
    if record is None:
        log("nothing was ever released here: nothing to prune")
        return 0
    if record.state != GOOD or record.in_flight is not None:
        log(f"the release record is `{record.state}`: nothing is pruned")
        return 0
    parts = stored.parts(description)
    kept = sorted(parts)[-KEPT_RELEASES:]
    used = _used(description, record.release, kept)
    selector = ",".join(f"{name}={value}" for name, value in manifests.OWNED.items())
    unused = [
        live
        for live in kubectl.select(KINDS, description.place, selector)
        if key(live) not in used and live["kind"] not in KEPT_KINDS
    ]
    for release in sorted(parts.keys() - {*kept, record.release}):
        unused += parts[release]
    for live in unused:
        log(f"delete {key(live)}")
    Fence(description, record).delete(unused)
    log(f"{len(unused)} objects pruned")
    return 0


def _used(description: Description, good: int, kept: Iterable[int]) -> set[str]:
    """What must stay, as kind/name: the last known good release, and what the kept ones refer to.

    Raises `Failure` where the manifests of the last known good release are not stored.
    """
    current = stored.read(description, good)
    if current is None:
        raise Failure(f"no stored manifests of release {good} found; nothing was pruned")
    return {key(manifest) for manifest in current} | {
        key(manifest)
        for release in kept
        for manifest in stored.read(description, release) or []
        if manifest["kind"] in ("ConfigMap", "Secret")
    }
