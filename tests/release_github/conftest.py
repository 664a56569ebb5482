"""A described environment, real git repositories, and a stand-in for GitHub's API."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.github_api import Api, serving
from wfgen.release_program import commands
from wfgen.release_program.hosting import github
from wfgen.release_program.names import NONE, PER_ATTEMPT, tagged
from wfgen.release_program.state import tags

DIGESTS = {"server": "a" * 64, "client": "b" * 64, "tools": "c" * 64}


def service(name: str, **values: Any) -> dict[str, Any]:
    """A service as the description has it."""
    return {
        "image": name,
        "repository": f"ghcr.io/acme/shop-{name}",
        "built": True,
        "deploy": True,
        "watch": [f"app/{name}/", f"specs/{name}.yaml"],
        "manifests": [f"kube/bases/{name}/"],
        "depends_on": [],
        "workloads": [{"kind": "Deployment", "name": name, "container": name}],
        "health": None,
        "secrets": {},
        "replicas": None,
        "autoscaled": False,
        "migrate": None,
        "external": None,
        "rollback": "auto",
        "timeout_seconds": 300,
        "bake_seconds": 120,
        **values,
    }


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of the machine that runs the tests reaches the program, or git."""
    for name in list(os.environ):
        if name.startswith(("GITHUB_", "WFGEN_", "GIT_", "SLACK_", "PAGERDUTY_")):
            monkeypatch.delenv(name)
    values = {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.com",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.com",
        "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_RUN_ID": "77",
        "GITHUB_ACTOR": "ada",
        "GITHUB_TOKEN": "secret-token",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "no_proxy": "127.0.0.1",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)


Describe = Callable[..., None]


@pytest.fixture
def describe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Describe:
    """Writes the description; keywords replace its members."""

    def write(**values: Any) -> None:
        description = {
            "project": "shop",
            "environment": "production",
            "preview": False,
            "namespace": "shop",
            "overlay": "kube/overlays/production",
            "watch": ["kube/overlays/production/"],
            "url": "https://shop.example.com",
            "default_branch": "main",
            "label": None,
            "time_to_live_hours": 72,
            "revert": {"auto_merge": False},
            "notify": ["slack", "pagerduty"],
            "services": {
                "redis": service("redis", built=False, repository=None, rollback="never"),
                "server": service("server"),
                "client": service("client"),
                "tools": service("tools", deploy=False, workloads=[]),
            },
            **values,
        }
        (tmp_path / "description.json").write_text(json.dumps(description))

    write()
    monkeypatch.setenv("WFGEN_DESCRIPTION", str(tmp_path / "description.json"))
    return write


@pytest.fixture
def outputs(tmp_path: Path) -> Callable[[], dict[str, str]]:
    """The outputs that the program has written; a later one of a name wins, as on GitHub."""

    def read() -> dict[str, str]:
        found: dict[str, str] = {}
        path = tmp_path / "output"
        lines = iter(path.read_text().splitlines() if path.exists() else [])
        for line in lines:
            name, _, mark = line.partition("<<")
            value = []
            for inner in lines:
                if inner == mark:
                    break
                value.append(inner)
            found[name] = "\n".join(value)
        return found

    return read


@pytest.fixture
def summary(tmp_path: Path) -> Callable[[], str]:
    """The run's summary."""
    return (tmp_path / "summary.md").read_text


@pytest.fixture
def needs(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets WFGEN_NEEDS: a job is a result, or a result and outputs."""

    def write(**jobs: str | tuple[str, Mapping[str, str]]) -> None:
        pairs = {k: (v, {}) if isinstance(v, str) else v for k, v in jobs.items()}
        value = {k: {"result": result, "outputs": out} for k, (result, out) in pairs.items()}
        monkeypatch.setenv("WFGEN_NEEDS", json.dumps(value))

    return write


_WRITES = {
    "deploy": ("proceed", "decision", "reason"),
    "monitor": ("verified", "cause"),
    "rollback": ("restored", "cause"),
}
"""What identifies the job of the release that wrote an output."""
_RELEASED = ("release", "lkg_sha", "sha", "services", "images")
"""What each of these jobs writes."""


def of_release(attempt: int = 1, /, **values: str) -> dict[str, str]:
    """The outputs of the called workflow in which one attempt of a run wrote these values.

    A job that wrote none of its outputs was skipped.
    """
    outputs = {}
    for job, names in _WRITES.items():
        own = {name: values[name] for name in (*names, *_RELEASED) if name in values}
        if "cause" in names and names[0] in values:
            own.setdefault("cause", NONE)
        written = own if names[0] in values else {}
        outputs[job] = json.dumps(
            {n: tagged(v, str(attempt)) if n in PER_ATTEMPT else v for n, v in written.items()}
        )
    return outputs


@pytest.fixture
def plan(
    describe: Describe, outputs: Callable[[], dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, Any]]:
    """Plans with these variables; lists and objects of the outputs decoded."""

    def run(**variables: str) -> dict[str, Any]:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        assert commands.run("plan") == 0
        found: dict[str, Any] = dict(outputs())
        for name in ("scope", "services", "build", "images"):
            found[name] = json.loads(found[name])
        return found

    return run


Plan = Callable[..., dict[str, Any]]


@dataclass
class Repository:
    """A work tree with a few services in it, and origin/main where its main is."""

    path: Path

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, message: str = "a change", /, **files: str | None) -> str:
        """Commits files (`app__server__main.py="..."`; None deletes) and returns the SHA."""
        for name, text in files.items():
            path = self.path / name.replace("__", "/")
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        self.git("update-ref", "refs/remotes/origin/main", "main")
        return self.git("rev-parse", "HEAD")

    def release(self, number: int, sha: str, environment: str = "production", **more: Any) -> None:
        """A deploy tag as `audit` makes it; `services` replaces what it says of them."""
        services: dict[str, dict[str, str | None]] = {
            name: {"sha": sha, "image": f"ghcr.io/acme/shop-{name}@sha256:{digest}"}
            for name, digest in DIGESTS.items()
        }
        services["redis"] = {"sha": sha, "image": None}
        facts = {"release": number, "sha": sha, "services": services, **more}
        message = tags.message(f"release {number}", "Run: 1", facts)
        name = f"deploy/{environment}/{number}"
        self.git("tag", "--annotate", "--cleanup=verbatim", "-m", message, name, sha)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """The repository that the program runs in, with one commit."""
    path = tmp_path / "checkout"
    path.mkdir()
    made = Repository(path)
    made.git("init", "--quiet", "--initial-branch=main")
    services = {
        f"app__{name}__main.py": f"print('{name}')\n" * 5 for name in ("server", "client", "tools")
    }
    manifests = {f"kube__bases__{name}__app.yaml": "a: 1\n" for name in ("redis", "server")}
    overlay = {"kube__overlays__production__kustomization.yaml": "a: 1\n"}
    made.commit("first", **services, **manifests, **overlay, **{"README.md": "shop\n"})
    monkeypatch.chdir(path)
    return made


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """The stand-in, running; waits between attempts take no time."""
    made = Api()
    with serving(made):
        monkeypatch.setenv("GITHUB_API_URL", made.url)
        monkeypatch.setattr(github, "sleep", lambda _: None)
        yield made
