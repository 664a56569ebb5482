"""Each judge reports its defects, and none reports a finding in a good workflow."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.judges import (
    SHAPE,
    STYLE,
    Judge,
    actionlint,
    github,
    judge,
    pinned_actions,
    sampled,
    schema,
    tools,
    zizmor,
)
from tests.judges.expressions import Answer, Query, Status, evaluate

RELEASE = ".github/workflows/release.yml"
DEPLOY = ".github/workflows/_deploy.yml"
ACTION = ".github/actions/announce/action.yml"

# Like what wfgen generates: `$/` references, a queue, an environment without a deployment, a pin.
GOOD = {
    RELEASE: """\
name: Release
on:
  push:
    branches: [main]
permissions: {}
concurrency:
  group: release
  queue: max
jobs:
  build:
    name: Build
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    permissions:
      contents: read # the source
      packages: write # the image
    environment:
      name: production
      deployment: false
    outputs:
      digest: ${{ steps.build.outputs.digest }}
    steps:
      - name: Check out
        uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          persist-credentials: false
      - name: Build
        id: build
        env:
          TOKEN: ${{ secrets.TOKEN }}
        run: echo "digest=$TOKEN" >> "$GITHUB_OUTPUT"
  deploy:
    name: Deploy
    needs: [build]
    if: always() && needs.build.result == 'success'
    permissions:
      contents: read # the called workflow's
    uses: $/.github/workflows/_deploy.yml
    with:
      digest: ${{ needs.build.outputs.digest }}
""",
    DEPLOY: """\
name: Deploy
on:
  workflow_call:
    inputs:
      digest:
        description: What to deploy
        type: string
        required: true
permissions: {}
jobs:
  deploy:
    name: Deploy
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    permissions:
      contents: read # the source
    steps:
      - name: Announce
        uses: $/.github/actions/announce
        with:
          text: ${{ inputs.digest }}
""",
    ACTION: """\
name: Announce
description: Prints a text
inputs:
  text:
    description: What to print
    required: true
runs:
  using: composite
  steps:
    - name: Print
      shell: bash
      env:
        TEXT: ${{ inputs.text }}
      run: |
        echo "$TEXT"
""",
}


def write(root: Path, files: dict[str, str]) -> list[Path]:
    """Writes files of a repository; their paths."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return [root / name for name in files]


def spoil(file: str, old: str, new: str) -> dict[str, str]:
    """The good files, with a text in one of them replaced."""
    assert GOOD[file].count(old) == 1
    return {**GOOD, file: GOOD[file].replace(old, new)}


def test_good_workflows_have_no_findings(tmp_path: Path) -> None:
    assert [str(finding) for finding in judge(write(tmp_path, GOOD), tmp_path)] == []


CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
CACHE = "actions/cache@27d5ce7f107fe9357f9df03efb73ab90386fccae # v5.0.5"
ENVIRONMENT = "    environment:\n      name: production\n      deployment: false\n"
SCRIPT = 'run: echo "digest=$TOKEN" >> "$GITHUB_OUTPUT"'

# The judge; the file, a text in it and its replacement; the line and a part of the message.
DEFECTS = [
    (schema.check, RELEASE, "queue: max", "queue: all", 8, "'all' is not one of"),
    (schema.check, RELEASE, "permissions: {}\nc", "permissions: {\nc", 7, "yaml"),
    (schema.check, ACTION, "using: composite", "using: magic", 8, "oneOf"),
    (github.parse, RELEASE, "needs: [build]", "needs: [biuld]", 34, "unknown job 'biuld'"),
    (github.parse, RELEASE, "deployment: false", "deployment: never", 19, "BooleanToken"),
    (github.lint, RELEASE, "digest: ${{ n", "digset: ${{ n", 38, "Input digest is required"),
    (github.lint, DEPLOY, "actions/announce", "actions/anounce", 19, "Unable to resolve action"),
    (github.lint, DEPLOY, "text: $", "txet: $", 21, "Invalid action input 'txet'"),
    (actionlint.check, RELEASE, "needs.build.outputs.digest", "needs.build.outputs.d", 40, '"d"'),
    (actionlint.check, RELEASE, '"$GITHUB_OUTPUT"', "$GITHUB_OUTPUT", 31, "SC2086"),
    (actionlint.check, RELEASE, SCRIPT, "shell: python\n        run: x", 32, "undefined name"),
    (actionlint.check, RELEASE, "contents: read # the called", "issues: read # ", 38, "grants"),
    (actionlint.check, ACTION, 'echo "$TEXT"', "echo $TEXT", 15, "SC2086"),
    (zizmor.audit, RELEASE, ENVIRONMENT, "", 27, "secrets-outside-env"),
    (zizmor.audit, RELEASE, " # the image", "", 16, "undocumented-permissions"),
    (zizmor.audit, RELEASE, "$/.github", "./.github", 38, "self-repository"),
    (zizmor.audit, ACTION, '"$TEXT"', '"${{ inputs.text }}"', 15, "template-injection"),
    (pinned_actions.check, RELEASE, "3d3c42e5", "3d3c42e4", 24, "not the commit of v7.0.1"),
    (pinned_actions.check, RELEASE, "# v7.0.1", "# v7.0.0", 24, "# v7.0.1 is missing"),
    (pinned_actions.check, RELEASE, CHECKOUT, "actions/checkout@v7", 24, "full commit SHA"),
    (pinned_actions.check, RELEASE, "actions/checkout", "actions/chekout", 24, "actions.json"),
    (pinned_actions.check, RELEASE, "persist-credentials", "persist-creds", 26, "no input"),
    (pinned_actions.check, RELEASE, CHECKOUT, CACHE, 24, "needs the input key"),
]


