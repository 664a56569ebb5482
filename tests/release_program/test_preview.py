"""Previews: their namespaces, and previews that fail."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from tests.release_program.conftest import ROOT, Release, describe, git
from wfgen.release_program.cluster import manifests
from wfgen.release_program.commands.preview import QUOTA


def test_a_preview_is_created_listed_and_deleted_by_its_labels(first: Release) -> None:
    first.description = describe("staging")
    first.cluster.namespace("shop-pr-9")
    first.environment["WFGEN_NUMBER"] = "7"
    first.api.now("GET", "/repos/acme/shop/pulls/7", {"state": "open"})
    assert first.run("namespace").code == 0
    previews = json.loads(first.run("previews").values["namespaces"])
    assert [preview["number"] for preview in previews] == ["7"]
    assert first.run("teardown", WFGEN_NUMBER="9").code == 1  # no preview
    assert first.run("teardown").code == 0
    assert "shop-pr-9" in first.cluster.names("Namespace", "")
    assert "shop-pr-7" not in first.cluster.names("Namespace", "")


def preview(first: Release) -> None:
    """Makes the releases of a test go to the preview of pull request 7, and creates it."""
    first.description = describe("staging")
    first.environment["WFGEN_NUMBER"] = "7"
    first.api.now("GET", "/repos/acme/shop/pulls/7", {"state": "open"})
    assert first.run("namespace").code == 0


def test_a_failed_preview_stays_up_at_its_own_address(first: Release) -> None:
    preview(first)
    first.cluster.behave(first.images(client="bad")["client"], crash_loop=True)
    done = first.release(client="bad", server="s1")
    assert done["monitor"].code == 1
    assert done["monitor"].has(verified="false", cause="app", release="1", sha=first.sha)
    assert "stays up" in done["monitor"].log
    record = first.preview_record
    assert (record["state"], record["in_flight"], record["services"]) == ("good", None, {})
    assert first.images(client="bad").items() <= first.cluster.images("shop-pr-7").items()
    ingress = first.cluster.find("Ingress", "shop", "shop-pr-7")
    assert ingress is not None
    assert ingress["spec"]["rules"][0]["host"] == "pr-7.preview.example.com"


def test_a_preview_whose_deploy_failed_has_its_record_closed_by_the_monitor(
    first: Release,
) -> None:
    preview(first)
    first.cluster.behave(first.images(server="bad")["server"], never_ready=True)
    first.description["services"]["server"]["timeout_seconds"] = 3
    done = first.release(client="c1", server="bad")
    assert done["deploy"].code == 1
    assert done["monitor"].code == 1
    assert "was not fully deployed" in done["monitor"].log
    assert done["monitor"].has(
        verified="false", cause="app", services=done["preflight"].values["services"]
    )
    assert first.preview_record["in_flight"] is None
    # The next push releases; what failed is not refused, and it is refused only where it is older.
    again = first.release(client="c2", server="s2")
    assert again["monitor"].has(verified="true", release="2"), again
    first.sha = git(first.checkout, "rev-parse", "HEAD~1")
    older = first.begin()
    assert (older.code, older.values["decision"]) == (0, "stale"), older.log
    nothing = first.run("monitor")  # a job that always runs
    assert nothing.code == 0
    assert nothing.has(verified="false", cause="none", release="0")


def test_the_next_run_takes_a_preview_over_from_a_run_that_ended(first: Release) -> None:
    preview(first)
    assert first.release("deploy", client="c1", server="s1")["deploy"].code == 0
    left = first.run_id
    refused = first.preflight()
    assert (refused.code, refused.values["decision"]) == (1, "failed")
    first.ended(left)
    assert first.begin().has(proceed="true", release="2")
    first.attempt = 2  # "re-run failed jobs": this attempt closes what the first one left
    done = first.run("monitor")
    assert (done.code, done.values["verified"]) == (1, "false")
    assert "an earlier attempt of this run" in done.log
    assert first.preview_record["in_flight"] is None


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ({"rules": [{"host": "pr-0.example.com"}]}, {"rules": [{"host": "pr-7.example.com"}]}),
        (
            {"rules": [{"host": "a"}, {"http": {}}, {"host": "b"}], "tls": [{"hosts": ["a", "b"]}]},
            {
                "rules": [{"host": "pr-7.example.com"}, {"http": {}}, {"host": "pr-7.example.com"}],
                "tls": [{"hosts": ["pr-7.example.com"]}],
            },
        ),
        ({"defaultBackend": {}, "tls": [{}]}, {"defaultBackend": {}, "tls": [{}]}),
    ],
    ids=["no-tls", "several", "none"],
)
def test_each_host_of_a_preview_contains_its_number(
    spec: dict[str, Any], wanted: dict[str, Any]
) -> None:
    manifests._give_host("pr-7.example.com", {"kind": "Ingress", "spec": spec})
    assert spec == wanted


def test_the_quota_admits_what_wfgen_new_writes() -> None:
    """A quota on a resource rejects pods that do not set it."""
    named = [key.split(".") for key in QUOTA if key.endswith((".cpu", ".memory"))]
    checked = 0
    for path in (ROOT / "templates/kinds").glob("*/kube/*.yaml"):
        obj = yaml.safe_load(path.read_text("utf-8"))
        for container in (
            obj.get("spec", {}).get("template", {}).get("spec", {}).get("containers", [])
        ):
            checked += 1
            for part, resource in named:
                assert resource in container["resources"][part], path
    assert checked >= 4
