"""After a failed login by OIDC, a step prints which token the cloud refused, and not the token."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests import case
from tests.judges.tree import load

CLAIMS = {
    "iss": "https://token.actions.githubusercontent.com",
    "sub": "repo:acme@1234/shop@5678:environment:production",
    "aud": "sts.amazonaws.com",
    "actor": "octocat",
}
TITLE = "Show the claims of the token"
LOGIN = ".github/actions/cluster-login/action.yml"
BUILD = ".github/workflows/_build.yml"
GOOGLE = "https://iam.googleapis.com/projects/"


def token() -> str:
    parts = [{"alg": "RS256"}, CLAIMS]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()) for part in parts]
    return ".".join([*(part.decode().rstrip("=") for part in encoded), "signature"])


class Issuer(BaseHTTPRequestHandler):
    """Answers as GitHub does: https://docs.github.com/en/actions/reference/security/oidc."""

    answer = ""
    requests: list[tuple[str, str]]

    def do_GET(self) -> None:
        self.requests.append((self.path, self.headers["Authorization"]))
        self.send_response(200 if self.answer else 403)
        self.end_headers()
        self.wfile.write(self.answer.encode())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def issuer() -> Iterator[HTTPServer]:
    Issuer.answer = json.dumps({"value": token(), "count": 1})
    Issuer.requests = []
    server = HTTPServer(("127.0.0.1", 0), Issuer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def steps(name: str, path: str, root: Path) -> list[dict[str, Any]]:
    """The steps of an action, or of all jobs of a workflow."""
    files = case.rendered(case.write(root, case.read("ok", name)))
    (text,) = [file.text for file in files if file.path == path]
    tree = load(text)
    found: list[dict[str, Any]] = tree.get("runs", {}).get("steps", [])
    return found + [step for job in tree.get("jobs", {}).values() for step in job["steps"]]


def run(step: dict[str, Any], issuer: HTTPServer) -> subprocess.CompletedProcess[str]:
    """Runs a step as the runner does."""
    address = f"http://127.0.0.1:{issuer.server_port}/token?api-version=2"
    variables = {
        "PATH": os.environ["PATH"],
        "ACTIONS_ID_TOKEN_REQUEST_URL": address,
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-the-job",
        **step["env"],
    }
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("name", "path", "audience"),
    [
        ("cluster-eks", LOGIN, "sts.amazonaws.com"),
        ("cluster-aks", LOGIN, "api://AzureADTokenExchange"),
        ("cluster-gke", LOGIN, GOOGLE),
        ("registry-ecr", BUILD, "sts.amazonaws.com"),
        ("registry-acr", BUILD, "api://AzureADTokenExchange"),
        ("registry-gar", BUILD, GOOGLE),
    ],
)
def test_the_claims_are_printed_and_nothing_else_of_the_token(
    name: str, path: str, audience: str, issuer: HTTPServer, tmp_path: Path
) -> None:
    shown = [step for step in steps(name, path, tmp_path) if step["name"] == TITLE]
    assert shown
    for step in shown:
        Issuer.requests.clear()
        done = run(step, issuer)
        assert (done.returncode, done.stderr) == (0, "")
        error, *lines = done.stdout.splitlines()
        assert error.startswith("::error title=Login failed::")
        assert "docs/delivery-setup.md, OIDC trust" in error
        assert lines == [f"{key}: {json.dumps(CLAIMS[key])}" for key in ("iss", "sub", "aud")]
        ((asked, authorization),) = Issuer.requests
        assert asked.startswith(f"/token?api-version=2&audience={audience}")
        assert authorization == "bearer of-the-job"


@pytest.mark.parametrize("answer", ["", "{}", '{"value": "secret"}', '{"value": "a.secret.c"}'])
def test_an_answer_without_a_token_is_not_printed(
    answer: str, issuer: HTTPServer, tmp_path: Path
) -> None:
    Issuer.answer = answer
    (step,) = [s for s in steps("cluster-eks", LOGIN, tmp_path) if s["name"] == TITLE]
    done = run(step, issuer)
    assert done.returncode != 0
    assert "GitHub issued no token" in done.stderr
    assert "secret" not in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["cluster-eks", "four-clusters"])
def test_it_runs_after_a_failed_login_to_its_own_cluster(name: str, tmp_path: Path) -> None:
    made = steps(name, LOGIN, tmp_path)
    for index, step in enumerate(made):
        if step["name"] == TITLE:
            assert step["if"].startswith("${{ failure() && inputs.environment == '")
            condition = step["if"].replace("failure() && ", "")
            assert made[index - 1]["if"] == condition
            assert "GITHUB_OUTPUT" not in step["run"]


@pytest.mark.parametrize("name", ["registry-ecr", "registry-acr", "registry-gar"])
def test_it_runs_only_where_the_login_to_the_registry_failed(name: str, tmp_path: Path) -> None:
    made = steps(name, BUILD, tmp_path)
    (step,) = [step for step in made if step["name"] == TITLE]
    match = re.fullmatch(
        r"\$\{\{ failure\(\) && steps\.(\w+)\.outcome == 'failure' \}\}", step["if"]
    )
    assert match is not None
    (login,) = [each for each in made if each.get("id") == match[1]]
    assert re.match(
        "aws-actions/configure-aws-credentials|azure/login|google-github-actions/auth",
        login["uses"],
    )
