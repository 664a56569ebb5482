"""`inspect` and `restore`: what an ended run left is undone, on GitHub's word alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.github_api import Api
from tests.judges.tools import find_program
from tests.kube_api import FakeCluster
from wfgen.release_program import commands
from wfgen.release_program.commands import watchdog
from wfgen.release_program.failure import Failure
from wfgen.release_program.state.record_format import (
    GOOD,
    HELD,
    IN_FLIGHT,
    ROLLBACK_FAILED,
    ROLLING_BACK,
    InFlight,
    Progress,
    Record,
    dump_record,
    parse_record,
)

from .conftest import Describe

OWNER = "acme/shop/50/1"
NAME = "wfgen-release-production"
RUNS = "/repos/acme/shop/actions/runs"
ATTEMPT = f"{RUNS}/50/attempts/1"
NOT_FOUND = {"message": "Not Found"}
Outputs = Callable[[], dict[str, str]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeCluster]:
    """One API server for all tests, as kubectl caches discovery per address."""
    find_program("kubectl")
    with FakeCluster(tmp_path_factory.mktemp("cluster")) as made:
        made.namespace("shop")
        yield made


@pytest.fixture
def cluster(
    server: FakeCluster, describe: Describe, api: Api, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakeCluster]:
    """A cluster without a record, which this process can use."""
    empty = server.snapshot()
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("WFGEN_RETRY_SECONDS", "0.01")
    monkeypatch.setenv("WFGEN_POLL_SECONDS", "0.01")
    yield server
    server.restore(empty)


def write(cluster: FakeCluster, record: Record) -> None:
    """Creates or replaces the record."""
    data = {"record.json": dump_record(record)}
    if cluster.find("ConfigMap", NAME, "shop"):
        cluster.patch("ConfigMap", NAME, "shop", {"data": data})
        return
    metadata = {"name": NAME, "namespace": "shop"}
    cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})


def record_in(cluster: FakeCluster) -> Record:
    stored = cluster.find("ConfigMap", NAME, "shop")
    assert stored is not None
    return parse_record(stored["data"]["record.json"])


def in_flight(state: str = IN_FLIGHT, owner: str = OWNER, lease: float = 1800) -> Record:
    """A record of release 2, which nothing was applied of yet."""
    release = InFlight(2, "1" * 40, ["server"], {}, progress=Progress(2, writing=False))
    late = time.time() + lease
    return Record(state=state, release=1, last=2, owner=owner, lease=late, in_flight=release)


ANSWERS: dict[str, tuple[Any, int]] = {
    "completed": ({"status": "completed", "conclusion": "cancelled"}, 200),
    "in progress": ({"status": "in_progress", "conclusion": None}, 200),
    "queued": ({"status": "queued", "conclusion": None}, 200),
    "404": (NOT_FOUND, 404),
    "403": ({"message": "Resource not accessible by integration"}, 403),
    "no answer": ("<html>Bad Gateway</html>", 502),
    "no status": ({}, 200),
}
DISPATCH = "dispatch this workflow with `force`"


def named(answer: str, record: Record, force: str, *_: object) -> str:
    """The name of a row below."""
    late = ", late" if record.expired else ""
    return f"{answer}, {record.state}{late}{', force=' + force if force else ''}"


INSPECTED: list[tuple[str, Record, str, tuple[str, int, str]]] = [
    ("completed", in_flight(), "", ("true", 0, f"{OWNER} has ended and left release 2")),
    ("completed", in_flight(ROLLING_BACK), "", ("true", 0, "left release 2 `rolling-back`")),
    ("completed", in_flight(lease=-1), "", ("true", 0, "has ended")),
    ("completed", in_flight(ROLLBACK_FAILED), "", ("false", 1, DISPATCH)),
    ("in progress", in_flight(), "", ("false", 0, "which still runs")),
    ("queued", in_flight(), "", ("false", 0, "which still runs")),
    ("in progress", in_flight(lease=-1), "", ("false", 1, "overdue")),
    ("in progress", in_flight(ROLLBACK_FAILED), "", ("false", 1, "releases are refused")),
    ("404", in_flight(), "", ("false", 1, DISPATCH)),
    ("404", in_flight(lease=-1), "", ("false", 1, DISPATCH)),
    ("403", in_flight(), "", ("false", 1, "the permission `actions: read`")),
    ("no answer", in_flight(), "", ("false", 1, DISPATCH)),
    ("no status", in_flight(), "", ("false", 1, DISPATCH)),
    ("404", in_flight(), "true", ("true", 0, "by force")),
    ("in progress", in_flight(), "true", ("true", 0, "by force")),
    ("404", in_flight(ROLLBACK_FAILED), "true", ("true", 0, "by force")),
    ("404", in_flight(), "false", ("false", 1, "is unknown")),
]


@pytest.mark.parametrize(
    ("answer", "record", "force", "expected"),
    INSPECTED,
    ids=[named(*row) for row in INSPECTED],
)
def test_inspect_reports_what_was_left_and_what_a_person_must_do(
    cluster: FakeCluster,
    api: Api,
    outputs: Outputs,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: str,
    record: Record,
    force: str,
    expected: tuple[str, int, str],
) -> None:
    write(cluster, record)
    api.on("GET", ATTEMPT, *ANSWERS[answer])
    monkeypatch.setenv("WFGEN_FORCE", force)
    code = commands.run("inspect")
    said = capsys.readouterr()
    assert (outputs()["left"], code) == expected[:2]
    assert expected[2] in said.out + said.err
    assert cluster.requests == [], "inspect has no lock: it writes nothing"


def test_owner_of_another_repository_is_unknown(
    cluster: FakeCluster, api: Api, outputs: Outputs, capsys: pytest.CaptureFixture[str]
) -> None:
    write(cluster, in_flight(owner="acme/other/50/1"))
    api.on("GET", ATTEMPT, *ANSWERS["completed"])
    assert commands.run("inspect") == 1
    assert outputs()["left"] == "false"
    assert DISPATCH in capsys.readouterr().err
    assert api.requests == [], "run 50 of this repository is another run"


def test_owner_that_an_older_version_wrote_is_its_run(
    cluster: FakeCluster, api: Api, outputs: Outputs
) -> None:
    write(cluster, in_flight(owner="acme/shop/50"))
    api.on("GET", f"{RUNS}/50", *ANSWERS["completed"])
    assert commands.run("inspect") == 0
    assert outputs()["left"] == "true"


@pytest.mark.parametrize("force", ["", "true"])
@pytest.mark.parametrize("record", [None, Record(release=1, last=1), Record(state=HELD, release=1)])
def test_nothing_in_flight_is_nothing_to_do(
    cluster: FakeCluster,
    api: Api,
    outputs: Outputs,
    monkeypatch: pytest.MonkeyPatch,
    record: Record | None,
    force: str,
) -> None:
    monkeypatch.setenv("WFGEN_FORCE", force)
    if record:
        write(cluster, record)
    assert commands.run("inspect") == 0
    assert outputs()["left"] == "false"
    assert commands.run("restore") == 0
    assert api.requests == []


def test_record_that_cannot_be_read_is_red_and_left_alone(
    cluster: FakeCluster, outputs: Outputs, capsys: pytest.CaptureFixture[str]
) -> None:
    write(cluster, in_flight())
    cluster.patch("ConfigMap", NAME, "shop", {"data": {"record.json": "{"}})
    assert commands.run("inspect") == 1
    assert outputs()["left"] == "false"
    assert "cannot read the release record" in capsys.readouterr().err


RESTORED: list[tuple[str, Record, str, int, bool]] = [
    ("completed", in_flight(), "", 1, True),
    ("completed", in_flight(ROLLING_BACK), "", 1, True),
    ("completed", in_flight(ROLLBACK_FAILED), "", 1, False),
    ("completed", in_flight(ROLLBACK_FAILED), "true", 1, True),
    ("in progress", in_flight(), "", 0, False),
    ("in progress", in_flight(lease=-1), "", 0, False),
    ("in progress", in_flight(), "true", 1, False),
    ("in progress", in_flight(ROLLBACK_FAILED), "true", 1, False),
    ("404", in_flight(), "", 1, False),
    ("404", in_flight(lease=-1), "", 1, False),
    ("404", in_flight(), "true", 1, True),
    ("404", in_flight(ROLLBACK_FAILED), "true", 1, True),
    ("no answer", in_flight(), "", 1, False),
    ("no answer", in_flight(), "true", 1, True),
]


@pytest.mark.parametrize(
    ("answer", "record", "force", "code", "restored"),
    RESTORED,
    ids=[named(*row) for row in RESTORED],
)
def test_restore_acts_on_evidence_or_by_force(
    cluster: FakeCluster,
    api: Api,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    record: Record,
    force: str,
    code: int,
    restored: bool,
) -> None:
    write(cluster, record)
    api.on("GET", ATTEMPT, *ANSWERS[answer])
    monkeypatch.setenv("WFGEN_FORCE", force)
    assert commands.run("restore") == code
    after = record_in(cluster)
    if restored:
        assert (after.state, after.in_flight, after.release) == (GOOD, None, 1)
        assert after.owner == "acme/shop/77/1"
    else:
        assert dump_record(after) == dump_record(record), "nothing was written"


def test_attempt_that_took_over_after_the_inspection_keeps_its_release(
    cluster: FakeCluster, api: Api, outputs: Outputs
) -> None:
    """Between both jobs the lock was free: restore reads the record and asks GitHub again."""
    write(cluster, in_flight())
    api.on("GET", ATTEMPT, *ANSWERS["completed"])
    assert commands.run("inspect") == 0
    assert outputs()["left"] == "true"
    write(cluster, in_flight(owner="acme/shop/50/2"))
    api.on("GET", f"{RUNS}/50/attempts/2", *ANSWERS["in progress"])
    assert commands.run("restore") == 0
    assert record_in(cluster).owner == "acme/shop/50/2"


def test_record_that_is_written_meanwhile_is_not_overwritten(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(cluster, in_flight())

    def ended(owner: str) -> bool:
        write(cluster, in_flight(owner="acme/shop/51/1"))
        return owner == OWNER

    monkeypatch.setattr(watchdog, "attempt_has_ended", ended)
    with pytest.raises(Failure, match="another run wrote the release record meanwhile"):
        commands.run("restore")
    assert record_in(cluster).owner == "acme/shop/51/1"


HOOK = "/services/T0/B0/secret-path"
SENT = {"name": "Notify", "status": "completed", "conclusion": "success", "number": 4}
SKIPPED = {**SENT, "conclusion": "skipped"}
OTHER = {**SENT, "name": "Send notifications"}


@pytest.fixture
def finished(cluster: FakeCluster, api: Api, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Runs `inspect` after the end of attempt 2 of run 60, with these pages of jobs."""
    monkeypatch.setenv("WFGEN_FINISHED_RUN", "60")
    monkeypatch.setenv("WFGEN_FINISHED_ATTEMPT", "2")
    monkeypatch.setenv("SLACK_WEBHOOK_URL", api.url + HOOK)
    monkeypatch.setenv("PAGERDUTY_ROUTING_KEY", "key")
    monkeypatch.setenv("PAGERDUTY_EVENTS_URL", api.url)
    api.on("POST", HOOK, "ok")
    api.on("POST", "/v2/enqueue", {"status": "success"}, 202)

    def run(
        *pages: list[dict[str, Any]],
        conclusion: str | None = "failure",
        path: str = ".github/workflows/production.yml",
    ) -> int:
        run = {"status": "completed", "conclusion": conclusion, "path": path, "run_attempt": 2}
        api.now("GET", f"{RUNS}/60/attempts/2", run)
        jobs = f"{RUNS}/60/attempts/2/jobs"
        for number, page in enumerate(pages, 1):
            following = f'<{api.url}{jobs}?page={number + 1}>; rel="next"'
            link = following if number < len(pages) else ""
            api.on("GET", jobs, {"total_count": 9, "jobs": page}, Link=link)
        return commands.run("inspect")

    return run


