"""Warnings about workflows of others that push or deploy what a spec describes."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest

from tests import case
from tests.terminal import Terminal
from wfgen.checks.other_deployers import find
from wfgen.generate.plan import plan
from wfgen.specs import loading

WORKFLOW = ".github/workflows/old.yml"
IMAGE = (
    "pushes image `ghcr.io/acme/shop-web` of `specs/web.yaml`, which the generated pipelines push"
)
WORKLOAD = "deploys deployment `web` of `specs/web.yaml`, which the generated pipelines release"
OVERLAY = "deploys the overlay of environment `production`, which the generated pipelines release"
MANIFESTS = "deploys the manifests of `specs/web.yaml`, which the generated pipelines release"
NAMESPACE = (
    "deploys to namespace `shop` of environment `production`, which the generated pipelines release"
)
PREVIEW = (
    "deploys to namespace `shop-pr-<number>` of environment `staging`, "
    "which the generated pipelines release"
)
RELEASE = (
    "deploys Helm release `web`, named as a service or the project, "
    "which the generated pipelines release"
)
HELM_IMAGE = (
    "deploys image `ghcr.io/acme/shop-web` of `specs/web.yaml`, "
    "which the generated pipelines release"
)
SPECS = case.read("ok", "preview")


def warnings(root: Path, steps: str, head: str = "") -> list[tuple[int, str]]:
    """Line and message of each warning about a job with these steps."""
    text = f"on: push\n{head}jobs:\n  old:\n    runs-on: ubuntu-24.04\n    steps:\n"
    text += textwrap.indent(textwrap.dedent(steps).strip("\n"), "      ") + "\n"
    case.write(root, {**SPECS, WORKFLOW: text})
    found = find(plan(loading.load(root)), [WORKFLOW])
    assert all(warning.severity == "warning" for warning in found)
    for warning in found:
        assert warning.source == text.splitlines()[warning.position.line - 1]
        assert warning.source[warning.position.column - 1] not in " -"
    return [(warning.position.line - 5 - head.count("\n"), warning.message) for warning in found]


def script(text: str) -> str:
    return "- run: |\n" + textwrap.indent(textwrap.dedent(text).strip("\n"), "    ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("docker push ghcr.io/acme/shop-web:latest", IMAGE),
        ("docker push ghcr.io/acme/shop-web", IMAGE),
        ("make && sudo docker image push ghcr.io/acme/shop-web@sha256:abc", IMAGE),
        ("buildah push shop ghcr.io/acme/shop-web:1", IMAGE),
        ("buildah push shop docker://ghcr.io/acme/shop-web:1", IMAGE),
        ("docker buildx build --push -t ghcr.io/acme/shop-web:1 .", IMAGE),
        ("docker buildx build . \\\n  --tag=ghcr.io/acme/shop-web:1 \\\n  --push", IMAGE),
        ("IMAGE=ghcr.io/acme/shop-web:1\ndocker push $IMAGE", IMAGE),
        ("docker push ghcr.io/${{ github.repository_owner }}/shop-web:${{ github.sha }}", IMAGE),
        ('docker push "$REGISTRY/shop-web:$TAG"', IMAGE),
        ("skopeo copy docker://a docker://ghcr.io/acme/shop-web:1", IMAGE),
        ("crane copy a ghcr.io/acme/shop-web:1", IMAGE),
        ("kubectl set image deployment/web web=a:b", WORKLOAD),
        ("kubectl -n shop set image deploy web web=a:b", WORKLOAD),
        ("kubectl rollout restart deployments.apps/web", WORKLOAD),
        ("kubectl delete deployment web --wait", WORKLOAD),
        ('kubectl -n "$NAMESPACE" scale deployment/web --replicas=3', WORKLOAD),
        ("kubectl apply -k kube/overlays/production", OVERLAY),
        ("kubectl apply --kustomize=./kube/overlays/production/", OVERLAY),
        ("kustomize build kube/overlays/production | kubectl apply -f -", OVERLAY),
        ("kubectl kustomize kube/overlays/production | envsubst | kubectl apply -f -", OVERLAY),
        ("cd kube/overlays/production\nkustomize build . | kubectl apply -f -", OVERLAY),
        ("kubectl apply -R -f kube", OVERLAY),
        ("kubectl apply -f kube/bases/web/deployment.yaml", MANIFESTS),
        ("envsubst < kube/bases/web/deployment.yaml | kubectl apply -f -", MANIFESTS),
        ("kubectl apply -n shop -f monitoring.yaml", NAMESPACE),
        ("kubectl --namespace shop create configmap flags --from-file=flags", NAMESPACE),
        ("kubectl delete pods --all -n shop-pr-12", PREVIEW.replace("<number>", "12")),
        ("kubectl delete pods --all -n shop-pr-${{ github.event.number }}", PREVIEW),
        ("helm upgrade --install web ./chart", RELEASE),
        ("helm upgrade api ./chart --namespace shop", NAMESPACE),
        ("helm upgrade api c -n x --set image.repository=ghcr.io/acme/shop-web", HELM_IMAGE),
        ("if true; then kubectl apply -k kube/overlays/production; fi", OVERLAY),
    ],
)
def test_a_command_that_pushes_or_deploys_is_found(text: str, message: str, tmp_path: Path) -> None:
    assert warnings(tmp_path, script(text)) == [(1, message)]


@pytest.mark.parametrize(
    "text",
    [
        "docker build -t ghcr.io/acme/shop-web:1 .",
        "docker pull ghcr.io/acme/shop-web",
        "docker push ghcr.io/acme/other",
        "docker push ghcr.io/others/shop-web",
        'docker push "$IMAGE"',
        "# docker push ghcr.io/acme/shop-web",
        "echo done # docker push ghcr.io/acme/shop-web",
        "docker login ghcr.io/acme/shop-web && git push",
        "kubectl get deployment/web -n shop",
        "kubectl rollout status deployment/web",
        "kubectl diff -k kube/overlays/production",
        "kubectl apply --dry-run=server -k kube/overlays/production",
        "kubectl kustomize kube/overlays/production > /dev/null",
        "kustomize build kube/overlays/production | kubeconform",
        "kubectl -n other set image deployment/web web=a:b",
        "kubectl set image deployment/other web=a:b",
        "kubectl apply -f .",
        "kubectl apply -n shopping -f a.yaml",
        "helm upgrade other ./chart",
        "helm upgrade web ./chart -n other",
        "helm lint web",
        "helm upgrade web ./chart --dry-run",
        "echo 'it is not closed",
    ],
)
def test_a_command_that_does_not_is_no_warning(text: str, tmp_path: Path) -> None:
    assert warnings(tmp_path, script(text)) == []


PUSH = """
- uses: actions/checkout@v4
- name: Tags
  id: meta
  uses: docker/metadata-action@v5
  with: {images: ghcr.io/acme/shop-web}
