"""What each rule accepts and refuses, with the whole message and the spec that it names."""

from __future__ import annotations

import json
from typing import NamedTuple

import pytest

from wfgen.checks.rules import RULES, expression_length, matrix_size, name_of, variable_size, verify
from wfgen.generate.render import RenderedFile
from wfgen.locks.pins import LOCK

PATH = ".github/workflows/production.yml"
SPECS = ("specs/project.yaml", "specs/web.yaml")
HEAD = "name: production\n\non: push\n\n"


class Refused(NamedTuple):
    """A workflow that breaks a rule, and the message without the rule's remedy."""

    text: str
    message: str


def workflow(jobs: dict[str, str], head: str = HEAD) -> str:
    return f"{head}jobs:\n" + "\n".join(f"  {job}:\n{text}" for job, text in jobs.items())


def build(args: str) -> str:
    return f"    uses: $/.github/workflows/_build.yml\n    with:\n      args: {args}\n"


def arguments(characters: int) -> str:
    """Build arguments, as a block, that GitHub reads as an expression of this length."""
    frame = "format('A=\n{0}\n', github.sha)"
    return "|\n        A=" + "x" * (characters - len(frame)) + "\n        ${{ github.sha }}\n"


def matrix(*lines: str) -> str:
    return workflow(
        {"sweep": "    strategy:\n      matrix:\n" + "".join(f"        {x}\n" for x in lines)}
    )


def numbers(count: int) -> str:
    return json.dumps(list(range(count)))


def builds(count: int, name: str) -> str:
    jobs = {
        f"build_{name}{index:03}": "    uses: $/.github/workflows/_build.yml\n    with:\n"
        f"      image: registry.example.com/{name}{index:03}\n"
        for index in range(count)
    }
    verdict = "    steps:\n      - env:\n          WFGEN_NEEDS: ${{ toJSON(needs) }}\n"
    return workflow({**jobs, "verdict": verdict})


def calls(count: int) -> str:
    return workflow({f"c{i}": f"    uses: $/.github/workflows/w{i}.yml\n" for i in range(count)})


def sized(size: int) -> str:
    return HEAD + "# " + "x" * (size - len(HEAD) - 2)


PIN = f"acme/one@{'1' * 40} # v1.2.3"
LOCKED = RenderedFile(LOCK, f"jobs:\n  pins:\n    steps:\n      - uses: {PIN}\n", ())


def login(minutes: int) -> str:
    """A job that logs in to the cluster by OIDC, before two steps of this time together."""
    return (
        f"    timeout-minutes: {minutes + 30}\n    permissions:\n      id-token: write\n"
        "    steps:\n      - run: first\n        timeout-minutes: 20\n"
        "      - uses: $/.github/actions/cluster-login\n        timeout-minutes: 10\n"
        "      - run: second\n        timeout-minutes: 5\n"
        f"      - run: third\n        timeout-minutes: {minutes - 5}\n"
    )


STEP = "    steps:\n      - run: true\n"

SERVER = "enterprise-server"
"""The rule that applies to a GitHub Enterprise Server only."""
PASSING: dict[str, list[str]] = {
    SERVER: [workflow({"web": "    concurrency:\n      group: web\n" + STEP})],
    "expression-length": [
        workflow({"build_web": build(arguments(21_000))}),
        # a text without an expression
        workflow({"build_web": build("|\n        " + "x" * 30_000)}),
    ],
    "file-size": [sized(500_000)],
    "job-count": [workflow({f"j{index}": STEP for index in range(256)})],
    "locked-actions": [
        workflow({"web": f"    steps:\n      - uses: {PIN}\n      - uses: $/.github/actions/x\n"}),
        workflow({"web": "    steps:\n      - uses: docker://alpine:3.20\n"}),
        # what a script prints is not a step
        workflow({"web": "    steps:\n      - run: |\n          uses: acme/other@v1\n"}),
    ],
    "login-lifetime": [
        workflow({"monitor": login(60)}),
        workflow({"monitor": login(60) + login(60).partition("    steps:\n")[2]}),
        workflow({"monitor": login(90).replace("id-token", "packages")}),
        workflow({"build_web": login(90).replace("cluster-login", "registry-login")}),
    ],
    "matrix-size": [
        matrix(f"number: {numbers(256)}"),
        matrix(f"number: {numbers(128)}", "os: [a, b]"),
        matrix(f"number: {numbers(257)}", "exclude: [{number: 3}]"),
        # an entry that only adds to combinations makes no new one
        matrix(f"number: {numbers(256)}", "include: [{number: 3, more: true}, {all: true}]"),
        matrix("number: ${{ fromJSON(needs.plan.outputs.numbers) }}"),
    ],
    "reusable-workflows": [
        calls(50),
        workflow(
            {f"c{index}": "    uses: $/.github/workflows/_build.yml\n" for index in range(60)}
        ),
    ],
    "variable-size": [
        builds(250, "web"),
        # no job reads the results
        builds(250, "w" * 200).replace("toJSON(needs)", "toJSON(github)"),
    ],
}

