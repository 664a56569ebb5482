"""Kind `terraform`: infrastructure that changes with the pull request. Refused for now."""

from typing import ClassVar, Literal

from wfgen.specs.kinds.service import ServiceSpec


class TerraformSpec(ServiceSpec):
    """Terraform: plan on the pull request, apply before deploy."""

    kind: Literal["terraform"]

    summary: ClassVar[str] = "infrastructure by Terraform (not rendered yet)"
    refused: ClassVar[str] = "keep Terraform in a workflow of your own for now"
