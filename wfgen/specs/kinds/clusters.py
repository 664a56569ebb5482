"""How jobs log in to a cluster. Each type has a template of its name in `templates/clusters/`."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from wfgen.specs.kinds._cloud import (  # fmt: skip
    ClusterName,
    GoogleProject,
    Guid,
    IdentityProvider,
    Region,
    ResourceGroup,
    Role,
    ServiceAccount,
)
from wfgen.specs.kinds._model import Model


class Eks(Model):
    """Amazon EKS, with OIDC."""

    type: Literal["eks"]
    name: ClusterName
    """The name of the cluster."""
    region: Region
    """The region, such as `eu-central-1`."""
    role: Role
    """The ARN of the role that release jobs assume; an access entry of the cluster gives it a
    group."""

    oidc: ClassVar[bool] = True


class Gke(Model):
    """Google GKE, with Workload Identity Federation."""

    type: Literal["gke"]
    name: ClusterName
    """The name of the cluster."""
    location: Region
    """The zone or region, such as `europe-west1`."""
    project: GoogleProject
    """The ID of the Google Cloud project, such as `shop-123456`."""
    workload_identity_provider: IdentityProvider
    """The provider's full resource name, `projects/<number>/locations/global/...`."""
    service_account: ServiceAccount
    """The service account that release jobs impersonate."""

    oidc: ClassVar[bool] = True


class Aks(Model):
    """Azure AKS, with OIDC."""

    type: Literal["aks"]
    name: ClusterName
    """The name of the cluster."""
    resource_group: ResourceGroup
    """The resource group of the cluster."""
    client_id: Guid
    """The client ID of the application that release jobs log in as."""
    tenant_id: Guid
    """The tenant ID."""
    subscription_id: Guid
    """The subscription ID."""

    oidc: ClassVar[bool] = True


class Kubeconfig(Model):
    """Any cluster, with a service account's kubeconfig in the secret `KUBECONFIG_<ENVIRONMENT>`."""

    type: Literal["kubeconfig"]

    oidc: ClassVar[bool] = False


CLUSTERS = (Eks, Gke, Aks, Kubeconfig)
Cluster = Annotated[Eks | Gke | Aks | Kubeconfig, Field(discriminator="type")]
