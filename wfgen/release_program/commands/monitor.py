"""Watches a release until it has proved itself, and then makes it the last known good one."""

from __future__ import annotations

import re
import time
from typing import Any

from ..cluster import diagnostics, health, manifests, rollout
from ..cluster.kubectl import Object, key
from ..contract import Description, Service, load
from ..hosting.outputs import add_summary, error, log, write_output
from ..state import record, stored
from ..state.record import GOOD, HELD, KEPT, Record


class Verdict:
    """What becomes of one service while it is watched."""

    def __init__(self, service: Service, since: float, started: float) -> None:
        self.service = service
        self.watch = rollout.Watch(service, since)
        self.started = started
        """When it was applied, in seconds since the epoch: its deadline runs from then."""
        self.looked = time.time()
        """When it was first looked at: from then on, no answer is held against the API server."""
        self.ready_at: float | None = None
        self.restarts_at_ready = 0
        self.unwell_since: float | None = None
        self.good = False
        self.failure = ""
        self.cause = ""
        self.decided_after = 0.0

    def decide(self, description: Description) -> None:
        """Decides, after a look, where that can be decided."""
        now = time.time()
        since = self.started if self.watch.answered else self.looked
        late = now - since > self.service.timeout_seconds
        if self.watch.failure:
            self._fail(self.watch.failure, "app")
        elif self.ready_at is None:
            if self.watch.ready and self._healthy(description):
                self.ready_at, self.restarts_at_ready = now, self.watch.restarts
                took = now - self.started
                log(f"{self.service.name}: ready after {took:.0f} s, now the bake time")
            elif late:
                told = self.watch.last or "never ready"
                answered = self.watch.answered
                reason = told if answered else "the API server did not answer"
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
            self.unwell_since = self.unwell_since or now
            if now - self.unwell_since >= rollout.doubt_seconds():
                told = self.watch.last if not self.watch.ready else "the health check fails"
                self._fail(f"not well within the bake time: {told}", "app")
        else:
            self.unwell_since = None
            self.good = now - self.ready_at >= self.service.bake_seconds
            self.decided_after = now - self.started

    def _healthy(self, description: Description) -> bool:
        state = self.watch.state
        if state is None:
            return False
        done = self.ready_at is not None
        complaint = health.ask(self.service, sorted(state.serving), description.place, done)
        if complaint:
            log(f"{self.service.name}: {complaint}")
            self.watch.last = complaint
        return not complaint

    def _fail(self, reason: str, cause: str) -> None:
        self.failure, self.cause = reason, cause
        self.decided_after = time.time() - self.started


def monitor() -> int:
    """Watches the release, all services side by side, then turns the record from in-flight to good.

    A service is good when its new pods run the applied image, are ready, and then stay so for its
    bake time: no restarts, available, its health check answers. Fails at once on what cannot mend
    itself. The commit point is its last act.
    """
    description = load()
    write_output("verified", "false")
    write_output("cause", "infra")  # what is true if this job dies; the last line written counts
    found = record.read(description) or Record()
    flying = found.advancing
    objects = stored.read(description, flying.release) or []
    services = description.in_order(flying.services)
    now = time.time()
    verdicts = [
        Verdict(service, flying.started, flying.applied.get(service.name, now))
        for service in services
        if manifests.workloads_of(service, objects)
    ]
    failed: list[Verdict] = []
    while True:
        rollout.look_at(description, [verdict.watch for verdict in verdicts], objects)
        for verdict in verdicts:
            verdict.decide(description)
        failed = [verdict for verdict in verdicts if verdict.failure]
        if failed or all(verdict.good for verdict in verdicts):
            break
        record.renew(description, found)
        time.sleep(rollout.poll_seconds())
    _summarize(description, found, verdicts)
    if failed:
        cause = "app" if any(v.cause == "app" for v in failed) else "infra"
        write_output("cause", cause)
        record.blame(description, found, cause)
        for verdict in failed:
            pull = "ImagePull" in verdict.failure
            hint = (
                ". May the nodes pull it? See docs/delivery-setup.md, Pull secret" if pull else ""
            )
            error(f"{verdict.service.name}: {verdict.failure}{hint}")
            diagnostics.show(description, verdict.service, objects)
        return 1
    _commit(description, objects)
    write_output("verified", "true")
    write_output("cause", "")
    log(f"release {flying.release} is good")
    return 0


def _commit(description: Description, new: list[Object]) -> None:
    """The commit point: from here on, this release is what others go back to."""
    found = record.read(description) or Record()
    flying = found.advancing
    kept = _untouched(description, found, new)
    if kept:
        stored.write(description, flying.release, [*kept, *new])
    for name in flying.services:
        found.services[name] = {
            "sha": flying.sha,
            "image": flying.images.get(name, ""),
            "release": flying.release,
            "repository": record.repository(),
        }
    entry: dict[str, Any] = {
        "release": flying.release,
        "sha": flying.sha,
        "at": time.time(),
        "run": record.this_run(),
        "services": dict(found.services),
    }
    found.releases = [*found.releases, entry][-KEPT:]
    found.release, found.in_flight = flying.release, None
    found.state = HELD if flying.go_back else GOOD
    record.write(description, found)


def _untouched(description: Description, found: Record, new: list[Object]) -> list[Object]:
    """What the release did not touch: it stays part of the state to go back to."""
    mine = found.flying.services
    deployed = {service.name for service in description.services.values() if service.deploy}
    if found.release < 0 or not (deployed | found.services.keys()) - set(mine):
        return []
    # Another repository's services are unknown here, and so is which objects are theirs.
    others = {each.get("repository") for each in found.services.values()} - {record.repository()}
    touched = {*mine} if others else {*mine, None}
    names = {key(thing) for thing in new}
    return [
        thing
        for thing in stored.read(description, found.release) or []
        if manifests.owner(description, thing) not in touched and key(thing) not in names
    ]


def _summarize(description: Description, found: Record, verdicts: list[Verdict]) -> None:
    rows = [
        "| service | image before | image of this release | verdict | after |",
        "|---|---|---|---|---|",
    ]
    for verdict in verdicts:
        name = verdict.service.name
        before = found.services.get(name, {}).get("image", "") or "-"
        now = found.flying.images.get(name, "") or "unchanged"
        told = "good" if verdict.good else verdict.failure or "not decided"
        rows.append(
            f"| {name} | `{_short(before)}` | `{_short(now)}` | {told} "
            f"| {verdict.decided_after:.0f} s |"
        )
    add_summary(
        f"### Release {found.flying.release} of {description.environment}\n\n" + "\n".join(rows)
    )


def _short(image: str) -> str:
    """An image with the first twelve characters of its digest."""
    return re.sub(r"(@sha256:[0-9a-f]{12})[0-9a-f]+", r"\1", image)
