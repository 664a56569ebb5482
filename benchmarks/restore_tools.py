"""The compared tools: ours, kubectl, a loop, Helm."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PROGRAM = ROOT / ".github/actions/release/release_program"
BROKEN = ("Error", "CrashLoopBackOff", "ErrImagePull", "ImagePullBackOff")
PROGRESS = {"ours": 120, "loop": 600, "kubectl": 600, "helm": 600}
"""The progress deadline at defaults, in seconds; Kubernetes has 600."""
BAKE = 60


@dataclass(frozen=True)
class Case:
    """One tool and one application in a separate namespace; `deadline` in seconds, or None."""

    tool: str
    failure: str
    deadline: int | None
    namespace: str
    folder: Path

    @property
    def progress(self) -> int:
        """The Deployment's progress deadline in seconds."""
        return self.deadline or PROGRESS[self.tool]

    def manifest(self, image: str) -> dict[str, Any]:
        """The application's Deployment."""
        labels = {"app.kubernetes.io/name": "app"}
        probe = {"httpGet": {"path": "/readyz", "port": 8000}, "periodSeconds": 2}
        container = {"name": "app", "image": image, "readinessProbe": probe}
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "app", "namespace": self.namespace, "labels": labels},
            "spec": {
                "replicas": 2,
                "progressDeadlineSeconds": self.progress,
                "selector": {"matchLabels": labels},
                "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            },
        }

    def run(self, *command: str, text: str = "", **environment: str) -> int:
        """The exit code of a command; its output goes to the case's log."""
        with (self.folder / "log").open("a") as log:
            return subprocess.run(
                command, cwd=self.folder, input=text, text=True, check=False,
                stdout=log, stderr=subprocess.STDOUT, env={**os.environ, **environment},
            ).returncode  # fmt: skip

    def kubectl(self, *arguments: str, text: str = "") -> int:
        """The exit code of kubectl in the case's namespace."""
        return self.run("kubectl", "-n", self.namespace, *arguments, text=text)


def loop(case: Case, image: str) -> bool:
    """Four checks of the pods' states, 10 s apart, or as many as the deadline allows."""
    case.kubectl("apply", "-f", "-", text=json.dumps(case.manifest(image)))
    for _ in range((case.deadline or 40) // 10):
        time.sleep(10)
        shown = subprocess.run(
            ["kubectl", "-n", case.namespace, "get", "pods", "--no-headers"],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        if any(state in shown for state in BROKEN):
            case.kubectl("rollout", "undo", "deployment/app")
            return False
    return True


def kubectl(case: Case, image: str) -> bool:
    """`kubectl rollout status`, then `kubectl rollout undo` if that fails."""
    case.kubectl("apply", "-f", "-", text=json.dumps(case.manifest(image)))
    limit = [f"--timeout={case.deadline}s"] if case.deadline else []
    if case.kubectl("rollout", "status", "deployment/app", *limit) == 0:
        return True
    case.kubectl("rollout", "undo", "deployment/app")
    case.kubectl("rollout", "status", "deployment/app", *limit)
    return False


def helm(case: Case, image: str) -> bool:
    """`helm upgrade --install --rollback-on-failure`."""
    chart = case.folder / "chart"
    (chart / "templates").mkdir(parents=True, exist_ok=True)
    (chart / "Chart.yaml").write_text('{"apiVersion": "v2", "name": "app", "version": "1.0.0"}')
    text = json.dumps(case.manifest("IMAGE")).replace('"IMAGE"', "{{ .Values.image | quote }}")
    (chart / "templates/app.yaml").write_text(text)
    limit = [f"--timeout={case.deadline}s"] if case.deadline else []
    command = ["upgrade", "app", str(chart), "--install", "--rollback-on-failure", *limit]
    return case.run(os.environ["HELM"], "-n", case.namespace, *command, f"--set=image={image}") == 0


def ours(case: Case, image: str) -> bool:
    """The release program's commands, one after the other."""
    overlay = case.folder / "overlay"
    if not overlay.is_dir():
        overlay.mkdir()
        (overlay / "app.yaml").write_text(json.dumps(case.manifest("app")))
        (overlay / "kustomization.yaml").write_text('{"resources": ["app.yaml"]}')
        case.run("git", "init", "--quiet")
    identity = {
        f"GIT_{a}_{b}": "b@example.com" for a in ("AUTHOR", "COMMITTER") for b in ("NAME", "EMAIL")
    }
    case.run("git", "commit", "--quiet", "--allow-empty", "-m", "a release", **identity)
    sha = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=case.folder, check=True, capture_output=True, text=True
    ).stdout.strip()
    (case.folder / "description.json").write_text(json.dumps(_description(case)))
    variables = {
        "WFGEN_DESCRIPTION": str(case.folder / "description.json"),
        "WFGEN_SHA": sha,
        "WFGEN_SERVICES": '["app"]',
        "WFGEN_IMAGES": json.dumps({"app": image}),
        "GITHUB_RUN_ID": sha[:8],
    }
    for command in ("preflight", "migrate", "deploy", "monitor"):
        if case.run(sys.executable, "-S", str(PROGRAM), command, **variables):
            case.run(sys.executable, "-S", str(PROGRAM), "rollback", **variables)
            return False
    return True


def _description(case: Case) -> dict[str, Any]:
    text = (PROGRAM.parent / "production.json").read_text("utf-8")
    description: dict[str, Any] = json.loads(text)
    client = description["services"]["client"]
    limits = {"timeout_seconds": case.deadline, "bake_seconds": BAKE} if case.deadline else {}
    service = {
        **client, **limits, "image": "app", "depends_on": [],
        "workloads": [{"kind": "Deployment", "name": "app", "container": "app"}],
        "health": {"type": "http", "path": "/", "port": 8000},
    }  # fmt: skip
    description.update(namespace=case.namespace, overlay="overlay", services={"app": service})
    return description


TOOLS: dict[str, Callable[[Case, str], bool]] = {
    "ours": ours, "kubectl": kubectl, "loop": loop, "helm": helm,
}  # fmt: skip
"""Each releases an image and returns whether it reports success."""
