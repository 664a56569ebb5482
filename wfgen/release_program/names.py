"""Names that the generator and the release program share, made and read only in this module: jobs,
outputs, variables, locks, tags, secrets and paths. Imports only the standard library.
"""

from __future__ import annotations

import re

# Paths of generated files, from the repository's root.
WORKFLOWS = ".github/workflows"
ACTIONS = ".github/actions"
BUILD_WORKFLOW = f"{WORKFLOWS}/_build.yml"
DEPLOY_WORKFLOW = f"{WORKFLOWS}/_deploy.yml"
PULL_REQUEST_WORKFLOW = "pull-request"
"""The name of the workflow for pull requests where no environment has previews."""
WATCHDOG_WORKFLOW = f"{WORKFLOWS}/watchdog.yml"
CHECK_WORKFLOW = f"{WORKFLOWS}/wfgen-check.yml"
CHECK_ACTION = f"{ACTIONS}/wfgen-check"
CLUSTER_LOGIN_ACTION = f"{ACTIONS}/cluster-login"
RELEASE_ACTION = f"{ACTIONS}/release"
PROGRAM = f"{RELEASE_ACTION}/release_program"

SAME_REPOSITORY, CHECKOUT = "$/", "./"
LOCAL = (SAME_REPOSITORY, CHECKOUT)
"""Prefixes of a `uses:` that refers to a file of the same repository.

`wfgen.actions.reading` has them as well: that room imports nothing that is wfgen's own.
"""

_BUILD = "build_"
_DEPLOY_TAG, _ROLLBACK_TAG = "deploy", "rollback"


class Variable:
    """Environment variables that the program reads."""

    # Set by generated workflows.
    DESCRIPTION = "WFGEN_DESCRIPTION"
    SERVICES = "WFGEN_SERVICES"
    REF = "WFGEN_REF"
    FORCE = "WFGEN_FORCE"
    GO_BACK = "WFGEN_GO_BACK"
    BASE_ENVIRONMENT = "WFGEN_BASE_ENVIRONMENT"
    NEEDS = "WFGEN_NEEDS"
    STEPS = "WFGEN_STEPS"
    APPROVED = "WFGEN_APPROVED"
    NUMBER = "WFGEN_NUMBER"
    SHA = "WFGEN_SHA"
    NAMESPACES = "WFGEN_NAMESPACES"
    FINISHED_RUN = "WFGEN_FINISHED_RUN"
    FINISHED_ATTEMPT = "WFGEN_FINISHED_ATTEMPT"
    APP_TOKEN = "WFGEN_APP_TOKEN"
    LEASE_SECONDS = "WFGEN_LEASE_SECONDS"
    POLL_SECONDS = "WFGEN_POLL_SECONDS"
    DOUBT_SECONDS = "WFGEN_DOUBT_SECONDS"
    RETRY_SECONDS = "WFGEN_RETRY_SECONDS"
    REQUEST_SECONDS = "WFGEN_REQUEST_SECONDS"
    SLACK_WEBHOOK_URL = "SLACK_WEBHOOK_URL"
    PAGERDUTY_ROUTING_KEY = "PAGERDUTY_ROUTING_KEY"
    PAGERDUTY_EVENTS_URL = "PAGERDUTY_EVENTS_URL"
    KUBECONFIG = "KUBECONFIG"
    TOKEN = "GITHUB_TOKEN"
    # Set by GitHub.
    # https://docs.github.com/en/actions/reference/workflows-and-actions/variables#default-environment-variables
    ACTOR = "GITHUB_ACTOR"
    API_URL = "GITHUB_API_URL"
    EVENT_NAME = "GITHUB_EVENT_NAME"
    EVENT_PATH = "GITHUB_EVENT_PATH"
    GRAPHQL_URL = "GITHUB_GRAPHQL_URL"
    IN_ACTIONS = "GITHUB_ACTIONS"
    OUTPUT = "GITHUB_OUTPUT"
    REPOSITORY = "GITHUB_REPOSITORY"
    RUN_ATTEMPT = "GITHUB_RUN_ATTEMPT"
    RUN_ID = "GITHUB_RUN_ID"
    SERVER_URL = "GITHUB_SERVER_URL"
    COMMIT = "GITHUB_SHA"
    STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
    # Read by git.
    GIT_CONFIG_COUNT = "GIT_CONFIG_COUNT"


