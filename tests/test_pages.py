"""Files, headings and make targets that the pages name exist; issue forms are valid."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.judges import schema, tree

ROOT = Path(__file__).parents[1]
# Not docs/delivery-setup.md: it names files of the cloud and of GitHub.
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in (
        "*.md",
        "docs/cost.md",
        "docs/reference.md",
        "docs/releasing.md",
        "docs/github-enterprise-server.md",
        ".github/*.md",
        "kube/*.md",
        "app/*/*.md",
    )
    for path in ROOT.glob(pattern)
)
NOT_COMMITTED = {".venv/bin/wfgen", "dist/", "specs/worker.yaml", "linux/amd64"}
"""Files that a command of a page writes, and a platform."""
# Paths have a folder or a type; one with <brackets> stands for many.
PATH = re.compile(r"`(\.?[\w-]+(?:/[\w./-]*|\.(?:md|py|ya?ml|toml|txt)))`")
RECIPE = re.compile(r"^(?:.* )?`([^`\s]+)`:\n\n```(?!diff)", re.MULTILINE)


def read(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def anchors(page: str) -> set[str]:
    """The names that GitHub gives to the headings of a page."""
    text = re.sub(r"^```.*?^```", "", read(page), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("page", PAGES)
def test_named_files_exist(page: str) -> None:
    """From the root, or from the page's own folder."""
    text = read(page)
    named = set(PATH.findall(text)) - NOT_COMMITTED - set(RECIPE.findall(text))
    places = (ROOT, (ROOT / page).parent)
    missing = [name for name in named if not any((place / name).exists() for place in places)]
    assert sorted(missing) == []


def test_files_that_the_code_names_exist() -> None:
    """In docstrings, comments and messages of wfgen."""
    named = re.compile(r"(?<![\w./-])(?:wfgen|tests|templates)/[\w/-]+\.(?:py|ya?ml|md)\b")
    missing = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in (ROOT / "wfgen").rglob("*.py")
        for name in named.findall(path.read_text("utf-8"))
        if not (ROOT / name).exists()
    ]
    assert missing == []


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\((?!https://)([^)]+)\)", read(page))
    for link in links:
        path, _, heading = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), link
        if heading:
            assert heading in anchors(target.relative_to(ROOT).as_posix()), link


@pytest.mark.parametrize("page", PAGES)
def test_targets_of_make_exist(page: str) -> None:
    targets = re.findall(r"^([a-z0-9-]+):", read("Makefile"), re.MULTILINE)
    named = re.findall(r"(?:`|^)make ([a-z0-9-]+)", read(page), re.MULTILINE)
    assert [name for name in named if name not in targets] == []


def test_the_changelog_has_a_section_for_the_users_of_each_version() -> None:
    versions = read("CHANGELOG.md").split("\n## ")[1:]
    assert versions
    assert [v.splitlines()[0] for v in versions if "\n### In your generated files\n" not in v] == []


@pytest.mark.parametrize(
    "form", sorted(ROOT.glob(".github/ISSUE_TEMPLATE/*.yml")), ids=lambda path: path.name
)
def test_issue_forms_are_valid(form: Path) -> None:
    """GitHub ignores a form with an error."""
    document = tree.load(form.read_text("utf-8"))
    errors = schema.validator("github-issue-forms.json").iter_errors(document)
    assert [error.message for error in errors] == []
