"""`notify`: who is notified of what, in the formats of Slack and PagerDuty."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.github_api import Api
from wfgen.release_program import commands

from .conftest import Describe, of_release

HOOK = "/services/T0/B0/secret-path"
KEY = "secret-routing-key"
RUN = "https://github.com/acme/shop/actions/runs/77"


@pytest.fixture
def send(
    api: Api, describe: Describe, needs: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., int]:
    """Runs `notify` after a release that ended like this."""
    monkeypatch.setenv("SLACK_WEBHOOK_URL", api.url + HOOK)
    monkeypatch.setenv("PAGERDUTY_ROUTING_KEY", KEY)
    monkeypatch.setenv("PAGERDUTY_EVENTS_URL", api.url)
    api.on("POST", HOOK, "ok")
    api.on("POST", "/v2/enqueue", {"status": "success"}, 202)

    def run(jobs: dict[str, Any] | None = None, audit: str = "success", **release: str) -> int:
        plan = {"proposed": "true", "sha": "1" * 40, "services": '["a<b>&c"]'}
        end = of_release(1, **{"proceed": "true", "release": "42", **release})
        result = "success" if "verified" in release else "failure"
        needs(**{"plan": ("success", plan), "release": (result, end), **(jobs or {})})
        monkeypatch.setenv("WFGEN_STEPS", json.dumps({"audit": {"outcome": audit}}))
        return commands.run("notify")

    return run


Send = Callable[..., int]


def test_slack_gets_text_and_blocks_with_the_run(api: Api, send: Send) -> None:
    assert send(restored="all", cause="app") == 0
    (message,) = api.sent("POST", HOOK)
    assert message["text"] == "production: release 42 failed and was rolled back"
    (block,) = message["blocks"]
    assert block["type"] == "section"
    assert block["text"]["type"] == "mrkdwn"
    assert f"<{RUN}|Open the run>" in block["text"]["text"]
    assert "a&lt;b&gt;&amp;c" in block["text"]["text"]
    assert len(block["text"]["text"]) <= 3000


@pytest.mark.parametrize(("restored", "severity"), [("all", "error"), ("failed", "critical")])
def test_pagerduty_opens_one_incident_per_environment(
    api: Api, send: Send, restored: str, severity: str
) -> None:
    assert send(restored=restored, cause="app") == 0
    (event,) = api.sent("POST", "/v2/enqueue")
    # https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
    assert event["routing_key"] == KEY
    assert event["event_action"] == "trigger"
    assert event["dedup_key"] == "wfgen/acme/shop/production"
    assert {"summary", "source", "severity"} <= event["payload"].keys()
    assert event["payload"]["severity"] == severity
    assert len(event["payload"]["summary"]) <= 1024
    assert event["links"] == [{"href": RUN, "text": "Open the run"}]


def test_good_release_resolves_the_incident_quietly(api: Api, send: Send) -> None:
    assert send(verified="true") == 0
    (event,) = api.sent("POST", "/v2/enqueue")
    assert event == {
        "routing_key": KEY,
        "dedup_key": "wfgen/acme/shop/production",
        "event_action": "resolve",
    }
    assert api.sent("POST", HOOK) == []


def test_failure_before_the_release_wakes_nobody(api: Api, send: Send) -> None:
    assert send(jobs={"build_server": "failure", "release": "skipped"}) == 0
    assert api.sent("POST", "/v2/enqueue") == []
    assert len(api.sent("POST", HOOK)) == 1


def test_live_release_without_its_tag_is_reported_and_wakes_nobody(api: Api, send: Send) -> None:
    assert send(audit="failure", verified="true") == 0
    (message,) = api.sent("POST", HOOK)
    assert message["text"] == "production: release 42 is live; tag missing"
    (event,) = api.sent("POST", "/v2/enqueue")
    assert event["event_action"] == "resolve"


@pytest.mark.parametrize("decision", ["stale", "nothing"])
def test_run_without_a_release_neither_notifies_nor_resolves(
    api: Api, send: Send, needs: Callable[..., None], decision: str
) -> None:
    end = of_release(1, proceed="false", decision=decision)
    assert send(jobs={"release": ("success", end)}) == 0
    assert api.requests == []


@pytest.mark.parametrize("decision", ["held", "refused", "unapproved", "unbuilt", "failed"])
def test_refused_run_is_reported_and_wakes_nobody(api: Api, send: Send, decision: str) -> None:
    assert send(proceed="false", decision=decision, restored="nothing", release="0") == 0
    assert len(api.sent("POST", HOOK)) == 1
    assert api.sent("POST", "/v2/enqueue") == []


def test_only_who_is_described_is_notified(api: Api, describe: Describe, send: Send) -> None:
    describe(notify=["pagerduty"])
    assert send(restored="all") == 0
    assert api.sent("POST", HOOK) == []
    assert len(api.sent("POST", "/v2/enqueue")) == 1


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("SLACK_WEBHOOK_URL", "", "the secret SLACK_WEBHOOK_URL is empty"),
        ("SLACK_WEBHOOK_URL", "secret-path without scheme", "SLACK_WEBHOOK_URL is not a URL"),
        ("SLACK_WEBHOOK_URL", "http://127.0.0.1:9/secret-path", "no answer after 5 attempts"),
        ("SLACK_WEBHOOK_URL", "{api}/services/gone/secret-path", "it answered 404"),
        ("PAGERDUTY_ROUTING_KEY", "", "the secret PAGERDUTY_ROUTING_KEY is empty"),
        ("PAGERDUTY_EVENTS_URL", "{api}/elsewhere", "PagerDuty was not notified: it answered 404"),
    ],
)
def test_message_that_is_not_sent_is_a_warning_without_the_secret(
    api: Api,
    send: Send,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
    value: str,
    said: str,
) -> None:
    monkeypatch.setenv(variable, value.replace("{api}", api.url))
    assert send(restored="all", cause="app") == 1
    captured = capsys.readouterr()
    assert "warning: " in captured.err
    assert said in captured.err
    assert "secret-path" not in captured.out + captured.err
    assert KEY not in captured.out + captured.err
    # The other one is notified nevertheless.
    other: list[Any] = [r for r in api.requests if r.path in (HOOK, "/v2/enqueue")]
    assert len(other) == 1
