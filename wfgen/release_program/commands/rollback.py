"""Puts the last known good release back: its own stored manifests, not one revision back."""

from __future__ import annotations

import time
from dataclasses import dataclass

from ..cluster import kubectl, manifests, pods, rollout
from ..cluster.kubectl import KubectlError, Object, key
from ..contract import Description, Service, load
from ..failure import Failure
from ..hosting.outputs import add_summary, error, group, log, notice, write_output
from ..state import record, stored
from ..state.record import ROLLBACK_FAILED, ROLLING_BACK, InFlight, Record

ATTEMPTS = 3
KEPT_KINDS = (
    "PersistentVolumeClaim",
    "PersistentVolume",
    "CustomResourceDefinition",
    "Namespace",
    "Job",
)
"""Neither applied nor deleted: they hold what cannot be made again, or what already happened."""
STATELESS_KINDS = (
    "Deployment", "DaemonSet", "CronJob", "Service", "Ingress", "ConfigMap", "Secret",
    "HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy",
)  # fmt: skip
"""What a first release that failed may delete of its own."""


@dataclass(frozen=True)
class Outcome:
    """What was restored: all, `except: a, b`, nothing or failed; and what was to blame."""

    outcome: str
    cause: str = ""


def rollback() -> int:
    """Restores the last known good release of what this run's release applied.

    Acts only where the record says that a release of this run is in flight; twice is the same as
    once. Services with `rollback: never` stay as they are. A preview stays up, for debugging.
    Exits 1 where that failed, or where the release in flight is another run's.
    """
    description = load()
    write_output("restored", "failed")  # what is true if this job dies; the last line counts
    found = record.read(description) or Record()
    if not found.mine:
        write_output("restored", _nothing(found))
        return 1 if found.in_flight else 0
    done = restore(description, found)
    write_output("restored", done.outcome)
    write_output("cause", done.cause)
    return 1 if done.outcome == "failed" else 0


def _nothing(found: Record) -> str:
    """Why there is nothing to undo for this run: the outcome, said to people too."""
    newest = found.releases[-1] if found.releases else {}
    if found.in_flight:
        error(
            f"nothing was done: release {found.in_flight.release} is {found.state}, and "
            f"{found.owner} owns it. Two runs, or two repositories, release here"
        )
        return "taken over"
    if newest.get("run") == record.this_run():
        notice(f"release {newest['release']} of this run was verified and is live")
        return "verified"
    log("no release of this run is in flight; nothing to undo")
    return "nothing"


def restore(description: Description, found: Record) -> Outcome:
    """Undoes the release in flight, which this run must own by the record just read.

    Raises `KubectlError` or `Unanswered` where the API server does not answer: the watchdog goes
    on later.
    """
    started = time.time()
    flying = found.flying
    cause = flying.cause or "infra"
    if flying.contracted and not description.preview:
        reason = "a contracting migration ran: the release before cannot run any more"
        _give_up(description, found, reason)
        return Outcome("failed", cause)
    if not flying.touching or description.preview:
        log("the preview stays up, for debugging" if flying.touching else "nothing was applied")
        _finish(description, found, cause if flying.touching else "")
        return Outcome("nothing", cause)
    found.state = ROLLING_BACK
    record.write(description, found)
    try:
        left = _try(description, found, flying)
    except (Failure, KubectlError) as problem:
        if rollout.is_unanswered(problem):
            raise
        _give_up(description, found, str(problem))
        return Outcome("failed", cause)
    _finish(description, found, cause)
    names = ", ".join(left)
    text = f"Release {flying.release} was rolled back to {_called(found)}"
    more = f", except {names} (rollback is `never`, or nothing is recorded)" if left else ""
    add_summary(f"**{text}**{more}, in {time.time() - started:.0f} s.")
    notice(text + more)
    return Outcome(f"except: {names}" if left else "all", cause)


