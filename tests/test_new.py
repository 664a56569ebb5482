"""`wfgen new` in a copy of this repository: then only `wfgen render` and a commit are needed."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import case, kube_schema
from tests.judges import judge
from tests.judges.tools import find_program
from tests.terminal import Terminal
from wfgen.adopt.scaffold import scaffold
from wfgen.specs.kinds import KINDS, kind_name

ROOT = Path(__file__).resolve().parents[1]
NEW = {
    **{f"new-{kind_name(kind)}": kind_name(kind) for kind in KINDS if not kind.refused},
    "worker": "server",
    "site": "client",
    "orders-db": "postgres",
}
"""Services that are added, with their kinds."""
LABEL = "app.kubernetes.io/name"


@dataclass
class Copy:
    """This repository with a new service of each kind, not rendered yet."""

    root: Path
    before: dict[str, bytes]
    after: dict[str, bytes]


def tree(root: Path) -> dict[str, bytes]:
    paths = [path for path in root.rglob("*") if path.is_file()]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    root = tmp_path_factory.mktemp("copy")
    for folder in (".github", "app", "docs", "kube", "specs", "templates"):
        skipped = shutil.ignore_patterns("__pycache__", ".*cache")
        shutil.copytree(ROOT / folder, root / folder, ignore=skipped)
    before = tree(root)
    for name, kind in NEW.items():
        scaffold(root, name, kind)
    # And a spec written by hand: another image of the server's folder, which `kube/` does not use.
    spec = "kind: server\nbuild: {context: app/server, test: make test}\ndeploy: false\n"
    case.write(root, {"specs/tool.yaml": spec})
    return Copy(root, before, tree(root))


def test_existing_files_are_kept(copy: Copy) -> None:
    own = re.compile(rf"(specs/|kube/bases/|app/)({'|'.join([*NEW, 'tool'])})(\.yaml|/.*)")
    changed = {path for path, text in copy.after.items() if text != copy.before.get(path)}
    others = {path for path in changed if not own.fullmatch(path)}
    assert others == {
        "kube/overlays/production/kustomization.yaml",
        "kube/overlays/staging/kustomization.yaml",
        "specs/project.yaml",  # the secret of the new Postgres
    }
    for path in others:  # lines were added; all others are unchanged, with their comments
        lines = iter(copy.after[path].splitlines())
        assert all(line in lines for line in copy.before[path].splitlines()), path


def test_no_judge_has_a_finding_after_render(
    copy: Copy, capsys: pytest.CaptureFixture[str]
) -> None:
    """After `wfgen new`, or a new spec, `wfgen render` is the only step."""
    if shutil.which("kubectl") is None:
        case.missing("kubectl")
    terminal = Terminal(copy.root, capsys)
    ran = terminal.run("render")
    assert (ran.code, ran.err) == (0, "")
    assert terminal.run("check").code == 0
    pipeline = (copy.root / ".github/workflows/production.yml").read_text("utf-8")
    for text in ("build_worker", "build_site", "build_tool"):
        assert text in pipeline
    release = (copy.root / ".github/workflows/_deploy.yml").read_text("utf-8")
    assert "SECRET_ORDERS_DB_PASSWORD: ${{ secrets.ORDERS_DB_PASSWORD }}" in release
    workflows = (copy.root / ".github/workflows").glob("*.yml")
    actions = (copy.root / ".github/actions").glob("*/action.yml")
    assert [str(finding) for finding in judge([*workflows, *actions], copy.root)] == []


@pytest.mark.parametrize("overlay", ["production", "staging"])
def test_manifests_are_valid_and_safe(copy: Copy, overlay: str) -> None:
    if shutil.which("kubectl") is None:
        case.missing("kubectl")
    command = ["kubectl", "kustomize", f"kube/overlays/{overlay}"]
    text = subprocess.check_output(command, cwd=copy.root, text=True)
    objects: list[dict[str, Any]] = list(yaml.safe_load_all(text))
    new = {
        (manifest["kind"], manifest["metadata"]["name"]): manifest
        for manifest in objects
        if manifest["metadata"]["labels"].get(LABEL) in NEW
    }
    for manifest in new.values():
        kube_schema.validate(manifest)
    assert {name for kind, name in new if kind == "Service"} == set(NEW)
    for (kind, name), manifest in new.items():
        if kind in ("Deployment", "StatefulSet"):
            spec = yaml.safe_load((copy.root / f"specs/{name}.yaml").read_text("utf-8"))
            image = spec.get("image", {}).get("reference", name)
            check_workload(manifest, new["Service", name], image)


def check_workload(workload: dict[str, Any], service: dict[str, Any], image: str) -> None:
    """The requirements of the pipeline and of the restricted Pod Security Standard."""
    name, spec = workload["metadata"]["name"], workload["spec"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    assert (container["name"], container["image"]) == (name, image)
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= set(container)
    assert set(container["resources"]["requests"]) == {"cpu", "memory"}
    assert spec["minReadySeconds"] > 0
    if workload["kind"] == "Deployment":
        probe = container["startupProbe"]
        patience = probe["periodSeconds"] * probe["failureThreshold"] + spec["minReadySeconds"]
        assert patience < spec["progressDeadlineSeconds"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert service["spec"]["selector"] == spec["template"]["metadata"]["labels"] == {LABEL: name}
    (port,) = service["spec"]["ports"]
    assert port["targetPort"] in [listed["name"] for listed in container["ports"]]


def test_dockerfiles_are_valid(copy: Copy) -> None:
    for name in ("worker", "site"):
        folder = copy.root / "app" / name
        dockerfile = (folder / "Dockerfile").read_text("utf-8")
        (user,) = re.findall(r"^USER (.*)$", dockerfile, re.MULTILINE)
        manifest = copy.root / f"kube/bases/{name}/deployment.yaml"
        context = yaml.safe_load(manifest.read_text("utf-8"))["spec"]["template"]["spec"]
        ids = context["securityContext"]
        assert user == f"{ids['runAsUser']}:{ids['runAsGroup']}"
        for source in re.findall(r"^COPY (\S+)", dockerfile, re.MULTILINE):
            assert (folder / source).exists()
            assert f"!{source}" in (folder / ".dockerignore").read_text("utf-8").splitlines()
        command = [find_program("hadolint"), str(folder / "Dockerfile")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "")


def test_first_program_answers_and_stops_on_sigterm(copy: Copy) -> None:
    """As its probes and Kubernetes require."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [sys.executable, str(copy.root / "app/worker/main.py")]
    program = subprocess.Popen(command, env={"PORT": str(port)}, stderr=subprocess.DEVNULL)
    try:
        assert ask(program, port, "/healthz") == 200
        assert ask(program, port, "/") == 404
        program.send_signal(signal.SIGTERM)
        assert program.wait(60) == 0
    finally:
        program.kill()
        program.wait()


def ask(program: subprocess.Popen[bytes], port: int, path: str) -> int:
    """The status of an answer; waits until the server has started."""
    while program.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"the program ended with exit code {program.returncode}")
