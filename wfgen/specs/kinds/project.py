"""The project spec, `specs/project.yaml`: settings that all services share."""

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
from wfgen.specs.kinds.approval import Approval, ApprovalOrBool
from wfgen.specs.kinds.clusters import Cluster
from wfgen.specs.kinds.patch import Patch
from wfgen.specs.kinds.platform import GITHUB_ISSUER, OidcRepository, Server, of_platform
from wfgen.specs.kinds.registries import Ghcr, Registry
from wfgen.specs.kinds.requirement import Requirement
from wfgen.specs.kinds.schedule import Cron


class Environment(Model):
    """A deployment target. Its name is also used for its workflow and its secrets."""

    deploy_on: Literal["push", "pull_request", "dispatch"]
    """What starts a release: a push to `default_branch`, a pull request (each has its own preview)
    or only a manual run."""
    cluster: Cluster
    """The cluster, and how jobs log in to it."""
    namespace: Name | None = None
    """The namespace; default: the project's name. Previews append `-pr-<number>`."""
    overlay: Path | None = None
    """The folder of the kustomize overlay; default: `kube/overlays/<environment>`."""
    url: (
        Annotated[
            str,
            Matching(
                r"https://(?:[a-z0-9.-]|\{number\})+(?::[0-9]{1,5})?(?:/[A-Za-z0-9_./-]*)?",
                "URL",
                "use an `https://` URL, such as `https://shop.example.com`",
            ),
        ]
        | None
    ) = None
    """The URL of the deployed application. In a preview's URL, `{number}` stands for the pull
    request's number, and its host replaces every host in the overlay's Ingresses."""
    approval: ApprovalOrBool = False
    """A required reviewer of the environment `<environment>-approval` must approve each release.
    `true` refuses a release that nobody was asked to approve; `{unasked: report}` reports it."""
    label: Label | None = None
    """Only pull requests with this label get a preview; default: all pull requests."""
    time_to_live: Annotated[int, Lasting("1h", "90d")] = 3 * 86400
    """How long a preview lives; older previews are removed."""
    runner: Runner | None = None
    """The runner of the jobs that use the cluster; default: the project's `runner`, or its
    `pull_request_runner` for previews."""
    registry: Annotated[
        Any, Refused("remove it; all environments share the project's registry")
    ] = None
    """A separate registry for this environment."""
    promote_from: Annotated[
        Name | None,
        Refused("remove it; each environment builds its images, or reuses its last digests"),
    ] = None
    """The environment whose images are released here without another build."""
    helm: Annotated[
        Any, Refused("render the chart in the kustomize overlay, with `helmCharts`")
    ] = None
    """A Helm chart in place of a kustomize overlay."""
    manifests: Annotated[Any, Refused("list the files as `resources` of a kustomization.yaml")] = (
        None
    )
    """Plain manifests in place of a kustomize overlay."""
    manifests_repository: Annotated[Any, Refused("keep the overlay in this repository")] = None
    """Another repository that holds the manifests."""

    @property
    def approves(self) -> Literal["demand", "report", ""]:
        """What the release program does where nobody was asked; '' without `approval`."""
        if isinstance(self.approval, Approval):
            return "demand" if self.approval.unasked == "fail" else "report"
        return "demand" if self.approval else ""

    @property
    def preview(self) -> bool:
        """Whether each pull request gets its own preview."""
        return self.deploy_on == "pull_request"

    def mistakes(self) -> Iterator[Mistake]:
        if self.preview:
            if self.approval:
                hint = "remove it; to choose the pull requests that get a preview, set `label`"
                yield Mistake("approval", "`approval` does not apply to previews", hint)
            if self.url and "{number}" not in self.url:
                hint = "add `{number}`, for example `https://pr-{number}.example.com`"
                yield Mistake("url", "all previews would have the same `url`", hint)
            return
        for name in sorted(self.model_fields_set & {"label", "time_to_live"}):
            yield Mistake(name, f"`{name}` applies only to previews", "remove it")
        if "{number}" in (self.url or ""):
            message = "`{number}` in `url` applies only to previews"
            yield Mistake("url", message, "remove `{number}`")


class Notify(Model):
    """Where notifications about failed releases and rollbacks are sent."""

    slack_secret: SecretName | None = None
    """The name of the secret with the URL of a Slack incoming webhook."""
    pagerduty_secret: SecretName | None = None
    """The name of the secret with the routing key of a PagerDuty Events API v2 integration."""


class Revert(Model):
    """The pull request that reverts a failed change. Without a GitHub App, an issue asks for it."""

    app_client_id: (
        Annotated[
            str,
            Matching(r"[A-Za-z0-9._-]+", "client ID", "use letters, digits, `.`, `_` and `-`"),
        ]
        | None
    ) = None
    """The client ID of a GitHub App with write access to contents, pull requests and workflows.
    The default token is not enough: its pull requests run no checks, and it cannot change
    workflows."""
    app_key_secret: SecretName | None = None
    """The name of the secret with the App's private key."""
    auto_merge: bool = False
    """Merge the revert automatically once its checks pass."""

    def mistakes(self) -> Iterator[Mistake]:
        if (self.app_client_id is None) != (self.app_key_secret is None):
            given = "app_client_id" if self.app_client_id else "app_key_secret"
            other = "app_key_secret" if self.app_client_id else "app_client_id"
            yield Mistake(given, f"`{given}` requires `{other}`", f"add `{other}`")
        if self.auto_merge and not self.app_client_id:
            message = "`auto_merge` requires a GitHub App"
            yield Mistake("auto_merge", message, "add `app_client_id` and `app_key_secret`")


