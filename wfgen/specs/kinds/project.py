"""The project spec, `specs/project.yaml`: what all services share."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from wfgen.specs.kinds._model import (  # fmt: skip
    Label,
    Lasting,
    Matching,
    Mistake,
    Model,
    Name,
    Path,
    Refused,
    Runner,
    SecretName,
)
from wfgen.specs.kinds.clusters import Cluster
from wfgen.specs.kinds.patch import Patch
from wfgen.specs.kinds.registries import Registry
from wfgen.specs.kinds.requirement import Requirement


def _cron(*parts: str) -> str:
    """The expression of a schedule, from those of its parts' values."""
    lists = []
    for value in parts:
        some = rf"(?:\*|(?:{value})(?:-(?:{value}))?)(?:/[1-9][0-9]?)?"
        lists.append(f"{some}(?:,{some})*")
    return " ".join(lists)


Cron = Annotated[
    str,
    Matching(
        _cron(
            "[0-5]?[0-9]",
            "[01]?[0-9]|2[0-3]",
            "0?[1-9]|[12][0-9]|3[01]",
            "0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC",
            "[0-6]|SUN|MON|TUE|WED|THU|FRI|SAT",
        ),
        "a schedule of five parts, such as 17 3 * * *",
        "minute, hour, day of the month, month, day of the week (0 to 6)",
    ),
]
"""https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#schedule"""


class Environment(Model):
    """A place that releases go to. Its name is free; it names the workflow and its secrets."""

    deploy_on: Literal["push", "pull_request", "dispatch"]
    """What starts a release: a push to the branch, a pull request (a preview of its own each), or
    a person alone."""
    cluster: Cluster
    """How jobs reach the cluster."""
    namespace: Name | None = None
    """The namespace; the project's name by default. Previews append `-pr-<number>` to it."""
    overlay: Path | None = None
    """The kustomize overlay; `kube/overlays/<environment>` by default."""
    url: (
        Annotated[
            str,
            Matching(
                r"https://(?:[a-z0-9.-]|\{number\})+(?::[0-9]{1,5})?(?:/[A-Za-z0-9_./-]*)?",
                "an address, such as https://shop.example.com",
            ),
        ]
        | None
    ) = None
    """Where people find it. In a preview's address, `{number}` is the pull request's number; its
    host takes the place of every host in the overlay's Ingresses."""
    approval: bool = False
    """A reviewer of the environment `<environment>-approval` must agree before each release."""
    label: Label | None = None
    """Only pull requests with this label get a preview; all by default."""
    time_to_live: Annotated[int, Lasting("1h", "90d")] = 3 * 86400
    """Previews older than this are swept."""
    runner: Runner | None = None
    """The runner of the jobs that reach the cluster; the project's by default."""
    registry: Annotated[
        Any, Refused("remove it; all environments share the project's registry")
    ] = None
    """A registry of its own."""
    promote_from: Annotated[
        Name | None,
        Refused("remove it; each environment builds, or reuses the digest it released last"),
    ] = None
    """The environment whose images are released here without being built again."""
    helm: Annotated[Any, Refused("render the chart into the kustomize overlay (helmCharts)")] = None
    """A Helm chart in place of a kustomize overlay."""
    manifests: Annotated[Any, Refused("list the files as resources of a kustomization.yaml")] = None
    """Plain manifests in place of a kustomize overlay."""
    manifests_repository: Annotated[Any, Refused("keep the overlay in this repository")] = None
    """Another repository that holds the manifests."""

    @property
    def preview(self) -> bool:
        """Whether each pull request gets a place of its own."""
        return self.deploy_on == "pull_request"

    def mistakes(self) -> Iterator[Mistake]:
        if self.preview:
            if self.approval:
                yield Mistake(
                    "approval", "a preview waits for no approval", "choose them by `label`"
                )
            if self.url and "{number}" not in self.url:
                yield Mistake("url", "all previews would have one address", "put {number} into it")
            return
        for name in sorted(self.model_fields_set & {"label", "time_to_live"}):
            yield Mistake(name, f"{name} is for previews", "remove it")
        if "{number}" in (self.url or ""):
            yield Mistake("url", "{number} is for previews", "remove {number}")


class Notify(Model):
    """Who is told about releases that failed or were rolled back."""

    slack_secret: SecretName | None = None
    """The secret that holds the address of a Slack incoming webhook."""
    pagerduty_secret: SecretName | None = None
    """The secret that holds the routing key of a PagerDuty Events API v2 integration."""


class Revert(Model):
    """The pull request that takes a bad change out again. Without an App an issue asks for it."""

    app_client_id: (
        Annotated[str, Matching(r"[A-Za-z0-9._-]+", "the client id of an App")] | None
    ) = None
    """Client id of a GitHub App with write access to contents, pull requests and workflows. The
    default token's pull requests run no checks, and it may not touch workflows."""
    app_key_secret: SecretName | None = None
    """The secret that holds the App's private key."""
    auto_merge: bool = False
    """Merge the revert by itself once its checks are green."""

    def mistakes(self) -> Iterator[Mistake]:
        if (self.app_client_id is None) != (self.app_key_secret is None):
            given = "app_client_id" if self.app_client_id else "app_key_secret"
            other = "app_key_secret" if self.app_client_id else "app_client_id"
            yield Mistake(given, f"{given} without {other}", f"add `{other}`")
        if self.auto_merge and not self.app_client_id:
            yield Mistake("auto_merge", "auto_merge without an App", "add `app_client_id`")


class ProjectSpec(Model):
    """What all services share."""

    project: Name
    """The project's name."""
    wfgen: Annotated[
        str, Matching(r"[0-9]+\.[0-9]+\.[0-9]+[a-z0-9.]*", "a version of wfgen, such as 0.1.0")
    ]
    """The version of wfgen that renders, quoted; another version says so first."""
    wfgen_requirement: Requirement | None = None
    """What pip installs for the drift check: `wfgen-cli==<version>` by default, a path in this
    repository such as `./tools/wfgen`, or `wfgen-cli @ git+https://git.example.com/tools/wfgen@v1`.
    PyPI's `wfgen` is an unrelated project."""
    default_branch: Annotated[
        str, Matching(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9_-])?", "the name of a branch")
    ] = "main"
    """The branch that is released."""
    runner: Runner = "ubuntu-24.04"
    """The runner of every job."""
    layout: Literal["per-environment", "per-service"] = "per-environment"
    """One pipeline per environment, or one per service and environment. Previews stay one."""
    self_repository: bool = True
    """Refer to local workflows and actions by `$/`; false gives `./`, for GitHub Enterprise Server
    and old runners."""
    registry: Registry
    """Where images go."""
    registries: Annotated[Any, Refused("give one `registry`")] = None
    """Several registries at once."""
    environments: Annotated[dict[Name, Environment], Field(min_length=1)]
    """The places that releases go to."""
    secrets: list[SecretName] = []
    """The names of all secrets that specs use; using another one is a mistake."""
    notify: Notify = Notify()
    """Who is told."""
    revert: Revert = Revert()
    """The revert pull request."""
    watchdog_schedule: Cron = "*/15 * * * *"
    """When the watchdog looks for releases whose run died, beside the end of each run (UTC)."""
    sweep_schedule: Cron = "17 3 * * *"
    """When previews that were left over are removed (UTC)."""
    patches: dict[Name, Patch] = {}
    """Changes to generated files, for what no field can say, each by a name of its own."""

    @property
    def requirement(self) -> str:
        """What pip installs for the drift check."""
        return self.wfgen_requirement or f"wfgen-cli=={self.wfgen}"
