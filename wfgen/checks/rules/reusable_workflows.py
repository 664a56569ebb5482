"""A workflow calls at most 50 different reusable workflows.

GitHub refuses more; nested calls count as well
(https://docs.github.com/en/actions/reference/workflows-and-actions/reusing-workflow-configurations).

Call one shared workflow with inputs instead of one workflow per service.
"""

import re
from collections.abc import Iterator

from wfgen.checks.rules._workflow import Violation, WorkflowText
from wfgen.release_program import names

LIMIT = 50
"""Workflows."""
_CALL = re.compile(r"^    uses: *[\"']?([^\s\"'#]+\.ya?ml(?:@[^\s\"'#]+)?)", re.MULTILINE)


def check(workflow: WorkflowText) -> Iterator[Violation]:
    """Counts the different workflows that jobs call, directly or through others."""
    called: set[str] = set()
    todo = [workflow.text]
    while todo:
        for name in set(_CALL.findall(todo.pop())) - called:
            called.add(name)
            path = names.local_path(name)
            todo += [workflow.others[path]] if path in workflow.others else []
    if len(called) > LIMIT:
        yield Violation(f"calls {len(called)} reusable workflows; GitHub accepts at most {LIMIT}")
