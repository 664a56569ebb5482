"""A pull request gets no more rights than the generated workflow gives it.

Whoever may open a pull request decides what runs in it. Forks get a token that only reads,
whatever a job asks for, but branches of the repository get what is asked, and
`pull_request_target` gives a fork the rights and secrets of the default branch
(https://docs.github.com/en/actions/reference/security/secure-use#mitigating-the-risks-of-untrusted-code-checkout).

Do what needs the right in a workflow that starts on a push, or leave it to the release jobs.
"""

from collections.abc import Iterator

from wfgen.checks.safety._checked import Checked, permissions

EVENTS = {"pull_request", "pull_request_target"}


def check(checked: Checked) -> Iterator[str]:
    """Every right to write, of each job of a workflow that pull requests start."""
    if "pull_request_target" in checked.triggers:
        yield "starts on pull_request_target, with the rights of the default branch"
    if not checked.triggers & EVENTS:
        return
    for name, job in checked.jobs.items():
        granted = permissions(job, checked.tree)
        if granted is None:
            yield f"job {name} says nothing of permissions, and has the repository's default"
        elif isinstance(granted, str):
            if granted != "read-all":
                yield f"job {name} has {granted} on a pull request"
        else:
            for scope, level in granted.items():
                if level == "write":
                    yield f"job {name} has {scope}: write on a pull request"
