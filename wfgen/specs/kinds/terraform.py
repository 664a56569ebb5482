"""Kind `terraform`: infrastructure. Not supported yet."""

from typing import ClassVar, Literal

from wfgen.specs.kinds.service import ServiceSpec


class TerraformSpec(ServiceSpec):
    """Terraform: plan on the pull request, apply before deploy."""

    kind: Literal["terraform"]

    summary: ClassVar[str] = "infrastructure managed with Terraform (not supported yet)"
    refused: ClassVar[str] = "run Terraform in a separate workflow for now"