Finished = Callable[..., int]


def job(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"name": "Finish", "status": "completed", "conclusion": "failure", "steps": [*steps]}


def sent(api: Api) -> list[str]:
    return [message["text"] for message in api.sent("POST", HOOK)]


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param([[]], id="no job"),
        pytest.param([[job()]], id="no step"),
        pytest.param([[{"name": "Finish", "steps": None}]], id="a job that never started"),
        pytest.param([[job(SKIPPED)]], id="a step that was skipped"),
        pytest.param([[job(OTHER)]], id="a step of another name"),
        pytest.param([[job({**SENT, "conclusion": "failure"})]], id="a step that failed"),
    ],
)
def test_red_run_that_notified_nobody_is_notified_of(
    api: Api, finished: Finished, pages: list[list[dict[str, Any]]]
) -> None:
    assert finished(*pages) == 0
    assert sent(api) == ["production: run 60, attempt 2, ended without a verdict"]
    (message,) = api.sent("POST", HOOK)
    text = message["blocks"][0]["text"]["text"]
    assert "<https://github.com/acme/shop/actions/runs/60/attempts/2|Open the run>" in text
    assert "It left no release in flight" in text
    assert api.sent("POST", "/v2/enqueue") == [], "nobody is woken: nothing was left"


def test_run_that_left_a_release_in_flight_wakes_somebody(
    cluster: FakeCluster, api: Api, finished: Finished, outputs: Outputs
) -> None:
    write(cluster, in_flight(owner="acme/shop/60/2"))
    assert finished([]) == 0
    assert outputs()["left"] == "true"
    (event,) = api.sent("POST", "/v2/enqueue")
    assert (event["event_action"], event["payload"]["severity"]) == ("trigger", "critical")
    assert "Release 2 is `in-flight`" in event["payload"]["custom_details"]["details"]


