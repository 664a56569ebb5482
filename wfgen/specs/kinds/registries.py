"""The registry for images. Each type has a template of its name in `templates/registries/`."""

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
from wfgen.specs.kinds._model import IMAGE_PATH, Matching, Model, SecretName

Namespace = Annotated[
    str,
    Matching(
        IMAGE_PATH,
        "registry namespace",
        "use lower-case letters, digits and separators",
        correct=str.lower,
    ),
]
"""An organization or user; may be followed by more components of a path."""


class DockerHub(Model):
    """Docker Hub, with an access token."""

    type: Literal["dockerhub"]
    namespace: Namespace
    """The organization or user that owns the images."""
    username: Annotated[
        str, Matching(r"[A-Za-z0-9_-]+", "Docker Hub user name", "use letters, digits, `-` and `_`")
    ]
    """The user who owns the access token."""
    token_secret: SecretName = "DOCKERHUB_TOKEN"
    """The name of the secret with the access token, which needs read and write access."""

    oidc: ClassVar[bool] = False

    @property
    def prefix(self) -> str:
        return f"docker.io/{self.namespace}"


class Ghcr(Model):
    """GitHub Container Registry, with the job's `GITHUB_TOKEN`."""

    type: Literal["ghcr"]
    namespace: Namespace
    """The organization or user that owns the packages, in lower case."""
    host: (
        Annotated[
            str,
            Matching(
                r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?",
                "registry host",
                "use the host of the Container registry",
                "for example, `containers.github.example.com`",
            ),
        ]
        | None
    ) = None
    """The host of the registry; default: `ghcr.io`. The one of a GitHub Enterprise Server is
    `containers.<host>`."""

    oidc: ClassVar[bool] = False

    @property
    def address(self) -> str:
        """The host that images are pushed to."""
        return self.host or "ghcr.io"

    @property
    def prefix(self) -> str:
        return f"{self.address}/{self.namespace}"


class Ecr(Model):
    """Amazon ECR, with OIDC."""

    type: Literal["ecr"]
    account: Annotated[str, Matching(r"[0-9]{12}", "AWS account ID", "use 12 digits, quoted")]
    """The AWS account ID, quoted, such as `"111122223333"`."""
    region: Region
    """The region, such as `eu-central-1`."""
    role: Role
    """The ARN of the role that build jobs assume; it needs permission to push images."""

    oidc: ClassVar[bool] = True

    @property
    def prefix(self) -> str:
        return f"{self.account}.dkr.ecr.{self.region}.amazonaws.com"


class Gar(Model):
    """Google Artifact Registry, with Workload Identity Federation."""

    type: Literal["gar"]
    location: Region
    """The location, such as `europe-west1`."""
    project: GoogleProject
    """The ID of the Google Cloud project, such as `shop-123456`."""
    repository: Annotated[
        str,
        Matching(
            r"[a-z][a-z0-9-]*", "repository name", "use lower-case letters, digits and hyphens"
        ),
    ]
    """The name of the Docker repository in Artifact Registry."""
    workload_identity_provider: IdentityProvider
    """The provider's full resource name, `projects/<number>/locations/global/...`."""
    service_account: ServiceAccount
    """The service account that build jobs impersonate; it needs write access to the repository."""

    oidc: ClassVar[bool] = True

    @property
    def prefix(self) -> str:
        return f"{self.location}-docker.pkg.dev/{self.project}/{self.repository}"


class Acr(Model):
    """Azure Container Registry, with OIDC."""

    type: Literal["acr"]
    name: Annotated[
        str,
        Matching(r"[a-z0-9]{5,50}", "registry name", "use 5 to 50 lower-case letters and digits"),
    ]
    """The name of the registry, without `.azurecr.io`."""
    client_id: Guid
    """The client ID of the application that build jobs log in as; it needs the role AcrPush."""
    tenant_id: Guid
    """The tenant ID."""
    subscription_id: Guid
    """The subscription ID."""

    oidc: ClassVar[bool] = True

    @property
    def prefix(self) -> str:
        return f"{self.name}.azurecr.io"


REGISTRIES = (DockerHub, Ghcr, Ecr, Gar, Acr)
Registry = Annotated[DockerHub | Ghcr | Ecr | Gar | Acr, Field(discriminator="type")]