class Output:
    """Outputs of the program's commands, and of the jobs that run them. None is ever empty: the
    runner skips empty outputs, and a re-run would keep the value of an earlier attempt.
    """

    PROPOSED = "proposed"
    SHA = "sha"
    SCOPE = "scope"
    SERVICES = "services"
    BUILD = "build"
    IMAGES = "images"
    PREVIOUS = "previous"
    GO_BACK = "go_back"
    TRUSTED = "trusted"
    NUMBER = "number"
    HELD = "held"
    APPROVED_BY = "approved_by"
    PROCEED = "proceed"
    DECISION = "decision"
    REASON = "reason"
    RELEASE = "release"
    LKG_SHA = "lkg_sha"
    VERIFIED = "verified"
    CAUSE = "cause"
    RESTORED = "restored"
    REVERTED = "reverted"
    ADDRESS = "address"
    LEFT = "left"
    NAMESPACES = "namespaces"
    NUMBERS = "numbers"
    DIGEST = "digest"


NONE = "none"
"""The value of an output that has nothing to say."""
NO_NUMBER = "0"
"""The number of no release and of no pull request."""

PER_ATTEMPT = (Output.PROCEED, Output.DECISION, Output.VERIFIED, Output.CAUSE, Output.RESTORED)
"""Outputs whose value ends in the attempt of the run that wrote them, as in `true@2`."""


class Job:
    """Ids of the generated jobs whose results the program reads. For builds see `build_job`."""

    PLAN = "plan"
    APPROVE = "approve"
    RELEASE = "release"
    DEPLOY = "deploy"
    MONITOR = "monitor"
    ROLLBACK = "rollback"
    REVERT = "revert_pr"
    FINISH = "finish"


class Step:
    """Steps whose outcome the program reads: their ids, and a name where GitHub's API has it."""

    AUDIT = "audit"
    NOTIFY = "Notify"


def tagged(value: str, attempt: str) -> str:
    """A value of one of `PER_ATTEMPT`, with the attempt that wrote it."""
    return f"{value}@{attempt}"


def untag(text: str) -> tuple[str, int]:
    """The value and the attempt. Inverse of `tagged`; attempt 0 where there is none."""
    value, mark, attempt = text.rpartition("@")
    return (value, int(attempt)) if mark and attempt.isdigit() else (text, 0)


def inspect_job(environment: str) -> str:
    """The id of the watchdog's job that looks at an environment."""
    return f"inspect_{environment}"


def restore_job(environment: str) -> str:
    """The id of the watchdog's job that restores an environment."""
    return f"restore_{environment}"


def build_job(service: str) -> str:
    """The id of the job that builds a service."""
    return _BUILD + service.replace("-", "_")


def built_service(job: str) -> str:
    """The service that a job builds; '' for a job that is not a build. Inverse of `build_job`."""
    return job[len(_BUILD) :].replace("_", "-") if job.startswith(_BUILD) else ""


def lock(environment: str, number: str = "") -> str:
    """The concurrency group of an environment; of one preview with a pull request's number."""
    return f"release-{environment}" + (f"-{number}" if number else "")


def pipeline(environment: str, service: str = "") -> str:
    """The name of the workflow that releases to an environment, or one service to it."""
    return f"{environment}-{service}" if service else environment


def workflow(name: str) -> str:
    """The path of a generated workflow."""
    return f"{WORKFLOWS}/{name}.yml"


def cleanup_workflow(environment: str) -> str:
    """The path of the workflow that deletes previews."""
    return workflow(f"{environment}-cleanup")


def action(folder: str) -> str:
    """The path of the file that defines an action."""
    return f"{folder}/action.yml"


def description(environment: str) -> str:
    """The path of an environment's description, which the program reads."""
    return f"{RELEASE_ACTION}/{environment}.json"


def local_path(uses: str) -> str:
    """The path in `uses:` of an action or workflow of the same repository; '' for any other."""
    return next((uses[len(prefix) :] for prefix in LOCAL if uses.startswith(prefix)), "")


def approval_environment(environment: str) -> str:
    """The environment whose reviewers approve releases; a rollback never waits for them."""
    return f"{environment}-approval"


def secret_variable(stored: str) -> str:
    """The environment variable in which the program finds the value of a GitHub secret."""
    return f"SECRET_{stored}"


def deploy_tag(environment: str, release: str) -> str:
    """The tag of a release that was verified."""
    return f"{_DEPLOY_TAG}/{environment}/{release}"


def rollback_tag(environment: str, release: str) -> str:
    """The tag of a release that was rolled back."""
    return f"{_ROLLBACK_TAG}/{environment}/{release}"


def tagged_release(tag: str) -> int | None:
    """The number of the release in a tag of `deploy_tag` or `rollback_tag`; None for any other."""
    match = re.fullmatch(rf"(?:{_DEPLOY_TAG}|{_ROLLBACK_TAG})/[^/]+/([1-9][0-9]{{0,8}})", tag)
    return int(match[1]) if match else None


def is_rollback_tag(tag: str) -> bool:
    """Whether a tag is one of `rollback_tag`."""
    return tag.startswith(f"{_ROLLBACK_TAG}/")
