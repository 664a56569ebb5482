"""Previews: their namespaces, and what becomes of a preview that fails."""

from __future__ import annotations

import json

from tests.release_program.conftest import Release, describe


def test_a_preview_is_made_found_and_torn_down_by_its_labels(first: Release) -> None:
    first.description = describe("staging")
    first.cluster.namespace("shop-pr-9")
    first.environment["WFGEN_NUMBER"] = "7"
    assert first.run("namespace").code == 0
    found = json.loads(first.run("previews").values["namespaces"])
    assert [each["number"] for each in found] == ["7"]
    assert first.run("teardown", WFGEN_NUMBER="9").code == 1  # somebody else's
    assert first.run("teardown").code == 0
    assert "shop-pr-9" in first.cluster.names("Namespace", "")
    assert "shop-pr-7" not in first.cluster.names("Namespace", "")


def test_a_failed_preview_stays_up_and_its_address_is_its_own(first: Release) -> None:
    first.description = describe("staging")
    first.environment["WFGEN_NUMBER"] = "7"
    first.run("namespace")
    first.cluster.behave(first.images(client="bad")["client"], crash_loop=True)
    done = first.release(client="bad", server="s1")
    assert done["monitor"].code == 1
    assert done["rollback"].values["restored"] == "nothing"
    assert first.images(client="bad").items() <= first.cluster.images("shop-pr-7").items()
    ingress = first.cluster.find("Ingress", "shop", "shop-pr-7")
    assert ingress is not None
    assert ingress["spec"]["rules"][0]["host"] == "pr-7.preview.example.com"
