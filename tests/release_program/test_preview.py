"""Previews: their namespaces, and previews that fail."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from tests.release_program.conftest import ROOT, Release, describe
from wfgen.release_program.cluster import manifests
from wfgen.release_program.commands import preview


def test_a_preview_is_created_listed_and_deleted_by_its_labels(first: Release) -> None:
    first.description = describe("staging")
    first.cluster.namespace("shop-pr-9")
    first.environment["WFGEN_NUMBER"] = "7"
    assert first.run("namespace").code == 0
    previews = json.loads(first.run("previews").values["namespaces"])
    assert [preview["number"] for preview in previews] == ["7"]
    assert first.run("teardown", WFGEN_NUMBER="9").code == 1  # no preview
    assert first.run("teardown").code == 0
    assert "shop-pr-9" in first.cluster.names("Namespace", "")
    assert "shop-pr-7" not in first.cluster.names("Namespace", "")


def test_a_failed_preview_stays_up_at_its_own_address(first: Release) -> None:
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
    named = [key.split(".") for key in preview.QUOTA if key.endswith((".cpu", ".memory"))]
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
