"""What simulate and verify expect of the release program is what it declares."""

from __future__ import annotations

from functools import cache
from itertools import product
from pathlib import Path

import pytest

from wfgen import release_program
from wfgen.checks.scenarios.ending import Before
from wfgen.checks.scenarios.program import _ENDINGS, endings
from wfgen.checks.scenarios.roles import ROLES
from wfgen.release_program.commands import COMMANDS
from wfgen.release_program.contract import Description, Revert, Service

PROGRAM = Path(release_program.__file__).parent
SERVICE = Service(
    name="web", image="ghcr.io/acme/shop-web", repository="ghcr.io/acme/shop-web", built=True,
    deploy=True, watch=(), manifests=(), depends_on=(), workloads=(), health=None, secrets={},
    replicas=None, autoscaled=False, migrate=None, external=None, rollback="never",
    timeout_seconds=1, bake_seconds=1,
)  # fmt: skip


def described(*, preview: bool) -> Description:
    return Description(
        project="shop", environment="here", preview=preview, namespace="shop", overlay="kube",
        watch=(), url=None, default_branch="main", label=None, time_to_live_hours=72,
        revert=Revert(auto_merge=False), notify=(), services={"web": SERVICE},
    )  # fmt: skip


STATES = [
    Before(
        event, event != "fork", described(preview=preview), (), None, proposed, approval, opened,
        touched, touched, broken=touched and not watched, watched=watched, cause=cause, left=left,
    )
    for event, preview, proposed, approval, opened, touched, watched, cause, left in product(
        ("push", "go_back", "pull_request", "fork"), (True, False), (True, False), (True, False),
        (True, False), (True, False), ("", "good", "bad", "cut"), ("app", "infra"), (True, False),
    )
]  # fmt: skip


@cache
def said(command: str) -> set[tuple[str, str]]:
    """Every output and value that the model knows of a command."""
    return {
        pair
        for state in STATES
        for ending in endings(command, state)
        for pair in ending.outputs.items()
    }


@pytest.mark.parametrize("command", [name for name in _ENDINGS if name != "build"])
def test_outputs_and_values_are_those_that_the_command_declares(command: str) -> None:
    writes = COMMANDS[command].writes
    assert {name for name, _ in said(command)} <= writes.keys()
    assert {pair for pair in said(command) if not writes[pair[0]].allows(pair[1])} == set()


@pytest.mark.parametrize(
    "command", ["plan", "rollback", "preflight", "monitor", "inspect", "revert"]
)
def test_every_value_that_a_command_declares_is_tried(command: str) -> None:
    for name, output in COMMANDS[command].writes.items():
        tried = {value.partition(":")[0] for known, value in said(command) if known == name}
        assert tried >= {value.partition(":")[0] for value in output.values}, name


def test_every_command_has_a_role() -> None:
    """Except `record`, which is run by hand. Not commands: build, and approval, a whole job."""
    assert {*ROLES} - {*COMMANDS} == {"build", "approval"}
    assert {*COMMANDS} - {*ROLES} == {"record"}


def test_a_command_can_end_in_every_way() -> None:
    """The verdict and the gate alone are decided by what they see."""
    for command in COMMANDS:
        kinds = {ending.kind for state in STATES for ending in endings(command, state)}
        assert kinds == {"success", "failure", "cut"}, command
