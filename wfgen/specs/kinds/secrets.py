"""The secrets of a service: the keys of its Kubernetes Secret, and where the values are stored."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from wfgen.specs.kinds._model import Matching, Model, SecretName

EXISTING: Literal["existing"] = "existing"

SecretKey = Annotated[
    str,
    Matching(
        r"(?!\.{1,2}$|\.\.)[A-Za-z0-9._-]{1,253}",
        "key of a Secret",
        "use letters, digits, `.`, `_` and `-`",
    ),
]
"""https://kubernetes.io/docs/concepts/configuration/secret/#constraints-on-secret-names-and-data"""


class Stored(Model):
    """Where the value of a key is stored."""

    from_: Annotated[SecretName, Field(alias="from")]
    """The name of the secret in the GitHub environment. Two services can name the same one."""


def _tag(given: object) -> str | None:
    if isinstance(given, list):
        return "list"
    if isinstance(given, dict):
        return "mapping"
    return EXISTING if given == EXISTING else None


# An explicit discriminator: pydantic would report an error for each member of the union.
Secrets = Annotated[
    Annotated[list[SecretName], Tag("list")]
    | Annotated[dict[SecretKey, Stored], Tag("mapping")]
    | Annotated[Literal["existing"], Tag(EXISTING)],
    Discriminator(_tag, custom_error_type="secrets_type", custom_error_message="no"),
]


@dataclass(frozen=True, slots=True)
class Use:
    """A key of a service's Secret whose value a release takes from a GitHub secret."""

    key: str
    stored: str
    """The name of the GitHub secret."""
    route: tuple[str | int, ...]
    """Where the spec names it."""
    is_explicit: bool
    """Whether the spec says `from`."""
