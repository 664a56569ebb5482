"""A workflow calls at most 50 different reusable workflows.

GitHub refuses more (https://docs.github.com/en/actions/reference/limits); those that called
workflows call count as well.

Call a shared workflow with inputs in place of one workflow per service.
"""

import re
from collections.abc import Iterator

from wfgen.render import RenderedFile

LIMIT = 50
"""Workflows."""
_CALL = re.compile(r"^    uses: (\S+/\.github/workflows/\S+)", re.MULTILINE)


def check(file: RenderedFile) -> Iterator[str]:
    """Counts the different workflows that jobs call."""
    if (calls := len(set(_CALL.findall(file.text)))) > LIMIT:
        yield f"calls {calls} reusable workflows; GitHub takes at most {LIMIT}"
