"""The fence: nothing changes in the cluster without the release record, or long after it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.kube_api import FakeCluster
from tests.release_program.conftest import RECORD, describe
from wfgen.release_program.cluster import kubectl
from wfgen.release_program.cluster.kubectl import KubectlError
from wfgen.release_program.contract import Description, from_json
from wfgen.release_program.failure import Failure
from wfgen.release_program.state.fence import Fence
from wfgen.release_program.state.record import read_record, take_over, write_record
from wfgen.release_program.state.record_format import IN_FLIGHT, InFlight, Progress, Record


@pytest.fixture
def description(cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> Description:
    """Production, with a cluster that this process, attempt 1 of run 7, can use."""
    values = {
        **cluster.environment, "WFGEN_RETRY_SECONDS": "0.01", "WFGEN_REQUEST_SECONDS": "20",
        "GITHUB_REPOSITORY": "acme/shop", "GITHUB_RUN_ID": "7", "GITHUB_RUN_ATTEMPT": "1",
    }  # fmt: skip
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return from_json(Description, describe("production"))


@pytest.fixture
def fence(description: Description) -> Fence:
    """The fence of a release in flight."""
    record = Record(last=1, state=IN_FLIGHT, owner="acme/shop/7/1")
    record.in_flight = InFlight(1, "1" * 40, ["client"], {}, progress=Progress(1))
    write_record(description, record)
    return Fence(description, record)


def thing(name: str = "thing") -> dict[str, Any]:
    """An object to apply."""
    metadata = {"name": name, "namespace": "shop"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


def written(cluster: FakeCluster) -> list[str]:
    """Verb and name of each write, in order; the record is `record`."""
    names = [
        (request["verb"], request["path"].rpartition("/")[2])
        for request in cluster.requests
        if request["verb"] in ("PUT", "PATCH", "DELETE")
    ]
    return [f"{verb} {'record' if name == RECORD else name}" for verb, name in names]


def test_every_change_is_preceded_by_a_write_of_the_record(
    fence: Fence, cluster: FakeCluster
) -> None:
    with fence.closing():
        fence.apply([thing("a"), thing("b")])
        fence.delete([thing("a")])
    expected = ["PUT record", "PATCH a", "PATCH b", "PUT record", "DELETE a", "PUT record"]
    assert written(cluster) == expected


def test_many_objects_are_applied_in_several_calls(fence: Fence, cluster: FakeCluster) -> None:
    fence.apply([thing(f"n{number}") for number in range(45)])
    assert written(cluster).count("PUT record") == 3


def test_a_retry_asks_the_record_again(fence: Fence, cluster: FakeCluster) -> None:
    cluster.fault("PATCH", "/thing", 503, times=2)
    with fence.closing():
        fence.apply([thing()])
    assert written(cluster)[:6] == ["PUT record", "PATCH thing"] * 3
    # The calls without an answer may still take effect: whoever takes over has to wait.
    assert fence.record.in_flight is not None
    assert fence.record.in_flight.now.writing


@pytest.mark.parametrize("verb", ["apply", "delete"])
def test_nothing_changes_once_another_run_has_the_record(
    fence: Fence, description: Description, cluster: FakeCluster, verb: str
) -> None:
    kubectl.apply([thing()])
    other = read_record(description)
    assert other is not None
    other.owner = "acme/shop/8/1"
    write_record(description, other)
    before = written(cluster)
    with pytest.raises(Failure, match="another run wrote the release record"):
        getattr(fence, verb)([thing("new") if verb == "apply" else thing()])
    assert [write for write in written(cluster)[len(before) :] if "record" not in write] == []
    assert "thing" in cluster.names("ConfigMap", "shop")
    assert "new" not in cluster.names("ConfigMap", "shop")


def test_a_call_ends_in_time_after_the_write_of_the_record(
    fence: Fence, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kubectl, "ATTEMPTS", 1)
    limits: list[float] = []

    def apply(_: object, *, timeout: float, **__: object) -> None:
        limits.append(timeout)
        raise KubectlError("timeout: it took longer")

    monkeypatch.setattr(kubectl, "apply", apply)
    with pytest.raises(KubectlError):
        fence.apply([thing()])
    assert len(limits) == 1
    assert 10 <= limits[0] < 20  # what the write of the record took counts too
    monkeypatch.setenv("WFGEN_REQUEST_SECONDS", "0.001")
    with pytest.raises(KubectlError, match="writing the release record took too long"):
        fence.apply([thing()])
    assert len(limits) == 1


@pytest.mark.parametrize("writing", [True, False])
def test_a_takeover_writes_the_record_waits_for_the_last_request_and_reads(
    fence: Fence,
    description: Description,
    monkeypatch: pytest.MonkeyPatch,
    writing: bool,
) -> None:
    assert fence.record.in_flight is not None
    fence.record.in_flight.now.writing = writing
    write_record(description, fence.record)
    waited: list[tuple[float, str]] = []

    def sleep(seconds: float) -> None:
        now = read_record(description)
        assert now is not None
        waited.append((seconds, now.state))

    monkeypatch.setenv("GITHUB_RUN_ATTEMPT", "2")
    record = read_record(description)
    assert record is not None
    monkeypatch.setattr("wfgen.release_program.state.record.sleep", sleep)
    taken = take_over(description, record)
    assert waited == ([(20, "rolling-back")] if writing else [])
    assert (taken.owner, taken.state) == ("acme/shop/7/2", "rolling-back")
    with pytest.raises(Failure):
        fence.apply([thing()])


def test_a_takeover_of_what_an_older_version_left_waits(
    fence: Fence, description: Description, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That version did not say whether a request is under way."""
    stored = cluster.find("ConfigMap", RECORD, "shop")
    assert stored is not None
    old = json.loads(stored["data"]["record.json"])
    old["owner"] = "acme/shop/7"
    del old["in_flight"]["progress"]
    cluster.patch("ConfigMap", RECORD, "shop", {"data": {"record.json": json.dumps(old)}})
    record = read_record(description)
    assert record is not None
    assert record.mine
    with pytest.raises(Failure, match="belongs to acme/shop/7, an earlier attempt"):
        record.demand_advancing()
    waited: list[float] = []
    monkeypatch.setattr("wfgen.release_program.state.record.sleep", waited.append)
    take_over(description, record)
    assert waited == [20]
