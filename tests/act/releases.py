"""A release that fails, and what tests look at after a release."""

from __future__ import annotations

import functools
import json
import re
from typing import Any

from tests.act.first import First
from tests.act.run import Run
from tests.act.runner import Shop

BAD = "bad0" * 16
"""The digest of a bad image."""
EMPTIED = "commands.rollback.rollback"


def release_bad(shop: Shop, run: int = 2, *, undone: bool = True) -> Run:
    """Releases both services; the client crashes repeatedly after its first health check.

    Unless `undone`, the rollback does nothing: the release is then in flight, as one that was cut
    off, for instance by a forced cancellation.
    """
    crash = functools.partial(shop.cluster.behave, BAD, crash_loop=True)
    shop.cluster.after("GET", "/pods/client-.*/proxy/", crash)
    good = shop.sample.head
    shop.sample.change("server")
    if not undone:
        shop.sample.empty(EMPTIED)
    shop.sample.change("client", digest=BAD)
    done = shop.push(run)
    if not undone:  # the next workflow is that of a commit whose program works
        shop.sample.git("checkout", "--quiet", good, "--", ".github")
        shop.sample.commit("repair the rollback")
    assert {"deployments/server", "deployments/client"} <= {*applied(shop.cluster.requests)}
    return done


def assert_on_last_known_good(shop: Shop, first: First) -> None:
    images = shop.cluster.images("shop")
    assert images == first.images, "not on the images of the last known good release"
    good = set(first.images.values())
    shop.cluster.wait(lambda: {*shop.cluster.running("shop").values()} == good)
    assert (shop.record["state"], shop.record["release"]) == ("good", 1)
    assert shop.record["in_flight"] is None


def applied(writes: list[dict[str, Any]]) -> list[str]:
    """The workloads that were applied, dry runs excluded, in order."""
    pattern = r"/((?:deployments|statefulsets)/[a-z]+)$"
    paths = [w["path"] for w in writes if w["verb"] == "PATCH" and not w["dry_run"]]
    return [match[1] for path in paths if (match := re.search(pattern, path))]


def tag_facts(message: str) -> dict[str, Any]:
    """The JSON in the last line of a tag's message."""
    facts: dict[str, Any] = json.loads(message.strip().rpartition("\n")[2])
    return facts


def pods(shop: Shop, service: str) -> list[str]:
    """The names of a service's pods in production."""
    return [name for name in shop.cluster.running("shop") if name.startswith(service)]
