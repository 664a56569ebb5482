"""Where images go. Each registry has a template of the same name in `templates/registries/`."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from wfgen.specs.kinds._cloud import (
    GoogleProject,
    Guid,
    IdentityProvider,
    Region,
    Role,
    ServiceAccount,
)
from wfgen.specs.kinds._model import ImageName, Matching, Model, SecretName


class DockerHub(Model):
    """Docker Hub, by an access token."""

    type: Literal["dockerhub"]
    namespace: ImageName
    """The organization or user that owns the images."""
    username: Annotated[str, Matching(r"[A-Za-z0-9_-]+", "a user of Docker Hub")]
    """The user that the token belongs to."""
    token_secret: SecretName = "DOCKERHUB_TOKEN"
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
    account: Annotated[str, Matching(r"[0-9]{12}", "the number of an AWS account: 12 digits")]
    """The account's number, quoted."""
    region: Region
    """The region, such as eu-central-1."""
    role: Role
    """The role that builds assume; it may push images."""

    oidc: ClassVar[bool] = True

    @property
    def prefix(self) -> str:
        return f"{self.account}.dkr.ecr.{self.region}.amazonaws.com"


class Gar(Model):
    """Google Artifact Registry, by Workload Identity Federation."""

    type: Literal["gar"]
    location: Region
    """The location, such as europe-west1."""
    project: GoogleProject
    """The Google Cloud project."""
    repository: Annotated[
        str, Matching(r"[a-z][a-z0-9-]*", "the name of a repository: lower-case letters, digits, -")
    ]
    """The Docker repository in Artifact Registry."""
    workload_identity_provider: IdentityProvider
    """The provider's full name, `projects/<number>/locations/global/...`."""
    service_account: ServiceAccount
    """The service account that builds act as; it may write to the repository."""

    oidc: ClassVar[bool] = True

    @property
    def prefix(self) -> str:
        return f"{self.location}-docker.pkg.dev/{self.project}/{self.repository}"


class Acr(Model):
    """Azure Container Registry, by OIDC."""

    type: Literal["acr"]
    name: Annotated[
        str,
        Matching(r"[a-z0-9]{5,50}", "the name of a registry: 5 to 50 small letters and digits"),
    ]
    """The registry's name, without .azurecr.io."""
    client_id: Guid
    """The application that builds act as; it has the role AcrPush."""
    tenant_id: Guid
    """The tenant."""
    subscription_id: Guid
    """The subscription."""

    oidc: ClassVar[bool] = True

    @property
    def prefix(self) -> str:
        return f"{self.name}.azurecr.io"


REGISTRIES = (DockerHub, Ghcr, Ecr, Gar, Acr)
Registry = Annotated[DockerHub | Ghcr | Ecr | Gar | Acr, Field(discriminator="type")]
