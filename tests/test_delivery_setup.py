"""docs/delivery-setup.md says what the generated workflows really use, and nothing else.

The workflows are parsed and compared with the page's tables. What the release program asks of a
cluster is held to the deployer's Role in release_program/test_role.py.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import ValidationError

from tests import case, kube_schema
from tests.judges.tree import load
from wfgen.errors import WfgenError
from wfgen.generate.plan import Plan, plan
from wfgen.generate.render import render
from wfgen.release_program.cluster.kubectl import _REMEDIES, KubectlError
from wfgen.specs import loading as spec
from wfgen.specs.kinds.clusters import CLUSTERS
from wfgen.specs.kinds.registries import REGISTRIES
from wfgen.text.quoting import code

ROOT = Path(__file__).resolve().parents[1]
CASES = ["this repository", *case.names("ok")]
Uses = set[tuple[str, str]]
"""Workflow and job."""
Right = tuple[str, str, str]
"""API group, resource with its subresource, verb."""


class Page:
    """The page of a case, beside the workflows that it describes."""

    def __init__(self, name: str, root: Path) -> None:
        here = name == "this repository"
        self.plan: Plan = plan(spec.load(ROOT if here else case.write(root, case.read("ok", name))))
        files = {file.path: file.text for file in render(self.plan)}
        self.text = files["docs/delivery-setup.md"]
        self.workflows: dict[str, Any] = {
            path.rpartition("/")[2]: load(text)
            for path, text in files.items()
            if path.startswith(".github/workflows/") and not path.endswith("_pins.yml")
        }

    def section(self, heading: str) -> str:
        """What stands under a heading, up to the next one of its level; '' where there is none."""
        level = heading.partition(" ")[0]
        _, _, rest = f"\n{self.text}".partition(f"\n{heading}\n")
        return re.split(rf"^#{{2,{len(level)}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]

    def table(self, heading: str) -> dict[str, list[str]]:
        """The rows of the table under a heading, by the code in their first cell."""
        lines = [line for line in self.section(heading).splitlines() if line.startswith("| ")]
        rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
        return {row[0].strip("` "): row for row in rows[1:]}

    def blocks(self, heading: str, language: str) -> list[str]:
        found = re.findall(
            rf"^ *```{language}\n(.*?)^ *```$", self.section(heading) if heading else self.text,
            re.MULTILINE | re.DOTALL,
        )  # fmt: skip
        return [str(each) for each in found]

    def called(self, workflow: str) -> bool:
        return "workflow_call" in self.workflows[workflow]["on"]

    def jobs(self) -> Iterator[tuple[str, str, dict[str, Any], str]]:
        """File, id, job, and the file that it calls ('' for none), of all that events start."""
        for file, workflow in self.workflows.items():
            if not self.called(file):
                for name, job in workflow["jobs"].items():
                    yield file, name, job, str(job.get("uses", "")).rpartition("/")[2]

    def label(self, file: str, job: str) -> tuple[str, str]:
        """As the page calls them: `<service>` for what each service has separately."""
        names = {
            f"{p.name}.yml": f"{p.environment.name}-<service>.yml"
            for p in self.plan.pipelines
            if p.alone
        }
        return names.get(file, file), re.sub(r"^build_.*", "build_<service>", job)

    def permission(self, wanted: str) -> Uses:
        """The jobs that ask for a permission, those inside called workflows too."""
        scope, _, level = wanted.partition(": ")
        uses: Uses = set()
        for file, name, job, called in self.jobs():
            if (job.get("permissions") or {}).get(scope) == level:
                uses.add(self.label(file, name))
                if called:
                    inner = self.workflows[called]["jobs"]
                    uses |= {
                        (called, each)
                        for each in inner
                        if inner[each]["permissions"].get(scope) == level
                    }
        return uses


def uses_in(cell: str) -> Uses:
    """The jobs that a cell of a table names."""
    uses: Uses = set()
    for file, names in re.findall(r"`([^`]+\.yml)`: ((?:`[^`.]+`(?:, )?)+)", cell):
        uses |= {(file, name) for name in re.findall(r"`([^`]+)`", names)}
    return uses


@cache
def page_of(name: str) -> Page:
    with tempfile.TemporaryDirectory() as folder:
        return Page(name, Path(folder))


@pytest.fixture(params=CASES)
def page(request: pytest.FixtureRequest) -> Page:
    return page_of(request.param)


def test_environments_are_those_of_the_jobs(page: Page) -> None:
    used = set()
    for _, _, job, called in page.jobs():
        named = (job.get("environment") or {}).get("name")
        used |= {named} if named else set()
        for inner in page.workflows[called]["jobs"].values() if called else ():
            if inner.get("environment"):
                assert inner["environment"]["name"] == "${{ inputs.environment }}"
                used.add(job["with"]["environment"])
    rows = page.table("## Environments")
    assert set(rows) == used
    for name, (_, branches, reviewers, timer) in rows.items():
        assert ("refs/pull" in branches) == (name in [e.name for e in page.plan.previews])
        assert f"`{page.plan.project.spec.default_branch}`" in branches
        assert (timer, reviewers == "none") == ("none", not name.endswith("-approval"))
    commands = "\n".join(page.blocks("## Environments", "shell"))
    assert set(re.findall(r"-X PUT repos/OWNER/REPO/environments/(\S+)", commands)) == used


def test_secrets_are_those_that_jobs_read(page: Page) -> None:
    read: dict[str, Uses] = {}
    environments: dict[str, set[str]] = {}

    def note(secret: str, uses: Uses, environment: str) -> None:
        read.setdefault(secret, set()).update(uses)
        environments.setdefault(secret, set()).add(environment)

    for file, name, job, called in page.jobs():
        place = (job.get("environment") or {}).get("name", "")
        if not called:
            for secret in re.findall(r"\$\{\{ secrets\.(\w+) \}\}", str(job)):
                note(secret, {page.label(file, name)}, place)
        # The called workflow's name of each secret that it gets.
        passed = job.get("secrets", {})
        target = str(job.get("with", {}).get("environment", ""))
        if passed == "inherit":
            planned = next(e for e in page.plan.environments if e.name == target)
            passed = {secret: f"${{{{ secrets.{secret} }}}}" for secret in planned.passed_secrets}
        for alias, value in passed.items():
            (secret,) = re.findall(r"^\$\{\{ secrets\.(\w+) \}\}$", value)
            for inner, step in page.workflows[called]["jobs"].items():
                if f"secrets.{alias} " in str(step):
                    inside = "environment" in step
                    uses = {page.label(file, name), (called, inner)}
                    note(secret, uses, target if inside else "")
    rows = page.table("## Secrets")
    assert {secret: uses_in(row[3]) for secret, row in rows.items()} == read
    for secret, row in rows.items():
        # An environment's secret reaches only jobs that run in that environment.
        kept = set(re.findall(r"`([^`]+)`", row[2]))
        assert kept == environments[secret] - {""}
        assert ("" in environments[secret]) == (row[2] == "repository")
        commands = "\n".join(page.blocks("", "shell"))
        for environment in kept:
            assert re.search(rf"gh secret set {secret} .*--env {environment}\b", commands), secret
        assert re.search(rf"gh secret set {secret} ", commands), secret


def test_permissions_are_those_that_jobs_ask_for(page: Page) -> None:
    everywhere = [job for workflow in page.workflows.values() for job in workflow["jobs"].values()]
    asked = {
        f"{scope}: {level}"
        for job in everywhere
        for scope, level in (job.get("permissions") or {}).items()
    }
    rows = page.table("## Job permissions")
    assert set(rows) == asked
    for name, row in rows.items():
        if name != "contents: read":
            assert uses_in(row[1]) == page.permission(name), name


def test_tokens_have_the_subject_that_github_gives(page: Page) -> None:
    """https://docs.github.com/en/actions/reference/security/oidc#example-subject-claims"""
    wanted: dict[str, Uses] = {}
    branch = page.plan.project.spec.default_branch
    repository = page.plan.project.spec.oidc_repository or "OWNER/REPO"
    for file, name, job, called in page.jobs():
        inner = page.workflows[called]["jobs"] if called else {}
        by_request = "pull_request" in page.workflows[file]["on"]
        asking = [each for each in inner if "id-token" in inner[each]["permissions"]]
        if by_request and "rollback" in asking:
            asking.remove("rollback")  # previews are not rolled back
        if "id-token" not in (job.get("permissions") or {}):
            assert not asking
            continue
        places = {str((inner[each].get("environment") or {}).get("name")) for each in asking}
        place = (job.get("environment") or {}).get("name")
        if places == {"${{ inputs.environment }}"}:
            place = job["with"]["environment"]
        subject = "pull_request" if by_request else f"ref:refs/heads/{branch}"
        subject = f"environment:{place}" if place else subject
        uses = {page.label(file, name), *((called, each) for each in asking)}
        wanted.setdefault(f"repo:{repository}:{subject}", set()).update(uses)
    rows = page.table("## OIDC trust")
    assert {subject: uses_in(row[1]) for subject, row in rows.items()} == wanted
    trusted = set(re.findall(rf"repo:{repository}:[^\"`]+", "\n".join(page.blocks("", r"\w+"))))
    assert trusted == {subject for subject, row in rows.items() if "nobody" not in row[2]}


