"""`verify --workflow` on workflows that wfgen did not generate, with roles in comments."""

from __future__ import annotations

import shlex

import pytest

from tests.safety.mistakes import MISTAKES, VALID, Mistake
from tests.terminal import Terminal

FILE = "deploy.yml"


@pytest.fixture
def verify(terminal: Terminal, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Runs `wfgen verify --workflow` on a text."""

    def run(text: str, *options: str):  # type: ignore[no-untyped-def]
        (terminal.root / FILE).write_text(text, "utf-8")
        monkeypatch.chdir(terminal.root)
        return terminal.run("verify", "--workflow", FILE, *options)

    return run


def test_a_valid_pipeline_passes(verify) -> None:  # type: ignore[no-untyped-def]
    ran = verify(VALID)
    assert ran.code == 0, ran.out
    assert "17 of 17 properties hold" in ran.out


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_is_found_and_shown(  # type: ignore[no-untyped-def]
    mistake: Mistake, verify, terminal: Terminal
) -> None:
    """Where a run shows it, `simulate` shows that run."""
    ran = verify(mistake.text)
    assert ran.code == 1, ran.out
    assert f"[{mistake.breaks}]" in ran.out
    for line in ran.out.splitlines():
        command = line.partition("hint: to see it, run `")[2].rstrip("`")
        if command:
            assert terminal.run(*shlex.split(command)[1:]).code == 0, command


def test_a_workflow_without_roles_is_refused(verify) -> None:  # type: ignore[no-untyped-def]
    ran = verify(VALID.replace("# wfgen:", "#"))
    assert ran.code == 2
    assert "no job or step has a role" in ran.err


def test_an_unknown_role_is_refused_with_the_nearest(verify) -> None:  # type: ignore[no-untyped-def]
    ran = verify(VALID.replace("wfgen: rollback", "wfgen: rolback"))
    assert ran.code == 2
    assert "deploy.yml:18: unknown role `rolback`; did you mean `rollback`?" in ran.err


def test_a_comment_outside_of_jobs_is_refused(verify) -> None:  # type: ignore[no-untyped-def]
    ran = verify(VALID.replace("on:\n", "on: # wfgen: deploy\n", 1))
    assert ran.code == 2
    assert "deploy.yml:2: `# wfgen: deploy` is not at a job or step" in ran.err


def test_a_file_that_is_not_a_workflow_is_refused(verify) -> None:  # type: ignore[no-untyped-def]
    ran = verify("jobs: []\n")
    assert ran.code == 2
    assert "deploy.yml:1:" in ran.err
