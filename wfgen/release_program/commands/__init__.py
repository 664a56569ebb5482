"""The commands of the release program: what each reads and writes. Each module has one or two of
them; a module whose name begins with an underscore is part of the command that imports it.

Importing this package imports no command.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module

from ..hosting import outputs
from ..names import NONE, Output, Variable, secret_variable


@dataclass(frozen=True)
class CommandOutput:
    """An output of a command."""

    meaning: str
    values: tuple[str, ...] = ()
    """All values that it can have, where these are few; `except: ...` is any that begins so."""

    def __str__(self) -> str:
        values = ", ".join(f"`{value}`" for value in self.values if value)
        return f"{self.meaning} ({values})" if values else self.meaning

    def allows(self, value: str) -> bool:
        """Whether the output can have this value."""
        beginnings = tuple(known[:-3] for known in self.values if known.endswith("..."))
        return not self.values or value in self.values or value.startswith(beginnings)


@dataclass(frozen=True)
class Command:
    """A command: its module in this package, and the variables and outputs, each with a meaning."""

    module: str
    reads: Mapping[str, str]
    writes: Mapping[str, CommandOutput] = field(default_factory=dict)


RUNNER_VARIABLES = {
    Variable.IN_ACTIONS: "true: print GitHub's workflow commands",
    Variable.OUTPUT: "file to which outputs are written",
    Variable.STEP_SUMMARY: "file to which the summary is written",
}
"""Variables that every command reads."""

_DESCRIPTION = {Variable.DESCRIPTION: "path of the environment's description"}
_RUN = {
    Variable.RUN_ATTEMPT: "attempt of this run",
    Variable.SERVER_URL: "GitHub's address, for links",
    Variable.REPOSITORY: "owner/name of this repository",
    Variable.RUN_ID: "this run",
}
_API = {
    Variable.API_URL: "GitHub's REST API",
    Variable.GRAPHQL_URL: "GitHub's GraphQL API",
    Variable.REPOSITORY: "owner/name of this repository",
}
_CLUSTER = {
    **_DESCRIPTION,
    Variable.KUBECONFIG: "the cluster, for kubectl",
    Variable.NUMBER: "pull request of the preview",
    Variable.RETRY_SECONDS: "wait before kubectl is started again (2)",
}
_RECORD = {
    **_CLUSTER,
    Variable.LEASE_SECONDS: "time after which a silent run loses its release (1800)",
    Variable.REPOSITORY: "owner/name of this repository, which owns the release",
    Variable.RUN_ID: "this run, which owns the release",
    Variable.RUN_ATTEMPT: "attempt of this run, which owns the release",
    Variable.REQUEST_SECONDS: "maximum time of a call that changes the cluster (60)",
}
_ROLLOUT = {
    Variable.POLL_SECONDS: "wait between two looks at the cluster (2)",
    Variable.DOUBT_SECONDS: "time that a bad sign must last (12)",
}
_RUNTIME_SECRETS = {secret_variable("<NAME>"): "value of each runtime secret"}
_NEEDS = {**_DESCRIPTION, **_RUN, Variable.NEEDS: "results of the jobs before: `toJSON(needs)`"}
_STEPS = {Variable.STEPS: "results of the steps before: `toJSON(steps)`"}
_EVIDENCE = {
    **_API,
    Variable.TOKEN: "token with `actions: read`: whether the attempt that owns a release has ended",
}
_MESSAGES = {
    Variable.SLACK_WEBHOOK_URL: "Slack's incoming webhook",
    Variable.PAGERDUTY_ROUTING_KEY: "PagerDuty's routing key",
    Variable.PAGERDUTY_EVENTS_URL: "PagerDuty's Events API (https://events.pagerduty.com)",
}
_BOOLEAN = ("true", "false")
_CAUSES = ("app", "infra")
_RELEASED = {
    Output.RELEASE: CommandOutput("number of the release"),
    Output.LKG_SHA: CommandOutput("commit of the last known good release"),
    Output.SHA: CommandOutput("commit that is released"),
    Output.SERVICES: CommandOutput("services that are released, a JSON list"),
    Output.IMAGES: CommandOutput("image of each service by digest, a JSON object"),
}
"""What `preflight`, `monitor` and `rollback` each write: outputs of a lost runner never arrive."""

COMMANDS: Mapping[str, Command] = {
    "plan": Command(
        "plan",
        {
            **_DESCRIPTION,
            Variable.SERVICES: "services to consider, separated by commas; all by default",
            Variable.REF: "branch, tag or commit to release; the default branch contains it",
            Variable.FORCE: "true: treat every service as changed",
            Variable.GO_BACK: "number of the release to go back to",
            Variable.BASE_ENVIRONMENT: "for previews: environment to compare with",
            Variable.NUMBER: "pull request of the preview",
            Variable.COMMIT: "commit of the run",
            Variable.EVENT_NAME: "event that started the run",
            Variable.EVENT_PATH: "file with that event",
            Variable.ACTOR: "who started the run",
            Variable.RUN_ATTEMPT: "attempt of this run; from 2 on, every service is built",
        },
        {
            Output.PROPOSED: CommandOutput("whether a release is proposed", _BOOLEAN),
            Output.SHA: CommandOutput("commit to release"),
            Output.SCOPE: CommandOutput("services that the run may release, a JSON list"),
            Output.SERVICES: CommandOutput("services that are proposed, a JSON list"),
            Output.BUILD: CommandOutput("services to build, a JSON list"),
            Output.IMAGES: CommandOutput("images that a preview takes over, a JSON object"),
            Output.PREVIOUS: CommandOutput("newest deploy tag"),
            Output.GO_BACK: CommandOutput("number of the release to go back to, or 0"),
            Output.TRUSTED: CommandOutput("whether the pull request may use credentials", _BOOLEAN),
            Output.NUMBER: CommandOutput("pull request of the preview, or 0"),
            Output.HELD: CommandOutput("whether an operator went back to a release", _BOOLEAN),
        },
    ),
    "approve": Command(
        "approve",
        {**_NEEDS, **_API, Variable.TOKEN: "token with `actions: read`"},
        {Output.APPROVED_BY: CommandOutput("who approved this run")},
    ),
    "preflight": Command(
        "preflight",
        {
            **_RECORD,
            **_ROLLOUT,
            **_EVIDENCE,
            **_RUNTIME_SECRETS,
            Variable.NEEDS: "results of the jobs before: `toJSON(needs)`",
            Variable.SHA: "commit to release",
            Variable.APPROVED: "services whose release was approved, a JSON list; without an "
            "approval, empty",
            Variable.FORCE: "true: also release what is stale, held, or after a failed rollback",
            Variable.SERVER_URL: "GitHub's address, to fetch commits",
            Variable.GIT_CONFIG_COUNT: "settings of git that the environment already has",
        },
        {
            Output.PROCEED: CommandOutput("whether the release may go on", _BOOLEAN),
            Output.DECISION: CommandOutput(
                "what was decided under the lock",
                (
                    "release",
                    "nothing",
                    "stale",
                    "held",
                    "refused",
                    "unapproved",
                    "unbuilt",
                    "failed",
                ),
            ),
            Output.REASON: CommandOutput("why, in a sentence"),
            **_RELEASED,
        },
    ),
    "migrate": Command("deploy", {**_RECORD, **_ROLLOUT, **_RUNTIME_SECRETS}),
    "deploy": Command("deploy", {**_RECORD, **_ROLLOUT, **_RUNTIME_SECRETS}),
    "monitor": Command(
        "monitor",
        {**_RECORD, **_ROLLOUT},
        {
            Output.VERIFIED: CommandOutput("whether the release is good", _BOOLEAN),
            Output.CAUSE: CommandOutput(
                "cause of a failure: the change, or anything else", (*_CAUSES, NONE)
            ),
            **_RELEASED,
        },
    ),
    "rollback": Command(
        "rollback",
        {**_RECORD, **_ROLLOUT},
        {
            Output.RESTORED: CommandOutput(
                "services that run the last known good release again; verified: this release is "
                "good; taken over: another run has the environment",
                ("all", "except: ...", "nothing", "verified", "taken over", "failed"),
            ),
            Output.CAUSE: CommandOutput(
                "cause of a failure: the change, or anything else", (*_CAUSES, NONE)
            ),
            **_RELEASED,
        },
    ),
    "prune": Command("prune", _RECORD),
    "record": Command("record", _RECORD),
    "inspect": Command(
        "watchdog",
        {
            **_RECORD,
            **_EVIDENCE,
            **_MESSAGES,
            Variable.SERVER_URL: "GitHub's address, for links",
            Variable.FORCE: "true: restore without evidence that the owner has ended",
            Variable.FINISHED_RUN: "run whose end started this one",
            Variable.FINISHED_ATTEMPT: "attempt of that run",
        },
        {Output.LEFT: CommandOutput("whether an ended run left a release in flight", _BOOLEAN)},
    ),
    "restore": Command(
        "watchdog",
        {
            **_RECORD,
            **_ROLLOUT,
            **_EVIDENCE,
            Variable.FORCE: "true: restore without evidence that the owner has ended, and retry a "
            "rollback that failed",
        },
    ),
    "namespace": Command(
        "preview",
        {
            **_CLUSTER,
            **_API,
            Variable.SHA: "commit of the preview",
            Variable.RUN_ID: "this run",
            Variable.TOKEN: "token with `pull-requests: read`",
        },
    ),
    "teardown": Command("preview", {**_CLUSTER, Variable.REPOSITORY: "owner/name"}),
    "previews": Command(
        "preview",
        {**_CLUSTER, Variable.REPOSITORY: "owner/name"},
        {Output.NAMESPACES: CommandOutput("number, expires and run of every preview, a JSON list")},
    ),
    "audit": Command(
        "audit",
        {
            **_NEEDS,
            **_API,
            Variable.TOKEN: "token with `contents: write` and `deployments: write`",
            Variable.ACTOR: "who started the run",
        },
    ),
    "revert": Command(
        "revert",
        {
            **_NEEDS,
            **_API,
            Variable.APP_TOKEN: "App's token with write permission for contents, pull requests "
            "and workflows; without it an issue is opened",
            Variable.TOKEN: "token with `issues: write`",
            Variable.GIT_CONFIG_COUNT: "settings of git that the environment already has",
        },
        {
            Output.REVERTED: CommandOutput("what was opened", ("pull-request", "issue", "none")),
            Output.ADDRESS: CommandOutput("address of the pull request or issue"),
            Output.REASON: CommandOutput("why nothing was reverted"),
        },
    ),
    "notify": Command("notify", {**_NEEDS, **_STEPS, **_MESSAGES}),
    "verdict": Command("verdict", {**_NEEDS, **_STEPS}),
    "gate": Command("verdict", _NEEDS),
    "comment": Command(
        "comment", {**_NEEDS, **_API, Variable.TOKEN: "token with `pull-requests: write`"}
    ),
    "closed": Command(
        "comment",
        {
            **_DESCRIPTION,
            **_API,
            Variable.NAMESPACES: "output of `previews`",
            Variable.TOKEN: "token with `pull-requests: read`",
        },
        {Output.NUMBERS: CommandOutput("previews to tear down, a JSON list")},
    ),
}
"""Every command by its name."""


def function_of(name: str) -> Callable[[], int]:
    """The function that runs a command; imports its module. It returns the exit code."""
    module = import_module(f".{COMMANDS[name].module}", __name__)
    function: Callable[[], int] = getattr(module, name)
    return function


def run(name: str) -> int:
    """Runs a command, which can write the outputs that it declares; returns its exit code."""
    writes = COMMANDS[name].writes
    outputs.declare({output: declared.allows for output, declared in writes.items()})
    return function_of(name)()


def output_descriptions() -> dict[str, str]:
    """Every output by name, with the commands that write it and its meaning."""
    texts: dict[str, dict[str, list[str]]] = {}
    for name, command in COMMANDS.items():
        for output, declared in command.writes.items():
            texts.setdefault(output, {}).setdefault(str(declared), []).append(name)
    return {
        output: "; ".join(f"{', '.join(names)}: {meaning}" for meaning, names in meanings.items())
        for output, meanings in texts.items()
    }
