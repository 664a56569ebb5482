"""What the generator writes of an environment is what the release program reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests import case
from wfgen.generate.description import describe
from wfgen.generate.plan import plan
from wfgen.release_program import contract, names
from wfgen.release_program.contract import Description, from_json, to_json
from wfgen.release_program.failure import Failure
from wfgen.specs import loading


@pytest.mark.parametrize("name", case.names("ok"))
def test_a_generated_description_reads_as_what_was_built(name: str, tmp_path: Path) -> None:
    root = case.write(tmp_path, case.read("ok", name))
    texts = {file.path: file.text for file in case.rendered(root)}
    environments = plan(loading.load(root)).environments
    assert environments
    for environment in environments:
        written = json.loads(texts[names.description(environment.name)])
        assert from_json(Description, written) == describe(environment)


@pytest.fixture
def written(tmp_path: Path) -> dict[str, Any]:
    """The description of the base case's environment, as JSON."""
    (environment,) = plan(loading.load(case.write(tmp_path, case.BASE))).environments
    values: dict[str, Any] = to_json(describe(environment))
    return values


def test_members_of_a_newer_generator_are_ignored(written: dict[str, Any]) -> None:
    newer = json.loads(json.dumps(written))
    newer["color"] = newer["services"]["web"]["color"] = newer["revert"]["color"] = ["blue"]
    assert from_json(Description, newer) == from_json(Description, written)


@pytest.mark.parametrize(
    ("route", "value", "message"),
    [
        ("project", None, "project: None is not a string"),
        ("preview", "yes", "preview: 'yes' is not true or false"),
        ("time_to_live_hours", True, "time_to_live_hours: True is not an integer"),
        ("watch", "kube/", "watch: 'kube/' is not a list"),
        ("services", [], "services: [] is not an object"),
        (
            "services.web.workloads",
            [{"kind": "Deployment"}],
            "missing services.web.workloads.0.name",
        ),
        ("services.web.bake_seconds", "2m", "services.web.bake_seconds: '2m' is not a number"),
        ("services.web.health", "none", "services.web.health: 'none' is not an object"),
    ],
)
def test_a_wrong_member_is_named(
    written: dict[str, Any], route: str, value: object, message: str
) -> None:
    *parents, last = route.split(".")
    holder = written
    for parent in parents:
        holder = holder[parent]
    holder[last] = value
    with pytest.raises(Failure) as failure:
        from_json(Description, written)
    assert str(failure.value) == message
    del holder[last]
    with pytest.raises(Failure) as failure:
        from_json(Description, written)
    assert str(failure.value) == f"missing {route}"


def test_a_file_that_is_not_a_description_is_refused_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "production.json"
    monkeypatch.setenv(names.Variable.DESCRIPTION, str(path))
    for text, message in {
        "{": "invalid JSON: ",
        "[]": "description: [] is not an object. To fix, run `wfgen render`",
        "{}": "missing project. To fix, run `wfgen render`",
    }.items():
        path.write_text(text)
        with pytest.raises(Failure) as failure:
            contract.load()
        assert str(failure.value).startswith(f"{path}: {message}")


@pytest.mark.parametrize(
    ("name", "approval"), [("base", ""), ("approval", "demand"), ("approval-reported", "report")]
)
def test_the_program_knows_what_to_do_where_nobody_was_asked(
    name: str, approval: str, tmp_path: Path
) -> None:
    root = case.write(tmp_path, case.read("ok", name))
    (environment,) = plan(loading.load(root)).environments
    assert describe(environment).approval == approval
