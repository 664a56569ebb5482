"""Identifiers that the registries and clusters of a cloud share."""

from typing import Annotated

from wfgen.specs.kinds._model import Matching

Region = Annotated[
    str,
    Matching(
        r"[a-z][a-z0-9-]*",
        "region or zone",
        "use lower-case letters, digits and hyphens",
        "for example, `eu-central-1` or `europe-west1`",
    ),
]

ClusterName = Annotated[
    str,
    Matching(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", "cluster name", "use letters, digits, `-` and `_`"),
]

Role = Annotated[
    str,
    Matching(
        r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+",
        "role ARN",
        "use `arn:aws:iam::<account>:role/<name>`",
        "for example, `arn:aws:iam::111122223333:role/shop-release`",
    ),
]

GoogleProject = Annotated[
    str,
    Matching(
        r"[a-z][a-z0-9-]+",
        "Google Cloud project ID",
        "use lower-case letters, digits and hyphens",
        "for example, `shop-123456`",
    ),
]

IdentityProvider = Annotated[
    str,
    Matching(
        r"projects/[0-9]+/locations/global/workloadIdentityPools/[A-Za-z0-9_-]+"
        r"/providers/[A-Za-z0-9_-]+",
        "workload identity provider",
        "use its full resource name",
        "`projects/<number>/locations/global/workloadIdentityPools/<pool>/providers/<provider>`",
    ),
]

ServiceAccount = Annotated[
    str,
    Matching(
        r"[a-z0-9-]+@[a-z0-9.-]+\.iam\.gserviceaccount\.com",
        "service account",
        "use `<name>@<project>.iam.gserviceaccount.com`",
    ),
]

Guid = Annotated[
    str,
    Matching(
        r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}",
        "GUID",
        "use hexadecimal digits as in `00000000-0000-0000-0000-000000000000`",
    ),
]

ResourceGroup = Annotated[
    str,
    Matching(
        r"[A-Za-z0-9_.()-]{0,89}[A-Za-z0-9_()-]",
        "resource group name",
        "use letters, digits, `_`, `.`, `-`, `(` and `)`",
        "at most 90 characters; no `.` at the end",
    ),
]
