"""Names that the generator and the release program share."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import case
from wfgen.actions import reading
from wfgen.checks import proof, static
from wfgen.release_program import names

LABELS = st.from_regex(r"[a-z]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)


@given(LABELS)
def test_a_build_job_names_its_service(service: str) -> None:
    assert names.built_service(names.build_job(service)) == service
    assert names.built_service(service) == ""


@given(LABELS, st.integers(1, 999_999_999))
def test_a_tag_names_its_release(environment: str, release: int) -> None:
    for tag in (names.deploy_tag, names.rollback_tag):
        assert names.tagged_release(tag(environment, str(release))) == release
    assert names.tagged_release(f"v{release}") is None


def test_local_references_are_those_that_github_knows() -> None:
    assert {*names.LOCAL} == {*reading.LOCAL}
    assert names.local_path("$/.github/actions/release") == names.RELEASE_ACTION
    assert names.local_path("actions/checkout@v5") == ""


@pytest.mark.parametrize("service", ["web", "web-api"])
def test_a_build_that_is_skipped_by_mistake_is_found(service: str, tmp_path: Path) -> None:
    """A name with a hyphen is written with an underscore in the id of the job."""
    spec = {f"specs/{service}.yaml": case.BASE["specs/web.yaml"]}
    root = case.write(tmp_path, {**case.BASE, **spec})
    texts = {file.path: file.text for file in case.rendered(root)}
    pipeline = names.workflow("production")
    condition = f"contains(fromJSON(needs.plan.outputs.build), '{service}')"
    assert condition in texts[pipeline]
    texts[pipeline] = texts[pipeline].replace(condition, condition.replace(service, "wbe"))
    broken = proof.prove(static.read_all([pipeline], texts.__getitem__)).broken
    assert f"deploys although job {names.build_job(service)}/build was skipped" in " ".join(
        each.message for each in broken if each.property == "builds-before-deploy"
    )