BY_ALL = f"specs/project.yaml:1:1: {PATH}, made from specs/project.yaml, specs/web.yaml: "
BY_WEB = f"specs/web.yaml:1:1: {PATH}: "

FAILING: dict[str, list[Refused]] = {
    SERVER: [
        Refused(
            workflow({"web": "    concurrency:\n      group: web\n      queue: max\n" + STEP}),
            BY_ALL + "job web has `queue` in `concurrency`",
        ),
    ],
    "expression-length": [
        Refused(
            workflow({"build_web": build(arguments(21_001))}),
            BY_WEB + "an expression has 21,001 characters; GitHub accepts at most 21,000",
        ),
        Refused(
            workflow({"web": STEP}, HEAD + "run-name: ${{ " + "x" * 21_001 + " }}\n\n"),
            BY_ALL + "an expression has 21,001 characters; GitHub accepts at most 21,000",
        ),
    ],
    "file-size": [
        Refused(
            sized(500_001),
            BY_ALL + "500,001 bytes; GitHub accepts at most 500,000",
        ),
        Refused(
            workflow({"build_web": "    # " + "é" * 250_000 + "\n", "other": STEP}),
            BY_WEB + "500,093 bytes; GitHub accepts at most 500,000; "
            "job build_web alone has 500,021",
        ),
    ],
    "job-count": [
        Refused(
            workflow({**{f"j{index}": STEP for index in range(256)}, "build_web": STEP}),
            BY_ALL + "257 jobs, 1 of them builds; the maximum is 256",
        )
    ],
    "locked-actions": [
        Refused(
            workflow({"web": "    steps:\n      - uses: acme/other@v1 # v1.0.0\n"}),
            BY_ALL + "line 8 uses acme/other@v1 # v1.0.0; the lock has no entry for it",
        ),
        Refused(
            workflow({"web": f"    steps:\n      - uses: {PIN.replace('v1.2.3', 'v1.2.4')}\n"}),
            BY_ALL + f"line 8 uses {PIN.replace('v1.2.3', 'v1.2.4')}; the lock has v1.2.3 "
            "(111111111111)",
        ),
        Refused(
            workflow({"web": "    steps: [{uses: acme/one@v1}]\n"}),
            BY_ALL + "uses acme/one@v1; the lock has v1.2.3 (111111111111)",
        ),
    ],
    "login-lifetime": [
        Refused(
            workflow({"monitor": login(61)}),
            BY_ALL + "job monitor may use its login to the cluster for 61 minutes; it expires "
            "after 60",
        )
    ],
    "matrix-size": [
        Refused(
            matrix(f"number: {numbers(128)}", "os: [a, b]", "include: [{os: c}]"),
            BY_ALL + "job sweep: a matrix of 257 jobs; GitHub accepts 256",
        ),
        Refused(
            matrix("include:", *[f"  - number: {index}" for index in range(257)]),
            BY_ALL + "job sweep: a matrix of 257 jobs; GitHub accepts 256",
        ),
    ],
    "reusable-workflows": [
        Refused(calls(51), BY_ALL + "calls 51 reusable workflows; GitHub accepts at most 50")
    ],
    "variable-size": [
        Refused(
            builds(250, "w" * 50),
            BY_ALL + "the results of the jobs take 192,000 bytes; a variable takes 131,072",
        )
    ],
}