@pytest.mark.parametrize(("check", "file", "old", "new", "line", "message"), DEFECTS)
def test_judge_reports_a_defect(
    check: Judge, file: str, old: str, new: str, line: int, message: str, tmp_path: Path
) -> None:
    with sampled(write(tmp_path, spoil(file, old, new)), tmp_path) as sample:
        findings = check(sample)
    texts = [str(found) for found in findings if (found.file, found.line) == (file, line)]
    assert any(message in text for text in texts), findings


def test_every_judge_has_a_defect() -> None:
    assert {defect[0] for defect in DEFECTS} == {*SHAPE, *STYLE}


def test_malformed_file_beside_good_ones_is_reported(tmp_path: Path) -> None:
    """zizmor refuses all files if one is malformed; the other judges still run."""
    files = write(tmp_path, spoil(RELEASE, "jobs:", "jobs: 1\njobs:"))
    findings = judge(files, tmp_path)
    assert {finding.file for finding in findings} == {RELEASE}


def test_no_configuration_silences_a_judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = write(tmp_path, spoil(RELEASE, SCRIPT, "run: echo $TOKEN ${{ github.sha }}"))
    write(
        tmp_path,
        {
            ".github/actionlint.yaml": "paths:\n  .github/**:\n    ignore: ['.*']\n",
            ".github/zizmor.yml": "rules:\n  template-injection:\n    disable: true\n",
            ".shellcheckrc": "disable=SC2086\n",
        },
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    report = " ".join(str(finding) for finding in judge(files, tmp_path))
    assert "SC2086" in report
    assert "template-injection" in report


def test_zizmor_without_ignores_reports_ignored_findings(tmp_path: Path) -> None:
    comment = " # zizmor: ignore[self-repository] a reason"
    ignored = spoil(DEPLOY, "$/.github/actions/announce", "./.github/actions/announce" + comment)
    with sampled(write(tmp_path, ignored), tmp_path) as sample:
        assert zizmor.audit(sample) == []
        [finding] = zizmor.audit(sample, ignores=False)
    assert (finding.file, finding.line, finding.rule) == (DEPLOY, 19, "self-repository")


@pytest.mark.parametrize(
    ("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)]
)
def test_missing_judge_fails_in_ci_and_skips_elsewhere(
    ci: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", ci)
    # Both: a skip that pytest.raises does not expect would skip this test.
    both = (pytest.fail.Exception, pytest.skip.Exception)
    with pytest.raises(both, match="no-such-judge is missing: pip install") as raised:
        tools.find_program("no-such-judge")
    assert raised.type is outcome


@pytest.mark.parametrize(
    ("expression", "status", "answer"),
    [
        ("needs.a.result == 'success'", "success", Answer(True, "true", runs=True)),
        # Without a status function, GitHub adds success() to the condition.
        ("needs.a.result == 'success'", "failure", Answer(True, "true", runs=False)),
        (
            "${{ always() && needs.a.result == 'success' }}",
            "failure",
            Answer(True, "true", runs=True),
        ),
        ("failure()", "failure", Answer(True, "true", runs=True)),
        ("!cancelled()", "failure", Answer(True, "true", runs=True)),
        ("failure() || contains(needs.*.result, 'skipped')", "cancelled", Answer(False, "false")),
        ("${{ fromJSON(needs.a.outputs.list)[1] }}", "success", Answer("two", "two", runs=True)),
        ("ned.a", "success", Answer(error="Unrecognized named-value: 'ned'")),
    ],
)
def test_expressions_evaluate_as_on_github(expression: str, status: Status, answer: Answer) -> None:
    needs = {"a": {"result": "success", "outputs": {"list": '["one", "two"]'}}}
    [given] = evaluate([Query(expression, {"needs": needs}, status)])
    if answer.error:
        assert given.error is not None
        assert given.error.startswith(answer.error)
    else:
        assert given == answer
