"""Each entry of a registry has its module, templates, a case and documentation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

import wfgen.checks.rules
from tests import case, test_rules
from wfgen.specs.kinds import KINDS, ServiceSpec, kind_name
from wfgen.specs.kinds.clusters import CLUSTERS
from wfgen.specs.kinds.registries import REGISTRIES

PACKAGE = Path(wfgen.__file__).parent
TEMPLATES = PACKAGE.parent / "templates"


def texts(folder: str, begin: str) -> list[str]:
    """The files of a folder's cases whose path starts with `begin`."""
    return [
        text
        for name in case.names(folder)
        for path, text in case.read(folder, name).items()
        if path.startswith(begin)
    ]


def has_line(files: list[str], line: str) -> bool:
    return any(re.search(rf"^{line}$", text, re.MULTILINE) for text in files)


@pytest.mark.parametrize("kind", KINDS, ids=kind_name)
def test_a_kind_has_its_module_and_a_summary(kind: type[ServiceSpec]) -> None:
    assert kind.__module__ == f"wfgen.specs.kinds.{kind_name(kind)}"
    assert kind.summary
    assert len(kind.summary) < 60, "one line of `wfgen list`"


@pytest.mark.parametrize("kind", [k for k in KINDS if not k.refused], ids=kind_name)
def test_a_kind_has_its_templates_and_a_case(kind: type[ServiceSpec]) -> None:
    name = kind_name(kind)
    assert (TEMPLATES / "kinds" / name / "spec.yaml").is_file(), f"no templates/kinds/{name}/"
    assert has_line(texts("ok", "specs/"), f"kind: {name}"), "no case in tests/cases/ok/"


@pytest.mark.parametrize("kind", [k for k in KINDS if k.refused], ids=kind_name)
def test_a_refused_kind_has_a_case_with_its_message(kind: type[ServiceSpec]) -> None:
    assert has_line(texts("bad", "specs/"), f"kind: {kind_name(kind)}")


@pytest.mark.parametrize(
    ("folder", "choice"),
    [("registries", model) for model in REGISTRIES] + [("clusters", model) for model in CLUSTERS],
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
    path.stem for path in (PACKAGE / "checks/rules").glob("*.py") if not path.stem.startswith("_")
)


def test_every_rule_is_in_the_registry() -> None:
    assert [rule.__name__.rpartition(".")[2] for rule in wfgen.checks.rules.RULES] == RULE_FILES


@pytest.mark.parametrize("rule", wfgen.checks.rules.RULES, ids=wfgen.checks.rules.name_of)
def test_a_rule_has_its_documentation_and_examples(rule: wfgen.checks.rules.Rule) -> None:
    title, *_, remedy = rule.__doc__.strip().split("\n\n")
    assert len(title.splitlines()) == 1
    assert title.endswith(".")
    assert remedy == rule.__doc__.strip().rpartition("\n\n")[2]
    assert "https://" in rule.__doc__, "the address of a source"
    name = wfgen.checks.rules.name_of(rule)
    assert name in test_rules.PASSING
    assert name in test_rules.FAILING
