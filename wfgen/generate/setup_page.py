"""What docs/delivery-setup.md derives from the plan: which jobs read a secret, which tokens a cloud
must trust, which jobs request a permission.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from wfgen.generate import deployer_role
from wfgen.generate.plan import Pipeline, Plan, PlannedEnvironment
from wfgen.generate.setup_rows import Jobs, Secret, Token, merged
from wfgen.release_program import names
from wfgen.release_program.names import Variable
from wfgen.specs.kinds.secrets import EXISTING
from wfgen.text.quoting import code

SETUP_PAGE = "docs/delivery-setup.md"


class SetupPage:
    """What the page's template needs beside the plan. `paths` are all other generated files."""

    def __init__(self, plan: Plan, paths: tuple[str, ...]) -> None:
        self.plan = plan
        self.paths = paths
        self.spec = plan.project.spec

    def workflow(self, environment: PlannedEnvironment) -> str:
        """The workflow file of an environment; it may contain `<service>`, for each service."""
        alone = self.spec.layout == "per-service" and not environment.spec.preview
        name = names.pipeline(environment.name, "<service>" if alone else "")
        return _file(names.workflow(name))

    def deployer(self, environment: PlannedEnvironment) -> str:
        """The name of the Role, of its binding, and of a subject that no cloud names."""
        return f"wfgen-{self.spec.project}-{environment.name}"

    def rules(self, environment: PlannedEnvironment) -> list[deployer_role.Rule]:
        """What the deployer may do in the environment's cluster."""
        return deployer_role.rules(environment)

    def home(self, environment: PlannedEnvironment) -> str:
        """The namespace of the deployer's ServiceAccount; that of a preview is temporary."""
        return "wfgen" if environment.spec.preview else environment.namespace

    @property
    def generated(self) -> list[str]:
        """Git patterns of the generated files: a folder per action, a path per other file."""
        folders = {
            "/".join(p.split("/")[:3]) for p in self.paths if p.startswith(f"{names.ACTIONS}/")
        }
        others = {path for path in self.paths if not path.startswith(f"{names.ACTIONS}/")}
        return sorted({f"{folder}/**" for folder in folders} | others | {SETUP_PAGE})

    @property
    def images(self) -> list[str]:
        """Where images are pushed."""
        return sorted({s.repository for e in self.built for s in e.built if s.repository})

    @property
    def never_restored(self) -> list[str]:
        """Services that a rollback does not restore."""
        deployed = [s for e in self.plan.lasting for s in e.deployed]
        return sorted({s.name for s in deployed if s.spec.rollback == "never"})

    @property
    def repository(self) -> str:
        """The repository in the `sub` of its tokens; a placeholder where the spec does not say."""
        return self.spec.oidc_repository or "OWNER/REPO"

    @property
    def claims(self) -> dict[str, str]:
        """The claims that only tokens of this repository have, for a provider's condition."""
        ids = re.fullmatch(r"[^@]+@([0-9]+)/[^@]+@([0-9]+)", self.repository)
        if ids is None:
            return {"repository": self.repository}
        return {"repository_owner_id": ids[1], "repository_id": ids[2]}

    @property
    def issuer_host(self) -> str:
        """The issuer of the tokens without `https://`, as AWS names its provider."""
        return self.spec.issuer.removeprefix("https://")

    @property
    def server(self) -> str:
        """The registry's address in a pull secret; kubelets need the old one of Docker Hub."""
        if not self.images:
            return "REGISTRY"
        host = self.spec.registry.prefix.partition("/")[0]
        return "https://index.docker.io/v1/" if host == "docker.io" else host

    @property
    def built(self) -> list[PlannedEnvironment]:
        return [e for e in self.plan.environments if e.built]

    @cached_property
    def builds(self) -> dict[Jobs, Pipeline]:
        """The jobs that build, and a pipeline that has them."""
        called = (_file(names.BUILD_WORKFLOW), ("build",))
        built = {}
        for pipeline in self.plan.pipelines:
            file = _file(names.workflow(pipeline.name))
            file = self.workflow(pipeline.environment) if pipeline.alone else file
            if pipeline.built:
                built[Jobs(file, (names.build_job("<service>"),), called)] = pipeline
        return built

    def release(self, environment: PlannedEnvironment, *only: str) -> Jobs:
        """The job that calls _deploy.yml, with the called jobs, or those of `only` that exist."""
        rollback = [] if environment.spec.preview else [names.Job.ROLLBACK]
        called = only or (names.Job.DEPLOY, names.Job.MONITOR, *rollback)
        return Jobs(
            self.workflow(environment),
            (names.Job.RELEASE,),
            (_file(names.DEPLOY_WORKFLOW), tuple(called)),
        )

    def others(self, environment: PlannedEnvironment) -> tuple[Jobs, ...]:
        """The jobs outside the release that access the environment's cluster."""
        if environment.spec.preview:
            cleanup = _file(names.cleanup_workflow(environment.name))
            return (Jobs(cleanup, ("teardown", "list", "sweep")),)
        name = environment.name
        return (self._watchdog(names.inspect_job(name), names.restore_job(name)),)

    def _watchdog(self, *jobs: str) -> Jobs:
        return Jobs(_file(names.WATCHDOG_WORKFLOW), jobs)

    def of_lasting(self, *jobs: str) -> tuple[Jobs, ...]:
        """Jobs that each pipeline of a lasting environment has."""
        return tuple(Jobs(self.workflow(e), jobs) for e in self.plan.lasting)

    @cached_property
    def secrets(self) -> list[Secret]:
        """Every secret that the workflows read, each once, sorted by name."""
        by_name: dict[str, list[Secret]] = {}
        for secret in (*self._of_environments(), *self._of_project()):
            by_name.setdefault(secret.name, []).append(secret)
        return [merged(by_name[name]) for name in sorted(by_name)]

    def _of_environments(self) -> Iterator[Secret]:
        for environment in self.plan.environments:
            for name in environment.passed_secrets:
                readers = [self.release(environment, names.Job.DEPLOY)]
                holds = _keys(environment, name)
                if name == Variable.KUBECONFIG:
                    readers = [self.release(environment), *self.others(environment)]
                    holds = "the kubeconfig of the environment's cluster ([how](#cluster-access))"
                yield Secret(name, holds, tuple(readers), (environment.name,))

    @property
    def existing(self) -> list[str]:
        """The Kubernetes Secrets that a release does not make, and expects in the cluster."""
        deployed = [s.spec for e in self.plan.environments for s in e.deployed]
        return sorted({s.kubernetes_secret for s in deployed if s.secrets == EXISTING})

    def _of_project(self) -> Iterator[Secret]:
        registry, notify, revert = self.spec.registry, self.spec.notify, self.spec.revert
        lasting = tuple(e.name for e in self.plan.lasting)
        if registry.type == "dockerhub" and self.built:
            holds = f"an access token of {code(registry.username)} ([how](#registry))"
            yield Secret(registry.token_secret, holds, tuple(self.builds))
        if not lasting:
            return
        inspecting = tuple(map(names.inspect_job, lasting))
        notifying = *self.of_lasting(names.Job.FINISH), self._watchdog(*inspecting)
        if notify.slack_secret:
            holds = "the address of a Slack incoming webhook"
            yield Secret(notify.slack_secret, holds, notifying, lasting)
        if notify.pagerduty_secret:
            holds = "the integration key of a PagerDuty service (Events API v2)"
            yield Secret(notify.pagerduty_secret, holds, notifying, lasting)
        if revert.app_key_secret:
            holds = "the private key of the [GitHub App](#github-app), the whole PEM file"
            yield Secret(revert.app_key_secret, holds, self.of_lasting(names.Job.REVERT), lasting)

    @cached_property
    def tokens(self) -> list[Token]:
        """Every OIDC token that a job requests."""
        tokens = []
        for environment in self.plan.environments:
            cluster = environment.spec.cluster
            if self.plan.oidc:
                jobs = [self.release(environment), *self.others(environment)]
                readers = tuple(jobs if cluster.oidc else jobs[:1])
                subject = f"environment:{environment.name}"
                unused = "" if cluster.oidc else "the environment has a kubeconfig"
                tokens.append(Token(subject, readers, identity(cluster), unused))
        if self.spec.registry.oidc:
            tokens += self._tokens_of_builds()
        return tokens

    def _tokens_of_builds(self) -> Iterator[Token]:
        registry = identity(self.spec.registry)
        by_subject: dict[tuple[str, bool], list[Jobs]] = {}
        for jobs, pipeline in self.builds.items():
            pushed = f"ref:refs/heads/{self.spec.default_branch}"
            subject = "pull_request" if pipeline.request else pushed
            by_subject.setdefault((subject, pipeline.checks_only), []).append(jobs)
        for (subject, never), readers in by_subject.items():
            unused = "these builds push no image" if never else ""
            yield Token(subject, tuple(readers), "" if never else registry, unused)

    def subjects(self, trusted: object) -> list[str]:
        """The subjects of all tokens that the identity of this cluster or registry must trust."""
        return [token.subject for token in self.tokens if token.identity == identity(trusted)]

    def name_of(self, subject: str) -> str:
        """A name for the credential that trusts a subject: letters, digits and dashes."""
        return "wfgen-" + "".join(c if c.isalnum() else "-" for c in subject.split(":")[-1])

    @property
    def permissions(self) -> list[tuple[str, tuple[Jobs, ...], str]]:
        """Permissions of job tokens, the jobs that request them (empty: most jobs), and why."""
        builds = tuple(self.builds)
        tokens = tuple(jobs for token in self.tokens for jobs in token.readers)
        cleanups = tuple(
            Jobs(_file(names.cleanup_workflow(e.name)), ("list",)) for e in self.plan.previews
        )
        releases = [self.release(e, names.Job.DEPLOY) for e in self.plan.environments]
        comments = tuple(Jobs(self.workflow(e), (names.Job.FINISH,)) for e in self.plan.previews)
        audits = self.of_lasting(names.Job.FINISH)
        watching = tuple(jobs for e in self.plan.lasting for jobs in self.others(e))
        approving = tuple(
            Jobs(self.workflow(e), (names.Job.APPROVE,))
            for e in self.plan.lasting
            if e.spec.approval
        )
        requested: list[tuple[str, tuple[Jobs, ...], str]] = [
            ("contents: read", (), "read commits, specs, manifests and actions"),
            ("contents: write", audits, "create the tag of a release"),
            ("deployments: write", audits, "record the release as a GitHub deployment"),
            (
                "actions: read",
                (*releases, *watching, *approving),
                "read whether the run that owns a release has ended, and who approved this run",
            ),
            ("issues: write", self.of_lasting(names.Job.REVERT), "report what to revert manually"),
            ("id-token: write", tokens, "log in to the cloud with OIDC"),
        ]
        if self.spec.registry.type == "ghcr":
            requested.append(("packages: write", builds, "push images"))
        if self.plan.previews:
            reading = (*releases, *cleanups)
            requested.append(("pull-requests: read", reading, "check whether it is still open"))
            requested.append(("pull-requests: write", comments, "post the preview's address"))
        return [row for row in requested if row[1] or row[0] == "contents: read"]


def _keys(environment: PlannedEnvironment, stored: str) -> str:
    """The keys of Kubernetes Secrets that get the value of a GitHub secret."""
    keys = [
        f"key {code(key)} of the Secret {code(service.spec.kubernetes_secret)}"
        for service in environment.deployed
        for key, name in environment.secrets_of(service).items()
        if name == stored
    ]
    return ", ".join(keys)


def identity(trusted: object) -> str:
    """The cloud identity that a job assumes for this cluster or registry; empty where none."""
    fields = ("role", "service_account", "client_id")
    return next((str(getattr(trusted, name)) for name in fields if hasattr(trusted, name)), "")


def _file(path: str) -> str:
    return path.rpartition("/")[2]
