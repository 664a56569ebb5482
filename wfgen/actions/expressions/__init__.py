"""GitHub's expressions: the text between `${{` and `}}`, or in an `if`.

https://docs.github.com/en/actions/reference/workflows-and-actions/expressions

    condition = parse("contains(needs.*.result, 'failure') && inputs.force")
    condition.evaluate({"needs": ..., "inputs": ...})    # plain JSON values
    condition.explain({"needs": ..., "inputs": ...})     # its text, with values in brackets
    condition.reads                                      # {("needs", "*", "result"), ...}
    parse_condition("${{ failure() }}")                  # an `if`, with or without braces
    parse_template("release-${{ inputs.environment }}")  # any other field

Values are None, bool, float, str, `Object` and list; `lift` makes them from plain JSON values, and
`lower` reverses it. `is_truthy` and `to_string` follow GitHub's rules.
"""

from wfgen.actions.expressions.errors import ExpressionError
from wfgen.actions.expressions.expression import (
    Expression,
    Lifted,
    evaluate,
    parse,
    parse_condition,
    parse_template,
)
from wfgen.actions.expressions.functions import STATUS
from wfgen.actions.expressions.values import Object, Value, is_truthy, lift, lower, to_string

__all__ = [
    "STATUS",
    "Expression",
    "ExpressionError",
    "Lifted",
    "Object",
    "Value",
    "evaluate",
    "is_truthy",
    "lift",
    "lower",
    "parse",
    "parse_condition",
    "parse_template",
    "to_string",
]
