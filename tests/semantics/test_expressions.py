"""Expressions that the random ones of test_differential.py do not reach."""

from __future__ import annotations

from typing import Any

import pytest

from tests.judges.expressions import Query, evaluate
from wfgen.actions import expressions
from wfgen.actions.expressions import (
    Expression,
    ExpressionError,
    is_truthy,
    parse,
    parse_condition,
    parse_template,
)

STATUS = {"success": lambda *_: True, "cancelled": lambda: False}
CONTEXT = {"needs": {"Deploy": {"result": "success", "outputs": {"n": "07"}}}}

LIMITS = [
    *("(" * depth + "1" + ")" * depth for depth in (49, 50)),
    *("!" * depth + "1" for depth in (49, 50)),
    *("needs" + ".a" * depth for depth in (49, 50)),
    *("needs" + "[needs" * depth + "]" * depth for depth in (24, 25, 49, 50)),
    " || ".join(["(0)"] * 60),
    "(" * 48 + "1 || 2 && 3" + ")" * 48,
    "'" + "x" * 20_998 + "'",
    "'" + "x" * 20_999 + "'",
    "'" + "\U0001f600" * 10_499 + "'",
    "'" + "\U0001f600" * 10_500 + "'",
    "case(" + "true, 1, " * 200 + "2)",
    "format('{0}'" + ", 1" * 254 + ")",
    "format('{0}'" + ", 1" * 255 + ")",
    "",
    "''",
]


def test_the_engine_has_the_same_limits() -> None:
    for text, theirs in zip(LIMITS, evaluate(Query(text, CONTEXT) for text in LIMITS), strict=True):
        try:
            ours = is_truthy(parse(text, {"needs"}).evaluate(CONTEXT))
        except ExpressionError:
            ours = None
        assert ours == (theirs.runs if theirs.error is None else None), text[:60]


def test_quotes_are_all_unescaped() -> None:
    """As in GitHub's runner; its engine for Node.js (0.3.61) unescapes only the first."""
    assert expressions.evaluate("'it''s ''so'''", {}) == "it's 'so'"


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("", "success()"),
        ("${{ inputs.go }}", "success() && inputs.go"),
        ("inputs.go || inputs.now", "success() && (inputs.go || inputs.now)"),
        ("${{ !cancelled() }}", "!cancelled()"),
        ("inputs.go && SUCCESS()", "inputs.go && SUCCESS()"),
        ("'}}' == ${{ inputs.go }}", "success()"),
        ("${{ always() }} == 'x'", "${{ always() }} == 'x'"),
        ("${{ '}}' }}", "success() && '}}'"),
    ],
)
def test_success_is_added_to_a_condition(text: str, parsed: str) -> None:
    assert parse_condition(text).text == parsed


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("${{ needs.deploy.outputs.N == 7 }}", True),
        ("to-${{ needs.deploy.result }}-${{ 1.50 }}", "to-success-1.5"),
        ("${{ 'a}}b' }}", "a}}b"),
        ("$${{ null }}", "$"),
    ],
)
def test_a_template_is_evaluated(text: str, value: Any) -> None:
    assert parse_template(text).evaluate(CONTEXT) == value


@pytest.mark.parametrize(
    ("expression", "explained"),
    [
        (parse("needs.deploy.outputs.n == '07'"), "needs.deploy.outputs.n ['07'] == '07'"),
        (parse("needs.x.y || needs.deploy"), "needs.x.y [null] || needs.deploy [an object]"),
        (parse("!cancelled() && success()"), "!cancelled() [true] && success() [no failure]"),
        (parse("false && needs.x"), "false && needs.x"),
        (parse("toJSON(needs.*.result) != ''"), "toJSON(needs.*.result ['success']) != ''"),
        (parse("needs[format('{0}', 'x')].*"), "needs[format('{0}', 'x')].* [none]"),
        (
            parse("contains(needs.x, 'a') || needs.x == needs.x"),
            "contains(needs.x [null], 'a') [false] || needs.x == needs.x",
        ),
        (parse_template("a ${{ needs.x }} b"), "a ${{ needs.x [null] }} b"),
    ],
    ids=lambda value: value.text if isinstance(value, Expression) else "",
)
def test_an_expression_is_explained(expression: Expression, explained: str) -> None:
    assert expression.explain(CONTEXT, STATUS, {"success": "no failure"}) == explained


def test_long_values_are_cut() -> None:
    explained = parse("vars.x").explain({"vars": {"x": "y" * 100}})
    assert explained == f"vars.x ['{'y' * 56}...]"


def test_what_an_expression_reads() -> None:
    text = "needs.A.outputs.b && needs.*.result && needs[inputs.x].y || github.x[0] || toJSON(Vars)"
    assert parse(text).reads == {
        ("needs", "a", "outputs", "b"),
        ("needs", "*", "result"),
        ("needs", "*", "y"),
        ("inputs", "x"),
        ("github", "x", "0"),
        ("vars",),
    }


@pytest.mark.parametrize(
    ("text", "kind", "offset"),
    [
        ("a b", "syntax", 2),
        ("a && ", "syntax", 5),
        ("(a", "syntax", 2),
        ("nothing()", "name", 0),
        ("a && other", "name", 5),
        ("contains('x')", "arguments", 0),
        ("case(true, 1)", "arguments", 0),
        ("case(true, 1, 2, 3)", "arguments", 0),
        ("1 == 1x", "syntax", 5),
        ("'open", "syntax", 0),
    ],
)
def test_an_error_has_kind_and_offset(text: str, kind: str, offset: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text, {"a"})
    assert (caught.value.kind, caught.value.offset) == (kind, offset)


def test_functions_that_need_a_runner() -> None:
    for text in ("hashFiles('x')", "failure()", "always()"):
        with pytest.raises(ExpressionError, match="has a value only on a runner"):
            parse(text).evaluate({})
