"""How jobs reach a cluster. Each way has a template of the same name in `templates/clusters/`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from wfgen.kinds._model import Line, Model


class Eks(Model):
    """Amazon EKS, by OIDC."""

    type: Literal["eks"]
    name: Line
    """The cluster's name."""
    region: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    """The region, such as eu-central-1."""
    role: Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+$")]
    """The role that releases assume; an access entry of the cluster maps it to the deployer group."""

    oidc: ClassVar[bool] = True


class Gke(Model):
    """Google GKE, by Workload Identity Federation."""

    type: Literal["gke"]
    name: Line
    """The cluster's name."""
    location: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    """The zone or region, such as europe-west1."""
    project: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]+$")]
    """The Google Cloud project."""
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
    """The service account that releases act as."""

    oidc: ClassVar[bool] = True


class Aks(Model):
    """Azure AKS, by OIDC."""

    type: Literal["aks"]
    name: Line
    """The cluster's name."""
    resource_group: Line
    """The resource group of the cluster."""
    client_id: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")]
    """The application that releases act as."""
    tenant_id: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")]
    """The tenant."""
    subscription_id: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")]
    """The subscription."""

    oidc: ClassVar[bool] = True


class Kubeconfig(Model):
    """Any cluster, by the kubeconfig of a service account in the secret `KUBECONFIG_<ENVIRONMENT>`."""

    type: Literal["kubeconfig"]

    oidc: ClassVar[bool] = False


CLUSTERS = (Eks, Gke, Aks, Kubeconfig)
Cluster = Annotated[Eks | Gke | Aks | Kubeconfig, Field(discriminator="type")]