def test_run_is_notified_of_also_where_the_cluster_is_away(
    cluster: FakeCluster, api: Api, finished: Finished
) -> None:
    write(cluster, in_flight())
    cluster.patch("ConfigMap", NAME, "shop", {"data": {"record.json": "{"}})
    assert finished([]) == 1
    (event,) = api.sent("POST", "/v2/enqueue")
    assert "The release record cannot be read" in event["payload"]["custom_details"]["details"]


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param([[job(OTHER, SENT)]], id="one page"),
        pytest.param([[job(SKIPPED)], [job(SENT)]], id="on the second page"),
    ],
)
def test_run_that_notified_is_left_alone(
    api: Api, finished: Finished, pages: list[list[dict[str, Any]]]
) -> None:
    assert finished(*pages) == 0
    assert sent(api) == []


@pytest.mark.parametrize(
    "values",
    [
        {"conclusion": "success"},
        {"conclusion": "skipped"},
        {"path": ".github/workflows/staging.yml"},
        {"path": ".github/workflows/production-cleanup.yml"},
    ],
)
def test_green_runs_and_those_of_other_environments_are_not_asked_about(
    api: Api, finished: Finished, values: dict[str, str]
) -> None:
    assert finished([], **values) == 0
    assert sent(api) == []
    assert [request.path for request in api.requests] == [f"{RUNS}/60/attempts/2"]


