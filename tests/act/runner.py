"""Runs the generated workflows under act on this machine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.act.calls import replace_calls, replace_successes
from tests.act.github import NAME, SLACK, GitHub
from tests.act.run import Run
from tests.act.sample import Sample
from tests.act.works import find_works
from tests.judges.tools import find_program
from tests.kube_api import FakeCluster

WORKFLOWS = ".github/workflows"
STANDINS = Path(__file__).parent / "standins"
OWN = {"actions/checkout": "checkout", "docker/build-push-action": "build-push"}
PINNED = re.compile(r"uses: (?P<action>\S+)@(?P<sha>[0-9a-f]{40})")


@dataclass(frozen=True)
class Place:
    """What jobs need that differs between clusters."""

    kubeconfigs: Mapping[str, Path]
    """By the cluster names of specs/project.yaml."""
    variables: Mapping[str, str]
    """More variables of the jobs' environment."""
    build: Path = STANDINS / "build-push"
    """The folder of the action that builds images."""
    patience: float = 600
    """Timeout of a run in seconds."""


@dataclass
class Runner:
    """The sample project, GitHub, and the cluster."""

    folder: Path
    sample: Sample
    github: GitHub
    place: Place

    def push(self, run: int, sha: str = "", **more: Any) -> Run:
        """Runs the production pipeline of the newest commit, or of `sha`; `more` as in `start`."""
        payload = {"ref": "refs/heads/main"}
        return self.start("push", "production.yml", payload, run, sha=sha, **more)

    def dispatch(self, run: int, workflow: str = "production.yml", **inputs: str) -> Run:
        """Dispatches a workflow."""
        payload = {"ref": "refs/heads/main", "inputs": inputs}
        return self.start("workflow_dispatch", workflow, payload, run)

    def pull_request(
        self,
        run: int,
        workflow: str = "staging.yml",
        *,
        sha: str,
        head: str = NAME,
        author: str = "ada",
        action: str = "opened",
        label: str = "preview",
        added: str = "preview",
    ) -> Run:
        """Runs a workflow for pull request 12, whose label is `label`.

        The event `labeled` is about the label `added`.
        """
        request = {
            "number": 12,
            "state": "closed" if action == "closed" else "open",
            "user": {"login": author},
            "labels": [{"name": label}],
            "head": {"sha": sha, "ref": "feature", "repo": {"full_name": head}},
            "base": {"ref": "main", "sha": self._main, "repo": {"full_name": NAME}},
        }
        payload = {"action": action, "number": 12, "pull_request": request}
        if action == "labeled":
            payload["label"] = {"name": added}
        secrets = head == NAME and author != "dependabot[bot]"
        return self.start("pull_request", workflow, payload, run, actor=author, secrets=secrets)

    def merge_group(self, run: int, *, sha: str) -> Run:
        """Runs the workflow for pull requests for a merge group, whose commit is `sha`.

        https://docs.github.com/en/webhooks/webhook-events-and-payloads#merge_group
        """
        group = {
            "head_sha": sha,
            "head_ref": f"refs/heads/gh-readonly-queue/main/pr-12-{sha}",
            "base_sha": self._main,
            "base_ref": "refs/heads/main",
        }
        payload = {"action": "checks_requested", "merge_group": group}
        return self.start("merge_group", "staging.yml", payload, run)

    def start(
        self,
        event: str,
        workflow: str,
        payload: dict[str, Any],
        run: int,
        *,
        actor: str = "ada",
        secrets: bool = True,
        sha: str = "",
        attempt: int = 1,
        failed: Run | None = None,
    ) -> Run:
        """Runs a workflow. `payload` is that of the event, without the repository.

        With `failed`, an earlier attempt, only the jobs that failed in it run again.
        """
        file = self.folder / "event.json"
        repository = {"full_name": NAME, "default_branch": "main"}
        file.write_text(json.dumps({**payload, "repository": repository}), "utf-8")
        stage = self._stage(sha or self.sample.head)
        variables = {**self._variables(), "GITHUB_RUN_ID": run, "GITHUB_RUN_ATTEMPT": attempt}
        names = {
            "POSTGRES_PASSWORD": "placeholder",
            "RELEASE_APP_PRIVATE_KEY": "placeholder",
            "SLACK_WEBHOOK_URL": self.github.url + SLACK,
        }
        path = stage / WORKFLOWS / workflow
        arguments = [
            find_program("act"), event, "--json", "--workflows", str(path),
            "--eventpath", str(file), "--actor", actor, "--platform", "ubuntu-24.04=-self-hosted",
            "--no-cache-server", "--no-skip-checkout", "--pull=false", "--action-offline-mode",
            "--rm", *(f"--env={name}={value}" for name, value in variables.items()),
            "--secret=GITHUB_TOKEN=stand-in",
            *(f"--secret={name}={value}" for name, value in names.items() if secrets),
            *self._local_actions(),
        ]  # fmt: skip
        works = find_works(path)
        self.github.begin(run, attempt, workflow)
        if failed:
            path.write_text(replace_successes(path, failed.results, failed.outputs), "utf-8")
        done = self._act(arguments, stage, works)
        if any("/" in job for job in done.failed):
            path.write_text(replace_calls(path, done.results, done.outputs), "utf-8")
            done = self._act(arguments, stage, works).after(done)
        self.github.end(run, done)
        for job, text in done.logs.items():  # pytest shows it if the test fails
            print(f"--- {job}: {done.results.get(job)}\n{text}")
        print("\n".join(done.complaints))
        return done

    @property
    def _main(self) -> str:
        """The newest commit of the default branch."""
        return self.sample.git("rev-parse", "main")

    def _variables(self) -> dict[str, str]:
        return {
            "GITHUB_REPOSITORY": NAME,
            "GITHUB_API_URL": self.github.url,
            "WFGEN_TEST_ORIGIN": str(self.sample.root),
            "GOGC": "off",  # kubectl ends before it needs to collect garbage
            "no_proxy": "127.0.0.1",
            **self.place.variables,
        }

    def _act(self, arguments: list[str], stage: Path, works: Mapping[str, str]) -> Run:
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "WFGEN_"))},
            "PATH": f"{self._tools()}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "XDG_CACHE_HOME": str(self.folder / "cache"),
        }
        process = subprocess.run(
            arguments,
            cwd=stage,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=self.place.patience,
        )
        return Run.read(process.stdout, process.stderr, works)

    def _stage(self, sha: str) -> Path:
        """Makes a folder with only the workflows of a commit, in which act starts.

        act copies the folder into each job; on GitHub, a job starts in an empty one. The actions
        `./.github/actions/...` come from the checkout in each job, as on GitHub.
        """
        stage = self.folder / "stage"
        shutil.rmtree(stage, ignore_errors=True)
        stage.mkdir()
        for path in self.sample.git("ls-tree", "--name-only", sha, f"{WORKFLOWS}/").split():
            text = self.sample.git("show", f"{sha}:{path}")
            (stage / path).parent.mkdir(parents=True, exist_ok=True)
            (stage / path).write_text(f"{text}\n", "utf-8")
        subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(stage)], check=True)
        # act reads only the SHA.
        (stage / ".git/refs/heads/main").write_text(f"{sha}\n", "utf-8")
        return stage

    def _tools(self) -> Path:
        """A folder with a stand-in for `aws`, which writes the kubeconfig of the cluster."""
        folder = self.folder / "bin"
        folder.mkdir(exist_ok=True)
        clusters = "".join(
            f"  {name}) cp '{path}' \"$file\";;\n" for name, path in self.place.kubeconfigs.items()
        )
        aws = folder / "aws"
        aws.write_text(
            "#!/bin/sh -e\n"
            'while [ "$#" -gt 0 ]; do\n'
            '  case "$1" in --name) name=$2;; --kubeconfig) file=$2;; esac\n'
            "  shift\ndone\n"
            f'case "$name" in\n{clusters}  *) exit 254;;\nesac\n',
            "utf-8",
        )
        aws.chmod(0o755)
        return folder

    def _local_actions(self) -> list[str]:
        """Stand-ins for all actions of the lock."""
        text = (self.sample.root / WORKFLOWS / "_pins.yml").read_text("utf-8")
        return [
            f"--local-repository={pin['action']}@{pin['sha']}={self._standin(pin['action'])}"
            for pin in PINNED.finditer(text)
        ]

    def _standin(self, action: str) -> Path:
        folder = OWN.get(action, "noop")
        return self.place.build if folder == "build-push" else STANDINS / folder


@dataclass
class Shop(Runner):
    """The sample project with a fake cluster."""

    cluster: FakeCluster

    @property
    def record(self) -> dict[str, Any]:
        """The release record of production; {} if there is none."""
        stored = self.cluster.find("ConfigMap", "wfgen-release-production", "shop")
        return json.loads(stored["data"]["record.json"]) if stored else {}


def on_fake(cluster: FakeCluster) -> Place:
    """A fake cluster for both environments, with shorter intervals than a real one."""
    variables = {
        "WFGEN_POLL_SECONDS": "0.3",
        "WFGEN_DOUBT_SECONDS": "1",
        "WFGEN_RETRY_SECONDS": "0.2",
        "KUBECACHEDIR": cluster.environment["KUBECACHEDIR"],
    }
    return Place(dict.fromkeys(("shop", "shop-staging"), cluster.kubeconfig), variables)
