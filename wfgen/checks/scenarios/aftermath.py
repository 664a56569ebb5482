"""The state after a run: what the cluster runs, who was notified, what was opened."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from wfgen.checks.scenarios.ending import GOOD_SHA, SHA
from wfgen.checks.scenarios.story import Story
from wfgen.release_program.names import NO_NUMBER, NONE
from wfgen.release_program.state.outcome import LIVE, Verdict

UNCHANGED = "unchanged"
NEW = f"the new release (commit {SHA[:12]})"
GOOD = f"the last known good release (commit {GOOD_SHA[:12]})"
MIX = "possibly a mix of both releases: check it"
UNVERIFIED = "possibly the new release (not verified)"
ALL = "all services"
"""In place of a service's name, where the services are not known."""


@dataclass(frozen=True)
class Aftermath:
    """The state after a run, in words."""

    cluster: Mapping[str, str]
    """The release that each service runs."""
    notified: tuple[str, ...]
    """Who was notified, and of what."""
    opened: tuple[str, ...]
    """What was opened, tagged or written at GitHub."""
    verdict: Verdict | None
    """The verdict of the run, where a job gives one."""


def aftermath(story: Story) -> Aftermath:
    """The state after a run."""
    return Aftermath(
        cluster=dict(_cluster(story)),
        notified=tuple(_notified(story)),
        opened=tuple(_opened(story)),
        verdict=_verdict(story),
    )


def _cluster(story: Story) -> Iterator[tuple[str, str]]:
    description = story.pipeline.description
    if any(teardown.end == "success" for teardown in story.of("teardown")):
        yield "the preview", "deleted"
        return
    state = _state(story)
    if description is None:
        if story.pipeline.of("deploy"):
            yield ALL, state
        return
    services = [service for service in description.services.values() if service.deploy]
    named = story.output("preflight", "services")
    released = json.loads(named) if named not in ("", NONE) else []
    kept = story.restored.partition(":")[2].replace(",", " ").split()
    for service in services:
        if service.name in kept:
            yield service.name, f"{UNVERIFIED}: its rollback is never automatic"
        else:
            yield service.name, state if service.name in released else UNCHANGED


def _state(story: Story) -> str:
    """The release that the released services run."""
    restored = story.restored
    if story.verified:
        return NEW
    if not story.touched:
        return UNCHANGED
    if restored == "all" or restored.startswith("except"):
        return GOOD
    if restored == "taken over":
        return "decided by the run that took over"
    if story.closes_previews and restored in ("", "nothing"):
        stays = bool(story.of("deploy"))
        return "the failed release: a preview stays up for debugging" if stays else UNCHANGED
    if restored == "nothing":
        return UNCHANGED
    if restored == "failed":
        return MIX
    partial = any(deploy.end != "success" for deploy in story.of("deploy"))
    return MIX if partial else UNVERIFIED


def _notified(story: Story) -> Iterator[str]:
    description = story.pipeline.description
    for notify in story.of("notify"):
        if notify.end != "success":
            yield f"nobody: step `notify` of job {notify.action.job} did not succeed"
            return
        verdict = story.judged(notify.action.job)
        if description is None or verdict is None:
            yield f"by job {notify.action.job}"
            continue
        if "slack" in description.notify and not verdict.good:
            yield f"Slack: {verdict.title}"
        if "pagerduty" in description.notify and verdict.severity:
            yield f"PagerDuty ({verdict.severity}): {verdict.title}"
        if "pagerduty" in description.notify and verdict.state == LIVE:
            yield "PagerDuty: an open incident is resolved"


def _opened(story: Story) -> Iterator[str]:
    description = story.pipeline.description
    environment = description.environment if description else "<environment>"
    released = (story.output(role, "release") for role in ("rollback", "monitor", "preflight"))
    number = next((known for known in released if known not in ("", NO_NUMBER)), "")
    for audit in story.of("audit"):
        if audit.end == "success" and audit.action.given:
            rolled_back = story.restored == "all" or story.restored.startswith("except")
            if number and (story.verified or rolled_back):
                kind = "deploy" if story.verified else "rollback"
                yield f"tag {kind}/{environment}/{number}"
                yield "a GitHub deployment"
    for revert in story.of("revert"):
        reverted = revert.outputs.get("reverted", "" if revert.action.given else "pull-request")
        if revert.end == "success" and reverted in _REVERTS:
            yield _REVERTS[reverted]
    if any(comment.end == "success" for comment in story.of("comment")):
        yield "the comment in the pull request"


_REVERTS = {
    "pull-request": "a pull request that reverts the change",
    "issue": "an issue with the commands that revert the change",
}


def _verdict(story: Story) -> Verdict | None:
    judges = (*story.of("verdict"), *story.of("gate"))
    return next((story.judged(judge.action.job) for judge in judges if judge.action.given), None)
