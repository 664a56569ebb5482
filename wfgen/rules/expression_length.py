"""An expression has at most 21,000 characters.

GitHub refuses a workflow with a longer `${{ }}`
(https://docs.github.com/en/actions/reference/limits).

Split the services into projects of their own, or set `layout: per-service`.
"""

import re
from collections.abc import Iterator

from wfgen.render import RenderedFile

LIMIT = 21_000
"""Characters."""
_EXPRESSION = re.compile(r"\$\{\{.*?\}\}", re.DOTALL)


def check(file: RenderedFile) -> Iterator[str]:
    """Measures each expression."""
    longest = max((len(e) for e in _EXPRESSION.findall(file.text)), default=0)
    if longest > LIMIT:
        yield f"an expression of {longest:,} characters; GitHub takes at most {LIMIT:,}"
