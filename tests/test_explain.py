"""`wfgen explain`: of every generated line, the line of the template and the fields behind it."""

from __future__ import annotations

import json
import re
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests import case
from tests.spec_strategies import as_yaml
from tests.terminal import Ran, Terminal
from wfgen.explain import lines
from wfgen.explain.explanation import Reason
from wfgen.generate.plan import plan
from wfgen.generate.render import RenderedFile, render
from wfgen.generate.templating import Templates
from wfgen.locks.pins import LOCK
from wfgen.specs import loading as spec
from wfgen.specs.references import Project

ROOT = Path(__file__).parents[1]
PRODUCTION = ".github/workflows/production.yml"
STAGING = ".github/workflows/staging.yml"
JSON = ".github/actions/release/production.json"
PAGE = "docs/delivery-setup.md"
CHECK = ".github/workflows/wfgen-check.yml"
DEPLOY = ".github/workflows/_deploy.yml"
LOGIN = ".github/actions/cluster-login/action.yml"
HOLE = re.compile(r"#\{[{%#].*?[}%#]\}#")


@cache
def rendered(root: Path) -> dict[str, RenderedFile]:
    """What is rendered from templates below a folder, by path."""
    return {
        file.path: file
        for file in render(plan(spec.load(root)))
        if "/release_program/" not in file.path and file.path != LOCK
    }


@cache
def project() -> Project:
    return spec.load(ROOT)


def reasons(path: str, number: int) -> list[Reason]:
    """What is said of a line, from 1, of a file of this repository."""
    return [*lines.explain(project(), rendered(ROOT)[path], number - 1)]


