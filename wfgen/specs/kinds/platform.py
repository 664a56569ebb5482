"""The GitHub that runs the workflows: GitHub.com or a GitHub Enterprise Server."""

from collections.abc import Iterator
from typing import Annotated

from wfgen.specs.kinds._model import Matching, Mistake

GITHUB_ISSUER = "https://token.actions.githubusercontent.com"
"""The issuer of OIDC tokens on GitHub.com:
https://docs.github.com/en/actions/reference/security/oidc"""

Server = Annotated[
    str,
    Matching(
        r"https://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?",
        "server URL",
        "use `https://<host>`, without a path",
        "for example, `https://github.example.com`",
    ),
]

_OWNER, _REPOSITORY = r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", r"[A-Za-z0-9._-]{1,100}"
OidcRepository = Annotated[
    str,
    Matching(
        rf"{_OWNER}/{_REPOSITORY}|{_OWNER}@[1-9][0-9]*/{_REPOSITORY}@[1-9][0-9]*",
        "repository",
        "use `<owner>/<name>`, or `<owner>@<id>/<name>@<id>`",
        "to print it, run `gh api repos/<owner>/<name> --jq "
        "'\"\\(.owner.login)@\\(.owner.id)/\\(.name)@\\(.id)\"'`",
    ),
]
"""https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens/
"""


def of_platform(
    platform: str, server: str | None, oidc_repository: str | None
) -> Iterator[Mistake]:
    """What fields of the project get wrong about its platform."""
    if platform != "ghes":
        if server is not None:
            message = "`server` applies only to a GitHub Enterprise Server"
            yield Mistake("server", message, "remove it, or set `platform: ghes`")
        return
    if oidc_repository and "@" in oidc_repository:
        message = "the `sub` of a GitHub Enterprise Server has no IDs"
        yield Mistake("oidc_repository", message, "use `<owner>/<name>`")
