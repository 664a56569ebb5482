"""What is left of a run: what the cluster is on, who was told, what was opened."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from wfgen.checks.scenarios.program import GOOD_SHA, SHA
from wfgen.checks.scenarios.story import Story
from wfgen.release_program.state.outcome import LIVE, Verdict

AS_IT_WAS = "as it was"
NEW = f"the new release (commit {SHA[:12]})"
GOOD = f"the last known good release (commit {GOOD_SHA[:12]})"
MIX = "perhaps a mix of both releases: look at it"
UNWATCHED = "perhaps the new release, which nobody found to be good"
ALL = "all services"
"""Where nobody says which services there are."""


@dataclass(frozen=True)
class Aftermath:
    """The end of a run in words."""

    cluster: Mapping[str, str]
    """What each service is on."""
    told: tuple[str, ...]
    """Who was notified, and of what."""
    opened: tuple[str, ...]
    """What was opened, tagged or written at GitHub."""
    verdict: Verdict | None
    """What the run's own verdict says, where there is one."""


def aftermath(story: Story) -> Aftermath:
    """What is left of a run."""
    return Aftermath(
        dict(_cluster(story)), tuple(_told(story)), tuple(_opened(story)), _verdict(story)
    )


def _cluster(story: Story) -> Iterator[tuple[str, str]]:
    description = story.pipeline.description
    if any(done.end == "success" for done in story.of("teardown")):
        yield "the preview", "gone"
        return
    state = _state(story)
    if description is None:
        if story.pipeline.of("deploy"):
            yield ALL, state
        return
    services = [service for service in description.services.values() if service.deploy]
    released = json.loads(story.output("plan", "services") or "[]")
    kept = story.restored.partition(":")[2].replace(",", " ").split()
    for service in services:
        on = state if service.name in released else AS_IT_WAS
        yield service.name, UNWATCHED + ": it is never rolled back" if service.name in kept else on


def _state(story: Story) -> str:
    """What the released services are on."""
    restored = story.restored
    if story.verified:
        return NEW
    if not story.touched:
        return AS_IT_WAS
    if restored == "all" or restored.startswith("except"):
        return GOOD
    if restored == "taken over":
        return "whatever the run that took over makes of it"
    if restored == "nothing":
        description = story.pipeline.description
        stays = description is not None and description.preview and bool(story.of("deploy"))
        return "the failed release: a preview stays up for debugging" if stays else AS_IT_WAS
    if restored == "failed":
        return MIX
    cut = any(done.end != "success" for done in story.of("deploy"))
    return MIX if cut else UNWATCHED


def _told(story: Story) -> Iterator[str]:
    description = story.pipeline.description
    for done in story.of("notify"):
        if done.end != "success":
            yield f"nobody: job {done.action.job} did not succeed"
            return
        verdict = story.judged(done.action.job)
        if description is None or verdict is None:
            yield f"whom job {done.action.job} tells"
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
    number = story.output("preflight", "release")
    for done in story.of("audit"):
        if done.end == "success" and done.action.given:
            undone = story.restored == "all" or story.restored.startswith("except")
            if number and (story.verified or undone):
                kind = "deploy" if story.verified else "rollback"
                yield f"tag {kind}/{environment}/{number}"
            if number:
                yield "a GitHub deployment"
    for done in story.of("revert"):
        reverted = done.outputs.get("reverted", "" if done.action.given else "pull-request")
        if done.end == "success" and reverted in ("pull-request", "issue"):
            what = "a pull request that reverts" if reverted == "pull-request" else (
                "an issue with the commands that revert"
            )  # fmt: skip
            yield f"{what} the change"
    if any(done.end == "success" for done in story.of("comment")):
        yield "the comment in the pull request"


def _verdict(story: Story) -> Verdict | None:
    judges = (*story.of("verdict"), *story.of("gate"))
    return next((story.judged(done.action.job) for done in judges if done.action.given), None)
