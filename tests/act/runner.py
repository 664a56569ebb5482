"""A repository made from this one, and runs of its generated workflows under act."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.act.projection import project_tree

ROOT = Path(__file__).resolve().parents[2]
STANDINS = Path(__file__).parent / "standins"
OWN = {"actions/checkout": "checkout", "docker/build-push-action": "build-push"}
PINNED = re.compile(r"uses: (?P<action>\S+)@(?P<sha>[0-9a-f]{40})")
AUTHOR = {
    "GIT_AUTHOR_NAME": "Test",
    "GIT_AUTHOR_EMAIL": "test@example.com",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "test@example.com",
}


@dataclass
class Run:
    """What act reported: the result of each job by its name, and everything it printed."""

    jobs: dict[str, str] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)
    log: str = ""
    code: int = 0

    def lines(self, job: str) -> str:
        """What one job printed."""
        return "\n".join(line for line in self.log.splitlines() if line.startswith(f"[{job}]"))


class Sample:
    """A clone of this repository's sample project, with the workflows as act can read them."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "shop"
        self.folder = folder
        self.built = folder / "built"
        self.root.mkdir(parents=True)
        for part in ("specs", "kube", "app", ".github", "templates"):
            shutil.copytree(ROOT / part, self.root / part)
        for cache in self.root.rglob("__pycache__"):
            shutil.rmtree(cache)
        project_tree(self.root)
        self._quicken()
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit("the first release")

    def _quicken(self) -> None:
        """Bake times of a second: the descriptions say minutes."""
        for path in self.root.glob(".github/actions/release/*.json"):
            described = json.loads(path.read_text("utf-8"))
            for service in described["services"].values():
                service.update(timeout_seconds=20, bake_seconds=1)
            path.write_text(json.dumps(described), "utf-8")

    def git(self, *arguments: str) -> str:
        """What a git command prints."""
        return subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            env={**os.environ, **AUTHOR},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    def commit(self, message: str) -> str:
        """Commits everything; the commit's SHA."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def change(self, service: str, digest: str | None = None) -> str:
        """A commit that changes the source of a service; `digest` is what the build gives then."""
        context = self.root / "app" / service
        (context / "CHANGED").write_text(os.urandom(8).hex(), "utf-8")
        if digest is not None:
            (context / "DIGEST").write_text(digest, "utf-8")
        return self.commit(f"change {service}")

    def tag(self, release: int, sha: str, images: dict[str, str]) -> None:
        """The deploy tag that a good release leaves."""
        services = {name: {"sha": sha, "image": images.get(name, "")} for name in self.services}
        told = {"release": release, "sha": sha, "services": services, "run": "1", "actor": "test"}
        self.git(
            "tag", "--annotate", f"deploy/production/{release}", sha, "--message", json.dumps(told)
        )

    @property
    def services(self) -> list[str]:
        return [p.stem for p in sorted((self.root / "specs").glob("*.yaml")) if p.stem != "project"]

    def act(
        self,
        event: str,
        payload: dict[str, Any],
        workflow: str,
        environment: dict[str, str],
        run_id: int = 1,
    ) -> Run:
        """Runs a workflow; jobs run on this machine, third-party actions are stand-ins."""
        file = self.folder / "event.json"
        file.write_text(json.dumps(payload), "utf-8")
        bin_folder = self.folder / "bin"
        self._make_tools(bin_folder)
        given = {
            "WFGEN_TEST_ORIGIN": str(self.root),
            "WFGEN_TEST_BUILT": str(self.built),
            "WFGEN_POLL_SECONDS": "0.3",
            "WFGEN_DOUBT_SECONDS": "1",
            "WFGEN_RETRY_SECONDS": "0.2",
            "GITHUB_RUN_ID": str(run_id),
            **environment,
        }
        process = subprocess.run(
            [
                "act", event, "--workflows", f".github/workflows/{workflow}", "--json",
                "--platform", "ubuntu-24.04=-self-hosted", "--no-cache-server", "--pull=false",
                "--action-offline-mode", "--eventpath", str(file), "--rm",
                *(f"--env={name}={value}" for name, value in given.items()),
                "--secret=POSTGRES_PASSWORD_PRODUCTION=placeholder",
                "--secret=POSTGRES_PASSWORD_STAGING=placeholder",
                "--secret=SLACK_WEBHOOK_URL=" + environment.get("SLACK_WEBHOOK_URL", ""),
                "--secret=RELEASE_APP_PRIVATE_KEY=placeholder",
                *self._local_actions(),
            ],
            cwd=self.root,
            env={
                **os.environ,
                "PATH": f"{bin_folder}:{Path(sys.executable).parent}:{os.environ['PATH']}",
                "XDG_CACHE_HOME": str(self.folder / "cache"),
            },
            capture_output=True,
            text=True,
            timeout=180,
        )  # fmt: skip
        return _read(process)

    def _make_tools(self, folder: Path) -> None:
        """`aws` writes the kubeconfig of the fake cluster where the real one writes EKS's."""
        folder.mkdir(exist_ok=True)
        aws = folder / "aws"
        aws.write_text(
            '#!/bin/sh\nwhile [ "$1" != --kubeconfig ]; do shift; done\n'
            'cp "$WFGEN_TEST_KUBECONFIG" "$2"\n',
            "utf-8",
        )
        aws.chmod(0o755)

    def _local_actions(self) -> list[str]:
        text = (self.root / ".github/workflows/_pins.yml").read_text("utf-8")
        actions = [
            f"--local-repository={found['action']}@{found['sha']}={STANDINS / OWN.get(found['action'], 'noop')}"
            for found in PINNED.finditer(text)
        ]
        return [*actions, f"--local-repository=acme/shop@main={self.root}"]


def _read(process: subprocess.CompletedProcess[str]) -> Run:
    run = Run(log=process.stderr, code=process.returncode)
    lines = []
    for line in process.stdout.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            lines.append(line)
            continue
        job = str(entry.get("job", "")).split("/")[-1].strip() if entry.get("job") else ""
        name = str(entry.get("job", "")).partition("/")[2].strip()
        lines.append(f"[{name or job}] {entry.get('msg', '')}".rstrip())
        if "jobResult" in entry:
            run.jobs[name or job] = entry["jobResult"]
        if entry.get("stepResult") and entry.get("stage") == "Main":
            run.steps.append(f"{name}: {entry.get('step')}: {entry['stepResult']}")
    run.log = "\n".join(lines) + "\n" + run.log
    return run
