"""Kind `terraform`: infrastructure that changes with the pull request. In the vocabulary, refused."""

from typing import Any, ClassVar, Literal

from pydantic import model_validator

from wfgen.kinds.service import ServiceSpec, fail


class TerraformSpec(ServiceSpec):
    """Terraform: plan on the pull request, apply before deploy."""

    kind: Literal["terraform"]

    summary: ClassVar[str] = "infrastructure by Terraform (not rendered yet)"
    refused: ClassVar[str] = "keep Terraform in a workflow of your own for now"
    builds: ClassVar[bool] = False

    @model_validator(mode="before")
    @classmethod
    def _refuse(cls, values: Any) -> Any:
        fail(
            "not-rendered",
            "kind terraform is not rendered by this version of wfgen",
            cls.refused,
        )
        return values
