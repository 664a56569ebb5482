"""What a job reads of the jobs before it: of which attempt, of which job, and what counts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from wfgen.release_program.contract import load
from wfgen.release_program.failure import Failure
from wfgen.release_program.hosting.needs import Needs, Steps
from wfgen.release_program.names import Job, Output

from .conftest import DIGESTS, Describe, of_release

SERVER = "ghcr.io/acme/shop-server@sha256:" + DIGESTS["server"]


def needs(**jobs: tuple[str, dict[str, Any]]) -> Needs:
    """Jobs as toJSON(needs) has them."""
    return Needs({name: {"result": r, "outputs": outputs} for name, (r, outputs) in jobs.items()})


def released(*attempts: dict[str, str]) -> Needs:
    """Needs where each job of the release has the outputs of the last attempt that wrote some."""
    outputs: dict[str, str] = {}
    for attempt in attempts:
        outputs.update({job: text for job, text in attempt.items() if text != "{}"})
    return needs(release=("success", outputs))


@pytest.mark.parametrize(
    ("name", "value"),
    [("previous", "none"), ("go_back", "0"), ("number", "0"), ("approved_by", "")],
)
def test_nothing_is_read_as_nothing(name: str, value: str) -> None:
    assert needs(plan=("success", {name: value})).output(Job.PLAN, name) == ""


def test_zero_that_is_not_a_number_of_a_release_is_a_value() -> None:
    assert needs(plan=("success", {"reason": "0"})).output(Job.PLAN, Output.REASON) == "0"


def test_the_attempt_is_not_part_of_a_value() -> None:
    found = released(of_release(12, proceed="true", restored="except: redis", release="4"))
    assert found.output(Job.RELEASE, Output.PROCEED) == "true"
    assert found.output(Job.RELEASE, Output.RESTORED) == "except: redis"


def test_rollback_and_monitor_are_preferred_to_deploy() -> None:
    """They read the record; what deploy wrote may be what a lost runner wrote last."""
    outputs = {
        **of_release(proceed="true", release="4", sha="d", lkg_sha="d"),
        "monitor": json.dumps({"verified": "false@1", "release": "5", "sha": "m"}),
        "rollback": json.dumps({"restored": "all@1", "release": "6", "sha": "none"}),
    }
    found = needs(release=("failure", outputs))
    assert found.output(Job.RELEASE, Output.RELEASE) == "6"
    assert found.output(Job.RELEASE, Output.SHA) == "m", "of a job that wrote one"
    assert found.output(Job.RELEASE, Output.LKG_SHA) == "d"


def test_outputs_of_a_former_attempt_do_not_count() -> None:
    """A re-run keeps the outputs of jobs that it skips, as `monitor` after a lost `deploy`."""
    first = of_release(1, proceed="true", verified="false", cause="app", release="4")
    second = of_release(2, restored="all", cause="infra", release="5")
    found = released(first, second)
    assert found.output(Job.RELEASE, Output.VERIFIED) == ""
    assert found.output(Job.RELEASE, Output.PROCEED) == ""
    assert found.output(Job.RELEASE, Output.CAUSE) == "infra"
    assert found.output(Job.RELEASE, Output.RELEASE) == "5"


def test_number_of_a_former_attempt_does_not_stand_in_for_none() -> None:
    first = of_release(1, proceed="true", release="4", sha="a" * 40)
    second = of_release(2, restored="nothing", release="0", sha="none")
    found = released(first, second)
    assert found.output(Job.RELEASE, Output.RELEASE) == ""
    assert found.output(Job.RELEASE, Output.SHA) == ""


def test_old_value_among_newer_ones_of_one_job_does_not_count() -> None:
    mixed = json.dumps({"proceed": "true@3", "decision": "held@2", "release": "9"})
    found = needs(release=("failure", {"deploy": mixed}))
    assert found.output(Job.RELEASE, Output.PROCEED) == "true"
    assert found.output(Job.RELEASE, Output.DECISION) == ""


def test_run_of_finish_alone_reads_what_the_attempt_before_released() -> None:
    found = released(of_release(1, proceed="true", verified="true", release="4"))
    assert found.output(Job.RELEASE, Output.VERIFIED) == "true"


@pytest.mark.parametrize("outputs", [{}, {"deploy": "{}", "monitor": "null", "rollback": ""}])
def test_release_that_wrote_nothing_has_no_outputs(outputs: dict[str, str]) -> None:
    found = needs(release=("cancelled", outputs))
    assert found.output(Job.RELEASE, Output.PROCEED) == ""
    assert found.released == []


def test_outputs_without_an_attempt_are_of_no_attempt() -> None:
    outputs = {"monitor": json.dumps({"verified": "true", "release": "4"})}
    found = needs(release=("success", outputs))
    assert found.output(Job.RELEASE, Output.VERIFIED) == ""
    assert found.output(Job.RELEASE, Output.RELEASE) == ""


def test_output_that_is_not_json_is_named() -> None:
    with pytest.raises(Failure, match="output monitor of job release is not JSON"):
        needs(release=("success", {"monitor": "{"})).output(Job.RELEASE, Output.VERIFIED)
    with pytest.raises(Failure, match="output scope of job plan is not JSON"):
        _ = needs(plan=("success", {"scope": "server"})).scope


@pytest.mark.parametrize(
    ("result", "digest", "valid"),
    [
        ("success", f"sha256:{DIGESTS['server']}", True),
        ("failure", f"sha256:{DIGESTS['server']}", False),
        ("skipped", f"sha256:{DIGESTS['server']}", False),
        ("success", "latest", False),
        ("success", "sha256:abc", False),
        ("success", f"sha256:{DIGESTS['server']} --privileged", False),
        ("success", "", False),
    ],
)
def test_only_a_digest_of_a_build_that_succeeded_is_an_image(
    describe: Describe, result: str, digest: str, valid: bool
) -> None:
    found = needs(build_server=(result, {"digest": digest}))
    assert found.built(load()) == ({"server": SERVER} if valid else {})


def test_images_of_unknown_services_and_other_repositories_are_left_out(
    describe: Describe,
) -> None:
    images = json.dumps({"server": SERVER, "client": SERVER, "evil": SERVER, "tools": 7})
    found = needs(
        plan=("success", {"images": images}),
        release=("success", of_release(proceed="true", images=images)),
    )
    assert found.planned(load()) == {"server": SERVER}
    assert found.images(load()) == {"server": SERVER}


def test_outcomes_of_steps() -> None:
    step = {"outcome": "failure", "conclusion": "success", "outputs": {}}
    found = Steps({"audit": step})
    assert found.outcome("audit") == "failure", "continue-on-error does not hide it"
    assert found.outcome("notify") == ""