@pytest.mark.parametrize("path", sorted(rendered(ROOT)))
def test_every_line_comes_from_its_line_of_a_template(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The generated line contains the text of the template's line between values and tags."""
    real, texts = Templates.render, dict[str, str]()

    def render_once(templates: Templates, name: str, context: dict[str, Any]) -> str:
        if name not in texts:
            texts[name] = real(templates, name, context)
        return texts[name]

    monkeypatch.setattr(Templates, "render", render_once)
    monkeypatch.setattr(lines._Search, "fields", lambda _: [])
    above = None
    for number, line in enumerate(rendered(ROOT)[path].text.split("\n")[3:-1], 4):
        place = reasons(path, number)[0].line
        assert place is not None
        source = (ROOT / place.file).read_text("utf-8").split("\n")[place.line - 1]
        assert place.text == source
        pieces = HOLE.split(source)
        if place != above or len(pieces) == 1:  # else a further line of a value
            pieces = pieces[:1] if "#{%" in source else pieces  # what a tag leaves out
            pattern = ".*".join(map(re.escape, pieces)) + (".*" if "#{%" in source else "")
            assert re.fullmatch(pattern, line), (place, line)
        above = place


# A field that changes a line is named for that line.

EDITS = [
    ("specs/project.yaml", "namespace: acme", "namespace: acme2", "registry.namespace"),
    ("specs/project.yaml", "label: preview", "label: try", "environments.staging.label"),
    (
        "specs/project.yaml",
        "role/shop-release",
        "role/shop-deploy",
        "environments.production.cluster.role",
    ),
    ("specs/project.yaml", "https://shop.", "https://store.", "environments.production.url"),
    ("specs/project.yaml", "Iv23liEXAMPLE0", "Iv23liEXAMPLE1", "revert.app_client_id"),
    ("specs/project.yaml", 'wfgen: "', 'default_branch: trunk\nwfgen: "', "default_branch"),
    ("specs/project.yaml", 'wfgen: "', 'runner: ubuntu-22.04\nwfgen: "', "runner"),
    ("specs/project.yaml", 'wfgen: "', 'sweep_schedule: 1 2 * * *\nwfgen: "', "sweep_schedule"),
    ("specs/client.yaml", "context: app/client", "context: app/server", "build.context"),
    ("specs/client.yaml", "ports: [8080]", "ports: [8081]", "ports"),
    ("specs/client.yaml", "http: /healthz", "http: /wellz", "health.http"),
    ("specs/client.yaml", "kind: client", "kind: client\nrollback: never", "rollback"),
    ("specs/server.yaml", "-m, server.migrate", "-m, server.upgrade", "migrate.command"),
    ("specs/server.yaml", "kind: server", "kind: server\nrollout: {bake: 9m}", "rollout.bake"),
    ("specs/redis.yaml", "kind: redis", "kind: redis\nhealth: {tcp: 6380}", "health.tcp"),
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("specs", "app", "kube"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(("path", "old", "new", "name"), EDITS)
def test_a_field_that_changes_a_line_is_named_for_it(
    path: str, old: str, new: str, name: str, copy: Path
) -> None:
    """In each file, for the first line that an edit of the spec changes."""
    text = (copy / path).read_text("utf-8")
    assert old in text
    (copy / path).write_text(text.replace(old, new, 1), "utf-8")
    changed = 0
    for file, after in rendered(copy).items():
        before = rendered(ROOT)[file].text.split("\n")
        pairs = enumerate(zip(before[3:], after.text.split("\n")[3:], strict=False), 4)
        number = next((number for number, (was, now) in pairs if was != now), None)
        if number is not None:
            changed += 1
            roles = {reason.field or reason.role for reason in reasons(file, number)}
            assert roles & {name, "and more"}, (file, before[number - 1], roles)
    assert changed, "the edit changes nothing"


# Whole messages.


def explain(terminal: Terminal, path: str, line: str, nth: int = 1) -> Ran:
    """The command, for the nth line of a file that has a text."""
    text = (terminal.root / path).read_text("utf-8").split("\n")
    numbers = [number for number, each in enumerate(text, 1) if line in each]
    return terminal.run("explain", f"{path}:{numbers[nth - 1]}")


def line_of(template: str, text: str) -> int:
    lines = (ROOT / "templates" / template).read_text("utf-8").split("\n")
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_a_value_within_a_loop_of_a_fragment(terminal: Terminal) -> None:
    ran = explain(terminal, PRODUCTION, "image: ghcr.io/acme/shop-web")
    assert (ran.code, ran.err) == (0, "")
    assert (
        ran.out.partition("\n")[2]
        == f"""\
        image: ghcr.io/acme/shop-web
template templates/_build-job.yml:{line_of("_build-job.yml", "image:")} (of wfgen)
  image: #{{{{ service.repository }}}}#
depends on specs/project.yaml:1 project
  project: shop
depends on specs/web.yaml:1 image.name (by default)
depends on specs/project.yaml:4 registry.namespace
  registry: {{type: ghcr, namespace: acme}}
depends on specs/project.yaml:4 registry.host (by default)
depends on specs/web.yaml:1 name (by default)
depends on specs/web.yaml:2 build
  build: {{context: web}}
depends on specs/web.yaml:1 only_in (by default)
depends on specs/project.yaml:1 layout (by default)
and more
"""
    )


def test_conditions_around_a_line(terminal: Terminal) -> None:
    ran = explain(terminal, PRODUCTION, "packages: write")
    assert "depends on specs/project.yaml:4 registry\n" in ran.out
    ran = explain(terminal, PRODUCTION, "push: true")
    assert "depends on specs/project.yaml:7 environments.production.deploy_on\n" in ran.out
    assert "depends on specs/web.yaml:2 build\n" in ran.out


def test_a_line_that_no_field_changes(terminal: Terminal) -> None:
    ran = explain(terminal, CHECK, "jobs:")
    assert ran.out.endswith("\nno field of a spec: the line is the same for every project\n")
    assert "depends on" not in ran.out


def test_a_line_of_an_action(terminal: Terminal) -> None:
    ran = explain(terminal, LOGIN, "  id: production")
    assert "template templates/clusters/kubeconfig.yml:" in ran.out
    assert "depends on specs/project.yaml:6 environments.production" in ran.out


def test_a_line_of_a_description(terminal: Terminal) -> None:
    ran = explain(terminal, JSON, '"timeout_seconds": 300')
    assert "template templates/release/description.json:1 (of wfgen)\n" in ran.out
    assert "depends on specs/web.yaml:1 rollout.timeout (by default)\n" in ran.out
    assert "bake" not in ran.out
    ran = explain(terminal, JSON, '"time_to_live_hours"')
    assert "environments.production.time_to_live (by default)\n" in ran.out
    assert "specs/web.yaml" not in ran.out


def test_an_empty_list_depends_on_the_field_that_fills_it(terminal: Terminal) -> None:
    ran = explain(terminal, JSON, '"notify": []')
    assert "depends on specs/project.yaml:1 notify.slack_secret (by default)\n" in ran.out


def test_equal_lines_of_two_jobs_depend_on_their_own_service() -> None:
    text = rendered(ROOT)[PRODUCTION].text.split("\n")
    numbers = [number for number, line in enumerate(text, 1) if "workflows/_build.yml" in line]
    for number, service in zip(numbers, ("server", "client"), strict=True):
        fields = {(str(r.line).partition(":")[0], r.field) for r in reasons(PRODUCTION, number)[1:]}
        assert {field for file, field in fields if file == f"specs/{service}.yaml"} == {
            "build",
            "name",
            "only_in",
        }
        assert {file for file, _ in fields} == {f"specs/{service}.yaml", "specs/project.yaml"}


def test_a_line_of_all_services_names_eight_fields(terminal: Terminal) -> None:
    files = {**case.BASE}
    for name in "abcdefghij":
        files[f"specs/{name}.yaml"] = case.BASE["specs/web.yaml"]
        files[f"specs/{name}.yaml"] += f"image: {{name: {name}}}\n"
    case.write(terminal.root, files)
    terminal.run("render")
    ran = explain(terminal, DEPLOY, "timeout-minutes: 17")
    assert ran.out.count("depends on") == 8
    assert ran.out.count("rollout.") == 8
    assert ran.out.endswith("\nand more\n")


def test_a_line_of_the_page(terminal: Terminal) -> None:
    ran = explain(terminal, PAGE, "for the pipelines of `shop`")
    assert "template templates/delivery-setup.md:5 (of wfgen)\n" in ran.out
    assert "\ndepends on specs/project.yaml:1 project\n  project: shop\n" in ran.out


def test_a_line_of_a_copied_program(terminal: Terminal) -> None:
    path = ".github/actions/release/release_program/hosting/git.py"
    ran = terminal.run("explain", f"{path}:4")
    source = "wfgen/release_program/hosting/git.py"
    first = (ROOT / source).read_text("utf-8").partition("\n")[0]
    assert ran.out.endswith(f"a copy of {source}:1 (of wfgen)\n  {first}\n")


def test_a_line_of_a_header(terminal: Terminal) -> None:
    for path in (PRODUCTION, JSON, PAGE):
        for line in (1, 2, 3):
            assert "the header: written by wfgen" in terminal.run("explain", f"{path}:{line}").out


def test_a_patched_line(terminal: Terminal) -> None:
    """... and a line below it, whose number the patch has changed."""
    step = {"name": "Look at the clock", "run": "date\nsleep 1\n"}
    patches = {"clock": {"file": PRODUCTION, "job": "plan", "step": "plan", "before": [step]}}
    files = {**case.BASE}
    files["specs/project.yaml"] += as_yaml({"patches": patches})
    case.write(terminal.root, files)
    terminal.run("render")
    for line in ("# patch clock", "Look at the clock", "sleep 1"):
        ran = explain(terminal, PRODUCTION, line)
        assert "\npatch specs/project.yaml:9 patches.clock\n" in ran.out
        assert ran.out.count("patches.clock") == 1
        assert "template" not in ran.out
    ran = explain(terminal, PRODUCTION, "name: Compare with the last known good release")
    number = line_of("pipeline.yml", "name: Compare with the last known good release")
    assert f"template templates/pipeline.yml:{number} (of wfgen)\n" in ran.out
    assert "patch" not in ran.out


def test_a_template_of_the_repositorys_own(terminal: Terminal) -> None:
    text = (
        "name: check\n\non: push\n\njobs:\n  a:\n    runs-on: #{{ project.runner }}#\n"
        "    steps: [{run: wfgen check}]\n"
        "#{% filter upper %}#\n# #{{ project.project }}#\n#{% endfilter %}#\n"
    )
    case.write(terminal.root, {"templates/wfgen-check.yml": text})
    terminal.run("render")
    path = ".github/workflows/wfgen-check.yml"
    ran = explain(terminal, path, "runs-on")
    assert "template templates/wfgen-check.yml:7\n  runs-on: #{{ project.runner }}#\n" in ran.out
    assert "depends on specs/project.yaml:1 runner (by default)\n" in ran.out
    assert "templates/wfgen-check.yml:10\n" in explain(terminal, path, "# SHOP").out


NO_FIELD = "no field of a spec: the line is the same for every project"

HEAD = (
    "name: check\n\non: push\n\njobs:\n  a:\n"
    "    runs-on: ubuntu-24.04\n    steps: [{run: 'true'}]\n"
)

TEMPLATES = {
    "elif": (
        "#{% if project.notify.slack_secret %}#\n# x\n#{% elif project.runner %}#\n# y\n"
        "#{% endif %}#\n",
        "# y",
        ["template 12", "depends on notify.slack_secret"],
    ),
    "a variable": (
        '#{% set branch = project.default_branch ~ "x" %}#\n# #{{ branch }}#\n',
        "# mainx",
        ["template 10", "depends on default_branch"],
    ),
    "a variable that only one branch sets": (
        "#{% if project.layout %}#\n#{% set a = project.runner %}#\n#{% else %}#\n"
        "#{% set a = project.project %}#\n#{% endif %}#\n# z #{{ a }}#\n",
        "# z",
        ["template 14", "depends on runner"],
    ),
    "a name of a condition that a loop uses again": (
        "#{% set name = project.runner %}#\n#{% if name %}#\n"
        "#{% for name in [1] %}#\n# #{{ name }}#!\n#{% endfor %}#\n#{% endif %}#\n",
        "# 1!",
        ["template 12", NO_FIELD],
    ),
    "a condition within the line that does not hold": (
        "# q#{% if project.notify.slack_secret %}#z#{% endif %}#\n# next\n",
        "# q",
        ["template 9", "depends on notify.slack_secret"],
    ),
    "a condition before the line that does not hold": (
        "#{% if project.notify.slack_secret %}#\n# z\n#{% endif %}#\n# after\n",
        "# after",
        ["template 12", NO_FIELD],
    ),
    "what a loop reads for its next item": (
        '#{% for item in [project, project] | map(attribute="runner") %}#\n# i #{{ item }}#\n'
        "#{% endfor %}#\n",
        "# i",
        ["template 10", "depends on runner"],
    ),
    "what a loop's condition reads for its next item": (
        "#{% for item in [project, project] if item.runner %}#\n# j\n#{% endfor %}#\n",
        "# j",
        ["template 10", NO_FIELD],
    ),
    "several lines of one value": (
        "# #{{ (project.runner ~ '\\n# k') | raw }}#\n",
        "# k",
        ["template 9", NO_FIELD],
    ),
    "text that the template reads": (
        "#{% set text %}#a#{% endset %}#\n# #{{ text | length }}#\n",
        "# 1",
        ["unknown: the template reads text that it renders", NO_FIELD],
    ),
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_conditions_loops_and_variables_of_a_template(terminal: Terminal, name: str) -> None:
    text, line, expected = TEMPLATES[name]
    case.write(terminal.root, {"templates/wfgen-check.yml": HEAD + text})
    terminal.run("render")
    path = ".github/workflows/wfgen-check.yml"
    lines = (terminal.root / path).read_text("utf-8").split("\n")
    number = 1 + next(index for index, each in enumerate(lines) if each.startswith(line))
    ran = terminal.run("explain", f"{path}:{number}", "--format", "json")
    assert [
        " ".join(
            [
                reason["role"],
                reason["field"] or (str(reason["line"]["line"]) if reason["line"] else ""),
            ]
        ).rstrip()
        for reason in json.loads(ran.out)["reasons"]
    ] == expected


# The file on disk, and lines that do not exist.


def test_the_number_is_that_of_the_file_on_disk(terminal: Terminal) -> None:
    terminal.edit(PRODUCTION, "jobs:\n", "# mine\n# and mine\njobs:\n")
    ran = explain(terminal, PRODUCTION, "    name: Finish")
    assert "template templates/pipeline.yml:" in ran.out
    assert "name: Finish" in ran.out.partition("template")[2]
    ran = explain(terminal, PRODUCTION, "# and mine")
    assert ran.code == 2
    assert "is not as generated; to see the difference, run `wfgen check`" in ran.err
    (terminal.root / PRODUCTION).unlink()
    assert terminal.run("explain", f"{PRODUCTION}:4").code == 0


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("a", "a: expected FILE:LINE, such as .github/workflows/_deploy.yml:12"),
        (f"{PRODUCTION}:x", "x: expected FILE:LINE, such as .github/workflows/_deploy.yml:12"),
        (":3", ":3: expected FILE:LINE, such as .github/workflows/_deploy.yml:12"),
        (f"{PRODUCTION}x:3", f"not a file that wfgen generates; did you mean `{PRODUCTION}`?"),
        ("web/Dockerfile:1", "not a file that wfgen generates; to list them, run `wfgen list`"),
        ("../other:1", "../other is not a file that wfgen generates"),
        (f"{PRODUCTION}:0", " lines; 0 is not one of them"),
        (f"{PRODUCTION}:9999", " lines; 9999 is not one of them"),
        (f"{LOCK}:3", "is the lock of actions"),
    ],
)
def test_no_such_line(terminal: Terminal, place: str, message: str) -> None:
    ran = terminal.run("explain", place)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


def test_the_path_may_be_that_of_the_shell(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(terminal.root / ".github/workflows")
    for place in ("production.yml:4", str(terminal.root / PRODUCTION) + ":4"):
        assert terminal.run("explain", place).out.startswith(f"{PRODUCTION}:4\n")


def test_an_explanation_for_programs(terminal: Terminal) -> None:
    found = json.loads(terminal.run("explain", f"{PRODUCTION}:4", "--format", "json").out)
    line = {"file": PRODUCTION, "line": 4, "text": "name: production", "of_wfgen": False}
    assert found["line"] == line
    roles = {reason["role"]: reason for reason in found["reasons"]}
    assert roles["template"]["line"]["text"] == "name: #{{ pipeline.name }}#"
    fields = {reason["field"]: reason["is_set"] for reason in found["reasons"]}
    assert fields == {"": True, "environments.production": True, "layout": False}


def test_nothing_is_left_behind(terminal: Terminal) -> None:
    """What is rendered afterwards has no marks."""
    before = terminal.files()
    terminal.run("explain", f"{PRODUCTION}:40")
    assert terminal.run("check").code == 0
    assert terminal.files() == before
