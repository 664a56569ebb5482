"""Evidence for and against a rollout, judged from objects that the tests make."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.release_program.conftest import ROOT
from wfgen.release_program.cluster import pods as evidence
from wfgen.release_program.cluster import rollout
from wfgen.release_program.contract import Description, Service, from_json

Object = dict[str, Any]
IMAGE = "ghcr.io/acme/shop-client@sha256:new"
NUMBER = "deployment.kubernetes.io/revision"
HASH = "controller-revision-hash"
MADE = "2026-01-01T00:00:00Z"
AT = 1767225600.0
"""MADE, in seconds since the epoch."""


@pytest.fixture
def description() -> Description:
    path = ROOT / ".github/actions/release/production.json"
    return from_json(Description, json.loads(path.read_text("utf-8")))


@pytest.fixture
def client(description: Description) -> Service:
    return description.services["client"]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the program's time, in seconds since pods were made."""
    now = [AT]
    monkeypatch.setattr("wfgen.release_program.cluster.rollout.time.time", lambda: now[0])
    return lambda seconds: now.__setitem__(0, AT + seconds)


def owned(kind: str, name: str, owner: str, **more: Any) -> Object:
    metadata = {"name": name, "uid": name, "ownerReferences": [{"uid": owner}]}
    return {"kind": kind, "metadata": {**metadata, **more.pop("metadata", {})}, **more}


def workload(kind: str = "Deployment", replicas: int = 1, **status: Any) -> Object:
    current = {
        "observedGeneration": 3,
        "updatedReplicas": replicas,
        "availableReplicas": replicas,
        **status,
    }
    template = {"spec": {"containers": [{"name": "client", "image": IMAGE}]}}
    return {
        "kind": kind,
        "metadata": {
            "name": "client",
            "uid": "client",
            "generation": 3,
            "annotations": {NUMBER: "2"},
        },
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "client"}},
            "template": template,
        },
        "status": current,
    }


def replica_set(number: int) -> Object:
    annotations = {NUMBER: str(number)}
    return owned("ReplicaSet", f"set-{number}", "client", metadata={"annotations": annotations})


def pod(
    name: str = "pod",
    owner: str = "set-2",
    image: str = IMAGE,
    ready: bool = True,
    restarts: int = 0,
    waiting: str = "",
    revision: str = "",
) -> Object:
    labels = {"app": "client", HASH: revision}
    state = {"waiting": {"reason": waiting, "message": "not found"}} if waiting else {"running": {}}
    status = {"name": "client", "restartCount": restarts, "state": state}
    return owned(
        "Pod",
        name,
        owner,
        metadata={"labels": labels, "creationTimestamp": MADE},
        spec={"containers": [{"name": "client", "image": image}]},
        status={
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [status],
        },
    )


def judge(
    client: Service, live: Object, *others: Object, settled: int = 1000
) -> evidence.ServiceStatus:
    sets = [replica_set(1), replica_set(2)]
    cluster = evidence.Cluster([live, *sets, *others])
    return evidence.judge(client, [workload()], cluster, {"Deployment/client": settled})


def test_only_ready_pods_of_the_current_revision_with_the_image_count(
    client: Service,
) -> None:
    assert judge(client, workload(), pod()).ready
    assert not judge(client, workload(), pod(owner="set-1")).ready
    assert not judge(client, workload(), pod(image="ghcr.io/acme/shop-client@sha256:old")).ready
    assert not judge(client, workload(), pod(ready=False)).ready
    assert not judge(client, workload(replicas=2), pod()).ready


def test_a_rollout_is_not_done_while_a_pod_of_the_old_release_runs(client: Service) -> None:
    live = workload()
    live["status"]["replicas"] = 2  # one of them is old
    assert not judge(client, live, pod()).ready


def test_replicas_that_an_autoscaler_adds_during_the_bake_time_may_be_unready(
    client: Service,
) -> None:
    watch = rollout.Watch(client, AT)
    watch.judge(judge(client, workload(), pod()))
    assert (watch.ready, watch.settled) == (True, {"Deployment/client": 1})
    grown = workload(replicas=2, updatedReplicas=2, availableReplicas=1)
    starting = pod("new", ready=False)
    state = judge(client, grown, pod(), starting, settled=1)
    assert (state.ready, state.serving) == (True, ["pod"])
    assert not judge(client, grown, pod(ready=False), starting, settled=1).ready
    assert not judge(client, grown, pod(), starting).ready


def test_a_status_that_is_older_than_the_apply_proves_nothing(client: Service) -> None:
    assert not judge(client, workload(observedGeneration=2), pod()).ready
    late = [{"type": "Progressing", "reason": "ProgressDeadlineExceeded", "status": "False"}]
    assert not judge(client, workload(observedGeneration=2, conditions=late), pod()).fatal
    assert judge(client, workload(conditions=late), pod()).fatal


def test_a_rollout_is_not_done_while_a_ready_pod_is_not_available(client: Service) -> None:
    assert not judge(client, workload(availableReplicas=0), pod()).ready
    assert not judge(client, workload(updatedReplicas=0), pod()).ready


