"""Called workflows: their inputs, outputs, locks and permissions."""

from __future__ import annotations

from itertools import product

import pytest

from tests.semantics.workflows import CALLED, FAILURE, results, simulator
from wfgen.actions import Cancellation, Outcome, Simulator, read_workflow


def test_a_run_is_cancelled_during_a_call() -> None:
    given = simulator(
        "a: {}\none: {needs: a, uses: ./called.yml}\ntwo: {uses: ./called.yml}", CALLED
    )
    run = given.run({}, Cancellation("one/x"))
    assert results(run) == "a xone xone/x one/y -one/z xtwo xtwo/x two/y -two/z"
    run = given.run({}, Cancellation("one/y", frozenset({"two"})))
    assert results(run) == "a one one/x one/y -one/z two two/x two/y two/z"


INPUTS = """
on:
  workflow_call:
    inputs:
      go: {type: boolean, default: true}
      n: {type: number}
      to: {type: string, default: x}
      no: {type: boolean}
      unread: {type: string}
    outputs: {sum: {value: "${{ jobs.x.outputs.v || jobs.y.result }}"}}
jobs:
  x: {if: inputs.go && !inputs.no, outputs: {v: x}}
  y: {if: "inputs.n > 1 && inputs.to == 'X'"}
"""


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", "a a/x -a/y -b"),
        ("go: true", "a a/x -a/y -b"),
        ("go: false, n: 2", "a -a/x a/y b"),
        ("go: false, n: 2, to: z", "-a -a/x -a/y -b"),
        ("go: '${{ github.x || false }}', n: 2", "a -a/x a/y b"),
        ("go: true, n: false", "input `n`: False is not a number"),
        ("go: false, n: '${{ github.x }}'", "input `n`: None is not a number"),
        ("go: false, no: true", "-a -a/x -a/y -b"),
        ("go: maybe", "input `go`: 'maybe' is not a boolean"),
        ("go: true, now: 1", "unknown input `now`"),
    ],
)
def test_a_call_has_inputs_by_their_type(given: str, expected: str) -> None:
    run = simulator(
        f"a: {{uses: ./called.yml, with: {{{given}}}}}\n"
        "b: {needs: a, if: \"!failure() && needs.a.outputs.sum == 'success'\"}",
        INPUTS,
    ).run()
    assert expected in (results(run), run.jobs["a"].error)


def test_a_required_input_is_missing() -> None:
    called = "on: {workflow_call: {inputs: {go: {required: true}}}}\njobs: {x: {}}"
    run = simulator("a: {uses: ./called.yml}", called).run()
    assert results(run) == "!a -a/x"
    assert run.jobs["a"].error == "missing input `go`"


def test_a_call_with_a_matrix_is_made_for_each_combination() -> None:
    given = simulator(
        "a: {strategy: {matrix: {n: [1, 2]}}, uses: ./called.yml,"
        " with: {go: false, n: '${{ matrix.n }}', to: X}}",
        INPUTS,
    )
    assert results(given.run()) == "a -a/x a/y"
    assert results(given.run({"a/y": FAILURE})) == "!a -a/x !a/y"
    given = simulator(
        "a: {strategy: {matrix: {go: [true, false]}}, uses: ./called.yml,"
        " with: {go: '${{ matrix.go }}', n: 2, to: X}}",
        INPUTS,
    )
    run = given.run({"a/x": Outcome("success", {"v": "1"})})
    assert results(run) == "a a/x a/y"
    assert run.jobs["a"].outputs == {"sum": "success"}, "the outputs of the last combination"


def test_a_called_job_sees_a_failure_before_the_call() -> None:
    called = "on: {workflow_call: {}}\njobs:\n  x: {if: failure()}\n  y: {if: '!failure()'}"
    given = simulator("a: {}\nb: {needs: a, if: always(), uses: ./called.yml}", called)
    assert results(given.run({"a": FAILURE})) == "!a b b/x -b/y"
    assert results(given.run()) == "a b -b/x b/y"


