"""Rules that act does not know, and what a run tells: each by a small workflow."""

from __future__ import annotations

from typing import Any

import pytest

from wfgen.semantics import (
    Cancellation,
    Outcome,
    Run,
    ScenarioError,
    Simulator,
    WorkflowError,
    read_workflow,
)
from wfgen.semantics.matrix import combine

FAILURE = Outcome("failure")


def simulator(jobs: str, called: str = "", **contexts: Any) -> Simulator:
    """Of jobs, one a line; those that call a workflow call the jobs of `called`."""
    files = {"main.yml": f"on: push\njobs:\n{_indent(jobs)}", "called.yml": called}
    return Simulator(read_workflow("main.yml", files.__getitem__), contexts)


def _indent(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.strip().splitlines())


def results(run: Run) -> str:
    """The results in short: a success, - skipped, ! failure, x cancelled."""
    marks = {"success": "", "skipped": "-", "failure": "!", "cancelled": "x"}
    return " ".join(marks[job.result] + path for path, job in run.jobs.items())


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
        # Nothing had begun: what asks for success() does not begin.
        ("", "", "-a -b -c d -e f"),
        # b ran, and ends as cancelled.
        ("b", "", "a xb -c d -e f"),
        # d ran and goes on; c ran beside it.
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
    """A failure before it is no reason for a job that asks for one to begin."""
    run = simulator(CHAIN).run({"b": FAILURE}, Cancellation("d"))
    assert results(run) == "a !b xc d -e -f"


def test_a_cancelled_job_keeps_what_it_had_put_out() -> None:
    given = simulator("a: {outputs: {v: x}}\nb: {needs: a, if: always() && needs.a.outputs.v}")
    run = given.run({"a": Outcome("success", {"v": "1"})}, Cancellation("a"))
    assert results(run) == "xa b"


CALLED = "on: {workflow_call: {}}\njobs:\n  x: {}\n  y: {needs: x, if: always()}\n  z: {needs: y}\n"


def test_a_run_is_cancelled_inside_of_a_call() -> None:
    given = simulator(
        "a: {}\none: {needs: a, uses: ./called.yml}\ntwo: {uses: ./called.yml}", CALLED
    )
    run = given.run({}, Cancellation("one/x"))
    assert results(run) == "a xone xone/x one/y -one/z xtwo xtwo/x two/y -two/z"
    run = given.run({}, Cancellation("one/y", frozenset({"two"})))
    assert results(run) == "a one one/x one/y -one/z two two/x two/y two/z"


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
    # Behind the success() that is put before it, it is not evaluated.
    assert results(given.run({"a": FAILURE})) == "!a -b c"


def test_skipped_may_be_said() -> None:
    given = simulator("a: {}\nb: {needs: a, if: always()}\nc: {needs: b}")
    assert results(given.run({"a": Outcome("skipped")})) == "-a b -c"


def test_a_matrix_has_an_outcome_for_each_combination() -> None:
    given = simulator(
        "a:\n  strategy: {matrix: {os: [linux, mac], n: [1, 2]}}\n"
        "  continue-on-error: ${{ matrix.os == 'mac' }}\n  outputs: {v: x, w: x}\nb: {needs: a}"
    )
    outputs = [Outcome("success", {"v": each}) for each in ("1", "2")]
    run = given.run({"a (linux, 1)": outputs[0], "a (mac, 1)": outputs[1]})
    assert run.jobs["a"].outputs == {"v": "2"}
    nothing = Outcome("success", {"v": ""})
    assert given.run({"a": nothing, "a (linux, 1)": outputs[0]}).jobs["a"].outputs == {"v": "1"}
    assert results(given.run({"a (mac, 1)": FAILURE})) == "a b"
    assert results(given.run({"a (linux, 2)": FAILURE})) == "!a -b"
    cancelled = Outcome("cancelled")
    assert results(given.run({"a (linux, 2)": cancelled})) == "xa -b"
    assert results(given.run({"a (linux, 2)": cancelled, "a (linux, 1)": FAILURE})) == "!a -b"
    with pytest.raises(ScenarioError, match=r"no job b \(1\)"):
        given.run({"b (1)": FAILURE})
    with pytest.raises(ScenarioError, match=r"no job a \(mac\); .* a \(linux, 1\), a"):
        given.run({"a (mac)": FAILURE})


