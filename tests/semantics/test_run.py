"""Rules that act does not follow, and the attributes of a run, each with a small workflow."""

from __future__ import annotations

from typing import Any

import pytest

from tests.semantics.workflows import CALLED, FAILURE, results, simulator
from wfgen.actions import Cancellation, Outcome, ScenarioError
from wfgen.actions.matrix import combine

CHAIN = """
a: {}
b: {needs: a}
c: {needs: b, if: "!cancelled()"}
d: {needs: b, if: always()}
e: {needs: [b, d], if: failure()}
f: {needs: b, if: cancelled()}
"""


@pytest.mark.parametrize(
    ("during", "finished", "expected"),
    [
        # No job had begun: a condition with success() is false.
        ("", "", "-a -b -c d -e f"),
        # b was running, and ends as cancelled.
        ("b", "", "a xb -c d -e f"),
        # d was running and goes on; c was running too.
        ("d", "", "a b xc d -e -f"),
        ("d", "c", "a b c d -e -f"),
    ],
)
def test_a_run_is_cancelled(during: str, finished: str, expected: str) -> None:
    run = simulator(CHAIN).run({}, Cancellation(during, frozenset(finished.split())))
    assert results(run) == expected
    assert run.conclusion == "cancelled"
    assert run.cancelled


def test_a_cancelled_run_has_neither_success_nor_failure() -> None:
    """failure() is false even where a job failed before the cancellation."""
    run = simulator(CHAIN).run({"b": FAILURE}, Cancellation("d"))
    assert results(run) == "a !b xc d -e -f"


def test_a_cancelled_job_keeps_its_outputs() -> None:
    given = simulator("a: {outputs: {v: x}}\nb: {needs: a, if: always() && needs.a.outputs.v}")
    run = given.run({"a": Outcome("success", {"v": "1"})}, Cancellation("a"))
    assert results(run) == "xa b"


def test_a_cancelled_job_is_neither_a_success_nor_a_failure() -> None:
    given = simulator(
        "a: {}\nb: {needs: a}\nc: {needs: a, if: failure()}\nd: {needs: a, if: cancelled()}"
    )
    for kind in ("cancelled", "timed_out"):
        run = given.run({"a": Outcome(kind)})
        assert results(run) == "xa -b -c -d"
        assert run.conclusion == "cancelled"
        assert not run.cancelled


def test_a_rejection_fails_the_job_before_it_begins() -> None:
    given = simulator("a: {environment: production}\nb: {needs: a, if: failure()}")
    run = given.run({"a": Outcome("rejected")})
    assert results(run) == "!a b"
    assert not run.began("a")
    with pytest.raises(ScenarioError, match="b has no environment"):
        given.run({"a": FAILURE, "b": Outcome("rejected")})


def test_a_job_that_may_fail_counts_as_a_success() -> None:
    given = simulator("a: {continue-on-error: true, environment: x}\nb: {needs: a}")
    run = given.run({"a": FAILURE})
    assert results(run) == "a b"
    assert run.conclusion == "success"
    assert results(given.run({"a": Outcome("rejected")})) == "!a -b"
    assert results(given.run({"a": Outcome("cancelled")})) == "xa -b"


def test_a_condition_that_fails_fails_its_job() -> None:
    given = simulator(
        "a: {outputs: {v: x}}\nb: {needs: a, if: fromJSON(needs.a.outputs.v)}\n"
        "c: {needs: b, if: failure()}"
    )
    run = given.run()
    assert results(run) == "a !b c"
    assert run.jobs["b"].error == run.jobs["b"].why
    assert run.jobs["b"].why == "success() && fromJSON(needs.a.outputs.v): not JSON: ''"
    assert not run.began("b")
    # After the added success(), which is false here, it is not evaluated.
    assert results(given.run({"a": FAILURE})) == "!a -b c"


def test_an_outcome_can_skip_a_job() -> None:
    given = simulator("a: {}\nb: {needs: a, if: always()}\nc: {needs: b}")
    assert results(given.run({"a": Outcome("skipped")})) == "-a b -c"