def test_memoized_states_are_those_of_a_new_simulator() -> None:
    """Including needs that a condition reads by `*`."""
    jobs = """
a: {outputs: {v: x}}
b: {needs: a, if: needs.a.outputs.v}
c: {needs: [a, b], if: "always() && contains(needs.*.result, 'skipped')"}
d:
  needs: b
  if: always()
  uses: ./called.yml
  with: {go: "${{ needs.b.result == 'success' }}"}
e: {needs: [c, d], if: failure() || needs.d.outputs.sum}
"""
    kinds: list[Outcome] = [Outcome(), FAILURE, Outcome("cancelled"), Outcome("skipped")]
    kinds.append(Outcome("success", {"v": "1"}))
    once = simulator(jobs, INPUTS)
    for a, b, x, during in product(kinds, kinds[:4], kinds[:3], ("", "d/x")):
        outcomes = {"a": a, "b": b, "d/x": x}
        when = Cancellation(during) if during else None
        fresh = simulator(jobs, INPUTS).run(outcomes, when)
        assert results(once.run(outcomes, when)) == results(fresh)


LOCKS = """
on: push
concurrency: {group: "${{ github.workflow }}", cancel-in-progress: "${{ github.ref != 'x' }}"}
permissions: {contents: read}
jobs:
  a: {outputs: {v: x}}
  b:
    needs: a
    concurrency: {group: "deploy-${{ needs.a.outputs.v }}", queue: max}
    permissions: {contents: write, id-token: write}
    uses: ./called.yml
  c: {environment: {name: "${{ vars.where }}"}, permissions: read-all}
"""
INNER = """
on: {workflow_call: {}}
concurrency: inner
permissions: {contents: read, packages: write}
jobs:
  x: {environment: production}
  y: {permissions: {contents: write, id-token: read}}
"""


def test_locks_environments_and_permissions() -> None:
    files = {"main.yml": LOCKS, "called.yml": INNER}
    contexts = {"github": {"workflow": "W", "ref": "y"}, "vars": {"where": "here"}}
    given = Simulator(read_workflow("main.yml", files.__getitem__), contexts)
    run = given.run({"a": Outcome("success", {"v": "1"})})
    locks = [
        (lock.holder, lock.group, lock.cancels, lock.queue) for lock in given.locks("b/x", run)
    ]
    assert locks == [
        ("", "W", True, "single"),
        ("b", "deploy-1", False, "max"),
        ("b/", "inner", False, "single"),
    ]
    assert [lock.group for lock in given.locks("b/x", given.run({"a": FAILURE}))] == [
        "W",
        "deploy-",
    ]
    assert [given.environment(path, run) for path in ("a", "b/x", "c")] == [
        "",
        "production",
        "here",
    ]
    assert given.permissions("a") == {"contents": "read"}
    assert given.permissions("b/x") == {"contents": "read"}
    assert given.permissions("b/y") == {"contents": "write", "id-token": "read"}
    assert given.permissions("c") == {"*": "read"}
    assert simulator("a: {}").permissions("a") == {"*": "default"}


def test_only_outputs_that_decide_are_observed() -> None:
    given = simulator(
        "a: {outputs: {v: x, w: x, Q: x, u: x}}\n"
        "b: {needs: a, uses: ./called.yml, with: {go: true, n: '${{ needs.a.outputs.q }}',"
        " to: '${{ needs.a.outputs.v }}', unread: '${{ needs.a.outputs.w }}'}}\n"
        "c: {needs: [a, b], if: needs.b.outputs.sum && needs.a.result, steps: [{run: "
        "'${{ needs.a.outputs.u }}'}]}\n"
        "d: {outputs: {v: x}}\ne: {needs: [d], if: toJSON(needs)}",
        INPUTS,
    )
    assert {path: set(given.observed(path)) for path, _ in given.workflow.walk()} == {
        "a": {"v", "Q"},
        "b": {"sum"},
        "b/x": {"v"},
        "b/y": set(),
        "c": set(),
        "d": {"v"},
        "e": set(),
    }
