"""How jobs reach a cluster. Each way has a template of the same name in `templates/clusters/`."""

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
    """Amazon EKS, by OIDC."""

    type: Literal["eks"]
    name: ClusterName
    """The cluster's name."""
    region: Region
    """The region, such as eu-central-1."""
    role: Role
    """The role that releases assume; an access entry of the cluster maps it to a group."""

    oidc: ClassVar[bool] = True


class Gke(Model):
    """Google GKE, by Workload Identity Federation."""

    type: Literal["gke"]
    name: ClusterName
    """The cluster's name."""
    location: Region
    """The zone or region, such as europe-west1."""
    project: GoogleProject
    """The Google Cloud project."""
    workload_identity_provider: IdentityProvider
    """The provider's full name, `projects/<number>/locations/global/...`."""
    service_account: ServiceAccount
    """The service account that releases act as."""

    oidc: ClassVar[bool] = True


class Aks(Model):
    """Azure AKS, by OIDC."""

    type: Literal["aks"]
    name: ClusterName
    """The cluster's name."""
    resource_group: ResourceGroup
    """The resource group of the cluster."""
    client_id: Guid
    """The application that releases act as."""
    tenant_id: Guid
    """The tenant."""
    subscription_id: Guid
    """The subscription."""

    oidc: ClassVar[bool] = True


class Kubeconfig(Model):
    """Any cluster, by a service account's kubeconfig in the secret `KUBECONFIG_<ENVIRONMENT>`."""

    type: Literal["kubeconfig"]

    oidc: ClassVar[bool] = False


CLUSTERS = (Eks, Gke, Aks, Kubeconfig)
Cluster = Annotated[Eks | Gke | Aks | Kubeconfig, Field(discriminator="type")]
