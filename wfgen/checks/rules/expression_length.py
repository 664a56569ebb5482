"""An expression has at most 21,000 characters.

GitHub reads a text with `${{ }}` in it as one expression, `format('...', ...)`, including its plain
words, and refuses a workflow with a longer one
(https://github.com/actions/languageservices/blob/main/expressions/src/errors.ts). Build arguments
are such a text as soon as one of them is dynamic.

Give the service fewer or shorter `build.args`, or keep them in a file that the Dockerfile reads.
"""

import re
from collections.abc import Iterator

from wfgen.checks.rules._workflow import Violation, WorkflowText
from wfgen.text.reader import scalars_of

LIMIT = 21_000
"""Characters."""
_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)


def check(workflow: WorkflowText) -> Iterator[Violation]:
    """Measures each text with an expression, in the form that GitHub gives it."""
    for job, text in {"": workflow.before_jobs, **workflow.jobs}.items():
        if len(text) * 2 <= LIMIT:  # quotes and braces are written twice
            continue
        longest = max((length(value) for value in scalars_of(text) if "${{" in value), default=0)
        if longest > LIMIT:
            message = f"an expression has {longest:,} characters; GitHub accepts at most {LIMIT:,}"
            yield Violation(message, job)


def length(text: str) -> int:
    """Characters of the expression that GitHub makes from a text."""
    if match := _EXPRESSION.fullmatch(text.strip()):
        return len(match[1].strip())
    words = _EXPRESSION.split(text)
    plain, expressions = words[::2], [expression.strip() for expression in words[1::2]]
    literal = "".join(plain)
    escaped = len(literal) + sum(literal.count(sign) for sign in "'{}")
    numbers = sum(len(f"{{{index}}}") for index in range(len(expressions)))
    arguments = sum(len(expression) + 2 for expression in expressions)
    return len("format('')") + escaped + numbers + arguments
