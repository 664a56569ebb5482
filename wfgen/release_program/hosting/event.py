"""The event that started the run, where it asks for a merge: a pull request, or a merge group.

https://docs.github.com/en/webhooks/webhook-events-and-payloads#pull_request
https://docs.github.com/en/webhooks/webhook-events-and-payloads#merge_group
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..failure import Failure
from ..names import NO_NUMBER, Variable

PULL_REQUEST, MERGE_GROUP, DISPATCH = "pull_request", "merge_group", "workflow_dispatch"
BOTS = ("dependabot[bot]",)
"""Authors whose runs get a read-only token and no secrets, like those of forks.

https://docs.github.com/en/code-security/dependabot/troubleshooting-dependabot/troubleshooting-dependabot-on-github-actions
"""
_LABEL_EVENTS = ("labeled", "unlabeled")


@dataclass(frozen=True)
class Request:
    """A request to merge commits into a branch."""

    sha: str
    """The commit that is built and tested."""
    base: tuple[str, ...]
    """Revisions of the branch that it is merged into, the best first."""
    number: str = NO_NUMBER
    """The pull request; `NO_NUMBER` for a merge group."""
    trusted: bool = False
    """Whether it may use credentials: open, and neither from a fork nor from a bot. A merge group
    may not: it is built and tested only."""
    labels: tuple[str, ...] = ()
    changed_label: str | None = None
    """The label that the event added, '' for one that it removed; None for any other event."""

    def lacks_preview(self, label: str | None) -> str:
        """Why the request gets no preview, as a clause; '' where it gets one.

        `label` is the label that it needs, None where it needs none.
        """
        if self.number == NO_NUMBER:
            return "a merge group gets no preview"
        if not self.trusted:
            return "the pull request is closed, or comes from a fork or a bot"
        if label and label not in self.labels:
            return f"the pull request does not have the label {label}"
        if self.changed_label is not None and self.changed_label != label:
            return "the event is about another label"
        return ""


def name() -> str:
    """The name of the event; '' if the program was started by hand."""
    return os.environ.get(Variable.EVENT_NAME, "")


def request() -> Request | None:
    """The request in the event; None for any other event. Raises `Failure` for an invalid one."""
    readers = {PULL_REQUEST: _pull_request, MERGE_GROUP: _merge_group}
    if name() not in readers:
        return None
    try:
        with open(os.environ.get(Variable.EVENT_PATH, ""), encoding="utf-8") as file:
            return readers[name()](json.load(file))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Failure(f"the event {name()} is missing or invalid: {error!r}") from error


def _pull_request(event: Mapping[str, Any]) -> Request:
    request = event["pull_request"]
    head, base = request["head"], request["base"]
    # A fork that was deleted is null.
    own = (head["repo"] or {}).get("full_name") == base["repo"]["full_name"]
    bot = request["user"]["login"] in BOTS or os.environ.get(Variable.ACTOR) in BOTS
    action = event.get("action", "")
    added = str(event["label"]["name"]) if action == "labeled" else ""
    return Request(
        sha=head["sha"],
        base=(f"refs/remotes/origin/{base['ref']}", base["sha"]),
        number=str(request["number"]),
        trusted=own and not bot and request["state"] == "open",
        labels=tuple(label["name"] for label in request.get("labels", ())),
        changed_label=added if action in _LABEL_EVENTS else None,
    )


def _merge_group(event: Mapping[str, Any]) -> Request:
    group = event["merge_group"]
    branch = group["base_ref"].partition("refs/heads/")[2] or group["base_ref"]
    # The group's parent: another group that is still being tested, or the branch.
    return Request(group["head_sha"], (group["base_sha"], f"refs/remotes/origin/{branch}"))
