"""An expression has at most 21,000 characters.

GitHub reads a text with `${{ }}` in it as one expression, `format('...', ...)`, its plain words
included, and refuses a workflow where one is longer
(https://github.com/actions/languageservices/blob/main/expressions/src/errors.ts). Build
arguments are such a text once one of them is dynamic.

Give the service fewer or shorter `build.args`, or keep them in a file that the Dockerfile reads.
"""

import re
from collections.abc import Iterator

from wfgen.checks.rules._workflow import Broken, Workflow
from wfgen.text.reader import scalars_of

LIMIT = 21_000
"""Characters."""
_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)


def check(workflow: Workflow) -> Iterator[Broken]:
    """Measures each text with an expression, as GitHub would write it."""
    for job, text in {"": workflow.before_jobs, **workflow.jobs}.items():
        if len(text) * 2 <= LIMIT:  # quotes and braces are written twice
            continue
        longest = max((length(each) for each in scalars_of(text) if "${{" in each), default=0)
        if longest > LIMIT:
            message = f"an expression of {longest:,} characters; GitHub takes at most {LIMIT:,}"
            yield Broken(message, job)


def length(text: str) -> int:
    """Characters of the expression that GitHub makes of a text."""
    if found := _EXPRESSION.fullmatch(text.strip()):
        return len(found[1].strip())
    words = _EXPRESSION.split(text)
    plain, expressions = words[::2], [each.strip() for each in words[1::2]]
    literal = "".join(plain)
    escaped = len(literal) + sum(literal.count(each) for each in "'{}")
    numbers = sum(len(f"{{{index}}}") for index in range(len(expressions)))
    return len("format('')") + escaped + numbers + sum(len(each) + 2 for each in expressions)