- name: Push
  uses: docker/build-push-action@v6
  with:
    INPUTS
"""


@pytest.mark.parametrize(
    ("inputs", "found"),
    [
        ("{push: true, tags: 'ghcr.io/acme/shop-web:latest'}", True),
        ("{push: true, tags: '${{ steps.meta.outputs.tags }}'}", True),
        ("{push: true, tags: 'a/b:1, ghcr.io/${{ env.OWNER }}/shop-web:1'}", True),
        ("{push: \"${{ github.event_name == 'push' }}\", tags: 'ghcr.io/acme/shop-web:1'}", True),
        ("{outputs: 'type=image,name=ghcr.io/acme/shop-web,push=true'}", True),
        ("{push: true, tags: 'ghcr.io/${{ env.OTHER }}/shop-web:1'}", False),
        ("{push: false, tags: 'ghcr.io/acme/shop-web:latest'}", False),
        ("{tags: 'ghcr.io/acme/shop-web:latest'}", False),
        ("{push: true, tags: 'ghcr.io/acme/other:latest'}", False),
        ("{push: true, tags: '${{ steps.other.outputs.tags }}'}", False),
    ],
)
def test_pushes_of_an_action_are_found(inputs: str, found: bool, tmp_path: Path) -> None:
    head = "env: {OWNER: acme, OTHER: others}\n"
    steps = PUSH.replace("\n    INPUTS", f" {inputs}")
    assert warnings(tmp_path, steps, head) == ([(6, IMAGE)] if found else [])


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("{uses: Azure/k8s-deploy@v5, with: {namespace: shop, manifests: a.yaml}}", NAMESPACE),
        ("{uses: azure/k8s-deploy@v5, with: {manifests: kube/overlays/production}}", OVERLAY),
        ("{uses: actions-hub/kubectl@v1, with: {args: set image deployment/web w=a}}", WORKLOAD),
        (
            "{uses: redhat-actions/push-to-registry@v2, "
            "with: {registry: ghcr.io/acme, image: shop-web}}",
            IMAGE,
        ),
    ],
)
def test_deploys_of_an_action_are_found(step: str, message: str, tmp_path: Path) -> None:
    assert warnings(tmp_path, f"- {step}") == [(1, message)]


def test_each_step_has_its_line(tmp_path: Path) -> None:
    steps = """
    - run: make
    - name: Push
      run: docker push ghcr.io/acme/shop-web
    - if: always()
      run: |
        docker push ghcr.io/acme/shop-web
        kubectl rollout restart deployment/web
        kubectl rollout restart deployment/web
    """
    assert warnings(tmp_path, steps) == [(2, IMAGE), (4, IMAGE), (4, WORKLOAD)]


@pytest.mark.parametrize("text", ["jobs: [", "on: push\n", "jobs: {a: {uses: ./missing.yml}}\n"])
def test_a_file_that_github_would_not_run_is_left_out(text: str, tmp_path: Path) -> None:
    case.write(tmp_path, {**SPECS, WORKFLOW: text})
    assert find(plan(loading.load(tmp_path)), [WORKFLOW]) == []


OLD = """\
on: push
jobs:
  old:
    runs-on: ubuntu-24.04
    steps:
      - name: Push
        run: docker push ghcr.io/acme/shop-web
