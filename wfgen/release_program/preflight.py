"""Before anything is touched: may this release go on, and what does it go back to if it fails?"""

from __future__ import annotations

import json
import os
import time

from . import kubectl, manifests, record, rollback
from .description import Description, load
from .git import run as git
from .outputs import Failure, add_summary, log, notice, write_output
from .record import HELD, IN_FLIGHT, ROLLBACK_FAILED, InFlight, Record


def preflight() -> int:
    """Refuses what is stale, restores what a dead run left, and opens the release's record.

    Reads: WFGEN_DESCRIPTION, KUBECONFIG, WFGEN_SHA, WFGEN_SERVICES (JSON list), WFGEN_IMAGES (JSON
    object), WFGEN_FORCE, WFGEN_GO_BACK (number of a release), WFGEN_NUMBER (previews),
    GITHUB_REPOSITORY, GITHUB_RUN_ID, WFGEN_LEASE_SECONDS (1800).
    Writes: proceed, stale, release (number), lkg_sha.
    """
    description = load()
    # What is not said otherwise below may not go on, and there is nothing to roll back.
    refusal = Refusal()
    names: list[str] = json.loads(os.environ["WFGEN_SERVICES"])
    services = [s for s in description.in_order(names) if s.deploy]
    images: dict[str, str] = json.loads(os.environ["WFGEN_IMAGES"])
    sha, forced = os.environ["WFGEN_SHA"], os.environ.get("WFGEN_FORCE") == "true"
    go_back = int(os.environ.get("WFGEN_GO_BACK") or 0)

    found = record.read(description) or _adopt(description, names, images)
    write_output("lkg_sha", _commit(found))
    if found.in_flight is not None:
        found = _restore_unfinished(description, found, refusal)
    if found.state == ROLLBACK_FAILED and not forced:
        refusal.say(
            f"a rollback failed here, in release {found.last}: look at the cluster, then release "
            "with `force`, which goes on from what is live. See docs/delivery-setup.md, When a "
            "rollback failed"
        )
    if found.state == HELD and not (forced or go_back):
        refusal.say(
            f"somebody went back to release {found.release}: automatic releases are held until a "
            "dispatch with `force`. See docs/delivery-setup.md, Going back to an older release"
        )
    reason = (
        "" if forced or go_back else _stale(description, found, [s.name for s in services], sha)
    )
    if reason:
        refusal.stale(reason)
        return 0
    found.last += 1
    found.state, found.owner = IN_FLIGHT, record.this_run()
    found.in_flight = InFlight(found.last, sha, [s.name for s in services], images, go_back=go_back)
    record.write(description, found)
    log(f"release {found.last} of {description.environment}: {', '.join(names)} at {sha}")
    write_output("proceed", "true")
    write_output("stale", "false")
    write_output("release", str(found.last))
    return 0


class Refusal:
    """How a release is refused: told to later jobs before the reason is given."""

    def say(self, reason: str) -> None:
        """A refusal that makes the run red."""
        write_output("proceed", "false")
        write_output("stale", "false")
        raise Failure(reason)

    def stale(self, reason: str) -> None:
        """A refusal that is nobody's fault: what is live is newer."""
        write_output("proceed", "false")
        write_output("stale", "true")
        notice(f"stale, nothing was done: {reason}")
        add_summary(f"**Stale**: {reason}. Dispatch the workflow with `force` to release anyway.")


def _adopt(description: Description, names: list[str], images: dict[str, str]) -> Record:
    """The record of a place that has none: what is live there, if anything, is release 0."""
    services = [s for s in description.in_order(names) if s.deploy]
    objects = manifests.render(description, services, images, with_secrets=False)
    present = [_clean(thing) for thing in kubectl.live(objects)]
    if not any(thing["kind"] in ("Deployment", "StatefulSet", "DaemonSet") for thing in present):
        log("the first release: nothing of it is live yet")
        return Record()
    log(f"adopting {len(present)} objects that are live: they are release 0")
    record.store(description, 0, present)
    return Record(release=0)


def _clean(thing: kubectl.Object) -> kubectl.Object:
    """An object as it could have been applied: without what the server and controllers wrote."""
    metadata = thing["metadata"]
    kept = {key: metadata[key] for key in ("name", "namespace", "labels") if key in metadata}
    annotations = {
        key: value
        for key, value in metadata.get("annotations", {}).items()
        if not key.startswith(("kubectl.kubernetes.io/", "deployment.kubernetes.io/"))
    }
    if annotations:
        kept["annotations"] = annotations
    spec = {k: v for k, v in thing.items() if k not in ("status", "metadata")}
    return {**spec, "metadata": kept}


def _restore_unfinished(description: Description, found: Record, refusal: Refusal) -> Record:
    """The release that another run, or an earlier attempt of this one, left in flight."""
    assert found.in_flight is not None
    if not found.mine and not found.expired:
        refusal.say(
            f"release {found.in_flight.release} of {found.owner} is {found.state}; its lease runs "
            f"for {found.lease - time.time():.0f} s more. Is another repository releasing here?"
        )
    log(f"{found.owner} left release {found.in_flight.release} unfinished: restoring the last")
    found.owner = record.this_run()
    record.write(description, found)
    done = rollback.restore(description)
    if done.outcome == "failed":
        refusal.say("what an unfinished release left could not be undone")
    return record.read(description) or Record()


def _stale(description: Description, found: Record, services: list[str], sha: str) -> str:
    """Why the release may not replace what is live; '' where it may."""
    for name in services:
        live = found.commit_of(name)
        if not live or live == sha:
            continue
        if description.preview:  # a branch may be rewritten, but not put back
            if _contains(live, sha):
                return f"{name} is live with {live}, which is newer than {sha}"
        elif not _contains(sha, live):
            return f"{name} is live with {live}, which {sha} does not contain"
    for failed in found.failed:
        if _contains(sha, failed["sha"]) and _committed(sha) < float(failed["at"]):
            return f"{sha} was committed before {failed['sha']}, which it contains, was rolled back"
    return ""


def _contains(later: str, earlier: str) -> bool:
    return git("merge-base", "--is-ancestor", earlier, later).returncode == 0


def _committed(sha: str) -> float:
    """When a commit was made, in seconds since the epoch; 0 where it is not known."""
    shown = git("show", "--no-patch", "--format=%ct", sha)
    return float(shown.stdout) if shown.returncode == 0 else 0.0


def _commit(found: Record) -> str:
    """The commit of the last known good release."""
    known = found.known(found.release)
    return str(known["sha"]) if known else ""


COMMANDS = {"preflight": preflight}
