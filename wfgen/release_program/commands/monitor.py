"""Watches a release until it is verified, and then makes it the last known good one."""

from __future__ import annotations

import re
import time
from dataclasses import replace

from ..cluster import diagnostics, health, manifests, rollout
from ..cluster.kubectl import Object, key
from ..contract import Description, Service, load
from ..failure import Failure
from ..hosting.outputs import add_summary, error, log, write_output
from ..hosting.runs import repository, this_run
from ..names import NONE, Output
from ..state import stored
from ..state.fence import Fence
from ..state.record import read_record, renew_lease, take_over, write_cause, write_record
from ..state.record_format import (
    GOOD,
    HELD,
    KEPT_RELEASES,
    InFlight,
    LiveService,
    PastRelease,
    Record,
)
from . import rollback
from ._facts import of_run


class MonitoredService:
    """One service while it is watched, and how that ends: good, or failed with a cause."""

    def __init__(self, service: Service, since: float, started: float) -> None:
        self.service = service
        self.watch = rollout.Watch(service, since)
        self.started = started
        """When it was applied, in seconds since the epoch; its deadline runs from then."""
        self.looked = time.time()
        """When it was first looked at, in seconds since the epoch. While the API server does not
        answer, the deadline runs from then."""
        self.ready_at: float | None = None
        """When it was first ready, in seconds since the epoch: its bake time runs from then."""
        self.restarts_at_ready = 0
        self.unhealthy_since: float | None = None
        """Since when it fails within the bake time, in seconds since the epoch."""
        self.good = False
        self.failure = ""
        """Why it failed; '' where it did not."""
        self.cause = ""
        """What failed: app or infra."""
        self.decided_after = 0.0
        """Seconds from the apply to the decision."""

    def decide(self, description: Description, now: float) -> None:
        """Decides by a look at the cluster, where that can be decided.

        `now` is when the look began, in seconds since the epoch: it proves nothing about the time
        after that, however long the API server took to answer.
        """
        since = self.started if self.watch.answered else self.looked
        late = now - since > self.service.timeout_seconds
        if self.watch.failure:
            self._fail(self.watch.failure, "app")
        elif self.ready_at is None:
            if self.watch.ready and self._healthy(description):
                # After the look: what was ready in it may have become so just before its end.
                self.ready_at, self.restarts_at_ready = time.time(), self.watch.restarts
                took = self.ready_at - self.started
                log(f"{self.service.name}: ready after {took:.0f} s; bake time begins")
            elif late:
                answered = self.watch.answered
                last = self.watch.last or "never ready"
                reason = last if answered else "the API server did not answer"
                self._fail(
                    f"not ready after {self.service.timeout_seconds} s: {reason}",
                    "app" if answered else "infra",
                )
        elif self.watch.answered:
            self._bake(description, now)
        elif now - self.ready_at > self.service.bake_seconds + self.service.timeout_seconds:
            self._fail("the API server did not answer during the bake time", "infra")

    def _bake(self, description: Description, now: float) -> None:
        assert self.ready_at is not None
        if self.watch.restarts > self.restarts_at_ready:
            self._fail("a container was restarted within the bake time", "app")
        elif not self.watch.ready or not self._healthy(description):
            self.good = False
            self.unhealthy_since = self.unhealthy_since or now
            if now - self.unhealthy_since >= rollout.doubt_seconds():
                reason = self.watch.last if not self.watch.ready else "the health check fails"
                self._fail(f"unhealthy within the bake time: {reason}", "app")
        else:
            self.unhealthy_since = None
            self.good = now - self.ready_at >= self.service.bake_seconds
            self.decided_after = time.time() - self.started

    def _healthy(self, description: Description) -> bool:
        status = self.watch.status
        if status is None:
            return False
        again = self.ready_at is not None
        problem = health.ask(self.service, sorted(status.serving), description.place, again)
        if problem:
            log(f"{self.service.name}: {problem}")
            self.watch.last = problem
        return not problem

    def _fail(self, reason: str, cause: str) -> None:
        self.failure, self.cause = reason, cause
        self.decided_after = time.time() - self.started


def monitor() -> int:
    """Watches the release, all services side by side, then turns the record from in-flight to good.

    A service is good when its new pods run the applied image, become ready, and stay so for its
    bake time: no restarts, available, its health check passes. Fails at once on what no retry can
    fix. The commit point is its last act, and only for a release of this very attempt. A preview
    has no rollback: where its release failed, or was not fully deployed, this closes its record;
    where none was opened, it exits 0 without verifying any.
    """
    description = load()
    write_output(Output.VERIFIED, "false")
    write_output(Output.CAUSE, "infra")  # holds if this job ends early: the last value counts
    record = read_record(description) or Record()
    of_run(record).write()
    if not description.preview:
        return _monitor(description, record)
    if record.in_flight is None:  # this job runs however the deploy of a preview ended
        write_output(Output.CAUSE, NONE)
        log("no release is in flight: nothing to verify")
        return 0
    try:
        code = _monitor(description, record)
    except Failure as problem:
        error(str(problem))
        code = 1
    if code:
        _close_preview(description)
    return code


