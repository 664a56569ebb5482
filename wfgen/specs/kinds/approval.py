"""The approval of releases by required reviewers."""

from typing import Annotated, Literal

from pydantic import Discriminator, Tag

from wfgen.specs.kinds._model import Model


class Approval(Model):
    """What happens to a release that nobody was asked to approve: GitHub has no rule for the
    environment `<environment>-approval`, or the account's plan has no required reviewers.
    """

    unasked: Literal["fail", "report"]
    """`fail` refuses the release; `report` releases it, and the verdict says that nobody approved
    it."""


# An explicit discriminator: pydantic would report an error for each member of the union.
ApprovalOrBool = Annotated[
    Annotated[Approval, Tag("Approval")] | Annotated[bool, Tag("bool")],
    Discriminator(
        lambda given: (
            "Approval"
            if isinstance(given, dict | Approval)
            else "bool"
            if isinstance(given, bool)
            else None
        ),
        custom_error_type="approval_type",
        custom_error_message="no",
    ),
]
