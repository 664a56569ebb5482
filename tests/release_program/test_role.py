"""The deployer's Role in docs/delivery-setup.md grants exactly what releases need."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from tests.kube_api.api import Answer, Api, Request
from tests.kube_api.resources import BY_PLURAL, Key, Object
from tests.release_program.conftest import Release, describe
from tests.test_delivery_setup import Right, granted, page_of

PATH = re.compile(
    r"/(?:api/v1|apis/(?P<group>[^/]+)/[^/]+)"
    r"(?:/namespaces/(?P<namespace>[^/]+)(?=/))?/(?P<plural>[a-z]+)"
    r"(?:/(?P<name>[^/]+)(?:/(?P<more>[a-z]+)(?:/.*)?)?)?"
)
VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
ANY_OVERLAY = {
    (resource.group, resource.plural, verb)
    for resource in BY_PLURAL.values()
    if resource.plural
    in {"configmaps", "secrets", "services", "deployments", "statefulsets", "daemonsets",
        "cronjobs", "ingresses", "networkpolicies", "horizontalpodautoscalers",
        "poddisruptionbudgets"}
    for verb in ("get", "list", "create", "patch", "delete")
}  # fmt: skip
"""Rights on kinds that any overlay may have: all are applied, pruned and rolled back alike."""


@pytest.fixture
def rights(monkeypatch: pytest.MonkeyPatch) -> set[Right]:
    """The rights that the requests to the cluster need, from now on."""
    needed: set[Right] = set()
    answer = Api.answer

    def noted(api: Api, request: Request) -> Answer:
        match = PATH.fullmatch(urlsplit(request.address).path)
        if match and match["plural"] in BY_PLURAL:
            plural, name, group = match["plural"], match["name"], match["group"] or ""
            resource = f"{plural}/{match['more']}" if match["more"] else plural
            read = "get" if name else "list"
            needed.add((group, resource, VERBS.get(request.verb, read)))
            # Server-side apply of a new object needs both rights.
            key = Key(plural, match["namespace"] or "", name)
            if request.verb == "PATCH" and key not in api.world.store.objects:
                needed.add((group, resource, "create"))
        return answer(api, request)

    monkeypatch.setattr(Api, "answer", noted)
    return needed


@pytest.mark.slow
def test_role_grants_what_releases_do(first: Release, rights: set[Right]) -> None:
    """Makes a good release, one that is rolled back, goes back, and makes a preview."""
    page = page_of("this repository")
    first.cluster.create(_earlier_attempt("server-migrate-1"))
    assert first.release(client="c1", server="s1")["monitor"].code == 0
    first.cluster.behave(first.images(client="bad")["client"], crash_loop=True)
    assert first.release(client="bad", server="s1")["rollback"].values["restored"] == "all"
    assert first.run("prune").code == 0
    first.environment["WFGEN_FORCE"] = "true"
    assert first.release(services="server", server="s2")["monitor"].code == 0
    first.plan["go_back"] = "1"
    assert first.begin().values["proceed"] == "true"
    first.environment.clear()
    releases = set(rights)
    assert releases - granted(page, "production") == set()
    assert granted(page, "production") - releases - ANY_OVERLAY == set()

    rights.clear()
    first.description = describe("staging")
    first.environment["WFGEN_NUMBER"] = "7"
    first.api.now("GET", "/repos/acme/shop/pulls/7", {"state": "open"})
    assert first.run("namespace").code == 0
    assert '"number": "7"' in first.run("previews").values["namespaces"]
    assert first.run("teardown").code == 0
    assert rights - granted(page, "staging") == set()
    alike = releases - {("", "namespaces", "get")}
    assert granted(page, "staging") - rights - alike - ANY_OVERLAY == set()


def _earlier_attempt(name: str) -> Object:
    """The Job of a migration that an earlier attempt of the run left."""
    containers = [{"name": "server", "image": "server"}]
    template = {"spec": {"containers": containers, "restartPolicy": "Never"}}
    metadata = {"name": name, "namespace": "shop"}
    spec = {"template": template}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}