@pytest.mark.parametrize(
    ("name", "issuer", "conditions"),
    [
        (
            "cluster-gke",
            "https://token.actions.githubusercontent.com",
            ["repository == 'OWNER/REPO'"],
        ),
        (
            "repository-with-ids",
            "https://token.actions.githubusercontent.com",
            ["repository_owner_id == '1234' && assertion.repository_id == '5678'"],
        ),
        ("enterprise-server", "https://github.example.com/_services/token", []),
    ],
)
def test_clouds_trust_the_issuer_and_the_repository(
    name: str, issuer: str, conditions: list[str]
) -> None:
    page = page_of(name)
    assert f"from `{issuer}`" in page.section("## OIDC trust")
    blocks = "\n".join(page.blocks("", r"\w+"))
    trusted = re.findall(
        r"create-open-id-connect-provider --url (\S+)|--issuer-uri=(\S+)|\"issuer\": \"([^\"]+)\"",
        blocks,
    )
    assert {text for found in trusted for text in found if text} == {issuer}
    hosts = set(re.findall(r'"(\S+):(?:aud|sub)": ', blocks))
    hosts |= set(re.findall(r":oidc-provider/([^\"]+)\"", blocks))
    assert hosts <= {issuer.removeprefix("https://")}
    found = re.findall(r'--attribute-condition="assertion\.([^"]+)"', blocks)
    assert sorted(set(found)) == conditions


