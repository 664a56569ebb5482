"""Where images go. Each registry has a template of the same name in `templates/registries/`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from wfgen.kinds._model import ImageName, Line, Model, SecretName


class DockerHub(Model):
    """Docker Hub, by an access token."""

    type: Literal["dockerhub"]
    namespace: ImageName
    """The organization or user that owns the images."""
    username: Line
    """The user that the token belongs to."""
    token_secret: SecretName = "DOCKERHUB_TOKEN"  # noqa: S105 - the name of a secret
    """The secret that holds an access token with read and write access."""

    oidc: ClassVar[bool] = False

    @property
    def prefix(self) -> str:
        return f"docker.io/{self.namespace}"


class Ghcr(Model):
    """GitHub's container registry, by the job's own token."""

    type: Literal["ghcr"]
    namespace: ImageName
    """The organization or user that owns the packages, in lower case."""

    oidc: ClassVar[bool] = False

    @property
    def prefix(self) -> str:
        return f"ghcr.io/{self.namespace}"


class Ecr(Model):
    """Amazon ECR, by OIDC."""

    type: Literal["ecr"]
    account: Annotated[str, Field(pattern=r"^[0-9]{12}$")]
    """The account's number, quoted."""
    region: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    """The region, such as eu-central-1."""
    role: Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+$")]
    """The role that builds assume; it may push images."""

    oidc: ClassVar[bool] = True

    @property
    def prefix(self) -> str:
        return f"{self.account}.dkr.ecr.{self.region}.amazonaws.com"


class Gar(Model):
    """Google Artifact Registry, by Workload Identity Federation."""

    type: Literal["gar"]
    location: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    """The location, such as europe-west1."""
    project: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]+$")]
    """The Google Cloud project."""
    repository: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    """The Docker repository in Artifact Registry."""
    workload_identity_provider: Annotated[
        str,
        Field(
            pattern=r"^projects/[0-9]+/locations/global/workloadIdentityPools/[\w-]+/providers/[\w-]+$"
        ),
    ]
    """The provider's full name, `projects/<number>/locations/global/...`."""
    service_account: Annotated[
        str, Field(pattern=r"^[a-z0-9-]+@[a-z0-9.-]+\.iam\.gserviceaccount\.com$")
    ]
    """The service account that builds act as; it may write to the repository."""

    oidc: ClassVar[bool] = True

    @property
    def prefix(self) -> str:
        return f"{self.location}-docker.pkg.dev/{self.project}/{self.repository}"


class Acr(Model):
    """Azure Container Registry, by OIDC."""

    type: Literal["acr"]
    name: Annotated[str, Field(pattern=r"^[a-z0-9]{5,50}$")]
    """The registry's name, without .azurecr.io."""
    client_id: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")]
    """The application that builds act as; it has the role AcrPush."""
    tenant_id: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")]
    """The tenant."""
    subscription_id: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")]
    """The subscription."""

    oidc: ClassVar[bool] = True

    @property
    def prefix(self) -> str:
        return f"{self.name}.azurecr.io"


REGISTRIES = (DockerHub, Ghcr, Ecr, Gar, Acr)
Registry = Annotated[DockerHub | Ghcr | Ecr | Gar | Acr, Field(discriminator="type")]
