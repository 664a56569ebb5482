"""Puts the last known good release back: its own stored manifests, not one revision back."""

from __future__ import annotations

import time
from dataclasses import dataclass

from . import kubectl, manifests, record, rollout
from .description import Description, Service, load
from .kubectl import KubectlError, Object, key
from .outputs import Failure, add_summary, error, group, log, notice, write_output
from .record import GOOD, ROLLBACK_FAILED, ROLLING_BACK, InFlight, Record

ATTEMPTS = 3
KEPT_KINDS = (
    "PersistentVolumeClaim",
    "PersistentVolume",
    "CustomResourceDefinition",
    "Namespace",
    "Job",
)
"""Never deleted: they hold what cannot be made again, or what already happened."""
STATELESS_KINDS = (
    "Deployment", "DaemonSet", "CronJob", "Service", "Ingress", "ConfigMap", "Secret",
    "HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy",
)  # fmt: skip
"""What a first release that failed may delete of its own."""


@dataclass(frozen=True)
class Outcome:
    """What was restored: nothing, all, `except: a, b` or failed; and what was to blame."""

    outcome: str
    cause: str = ""


def rollback() -> int:
    """Restores the last known good release of what this run's release applied.

    Acts only where the record says that a release of this run is in flight; twice is the same as
    once. Services with `rollback: never` stay as they are. A preview stays up, for debugging.

    Reads: WFGEN_DESCRIPTION, KUBECONFIG, GITHUB_RUN_ID, WFGEN_NUMBER (previews),
    WFGEN_POLL_SECONDS (5).
    Writes: restored (nothing, all, `except: a, b`, failed), cause (app or infra).
    """
    description = load()
    write_output("restored", "failed")  # what is true if this job dies; the last line counts
    found = record.read(description)
    if found is None or not found.mine:
        log("no release of this run is in flight; nothing to undo")
        write_output("restored", "nothing")
        return 0
    done = restore(description)
    write_output("restored", done.outcome)
    write_output("cause", done.cause)
    return 1 if done.outcome == "failed" else 0


def restore(description: Description) -> Outcome:
    """Undoes the release in flight, which this run must own."""
    found = record.read(description) or Record()
    flying = found.flying
    cause = flying.cause or "infra"
    if not flying.applied or description.preview:
        log("nothing was applied" if not flying.applied else "the preview stays up, for debugging")
        _finish(description, cause if flying.applied else "")
        return Outcome("nothing", cause)
    if flying.contracted:
        _give_up(description, "a contracting migration ran: the release before cannot run any more")
        return Outcome("failed", cause)

    def begin(current: Record) -> None:
        current.state = ROLLING_BACK

    record.update(description, begin)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            left = _restore_services(description, found, flying)
            break
        except (Failure, KubectlError) as problem:
            error(f"attempt {attempt} of {ATTEMPTS} to roll back: {problem}")
            if attempt == ATTEMPTS:
                _give_up(description, str(problem))
                return Outcome("failed", cause)
            time.sleep(rollout.poll_seconds())
            record.renew(description)
    _finish(description, cause)
    outcome = f"except: {', '.join(left)}" if left else "all"
    text = f"Release {flying.release} was rolled back to {_called(found)}"
    add_summary(
        f"**{text}**" + (f", except {', '.join(left)} (`rollback: never`)." if left else ".")
    )
    notice(text)
    return Outcome(outcome, cause)


def _restore_services(description: Description, found: Record, flying: InFlight) -> list[str]:
    """Restores what may be restored; returns the services that changed and may not."""
    good = (record.stored(description, found.release) if found.release >= 0 else None) or []
    bad = record.stored(description, flying.release) or []
    applied = description.in_order(flying.applied)
    mine = [service for service in applied if service.rollback == "auto"]
    left = [
        service.name
        for service in applied
        if service.rollback != "auto"
        and _bodies(manifests.of_service(description, service, bad))
        != _bodies(manifests.of_service(description, service, good))
    ]
    with group(f"restore {_called(found)}"):
        for service in reversed(mine):
            _restore_objects(
                flying,
                manifests.of_service(description, service, good),
                manifests.of_service(description, service, bad),
                first=found.release < 0,
            )
        _restore_objects(
            flying,
            manifests.shared(description, good),
            manifests.shared(description, bad),
            first=found.release < 0,
        )
    _unstick(description, mine, good)
    rollout.wait(description, [s for s in mine if manifests.workloads_of(s, good)], good)
    return left


def _restore_objects(flying: InFlight, good: list[Object], bad: list[Object], first: bool) -> None:
    for thing in good:
        log(f"apply {key(thing)}")
    # Secrets have a hash in their name, are still there, and no body of theirs was recorded.
    kubectl.apply(thing for thing in good if thing["kind"] != "Secret")
    known = {key(thing) for thing in good}
    added = [
        thing
        for thing in bad
        if key(thing) not in known
        and key(thing) in flying.created
        and thing["kind"] not in KEPT_KINDS
        and (not first or thing["kind"] in STATELESS_KINDS)
    ]
    for thing in added:
        log(f"delete {key(thing)}, which only the bad release had")
    kubectl.delete(added)


def _unstick(description: Description, services: list[Service], good: list[Object]) -> None:
    """A StatefulSet does not replace a broken pod by itself, not even by the old revision."""
    for service in services:
        for workload in manifests.workloads_of(service, good):
            if workload["kind"] != "StatefulSet":
                continue
            time.sleep(rollout.poll_seconds())  # until the controller has seen the apply
            live = kubectl.get("StatefulSet", workload["metadata"]["name"], description.place)
            stuck = rollout.stuck_pods(live, description.place) if live else []
            for pod in stuck:
                log(f"delete {key(pod)}, stuck on the bad revision")
            kubectl.delete(stuck)


def _finish(description: Description, cause: str) -> None:
    def finish(found: Record) -> None:
        flying = found.flying
        if cause == "app":
            found.failed = [*found.failed, {"sha": flying.sha, "at": time.time()}][-20:]
        found.state, found.in_flight = GOOD, None

    record.update(description, finish)


def _give_up(description: Description, reason: str) -> None:
    def give_up(found: Record) -> None:
        found.state, found.in_flight = ROLLBACK_FAILED, None

    error(f"the rollback failed, further releases are refused: {reason}")
    add_summary(
        f"**The rollback failed**: {reason}. What to do now: docs/delivery-setup.md, "
        "When a rollback failed."
    )
    record.update(description, give_up)


def _bodies(objects: list[Object]) -> list[Object]:
    return sorted(objects, key=key)


def _called(found: Record) -> str:
    return (
        f"release {found.release}"
        if found.release >= 0
        else "what was there before the first release"
    )


COMMANDS = {"rollback": rollback}