def test_a_matrix_without_values_fails_its_job() -> None:
    given = simulator(
        "a: {strategy: {matrix: {n: '${{ fromJSON(vars.list) }}'}}}", vars={"list": "[]"}
    )
    run = given.run()
    assert results(run) == "!a"
    assert run.jobs["a"].error == "the matrix has no values for n"


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
        ("go: true, n: false", "input n is no number: False"),
        ("go: false, n: '${{ github.x }}'", "input n is no number: None"),
        ("go: false, no: true", "-a -a/x -a/y -b"),
        ("go: maybe", "input go is no boolean: 'maybe'"),
        ("go: true, now: 1", "input now is unknown"),
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
    assert run.jobs["a"].error == "input go is missing"


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
    assert run.jobs["a"].outputs == {"sum": "success"}, "the last one's"


def test_a_called_job_sees_a_failure_before_the_call() -> None:
    called = "on: {workflow_call: {}}\njobs:\n  x: {if: failure()}\n  y: {if: '!failure()'}"
    given = simulator("a: {}\nb: {needs: a, if: always(), uses: ./called.yml}", called)
    assert results(given.run({"a": FAILURE})) == "!a b b/x -b/y"
    assert results(given.run()) == "a b -b/x b/y"


def test_the_combinations_of_a_matrix() -> None:
    """By the examples of GitHub's page."""
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


def test_it_is_said_why() -> None:
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
    assert results(run).startswith("a b c -d"), "what is read by * is looked at each time"
    assert run.jobs["d"].why == (
        "!failure() [true] && contains(needs.*.result ['success', 'success'], 'skipped') [false]"
    )
    run = given.run({}, Cancellation())
    assert run.jobs["c"].why == "success() [the run is cancelled]"


def test_equal_runs_have_equal_states() -> None:
    given = simulator(CHAIN)
    assert given.run({"a": FAILURE}).states == given.run({"a": Outcome("failure")}).states
    assert given.run({"a": FAILURE}).states != given.run({"b": FAILURE}).states


def test_steps_make_the_job() -> None:
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


def test_outcomes_that_cannot_be() -> None:
    given = simulator("a: {outputs: {v: x}}\nb: {uses: ./called.yml}", CALLED)
    for outcomes, message in (
        ({"c": FAILURE}, "no job c; there are: a, b, b/x"),
        ({"a": Outcome("success", {"w": "1"})}, "a has no output w; it has: v"),
        ({"b": FAILURE}, "b calls a workflow: say what happens to its jobs, such as b/x"),
    ):
        with pytest.raises(ScenarioError, match=message):
            given.run(outcomes)
    with pytest.raises(ScenarioError, match="no job z"):
        given.run({}, Cancellation("z"))


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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("jobs: [", "main.yml:2: not YAML"),
        ("on: push", "main.yml:1: has no jobs"),
        ("on: push\njobs:\n  a: {}\n  a: {}", "main.yml:4: a stands here a second time"),
        ("on: push\njobs:\n  a: {needs: b}", "main.yml:3: a needs b, which is no job"),
        (
            "on: push\njobs:\n  a: {needs: b}\n  b: {needs: a}",
            "main.yml:3: a circle: a needs b needs a",
        ),
        ("on: push\njobs:\n  a: {uses: ./b.yml}", "b.yml:1: cannot be read"),
        ("on: workflow_call\njobs:\n  a: {uses: ./main.yml}", "main.yml:3: main.yml calls itself"),
        ("on: push\njobs:\n  a: {uses: ./c.yml}", "main.yml:3: c.yml is not called"),
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
def test_files_that_are_no_workflows(text: str, message: str) -> None:
    files = {"main.yml": text, "c.yml": "on: push\njobs: {}"}
    with pytest.raises(WorkflowError) as caught:
        Simulator(read_workflow("main.yml", files.__getitem__))
    assert str(caught.value).startswith(message)