def test_blocks_are_sound(page: Page) -> None:
    assert page.text.count("```") % 2 == 0
    for text in page.blocks("", "json"):
        json.loads(text)
    text = "\n".join(page.blocks("", "shell"))
    done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for body in re.findall(r"<<'END'\n(.*?)\nEND$", text, re.DOTALL | re.MULTILINE):
        json.loads(body.replace("TEAM_ID", "1"))
    for body in re.findall(r"--parameters '(.*?)'", text, re.DOTALL):
        json.loads(body)


def test_tables_and_links_are_whole(page: Page) -> None:
    columns = 0
    for line in page.text.splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.lstrip().startswith("|") else 0
        assert cells == columns or not (cells and columns), line
        columns = cells
    titles = re.findall(r"^#+ (.*)$", page.text, re.MULTILINE)
    anchors = {title.lower().replace(" ", "-") for title in titles}
    assert set(re.findall(r"\]\(#([^)]+)\)", page.text)) <= anchors


def test_roles_are_valid(page: Page) -> None:
    environments = [e.name for e in page.plan.environments]
    assert environments
    for name in environments:
        (text,) = page.blocks(f"### Deployer role of {name}", "yaml")
        objects = list(yaml.safe_load_all(text))
        for each in objects:
            kube_schema.validate(each)
        *_, role, binding = objects
        assert binding["roleRef"]["name"] == role["metadata"]["name"]
        assert binding["roleRef"]["kind"] == role["kind"]
        for before in objects[:-2]:
            subject = {key: before["metadata"][key] for key in ("name", "namespace")}
            assert binding["subjects"] == [{"kind": "ServiceAccount", **subject}]


ONLY_LASTING = {"Going back to an older release", "GitHub App"}
"""Of what cannot happen where there are only previews."""
MENTION = re.compile(r"docs/delivery-setup\.md(?:, (\w[\w ]*))?")


