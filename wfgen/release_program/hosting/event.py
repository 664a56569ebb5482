"""The event that started the run: for previews, its pull request.

https://docs.github.com/en/webhooks/webhook-events-and-payloads#pull_request
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

from ..failure import Failure
from ..names import Variable

BOTS = ("dependabot[bot]",)
"""Authors whose runs get a read-only token and no secrets, like those of forks."""


@dataclass(frozen=True)
class PullRequest:
    """The pull request of a preview."""

    number: str
    sha: str
    trusted: bool
    """Open, and neither from a fork nor from a bot."""
    labels: tuple[str, ...]


def pull_request() -> PullRequest:
    """The pull request in the event. Raises `Failure` if there is none."""
    path = os.environ.get(Variable.EVENT_PATH, "")
    try:
        with open(path, encoding="utf-8") as file:
            request = json.load(file)["pull_request"]
        sha, head = request["head"]["sha"], request["head"]["repo"] or {}
        own = head.get("full_name") == request["base"]["repo"]["full_name"]
        bot = request["user"]["login"] in BOTS or os.environ.get(Variable.ACTOR) in BOTS
        labels = tuple(label["name"] for label in request.get("labels", ()))
        trusted = own and not bot and request["state"] == "open"
        return PullRequest(str(request["number"]), sha, trusted, labels)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Failure(f"the event of a pull request is missing or invalid: {error!r}") from error