def test_an_image_that_cannot_be_pulled_fails_after_some_time(
    client: Service, clock: Callable[[float], None]
) -> None:
    watch = rollout.Watch(client, AT)
    # A failed pull, the wait after it and the next attempt are one sign.
    for seconds, reason in ((0, "ErrImagePull"), (2, "ImagePullBackOff"), (11, "ErrImagePull")):
        clock(seconds)
        watch.judge(judge(client, workload(), pod(ready=False, waiting=reason)))
        assert not watch.failure
    clock(12)
    watch.judge(judge(client, workload(), pod(ready=False, waiting="ImagePullBackOff")))
    assert watch.failure == "pod: ImagePullBackOff: not found"


def test_a_pod_without_a_node_gets_the_time_that_an_autoscaler_needs(
    client: Service, clock: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    pending = pod(ready=False)
    pending["status"]["conditions"] += [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "full"}
    ]
    events = [{"reason": "FailedScheduling", "involvedObject": {"name": "pod"}}]
    monkeypatch.setattr(
        "wfgen.release_program.cluster.kubectl.select",
        lambda kinds, *_, **__: events * (kinds == "events"),
    )
    watch = rollout.Watch(client, AT)

    def look(seconds: float) -> None:
        clock(seconds)
        coming = evidence.nodes_coming([pending], "shop")
        cluster = evidence.Cluster([workload(), replica_set(2), pending], coming)
        watch.judge(evidence.judge(client, [workload()], cluster, {}))

    for seconds in (0, 20, 40):
        look(seconds)
        assert not watch.failure
    events.append({"reason": "TriggeredScaleUp", "involvedObject": {"name": "another"}})
    events.append({"reason": "Nominated", "involvedObject": {"name": "pod"}})
    look(300)
    assert not watch.failure
    assert watch.last == "client 0/1 (pod waits for a new node)"
    del events[-1]
    for seconds in (302, 340, 350):
        look(seconds)
    assert "Unschedulable: full" in watch.failure


def test_a_bad_sign_that_disappears_is_forgotten(
    client: Service, clock: Callable[[float], None]
) -> None:
    watch = rollout.Watch(client, AT)
    for seconds, reason in ((0, "CreateContainerConfigError"), (10, ""), (20, "ErrImagePull")):
        clock(seconds)
        watch.judge(judge(client, workload(), pod(ready=not reason, waiting=reason)))
    assert not watch.failure


def test_one_restart_is_tolerated_and_two_are_a_crash_loop(
    client: Service, clock: Callable[[float], None]
) -> None:
    watch = rollout.Watch(client, AT)
    watch.judge(judge(client, workload(), pod(restarts=1)))
    assert not watch.failure
    watch.judge(judge(client, workload(), pod(restarts=2)))
    assert watch.failure.startswith("pod restarted 2 times")


@pytest.mark.parametrize("place", ["state", "lastState"])
def test_the_exit_code_of_a_crash_is_reported_from_state_and_last_state(
    client: Service, clock: Callable[[float], None], place: str
) -> None:
    crashed = pod(restarts=2)
    crashed["status"]["containerStatuses"][0][place] = {"terminated": {"exitCode": 3}}
    done = {"name": "init", "restartCount": 0, "state": {"terminated": {"exitCode": 0}}}
    crashed["status"]["initContainerStatuses"] = [done]
    watch = rollout.Watch(client, AT)
    watch.judge(judge(client, workload(), crashed))
    assert watch.failure == "pod restarted 2 times (exit code 3)"


def test_restarts_before_the_release_do_not_count(
    client: Service, clock: Callable[[float], None]
) -> None:
    watch = rollout.Watch(client, AT + 3600)
    watch.judge(judge(client, workload(), pod(restarts=7)))
    assert not watch.failure
    watch.judge(judge(client, workload(), pod(restarts=8)))
    assert (watch.failure, watch.restarts) == ("", 1)


def test_a_workload_that_is_deleted_or_changed_fails_at_once(client: Service) -> None:
    assert judge(client, {"kind": "Other", "metadata": {"name": "x"}}).fatal.endswith("is gone")
    changed = workload()
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = "other"
    assert "somebody changed it" in judge(client, changed).fatal


def test_a_daemon_set_is_judged_by_the_pods_of_its_newest_revision(
    description: Description,
) -> None:
    described = json.loads((ROOT / ".github/actions/release/production.json").read_text("utf-8"))
    described["services"]["client"]["workloads"][0]["kind"] = "DaemonSet"
    client = from_json(Description, described).services["client"]
    live = workload(
        "DaemonSet", desiredNumberScheduled=1, updatedNumberScheduled=1, numberAvailable=1
    )
    revisions = [
        owned("ControllerRevision", f"r{n}", "client", revision=n, metadata={"labels": {HASH: h}})
        for n, h in ((9, "old"), (10, "new"))
    ]
    for hashed, ready in (("old", False), ("new", True)):
        objects = [live, *revisions, pod(revision=hashed)]
        state = evidence.judge(client, [live], evidence.Cluster(objects), {})
        assert state.ready is ready


def test_only_broken_pods_of_another_revision_block_a_stateful_set() -> None:
    live = workload("StatefulSet", updateRevision="new")
    pods = [
        pod("broken", ready=False, revision="old"),
        pod("healthy", ready=True, revision="old"),
        pod("starting", ready=False, revision="new"),
    ]
    stuck = evidence.blocking_pods(live, evidence.Cluster([live, *pods]))
    assert [obj["metadata"]["name"] for obj in stuck] == ["broken"]