def test_pipeline_of_one_service_is_one_of_the_environment(api: Api, finished: Finished) -> None:
    path = ".github/workflows/production-server.yml@refs/heads/main"
    assert finished([], path=path, conclusion="cancelled") == 0
    assert len(sent(api)) == 1


def test_without_anybody_to_notify_nothing_is_asked(
    describe: Describe, api: Api, finished: Finished
) -> None:
    describe(notify=[])
    assert finished([]) == 0
    assert api.requests == []


@pytest.mark.parametrize("missing", ["WFGEN_FINISHED_RUN", "WFGEN_FINISHED_ATTEMPT"])
def test_on_a_schedule_no_run_has_just_finished(
    api: Api, finished: Finished, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setenv(missing, "")
    assert finished([]) == 0
    assert api.requests == []


@pytest.mark.parametrize("path", [f"{RUNS}/60/attempts/2", f"{RUNS}/60/attempts/2/jobs"])
def test_whether_a_run_notified_is_unknown_where_github_does_not_say(
    api: Api, finished: Finished, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    assert finished([job(SENT)]) == 0
    api.now("GET", path, NOT_FOUND, 404)
    assert commands.run("inspect") == 1
    assert "run 60, attempt 2, notified of its failure is unknown" in capsys.readouterr().err


def test_message_that_is_not_sent_is_red(
    api: Api, finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_WEBHOOK_URL", "")
    assert finished([]) == 1
