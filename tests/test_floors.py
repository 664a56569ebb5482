"""How the code is laid out: who may import whom, and what each registry's entries need."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from pydantic import BaseModel

import wfgen.rules
from tests import case, test_rules
from wfgen.kinds import KINDS, ServiceSpec, kind_name
from wfgen.kinds.clusters import CLUSTERS
from wfgen.kinds.registries import REGISTRIES

PACKAGE = Path(wfgen.rules.__file__).parents[1]
TEMPLATES = PACKAGE.parent / "templates"

# A module imports only from floors below its own; those of one floor do not know one another, but
# for the modules of one package.
FLOORS = (
    # The version, findings, and what a plain scalar of YAML is.
    ("__init__", "diagnostics", "scalars"),
    ("errors",),
    # One thing each: YAML, values in YAML, a file's first lines, the lock, kustomize, writing.
    ("source", "values", "header", "pins", "kustomize", "writing"),
    # The vocabulary of specs.
    ("kinds",),
    # All specs of a repository, and whether what they name exists.
    ("references",),
    ("wording", "overlay"),
    ("spec",),
    # What the specs make.
    ("plan",),
    ("describe", "deployer_role", "templating"),
    ("setup_page",),
    ("files",),
    ("render",),
    # What is done with it.
    ("rules", "drift", "validate", "schema", "scaffold", "listing"),
    ("repository", "report", "reference"),
    ("console",),
    ("commands",),
    ("cli",),
    ("__main__",),
)
APART = "release_program"
"""Runs without wfgen, in the workflows; wfgen only copies it."""

MODULES = sorted(
    path.relative_to(PACKAGE).with_suffix("").as_posix()
    for path in PACKAGE.rglob("*.py")
    if APART not in path.parts
)
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names}


def unit(module: str) -> str:
    """The name in the table that a module, `kinds/client`, belongs to."""
    return module.partition("/")[0]


def imported(module: str) -> list[str]:
    """The units of wfgen that a module imports, also within functions and for types alone."""
    path = PACKAGE / f"{module}.py"
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            name = node.module or ""
            names = [f"{name}.{each.name}" for each in node.names] if name == "wfgen" else [name]
        elif isinstance(node, ast.Import):
            names = [each.name for each in node.names]
        else:
            continue
        for name in names:
            if name.partition(".")[0] == "wfgen":
                inner = name.split(".")[1] if "." in name else "__init__"
                found.append(inner if is_unit(inner) else "__init__")
    return found


def is_unit(name: str) -> bool:
    return (PACKAGE / f"{name}.py").is_file() or (PACKAGE / name).is_dir()


def test_the_table_has_all_modules_and_no_others() -> None:
    assert sorted(FLOOR) == sorted({unit(module) for module in MODULES})


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_from_lower_floors(module: str) -> None:
    own = unit(module)
    above = [name for name in imported(module) if name != own and FLOOR[name] >= FLOOR[own]]
    assert above == []


@pytest.mark.parametrize("path", sorted((PACKAGE / APART).glob("*.py")), ids=lambda path: path.stem)
def test_the_release_program_knows_nothing_of_wfgen(path: Path) -> None:
    """It runs on a runner's bare Python."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            assert "wfgen" not in [each.name.partition(".")[0] for each in node.names]
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            assert str(node.module).partition(".")[0] != "wfgen"


def texts(folder: str, begin: str) -> list[str]:
    """The texts of a folder's cases, of the paths that begin so."""
    return [
        text
        for name in case.names(folder)
        for path, text in case.read(folder, name).items()
        if path.startswith(begin)
    ]


def has_line(found: list[str], line: str) -> bool:
    return any(re.search(rf"^{line}$", text, re.MULTILINE) for text in found)


@pytest.mark.parametrize("kind", KINDS, ids=kind_name)
def test_a_kind_is_in_its_file_and_says_what_it_is_for(kind: type[ServiceSpec]) -> None:
    assert kind.__module__ == f"wfgen.kinds.{kind_name(kind)}"
    assert kind.summary
    assert len(kind.summary) < 60, "one line of `wfgen list`"


@pytest.mark.parametrize("kind", [k for k in KINDS if not k.refused], ids=kind_name)
def test_a_kind_has_its_templates_and_a_case(kind: type[ServiceSpec]) -> None:
    name = kind_name(kind)
    assert (TEMPLATES / "kinds" / name / "spec.yaml").is_file(), f"no templates/kinds/{name}/"
    assert has_line(texts("ok", "specs/"), f"kind: {name}"), "no case in tests/cases/ok/"


@pytest.mark.parametrize("kind", [k for k in KINDS if k.refused], ids=kind_name)
def test_a_refused_kind_has_a_case_of_what_is_said(kind: type[ServiceSpec]) -> None:
    assert has_line(texts("bad", "specs/"), f"kind: {kind_name(kind)}")


@pytest.mark.parametrize(
    ("folder", "choice"),
    [("registries", each) for each in REGISTRIES] + [("clusters", each) for each in CLUSTERS],
    ids=lambda value: value if isinstance(value, str) else value.__name__.lower(),
)
def test_a_registry_or_cluster_has_its_template_and_a_case(
    folder: str, choice: type[BaseModel]
) -> None:
    name = choice.__name__.lower()
    assert (TEMPLATES / folder / f"{name}.yml").is_file()
    projects = texts("ok", "specs/project.yaml")
    assert any(re.search(rf"type: {name}\b", text) for text in projects), "no case"


RULE_FILES = sorted(
    path.stem for path in (PACKAGE / "rules").glob("*.py") if not path.stem.startswith("_")
)


def test_every_rule_is_in_the_registry() -> None:
    assert [rule.__name__.rpartition(".")[2] for rule in wfgen.rules.RULES] == RULE_FILES


@pytest.mark.parametrize("rule", wfgen.rules.RULES, ids=wfgen.rules.name_of)
def test_a_rule_has_its_documentation_and_examples(rule: wfgen.rules.Rule) -> None:
    title, *_, remedy = rule.__doc__.strip().split("\n\n")
    assert len(title.splitlines()) == 1
    assert title.endswith(".")
    assert remedy == rule.__doc__.strip().rpartition("\n\n")[2]
    assert "https://" in rule.__doc__, "where GitHub, or who else, says so"
    name = wfgen.rules.name_of(rule)
    assert name in test_rules.PASSING
    assert name in test_rules.FAILING