def test_a_matrix_has_an_outcome_for_each_combination() -> None:
    given = simulator(
        "a:\n  strategy: {matrix: {os: [linux, mac], n: [1, 2]}}\n"
        "  continue-on-error: ${{ matrix.os == 'mac' }}\n  outputs: {v: x, w: x}\nb: {needs: a}"
    )
    outputs = [Outcome("success", {"v": value}) for value in ("1", "2")]
    run = given.run({"a (linux, 1)": outputs[0], "a (mac, 1)": outputs[1]})
    assert run.jobs["a"].outputs == {"v": "2"}
    nothing = Outcome("success", {"v": ""})
    assert given.run({"a": nothing, "a (linux, 1)": outputs[0]}).jobs["a"].outputs == {"v": "1"}
    assert results(given.run({"a (mac, 1)": FAILURE})) == "a b"
    assert results(given.run({"a (linux, 2)": FAILURE})) == "!a -b"
    cancelled = Outcome("cancelled")
    assert results(given.run({"a (linux, 2)": cancelled})) == "xa -b"
    assert results(given.run({"a (linux, 2)": cancelled, "a (linux, 1)": FAILURE})) == "!a -b"
    with pytest.raises(ScenarioError, match=r"no job `b \(1\)`"):
        given.run({"b (1)": FAILURE})
    with pytest.raises(ScenarioError, match=r"no job `a \(mac\)`; .* a \(linux, 1\), a"):
        given.run({"a (mac)": FAILURE})


def test_a_matrix_without_values_fails_its_job() -> None:
    given = simulator(
        "a: {strategy: {matrix: {n: '${{ fromJSON(vars.list) }}'}}}", vars={"list": "[]"}
    )
    run = given.run()
    assert results(run) == "!a"
    assert run.jobs["a"].error == "the matrix has no values for n"


