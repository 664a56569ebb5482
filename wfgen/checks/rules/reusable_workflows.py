"""A workflow calls at most 50 different reusable workflows.

GitHub refuses more; those that called workflows call count as well
(https://docs.github.com/en/actions/reference/workflows-and-actions/reusing-workflow-configurations).

Call a shared workflow with inputs in place of one workflow per service.
"""

import re
from collections.abc import Iterator

from wfgen.checks.rules._workflow import Broken, Workflow
from wfgen.release_program import names

LIMIT = 50
"""Workflows."""
_CALL = re.compile(r"^    uses: *[\"']?([^\s\"'#]+\.ya?ml(?:@[^\s\"'#]+)?)", re.MULTILINE)


def check(workflow: Workflow) -> Iterator[Broken]:
    """Counts the different workflows that jobs call, and those call."""
    called: set[str] = set()
    todo = [workflow.text]
    while todo:
        for name in set(_CALL.findall(todo.pop())) - called:
            called.add(name)
            path = names.local_path(name)
            todo += [workflow.others[path]] if path in workflow.others else []
    if len(called) > LIMIT:
        yield Broken(f"calls {len(called)} reusable workflows; GitHub takes at most {LIMIT}")