def file(text: str, path: str = PATH) -> RenderedFile:
    return RenderedFile(path, text, SPECS)


def platform(rule: str) -> str:
    return "ghes" if rule == SERVER else "github.com"


@pytest.mark.parametrize(
    ("rule", "text"), [(name, text) for name, texts in PASSING.items() for text in texts]
)
def test_passing(rule: str, text: str) -> None:
    assert [str(finding) for finding in verify([file(text), LOCKED], platform(rule))] == []


@pytest.mark.parametrize(
    ("rule", "refused"), [(name, case) for name, cases in FAILING.items() for case in cases]
)
def test_failing(rule: str, refused: Refused) -> None:
    (remedy,) = [
        known.__doc__.strip().rpartition("\n\n")[2] for known in RULES if name_of(known) == rule
    ]
    hint = remedy.replace("\n", " ")
    findings = verify([file(refused.text), LOCKED], platform(rule))
    assert [str(finding) for finding in findings] == [
        f"{refused.message} [{rule}]\n    hint: {hint}"
    ]


def test_nested_calls_count_as_well() -> None:
    called = "\n".join(f"  d{i}:\n    uses: ./.github/workflows/d{i}.yml" for i in range(26))
    files = [file(calls(25)), file(f"{HEAD}jobs:\n{called}\n", ".github/workflows/w3.yml")]
    (finding,) = verify(files)
    assert "calls 51 reusable workflows" in str(finding)


def test_a_template_that_does_not_make_yaml_is_reported() -> None:
    broken = workflow({"build_web": "    if: 'open\n" + "    # x\n" * 2_000})
    (finding,) = verify([file(broken)])
    assert str(finding).startswith(f"{BY_ALL}not YAML: while scanning a quoted scalar")
    assert finding.hint == "correct the template"


def test_only_workflows_are_measured() -> None:
    assert verify([file("x" * 600_000, "docs/delivery-setup.md")]) == []


def test_many_specs_are_counted_rather_than_named() -> None:
    sources = tuple(f"specs/s{index}.yaml" for index in range(1_300))
    (finding,) = verify([RenderedFile(PATH, sized(600_000), sources)])
    assert "specs/s4.yaml, specs/s5.yaml and 1,294 more: 600,000 bytes" in str(finding)


def test_the_length_of_an_expression_is_that_of_githubs_form() -> None:
    """Its form is format() with quotes and braces written twice."""
    assert expression_length.length("${{ github.sha }}") == len("github.sha")
    assert expression_length.length("a 'b' {c} ${{ x }}${{ yy }}") == len(
        "format('a ''b'' {{c}} {0}{1}', x, yy)"
    )


def test_a_huge_matrix_is_counted_without_being_made() -> None:
    entries = [str(index) for index in range(1_000)]
    assert matrix_size.count({"a": entries, "b": entries, "c": entries}) > matrix_size.LIMIT


def test_results_of_jobs_are_never_longer_than_assumed() -> None:
    """The rule's sum against GitHub's text: JSON with an indent of two."""
    names = [f"service-{index:03}" for index in range(100)]
    images = {name: f"registry.example.com/{name}@sha256:{'0' * 64}" for name in names}
    outputs = {
        "services": json.dumps(names),
        "build": json.dumps(names),
        "images": json.dumps(images),
    }
    needs = {
        "plan": {"result": "success", "outputs": outputs},
        **{
            f"build_{name}": {"result": "cancelled", "outputs": {"digest": f"sha256:{'0' * 64}"}}
            for name in names
        },
        "images": {"result": "success", "outputs": {"images": outputs["images"]}},
    }
    real = len(json.dumps(needs, indent=2))
    assumed = sum(variable_size.bytes_of(name, f"registry.example.com/{name}") for name in names)
    assert real - variable_size.OTHER_JOBS < assumed < real * 1.1