def test_the_combinations_of_a_matrix() -> None:
    """The examples of GitHub's page."""
    include = [
        {"fruit": "apple", "color": "green"},
        {"color": "pink", "animal": "cat"},
        {"fruit": "apple", "shape": "circle"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ]
    matrix: dict[str, Any] = {"fruit": ["apple", "pear"], "animal": ["cat", "dog"]}
    assert combine({**matrix, "include": include[1:] + include[:1]}) == [
        {"fruit": "apple", "animal": "cat", "color": "green", "shape": "circle"},
        {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
        {"fruit": "pear", "animal": "cat", "color": "pink"},
        {"fruit": "pear", "animal": "dog"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ]
    assert combine(
        {**matrix, "exclude": [{"fruit": "apple"}, {"fruit": "pear", "animal": "dog"}]}
    ) == [{"fruit": "pear", "animal": "cat"}]
    assert combine({"include": include[:1]}) == include[:1]


def test_each_job_has_a_reason() -> None:
    given = simulator(
        "a: {}\nb: {needs: a, if: always()}\nc: {needs: b}\n"
        "d: {needs: [b, c], if: \"!failure() && contains(needs.*.result, 'skipped')\"}\n"
        "e: {needs: c, if: \"always() && needs.c.result == 'success' && needs.c.outputs.v\"}\n"
        "f: {needs: d, if: failure()}\ng: {needs: a, uses: ./called.yml}\nh: {needs: g}",
        CALLED,
    )
    run = given.run({"a": FAILURE})
    whys = {path: job.why for path, job in run.jobs.items()}
    assert whys["a"] == "success() [true]"
    assert whys["c"] == "success() [a: failure]"
    assert whys["d"] == "!failure() [a: failure] && contains(needs.*.result, 'skipped')"
    assert whys["e"] == (
        "always() [true] && needs.c.result ['skipped'] == 'success' && needs.c.outputs.v"
    )
    assert whys["f"] == "failure() [a: failure]"
    assert whys["g/x"] == "g did not begin"
    run = given.run({"g/y": FAILURE})
    assert run.jobs["h"].why == "success() [g: failure, g/y: failure, g/z: skipped]"
    assert results(run).startswith("a b c -d"), "needs that `*` reads are part of the memo's key"
    assert run.jobs["d"].why == (
        "!failure() [true] && contains(needs.*.result ['success', 'success'], 'skipped') [false]"
    )
    run = given.run({}, Cancellation())
    assert run.jobs["c"].why == "success() [the run is cancelled]"


def test_equal_runs_have_equal_states() -> None:
    given = simulator(CHAIN)
    assert given.run({"a": FAILURE}).states == given.run({"a": Outcome("failure")}).states
    assert given.run({"a": FAILURE}).states != given.run({"b": FAILURE}).states


def test_steps_decide_the_job() -> None:
    given = simulator(
        "a:\n  outputs: {v: '${{ steps.one.outputs.v }}-${{ steps.two.conclusion }}'}\n  steps:\n"
        "    - {id: one, run: x, continue-on-error: true}\n    - {id: two, run: y}\n"
        "    - {run: z, if: \"always() && steps.two.outcome == 'failure'\"}"
    )
    one = Outcome("failure", {"v": "1"})
    run = given.run({"a": Outcome("steps", steps={"one": one, "two": Outcome("timed_out")})})
    assert results(run) == "!a"
    assert run.jobs["a"].outputs == {"v": "1-failure"}
    assert [(step.key, step.outcome, step.conclusion) for step in run.jobs["a"].steps] == [
        ("one", "failure", "success"),
        ("two", "failure", "failure"),
        ("2", "success", "success"),
    ]
    assert run.jobs["a"].steps[2].why == (
        "always() [true] && steps.two.outcome ['failure'] == 'failure'"
    )
    assert results(given.run({"a": Outcome("steps", steps={"two": Outcome("cancelled")})})) == "xa"


def test_steps_see_needs_and_the_state_of_the_job() -> None:
    given = simulator(
        "a: {outputs: {v: x}}\nb:\n  needs: a\n  outputs: {v: '${{ steps.one.outcome }}'}\n"
        "  env: {E: '${{ needs.a.outputs.v }}'}\n  steps:\n"
        "    - {id: one, run: x, if: env.E == 'y'}\n    - {id: two, run: x}\n"
        "    - {run: x, if: failure()}\n    - {run: x, if: cancelled() && job.status}"
    )
    for value, seen in (("x", "skipped"), ("y", "success")):
        a, b = Outcome("success", {"v": value}), Outcome("steps", steps={"two": FAILURE})
        assert given.run({"a": a, "b": b}).jobs["b"].outputs == {"v": seen}
    for two, third, fourth in (
        (FAILURE, "success", "skipped"),
        (Outcome("cancelled"), "skipped", "success"),
    ):
        run = given.run({"b": Outcome("steps", steps={"two": two})})
        assert [step.outcome for step in run.jobs["b"].steps[2:]] == [third, fourth]


def test_outcomes_that_are_not_possible() -> None:
    given = simulator("a: {outputs: {v: x}}\nb: {uses: ./called.yml}", CALLED)
    for outcomes, message in (
        ({"c": FAILURE}, "no job `c`; expected one of a, b, b/x"),
        ({"a": Outcome("success", {"w": "1"})}, "a has no output `w`; expected one of v"),
        (
            {"b": FAILURE},
            "b calls a workflow: give an outcome to one of its jobs instead, such as b/x",
        ),
    ):
        with pytest.raises(ScenarioError, match=message):
            given.run(outcomes)
    with pytest.raises(ScenarioError, match="no job `z`"):
        given.run({}, Cancellation("z"))


def test_a_value_of_env_that_cannot_be_evaluated_fails_the_job() -> None:
    """Even where nothing reads it."""
    given = simulator(
        "a: {outputs: {v: '${{ steps.s.outputs.v }}'}, steps: [{id: s, run: x}]}\n"
        "b:\n  needs: a\n  env: {E: '${{ fromJSON(needs.a.outputs.v) }}'}\n  steps: [{run: x}]\n"
    )
    steps = {"s": Outcome(outputs={"v": "[]"})}
    good, bad = Outcome("steps", steps=steps), Outcome("steps")
    assert results(given.run({"a": good, "b": Outcome("steps")})) == "a b"
    assert results(given.run({"a": bad, "b": Outcome("steps")})) == "a !b"
