"""A job that calls a workflow grants what the jobs in there ask for.

GitHub starts no run where a called job, even one that is skipped, asks for more than its caller
has (https://docs.github.com/en/actions/reference/workflows-and-actions/reusing-workflow-configurations#supported-keywords-for-jobs-that-call-a-reusable-workflow).

Patch the `permissions` of each job that calls the workflow as well.
"""

from collections.abc import Iterator

from wfgen.checks.safety._checked import Checked, Tree, calls, jobs_of, local, permissions, read

LEVELS = ("none", "read", "write")


def check(checked: Checked) -> Iterator[str]:
    """Looks at the workflows that this one calls, and at those that call it."""
    for name, job in checked.jobs.items():
        called = local(job.get("uses"))
        if called in checked.others:
            yield from _missing(f"job {name}", job, checked.tree, read(checked.others[called]))
    if "workflow_call" in checked.triggers:
        for path, text in checked.others.items():
            if path != checked.path and f"/{checked.path}" in text:
                tree = read(text)
                for name, job in calls(tree, checked.path):
                    yield from _missing(f"job {name} of {path}", job, tree, checked.tree)


def _missing(caller: str, job: Tree, tree: Tree, called: Tree) -> Iterator[str]:
    granted = permissions(job, tree)
    if not isinstance(granted, dict):
        return
    for name, inner in jobs_of(called).items():
        asked = permissions(inner, called)
        for scope, level in asked.items() if isinstance(asked, dict) else ():
            if level in LEVELS and LEVELS.index(level) > LEVELS.index(granted.get(scope, "none")):
                yield f"{caller} does not grant {scope}: {level}, which job {name} asks for"