"""
PLACE = f"{WORKFLOW}:6:9"


@pytest.fixture
def repository(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """A rendered repository with another workflow."""
    deployment = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {template: "
    deployment += "{spec: {containers: [{name: web, image: web}]}}}}"
    overlay = "kube/overlays/production"
    kustomization = "{resources: [web.yaml]}"
    manifests = {"kustomization.yaml": kustomization, "web.yaml": deployment}
    files = {f"{overlay}/{name}": text for name, text in manifests.items()}
    case.write(tmp_path, {**case.BASE, **files})
    terminal = Terminal(tmp_path, capsys)
    assert terminal.run("render", "-q").code == 0
    case.write(tmp_path, {WORKFLOW: OLD})
    return terminal


@pytest.mark.parametrize("command", [("check",), ("render",), ("render", "--diff")])
def test_commands_warn_and_keep_their_exit_code(
    repository: Terminal, command: tuple[str, ...]
) -> None:
    ran = repository.run(*command)
    assert ran.code == 0
    assert f"{PLACE}: warning: {IMAGE} [other-deployer]\n 6 |       - name: Push\n" in ran.err
    assert "hint: remove the step" in ran.err
    assert "warning" not in ran.out


def test_a_generated_workflow_is_no_other_deployer(repository: Terminal) -> None:
    (repository.root / WORKFLOW).unlink()
    assert "warning" not in repository.run("check").err


def test_the_formats_of_programs_have_the_warning(repository: Terminal) -> None:
    ran = repository.run("check", "--format", "json")
    assert ran.code == 0
    (warning,) = json.loads(ran.out)["warnings"]
    assert (warning["file"], warning["line"], warning["column"]) == (WORKFLOW, 6, 9)
    assert (warning["message"], warning["rule"]) == (IMAGE, "other-deployer")
    ran = repository.run("check", "--format", "sarif")
    assert ran.code == 0
    (run,) = json.loads(ran.out)["runs"]
    (result,) = run["results"]
    assert (result["level"], result["ruleId"]) == ("warning", "other-deployer")
    assert "other-deployer" in [rule["id"] for rule in run["tool"]["driver"]["rules"]]


@pytest.mark.parametrize("command", ["check", "render"])
def test_github_annotates_the_step(
    repository: Terminal, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = repository.root / "page.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    ran = repository.run(command, "--format", "github")
    assert ran.code == 0
    annotation = f"::warning file={WORKFLOW},line=6,col=9::{IMAGE} [other-deployer]"
    assert annotation in ran.out.splitlines()
    if command == "check":
        assert IMAGE in page.read_text("utf-8")
