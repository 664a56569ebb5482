"""A pull request gets no more permissions than the generated workflow gives it.

The author of a pull request decides what runs in it. Forks get a token that only reads, whatever a
job requests, but branches of the repository get what is requested, and `pull_request_target` gives
a fork the permissions and secrets of the default branch
(https://docs.github.com/en/actions/reference/security/secure-use#mitigating-the-risks-of-untrusted-code-checkout).

Move what needs the permission to a workflow that starts on a push, or to the release jobs.
"""

from collections.abc import Iterator

from wfgen.checks.safety._patched import PatchedFile, permissions

EVENTS = {"pull_request", "pull_request_target"}


def check(file: PatchedFile) -> Iterator[str]:
    """Checks write permissions of all jobs of a workflow that pull requests start."""
    if "pull_request_target" in file.triggers:
        yield "starts on pull_request_target, with the permissions of the default branch"
    if not file.triggers & EVENTS:
        return
    for name, job in file.jobs.items():
        granted = permissions(job, file.tree)
        if granted is None:
            yield f"job {name} sets no permissions, and gets the repository's default"
        elif isinstance(granted, str):
            if granted != "read-all":
                yield f"job {name} has {granted} on a pull request"
        else:
            for scope, level in granted.items():
                if level == "write":
                    yield f"job {name} has {scope}: write on a pull request"
