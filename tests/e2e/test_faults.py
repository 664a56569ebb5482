"""Releases under random faults: in the end one release is live, never a mix of two.

Each test makes several releases in a row. `RELEASES=200 make e2e PYTEST='-k chance'` makes more.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import pytest

from tests.e2e import faults
from tests.e2e.conftest import format_logs
from tests.e2e.shop import APP, Shop

pytestmark = pytest.mark.e2e
IN_A_ROW = 4
SHOPS = int(os.environ.get("RELEASES", "16")) // IN_A_ROW


@pytest.mark.parametrize("seed", range(SHOPS))
def test_chance(shop: Shop, seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    shop.environment["WFGEN_RETRY_SECONDS"] = "0.1"
    for service in shop.description["services"].values():
        service.update(timeout_seconds=30, bake_seconds=5)
    with faults.running(str(tmp_path)) as proxy:
        _ask_proxy(tmp_path / "kubeconfig", proxy.port)
        shop.on_start = proxy.begin
        for number in range(IN_A_ROW):
            _release(shop, proxy, f"{seed}-{number}", faults.draw(chance))


def _ask_proxy(kubeconfig: Path, port: int) -> None:
    config = json.loads(kubeconfig.read_text())
    config["clusters"][0]["cluster"] = {"server": f"http://127.0.0.1:{port}"}
    user = config["users"][0]["user"]
    config["users"][0]["user"] = {"as": user["as"], "as-groups": user["as-groups"]}
    kubeconfig.write_text(json.dumps(config))


def _release(shop: Shop, proxy: faults.Proxy, name: str, trouble: faults.Trouble) -> None:
    before, served, good = dict(shop.now), shop.serves(), shop.record["release"]
    shop.build(name, "server", **trouble.server)
    shop.build(name, "client", **trouble.client)
    proxy.faults, proxy.death = trouble.faults, trouble.death
    run = shop.begin(*APP)
    done = run.release()
    proxy.faults, proxy.death = [], None
    for number, force in enumerate((False, True, True)):
        if shop.record["in_flight"]:
            watched = shop.watch(run, force=force)
            done.update({f"watchdog {number}: {name}": end for name, end in watched.items()})

    record, logs = shop.record, f"{trouble}\n{format_logs(done)}"
    assert (record["state"], record["in_flight"]) == ("good", None), logs
    renewed = record["release"] != good
    if not renewed:
        shop.now = before
    assert shop.serves() == (dict.fromkeys(APP, name) if renewed else served), logs
    assert {app: record["services"][app]["image"] for app in APP} == shop.now, logs
    assert {app: shop.kube.images()[app] for app in APP} == shop.now, logs
    verified = "monitor" in done and done["monitor"].values.get("verified") == "true"
    restored = "rollback" in done and done["rollback"].values.get("restored") == "all"
    assert renewed >= verified, logs
    assert not (renewed and restored), logs
    print(name, "is live" if renewed else "was rolled back", trouble)
