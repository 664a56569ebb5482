"""Identifiers that registries and clusters of one cloud have in common."""

from typing import Annotated

from wfgen.specs.kinds._model import Matching

Region = Annotated[
    str, Matching(r"[a-z][a-z0-9-]*", "a region or zone, such as eu-central-1 or europe-west1")
]

ClusterName = Annotated[
    str,
    Matching(
        r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", "the name of a cluster", "letters, digits, - and _"
    ),
]

Role = Annotated[
    str,
    Matching(
        r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+",
        "the ARN of a role",
        "such as arn:aws:iam::111122223333:role/shop-release",
    ),
]

GoogleProject = Annotated[
    str, Matching(r"[a-z][a-z0-9-]+", "the id of a Google Cloud project, such as shop-123456")
]

IdentityProvider = Annotated[
    str,
    Matching(
        r"projects/[0-9]+/locations/global/workloadIdentityPools/[A-Za-z0-9_-]+"
        r"/providers/[A-Za-z0-9_-]+",
        "the full name of a provider",
        "projects/<number>/locations/global/workloadIdentityPools/<pool>/providers/<provider>",
    ),
]

ServiceAccount = Annotated[
    str,
    Matching(
        r"[a-z0-9-]+@[a-z0-9.-]+\.iam\.gserviceaccount\.com",
        "the address of a service account",
        "such as release@shop.iam.gserviceaccount.com",
    ),
]

Guid = Annotated[
    str,
    Matching(
        r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}",
        "a GUID",
        "such as 00000000-0000-0000-0000-000000000000",
    ),
]

ResourceGroup = Annotated[
    str,
    Matching(
        r"[A-Za-z0-9_.()-]{0,89}[A-Za-z0-9_()-]",
        "the name of a resource group",
        "letters, digits and _ . - ( )",
    ),
]
