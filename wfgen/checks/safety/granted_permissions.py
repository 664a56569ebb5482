"""A job that calls a workflow grants the permissions that the called jobs request.

GitHub starts no run where a called job, even one that is skipped, requests more than its caller has
(https://docs.github.com/en/actions/reference/workflows-and-actions/reusing-workflow-configurations#supported-keywords-for-jobs-that-call-a-reusable-workflow).

Patch the `permissions` of each job that calls the workflow as well.
"""

from collections.abc import Iterator

from wfgen.checks.safety._patched import PatchedFile, Tree, calls, jobs_of, local, permissions, read

LEVELS = ("none", "read", "write")


def check(file: PatchedFile) -> Iterator[str]:
    """Checks the workflows that this one calls, and those that call it."""
    for name, job in file.jobs.items():
        called = local(job.get("uses"))
        if called in file.others:
            yield from _missing(f"job {name}", job, file.tree, read(file.others[called]))
    if "workflow_call" in file.triggers:
        for path, text in file.others.items():
            if path != file.path and f"/{file.path}" in text:
                tree = read(text)
                for name, job in calls(tree, file.path):
                    yield from _missing(f"job {name} of {path}", job, tree, file.tree)


def _missing(caller: str, job: Tree, tree: Tree, called: Tree) -> Iterator[str]:
    granted = permissions(job, tree)
    if not isinstance(granted, dict):
        return
    for name, inner in jobs_of(called).items():
        requested = permissions(inner, called)
        for scope, level in requested.items() if isinstance(requested, dict) else ():
            if level in LEVELS and LEVELS.index(level) > LEVELS.index(granted.get(scope, "none")):
                yield f"{caller} does not grant {scope}: {level}, which job {name} requests"
