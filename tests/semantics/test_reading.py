"""Reading workflow files, and refusing files that are not valid."""

from __future__ import annotations

import pytest

from tests.semantics.workflows import simulator
from wfgen.actions import Simulator, WorkflowError, read_workflow


def test_values_of_a_file_keep_their_types() -> None:
    workflow = simulator("a: {strategy: {matrix: {n: ['1', 1, true, 'true', 1.50, on]}}}").workflow
    assert workflow.jobs["a"].matrix == {"n": ["1", 1, True, "true", "1.50", "on"]}
    assert list(workflow.triggers) == ["push"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("jobs: [", "main.yml:2: not YAML"),
        ("on: push", "main.yml:1: has no jobs"),
        ("on: push\njobs:\n  a: {}\n  a: {}", "main.yml:4: duplicate key `a`"),
        ("on: push\njobs:\n  a: {needs: b}", "main.yml:3: a needs `b`, which does not exist"),
        (
            "on: push\njobs:\n  a: {needs: b}\n  b: {needs: a}",
            "main.yml:3: a cycle: a needs b needs a",
        ),
        ("on: push\njobs:\n  a: {uses: ./b.yml}", "b.yml:1: cannot be read"),
        ("on: workflow_call\njobs:\n  a: {uses: ./main.yml}", "main.yml:3: main.yml calls itself"),
        ("on: push\njobs:\n  a: {uses: ./c.yml}", "main.yml:3: c.yml cannot be called"),
        ("on: push\njobs:\n  a: {if: needs.}", "main.yml:3: job a, if: unexpected end"),
        (
            "on: push\njobs:\n  a: {if: secrets.x}",
            "main.yml:3: job a, if: no context 'secrets' here",
        ),
        ("on: push\njobs:\n  a: {if: steps()}", "main.yml:3: job a, if: no function 'steps'"),
        (
            "on: push\njobs:\n  a:\n    steps:\n      - if: ${{ nothing }}\n        run: x",
            "main.yml:5: step 0, if: no context 'nothing' here",
        ),
    ],
)
def test_a_file_that_is_not_valid_is_refused(text: str, message: str) -> None:
    files = {"main.yml": text, "c.yml": "on: push\njobs: {}"}
    with pytest.raises(WorkflowError) as caught:
        Simulator(read_workflow("main.yml", files.__getitem__))
    assert str(caught.value).startswith(message)
