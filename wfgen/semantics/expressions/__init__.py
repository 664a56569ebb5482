"""GitHub's expressions: what stands between `${{` and `}}`, or in an `if`.

https://docs.github.com/en/actions/reference/workflows-and-actions/expressions

    condition = parse("contains(needs.*.result, 'failure') && inputs.force")
    condition.evaluate({"needs": ..., "inputs": ...})       # plain JSON values, case-insensitive
    condition.explain({"needs": ..., "inputs": ...})        # the same, with the values in brackets
    condition.reads                                         # {("needs", "*", "result"), ("inputs", "force")}

Values are None, bool, float or int, str, list and dict.
"""
