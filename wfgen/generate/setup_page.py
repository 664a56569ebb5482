"""What docs/delivery-setup.md derives from the plan: which jobs read a secret, which tokens a cloud
must trust, which jobs request a permission.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from wfgen.generate import deployer_role
from wfgen.generate.plan import Plan, PlannedEnvironment
from wfgen.release_program import names
from wfgen.text.quoting import code

SETUP_PAGE = "docs/delivery-setup.md"


@dataclass(frozen=True)
class Jobs:
    """Jobs of one workflow; `called` are a called workflow and its jobs."""

    workflow: str
    names: tuple[str, ...]
    called: tuple[str, tuple[str, ...]] | None = None

    def __str__(self) -> str:
        text = f"{code(self.workflow)}: {_codes(self.names)}"
        return text if self.called is None else f"{text} ({Jobs(*self.called)})"


@dataclass(frozen=True)
class Secret:
    """A secret to set. `holds` describes its value, in Markdown."""

    name: str
    holds: str
    readers: tuple[Jobs, ...]
    environments: tuple[str, ...] = ()
    """The environments whose jobs read it; empty where it must be a repository secret."""


@dataclass(frozen=True)
class Token:
    """An OIDC token that a job requests. `subject` is its `sub` claim without the repository."""

    subject: str
    readers: tuple[Jobs, ...]
    identity: str
    """The cloud identity that must trust it; empty where none does."""


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
    def server(self) -> str:
        """The registry's address in a pull secret; kubelets need the old one of Docker Hub."""
        if not self.images:
            return "REGISTRY"
        host = self.spec.registry.prefix.partition("/")[0]
        return "https://index.docker.io/v1/" if host == "docker.io" else host

    @property
    def built(self) -> list[PlannedEnvironment]:
        return [e for e in self.plan.environments if e.built]

    def builds(self, environment: PlannedEnvironment) -> Jobs:
        called = (_file(names.BUILD_WORKFLOW), ("build",))
        return Jobs(self.workflow(environment), (names.build_job("<service>"),), called)

    def release(self, environment: PlannedEnvironment, *only: str) -> Jobs:
        """The job that calls _deploy.yml, with the called jobs, or those of `only` that exist."""
        all_jobs = ("preflight", "migrate", "deploy", "monitor", "rollback")
        called = [j for j in only or all_jobs if j != "migrate" or self.plan.migrates]
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
        prune = Jobs(self.workflow(environment), (names.Job.PRUNE,))
        return prune, Jobs(_file(names.WATCHDOG_WORKFLOW), (environment.name,))

    def of_lasting(self, *jobs: str) -> tuple[Jobs, ...]:
        """Jobs that each pipeline of a lasting environment has."""
        return tuple(Jobs(self.workflow(e), jobs) for e in self.plan.lasting)

    @cached_property
    def secrets(self) -> list[Secret]:
        """Every secret that the workflows read, sorted by name."""
        return sorted(
            [*self._of_environments(), *self._of_project()], key=lambda secret: secret.name
        )

    def _of_environments(self) -> Iterator[Secret]:
        for environment in self.plan.environments:
            for name, stored in environment.passed_secrets:
                if name == "KUBECONFIG":
                    readers = (self.release(environment), *self.others(environment))
                    holds = f"the kubeconfig of {code(environment.name)} ([how](#cluster-access))"
                else:
                    readers = (self.release(environment, "migrate", "deploy"),)
                    users = [s for s in environment.deployed if name in environment.secrets_of(s)]
                    objects = _codes([f"{s.name}-secrets" for s in users])
                    many = "s" if len(users) > 1 else ""
                    holds = f"key {code(name)} of the Secret{many} {objects}"
                yield Secret(stored, holds, readers)

    def _of_project(self) -> Iterator[Secret]:
        registry, notify, revert = self.spec.registry, self.spec.notify, self.spec.revert
        lasting = tuple(e.name for e in self.plan.lasting)
        if registry.type == "dockerhub" and self.built:
            holds = f"an access token of {code(registry.username)} ([how](#registry))"
            yield Secret(registry.token_secret, holds, tuple(self.builds(e) for e in self.built))
        if not lasting:
            return
        if notify.slack_secret:
            holds = "the address of a Slack incoming webhook"
            yield Secret(notify.slack_secret, holds, self.of_lasting("notify"), lasting)
        if notify.pagerduty_secret:
            holds = "the integration key of a PagerDuty service (Events API v2)"
            yield Secret(notify.pagerduty_secret, holds, self.of_lasting("notify"), lasting)
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
                tokens.append(Token(f"environment:{environment.name}", readers, identity(cluster)))
        if self.spec.registry.oidc:
            pushed, requested = f"ref:refs/heads/{self.spec.default_branch}", "pull_request"
            for subject, preview in ((pushed, False), (requested, True)):
                builds = [self.builds(e) for e in self.built if e.spec.preview is preview]
                if builds:
                    tokens.append(Token(subject, tuple(builds), identity(self.spec.registry)))
        return tokens

    def subjects(self, trusted: object) -> list[str]:
        """The subjects of all tokens that the identity of this cluster or registry must trust."""
        return [token.subject for token in self.tokens if token.identity == identity(trusted)]

    def name_of(self, subject: str) -> str:
        """A name for the credential that trusts a subject: letters, digits and dashes."""
        return "wfgen-" + "".join(c if c.isalnum() else "-" for c in subject.split(":")[-1])

    @property
    def permissions(self) -> list[tuple[str, tuple[Jobs, ...], str]]:
        """Permissions of job tokens, the jobs that request them (empty: most jobs), and why."""
        builds = tuple(self.builds(e) for e in self.built)
        tokens = tuple(jobs for token in self.tokens for jobs in token.readers)
        cleanups = tuple(
            Jobs(_file(names.cleanup_workflow(e.name)), ("list",)) for e in self.plan.previews
        )
        releases = [self.release(e, "preflight") for e in self.plan.environments]
        comments = tuple(Jobs(self.workflow(e), (names.Job.COMMENT,)) for e in self.plan.previews)
        audits = self.of_lasting(names.Job.AUDIT)
        requested: list[tuple[str, tuple[Jobs, ...], str]] = [
            ("contents: read", (), "read commits, specs, manifests and actions"),
            ("contents: write", audits, "create the tag of a release"),
            ("deployments: write", audits, "record the release as a GitHub deployment"),
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


def identity(trusted: object) -> str:
    """The cloud identity that a job assumes for this cluster or registry; empty where none."""
    fields = ("role", "service_account", "client_id")
    return next((str(getattr(trusted, name)) for name in fields if hasattr(trusted, name)), "")


def _file(path: str) -> str:
    return path.rpartition("/")[2]


def _codes(texts: list[str] | tuple[str, ...]) -> str:
    return ", ".join(code(text) for text in texts)