def _monitor(description: Description, record: Record) -> int:
    in_flight = record.demand_advancing()
    if not in_flight.now.deployed:
        raise Failure(f"release {in_flight.release} was not fully deployed; see job `deploy`")
    objects = stored.read(description, in_flight.release) or []
    now = time.time()
    watched = [
        MonitoredService(service, in_flight.started, in_flight.applied.get(service.name, now))
        for service in description.in_order(in_flight.services)
        if manifests.workloads_of(service, objects)
    ]
    failed = _watch(description, record, watched, objects)
    _summarize(description, record, watched)
    if failed:
        blamed = [service.service.name for service in failed if service.cause == "app"]
        cause = "app" if blamed else "infra"
        write_output(Output.CAUSE, cause)
        write_cause(description, record, cause, *blamed)
        for service in failed:
            _report(description, service, objects)
        return 1
    _commit(description, objects)
    write_output(Output.VERIFIED, "true")
    write_output(Output.CAUSE, NONE)
    log(f"release {in_flight.release} is good")
    return 0


def _close_preview(description: Description) -> None:
    """Closes the record of a preview that failed; the preview stays up, for debugging."""
    record = read_record(description) or Record()
    if record.mine:
        result = rollback.restore(description, take_over(description, record))
        write_output(Output.CAUSE, result.cause)


def _watch(
    description: Description,
    record: Record,
    watched: list[MonitoredService],
    objects: list[Object],
) -> list[MonitoredService]:
    """Watches services until all are good or some failed; returns those that failed."""
    while True:
        now = time.time()
        rollout.look_at(description, [service.watch for service in watched], objects)
        for service in watched:
            service.decide(description, now)
        failed = [service for service in watched if service.failure]
        if failed or all(service.good for service in watched):
            return failed
        renew_lease(description, record)
        time.sleep(rollout.poll_seconds())


def _report(description: Description, failed: MonitoredService, objects: list[Object]) -> None:
    hint = ""
    if "ImagePull" in failed.failure:
        hint = ". Can the nodes pull it? See docs/delivery-setup.md, Pull secret"
    error(f"{failed.service.name}: {failed.failure}{hint}")
    diagnostics.show(description, failed.service, objects)


def _commit(description: Description, new: list[Object]) -> None:
    """The commit point: from here on, a rollback restores this release."""
    record = read_record(description) or Record()
    in_flight = record.demand_advancing()
    kept = _untouched(description, record, new)
    if kept:
        fence = Fence(description, record)
        stored.write(description, in_flight.release, [*kept, *new], fence)
    for name in in_flight.services:
        record.services[name] = _live(record, in_flight, name)
    for name in in_flight.now.equal:
        if name in record.services:
            record.services[name] = replace(record.services[name], seen=in_flight.sha)
    record.failed = [f for f in record.failed if f.sha not in in_flight.now.overridden]
    verified = PastRelease(
        in_flight.release, in_flight.sha, time.time(), this_run(), dict(record.services)
    )
    record.releases = [*record.releases, verified][-KEPT_RELEASES:]
    record.release, record.in_flight = in_flight.release, None
    record.state = HELD if in_flight.go_back else GOOD
    write_record(description, record)


def _live(record: Record, in_flight: InFlight, name: str) -> LiveService:
    """What is live of a service that a release had; going back, with the commit that it had."""
    past = record.find_release(in_flight.go_back)
    before = past.services.get(name) if past else None
    sha = before.sha if before else in_flight.sha
    return LiveService(sha, in_flight.images.get(name, ""), in_flight.release, repository())


def _untouched(description: Description, record: Record, new: list[Object]) -> list[Object]:
    """What the release did not touch: it stays part of the state that a rollback restores."""
    released = record.demand_own().services
    deployed = {service.name for service in description.services.values() if service.deploy}
    if record.release < 0 or not (deployed | record.services.keys()) - set(released):
        return []
    # Another repository's services are unknown here, and so are their objects.
    others = {live.repository for live in record.services.values()} - {repository()}
    touched = {*released} if others else {*released, None}
    names = {key(manifest) for manifest in new}
    return [
        manifest
        for manifest in stored.read(description, record.release) or []
        if manifests.owner(description, manifest) not in touched and key(manifest) not in names
    ]


def _summarize(description: Description, record: Record, watched: list[MonitoredService]) -> None:
    in_flight = record.demand_own()
    rows = [
        "| service | image before | image of this release | verdict | after |",
        "|---|---|---|---|---|",
    ]
    for monitored in watched:
        name = monitored.service.name
        before = record.services[name].image if name in record.services else ""
        now = in_flight.images.get(name, "") or "unchanged"
        verdict = "good" if monitored.good else monitored.failure or "not decided"
        rows.append(
            f"| {name} | `{_short(before or '-')}` | `{_short(now)}` | {verdict} "
            f"| {monitored.decided_after:.0f} s |"
        )
    add_summary(
        f"### Release {in_flight.release} of {description.environment}\n\n" + "\n".join(rows)
    )


def _short(image: str) -> str:
    """An image with the first twelve characters of its digest."""
    return re.sub(r"(@sha256:[0-9a-f]{12})[0-9a-f]+", r"\1", image)