def _try(description: Description, found: Record, flying: InFlight) -> list[str]:
    """Restores the services, in several attempts; raises what ended the last one."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _restore_services(description, found, flying)
        except (Failure, KubectlError) as problem:
            error(f"attempt {attempt} of {ATTEMPTS} to roll back: {problem}")
            if attempt == ATTEMPTS:
                raise
        time.sleep(rollout.poll_seconds())
        record.renew(description, found)
    raise AssertionError("unreachable")


def _restore_services(description: Description, found: Record, flying: InFlight) -> list[str]:
    """Restores what may be restored; returns the services that changed and may not."""
    good = (stored.read(description, found.release) if found.release >= 0 else None) or []
    bad: dict[str, Object] = {}
    for release in (*flying.leftovers, flying.release):
        bad.update({key(thing): thing for thing in stored.read(description, release) or []})
    changed = [thing for name, thing in bad.items() if name in flying.changed]
    applied = description.in_order(flying.applied)
    mine = [service for service in applied if service.rollback == "auto"]
    left = [
        service.name
        for service in applied
        if service not in mine and manifests.of_service(description, service, changed)
    ]
    # Live before it was ever released by this program: nobody knows with what.
    left += [
        service.name
        for service in mine
        if not manifests.of_service(description, service, good)
        and any(
            key(thing) not in flying.created
            for thing in manifests.of_service(description, service, changed)
        )
    ]
    kept = {key(thing) for thing in good}
    added = [
        thing
        for name, thing in bad.items()
        if name in flying.created
        and name not in kept
        and thing["kind"] not in KEPT_KINDS
        and (found.release >= 0 or thing["kind"] in STATELESS_KINDS)
    ]
    with group(f"restore {_called(found)}"):
        for service in reversed(mine):
            _restore_objects(
                manifests.of_service(description, service, good),
                manifests.of_service(description, service, added),
            )
        _restore_objects(manifests.shared(description, good), manifests.shared(description, added))
    _unstick(description, mine, good)
    rollout.wait(description, found, [s for s in mine if manifests.workloads_of(s, good)], good)
    return left


def _restore_objects(good: list[Object], added: list[Object]) -> None:
    """Applies what was there, and deletes what only the bad release made."""
    # Secrets have a hash in their name, are still there, and no body of theirs was recorded.
    restored = [thing for thing in good if thing["kind"] not in (*KEPT_KINDS, "Secret")]
    for thing in restored:
        log(f"apply {key(thing)}")
    manifests.keep_replicas(restored)
    kubectl.apply(restored)
    for thing in added:
        log(f"delete {key(thing)}, which only the bad release had")
    kubectl.delete(added)


def _unstick(description: Description, services: list[Service], good: list[Object]) -> None:
    """A StatefulSet does not replace a broken pod by itself, not even by the old revision."""
    sets = [
        thing
        for service in services
        for thing in manifests.workloads_of(service, good)
        if thing["kind"] == "StatefulSet"
    ]
    if not sets:
        return
    time.sleep(rollout.poll_seconds())  # until the controller has seen the apply
    cluster = pods.look(description, services)
    for workload in sets:
        live = cluster.find("StatefulSet", workload["metadata"]["name"])
        stuck = pods.stuck_pods(live, cluster) if live else []
        for pod in stuck:
            log(f"delete {key(pod)}, stuck on the bad revision")
        kubectl.delete(stuck)


def _finish(description: Description, found: Record, cause: str) -> None:
    flying = found.flying
    if cause == "app":
        found.failed = [*found.failed, {"sha": flying.sha, "at": time.time()}][-20:]
    found.state, found.in_flight = flying.before, None
    record.write(description, found)


def _give_up(description: Description, found: Record, reason: str) -> None:
    """Keeps the release in flight: the watchdog may be dispatched to try again."""
    error(f"the rollback failed, further releases are refused: {reason}")
    add_summary(
        f"**The rollback failed**: {reason}. What to do now: docs/delivery-setup.md, "
        "When a rollback failed."
    )
    found.state = ROLLBACK_FAILED
    record.write(description, found)


def _called(found: Record) -> str:
    return (
        f"release {found.release}"
        if found.release >= 0
        else "what was there before the first release"
    )