@cache
def headings_named() -> frozenset[str]:
    """The headings that messages name, of the release program and of the actions."""
    texts = [
        node.value
        for path in (ROOT / "wfgen/release_program").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    texts += [
        re.sub(r"#\{.*?\}#", "", path.read_text("utf-8"))
        for path in (ROOT / "templates").rglob("*.yml")
    ]
    found = [match for text in texts for match in MENTION.finditer(text)]
    assert all(match[1] or match.string.endswith("docs/delivery-setup.md, ") for match in found)
    return frozenset({match[1] for match in found if match[1]} | set(_REMEDIES.values()))


def test_headings_that_messages_name_are_there(page: Page) -> None:
    titles = set(re.findall(r"^## (.*)$", page.text, re.MULTILINE))
    named = headings_named() - (set() if page.plan.lasting else ONLY_LASTING)
    if not page.plan.oidc and not page.plan.project.spec.registry.oidc:
        named -= {"OIDC trust"}
    assert {"Secrets", "Cluster access", "When a rollback failed"} <= named
    assert named <= titles


@pytest.mark.parametrize(
    ("said", "heading"),
    [
        ('Error from server (NotFound): namespaces "shop" not found', "Namespaces"),
        (
            'Error from server (Forbidden): configmaps "wfgen-release-production" is forbidden: '
            'User "x" cannot get resource "configmaps" in API group "" in the namespace "shop"',
            "Deployer role",
        ),
        ("error: You must be logged in to the server (Unauthorized)", "Cluster access"),
        ('pods "a" is forbidden: exceeded quota: preview', ""),
    ],
)
def test_refusal_of_the_cluster_names_the_heading(said: str, heading: str) -> None:
    hint = f". See docs/delivery-setup.md, {heading}" if heading else ""
    assert str(KubectlError(said)) == said + hint


def subjects_of(model: Any) -> str:
    """The value that only the section of this model's own template has."""
    names = ("role", "service_account", "client_id", "prefix")
    return str(next(getattr(model, name) for name in names if hasattr(model, name)))


@pytest.mark.parametrize("model", [*CLUSTERS, *REGISTRIES])
def test_each_cluster_and_registry_has_its_section(model: Any) -> None:
    (kind,) = get_args(model.model_fields["type"].annotation)
    names = {"ghcr": "base", "kubeconfig": "base"}
    name = names.get(kind, f"{'cluster' if model in CLUSTERS else 'registry'}-{kind}")
    page = page_of(name)
    if model in CLUSTERS:
        found = {e.name: e.spec.cluster for e in page.plan.environments}
        assert kind in {each.type for each in found.values()}
        for environment, cluster in found.items():
            wanted = (
                f"gh secret set KUBECONFIG --repo OWNER/REPO --env {environment}"
                if cluster.type == "kubeconfig"
                else subjects_of(cluster)
            )
            assert wanted in page.section(f"### Cluster access of {environment}")
    else:
        registry = page.plan.project.spec.registry
        assert registry.type == kind
        assert registry.prefix in page.section("## Registry")
        assert subjects_of(registry) in page.section("## Registry")


@pytest.mark.parametrize("name", ["cluster-eks", "cluster-gke", "cluster-aks", "registry-dockerhub",
                                  "registry-ecr", "registry-gar", "registry-acr"])  # fmt: skip
def test_no_value_of_a_cloud_can_leave_its_command(name: str) -> None:
    """The page has them unchanged in shell commands, JSON and tables."""
    made = page_of(name).plan
    for model in (made.project.spec.registry, *(e.spec.cluster for e in made.environments)):
        values = model.model_dump()
        for field in {name for name, value in values.items() if value} - {"type"}:
            for hostile in "'\"`$|\\<\n":
                with pytest.raises(ValidationError):
                    type(model).model_validate({**values, field: values[field] + hostile})


def test_code_span_holds_any_value() -> None:
    assert code("a b") == "`a b`"
    assert code("a|b") == r"`a\|b`"
    assert code("a `` b`") == "``` a `` b` ```"
    with pytest.raises(WfgenError):
        code("a\nb")


def granted(page: Page, environment: str) -> set[Right]:
    (text,) = page.blocks(f"### Deployer role of {environment}", "yaml")
    rules = next(each["rules"] for each in yaml.safe_load_all(text) if "rules" in each)
    return {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("health-exec", ("", "pods/exec", "create")),
        ("health-exec", ("", "pods/exec", "get")),
        ("health-tcp", ("", "pods/proxy", "get")),
        ("daemon-set", ("apps", "controllerrevisions", "list")),
        ("stateful-set", ("", "pods", "delete")),
        ("preview", ("", "namespaces", "delete")),
    ],
)
def test_role_grants_more_only_where_a_spec_asks_for_it(name: str, right: Right) -> None:
    assert right not in granted(page_of("base"), "production")
    page = page_of(name)
    assert any(right in granted(page, each.name) for each in page.plan.environments)


def test_nobody_goes_back_in_a_preview_and_its_role_makes_no_jobs_for_that() -> None:
    page = page_of("preview")
    right = ("batch", "jobs", "create")
    assert right in granted(page, "production")
    assert right not in granted(page, "staging")
