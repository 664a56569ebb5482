"""Notifications of failed releases: Slack's incoming webhooks and PagerDuty's Events API v2.

https://api.slack.com/messaging/webhooks
https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ..contract import Description, load
from ..hosting.github import send
from ..hosting.needs import Needs, Steps, run_address
from ..hosting.outputs import log, warning
from ..names import Variable
from ..state.outcome import Verdict, judge

PAGERDUTY = "https://events.pagerduty.com"


def notify() -> int:
    """Sends failed releases to Slack, and to PagerDuty if the cluster was touched.

    A failure before the release starts does not page anybody: the cluster is unchanged. The next
    good release resolves PagerDuty's incident of the environment. Exits 1, with a warning, if a
    message could not be sent; no later step depends on it.
    """
    description = load()
    verdict = judge(description, Needs.load(), Steps.load())
    return 0 if send_verdict(description, verdict, run_address()) else 1


def send_verdict(description: Description, verdict: Verdict, run: str) -> bool:
    """Sends a verdict on a run, whose address is `run`, to whom it concerns.

    False, with a warning, if a message could not be sent.
    """
    sent = True
    if "slack" in description.notify and not verdict.good:
        url = os.environ.get(Variable.SLACK_WEBHOOK_URL, "")
        message = slack_message(verdict, run)
        sent = _post("Slack", Variable.SLACK_WEBHOOK_URL, url, url, message) and sent
    if "pagerduty" in description.notify and (verdict.severity or verdict.live):
        key = os.environ.get(Variable.PAGERDUTY_ROUTING_KEY, "")
        url = os.environ.get(Variable.PAGERDUTY_EVENTS_URL, PAGERDUTY).rstrip("/") + "/v2/enqueue"
        event = pagerduty_event(description, verdict, key, run)
        sent = _post("PagerDuty", Variable.PAGERDUTY_ROUTING_KEY, key, url, event) and sent
    return sent


def slack_message(verdict: Verdict, run: str) -> dict[str, Any]:
    """The body of a webhook call. `text` is what notifications on phones show."""
    title, text = (_escape(line) for line in (verdict.title, verdict.text))
    markdown = f"*{title}*\n{text}"[:2800] + f"\n<{run}|Open the run>"
    section = {"type": "section", "text": {"type": "mrkdwn", "text": markdown[:3000]}}
    return {"text": title, "blocks": [section]}


def pagerduty_event(
    description: Description, verdict: Verdict, key: str, run: str
) -> dict[str, Any]:
    """The body of an event; there is one incident per environment, however many releases fail."""
    repository = os.environ.get(Variable.REPOSITORY, description.project)
    event = {
        "routing_key": key,
        "dedup_key": f"wfgen/{repository}/{description.environment}"[:255],
    }
    if verdict.live:
        return {**event, "event_action": "resolve"}
    return {
        **event,
        "event_action": "trigger",
        "client": "wfgen",
        "client_url": run,
        "links": [{"href": run, "text": "Open the run"}],
        "payload": {
            "summary": verdict.title[:1024],
            "source": repository,
            "severity": verdict.severity,
            "component": description.environment,
            "group": description.project,
            "class": "release",
            "custom_details": {"details": verdict.text},
        },
    }


def _post(name: str, secret: str, value: str, url: str, body: Mapping[str, Any]) -> bool:
    """Whether the message arrived; if not, a warning without the address or key."""
    if not value:
        warning(
            f"{name} was not notified: the secret {secret} is empty. "
            "See docs/delivery-setup.md, Secrets"
        )
        return False
    try:
        answer = send("POST", url, body)
    except (OSError, ValueError) as error:
        # ValueError: the secret is not a URL. Its text would repeat the secret.
        reason = str(error) if isinstance(error, OSError) else f"{secret} is not a URL"
        warning(f"{name} was not notified: {reason}")
        return False
    if answer.status >= 300:
        warning(f"{name} was not notified: it answered {answer.status}; check the secret {secret}")
        return False
    log(f"{name} was notified")
    return True


def _escape(text: str) -> str:
    """For Slack's mrkdwn: https://api.slack.com/reference/surfaces/formatting#escaping"""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