class ProjectSpec(Model):
    """Settings that all services share."""

    project: Name
    """The project's name; part of image names and the default namespace."""
    wfgen: Annotated[
        str,
        Matching(r"[0-9]+\.[0-9]+\.[0-9]+[a-z0-9.]*", "wfgen version", "use one such as `0.1.0`"),
    ]
    """The version of wfgen that renders the files, quoted; other versions print a note."""
    wfgen_requirement: Requirement | None = None
    """What pip installs for the drift check: `wfgen-cli==<version>` by default, a path in this
    repository such as `./tools/wfgen`, or `wfgen-cli @ git+https://git.example.com/tools/wfgen@v1`.
    The package `wfgen` on PyPI is an unrelated project."""
    default_branch: Annotated[
        str,
        Matching(
            r"[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9_-])?",
            "branch name",
            "use letters, digits, `.`, `_`, `/` and `-`",
            "start with a letter or a digit",
        ),
    ] = "main"
    """The branch whose pushes are released."""
    platform: Literal["github.com", "ghes"] = "github.com"
    """Where the workflows run: GitHub.com, or `ghes`, a GitHub Enterprise Server, whose files have
    nothing that such a server refuses (`docs/github-enterprise-server.md`)."""
    server: Server | None = None
    """The URL of the GitHub Enterprise Server, such as `https://github.example.com`. Required where
    jobs log in with OIDC: clouds know the issuer of the tokens by it."""
    oidc_repository: OidcRepository | None = None
    """The repository in the `sub` of its OIDC tokens: `<owner>/<name>`, or
    `<owner>@<id>/<name>@<id>` with the IDs of both, as repositories on github.com have it that were
    created, renamed or transferred since 15 July 2026. `docs/delivery-setup.md` has the command
    that prints it, and uses it for trust policies; default: a placeholder to replace by hand."""
    runner: Runner = "ubuntu-24.04"
    """The runner of every job."""
    pull_request_runner: Runner | None = None
    """The runner of the jobs that build, test and check pull requests, and of previews; default:
    `runner`. Required where `runner` is self-hosted: code of a pull request could stay on the
    runner and reach releases."""
    layout: Literal["per-environment", "per-service"] = "per-environment"
    """One pipeline per environment, or one per service and environment. Previews always have
    one pipeline."""
    self_repository: Annotated[
        Any, Refused("remove it; each job checks out only the actions of its workflow's commit")
    ] = None
    """References by `$/`, for which GitHub fetches the whole repository in each job."""
    registry: Registry
    """The registry that images are pushed to."""
    registries: Annotated[Any, Refused("set one `registry`")] = None
    """Several registries."""
    environments: Annotated[dict[Name, Environment], Field(min_length=1)]
    """The deployment targets, by name."""
    secrets: list[SecretName] = []
    """The names of all secrets that specs use; a secret that is not listed is an error."""
    notify: Notify = Notify()
    """Where failure notifications are sent."""
    revert: Revert = Revert()
    """The pull request that reverts a failed change."""
    watchdog_schedule: Cron = "23 * * * *"
    """When the watchdog looks for releases whose run was cut off (cron syntax, UTC). It also runs
    at the end of each run. Each run of the schedule is billed as at least one minute per job:
    every 15 minutes would be 2,880 minutes a month."""
    sweep_schedule: Cron = "17 3 * * *"
    """When expired previews are removed (cron syntax, UTC)."""
    patches: dict[Name, Patch] = {}
    """Changes to generated files that no field covers, by a name of your choice."""

    @property
    def issuer(self) -> str:
        """The issuer of the jobs' OIDC tokens."""
        return f"{self.server}/_services/token" if self.server else GITHUB_ISSUER

    @property
    def requirement(self) -> str:
        """What pip installs for the drift check."""
        return self.wfgen_requirement or f"wfgen-cli=={self.wfgen}"

    def mistakes(self) -> Iterator[Mistake]:
        yield from of_platform(self.platform, self.server, self.oidc_repository)
        oidc = [("registry", self.registry.oidc)]
        oidc += [
            (f"environments.{name}.cluster", environment.cluster.oidc)
            for name, environment in self.environments.items()
        ]
        if self.platform == "ghes" and self.server is None and any(used for _, used in oidc):
            place = next(place for place, used in oidc if used)
            message = "jobs log in with OIDC, and the issuer of their tokens is not known"
            yield Mistake(place, message, "add `server: https://<host>`")
        if self.platform == "ghes" and isinstance(self.registry, Ghcr) and not self.registry.host:
            message = "`ghcr.io` accepts no `GITHUB_TOKEN` of a GitHub Enterprise Server"
            yield Mistake("registry", message, "set `host`, such as `containers.<host>`")
