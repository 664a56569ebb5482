"""How many services a repository may have: at least 100, and a clear message above the limit."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.projects import PROJECT, names, write
from tests import case
from tests.judges import judge
from wfgen import __version__
from wfgen.checks.rules import verify
from wfgen.cli import repository
from wfgen.errors import InvalidSpecs
from wfgen.generate.render import RenderedFile
from wfgen.specs.kustomize import Overlays

ECR = (
    "registry: {{type: ecr, account: '111122223333', region: ap-northeast-1,"
    " role: 'arn:aws:iam::111122223333:role/shop-build'}}"
)
LONGEST = 53
"""Maximum number of characters of a service's name."""
WITHOUT_PREVIEWS = PROJECT[: PROJECT.index("  staging:")]


def files(root: Path) -> tuple[RenderedFile, ...]:
    """The generated files of a repository, without checking overlays; raises `InvalidSpecs`."""
    overlays = Overlays(root)
    overlays.command = None
    return repository.load(root, overlays).files()


def refused(root: Path) -> list[str]:
    with pytest.raises(InvalidSpecs) as caught:
        files(root)
    return [str(diagnostic) for diagnostic in caught.value.diagnostics]


def test_a_hundred_services_pass_all_judges(tmp_path: Path) -> None:
    write(tmp_path, names(100), __version__)
    made = {file.path: file.text for file in files(tmp_path)}
    case.write(tmp_path, made)
    judged = [name for name in made if name.startswith(".github/") and name.endswith(".yml")]
    assert [str(found) for found in judge([tmp_path / name for name in judged], tmp_path)] == []


def test_a_hundred_services_fit_with_the_longest_names(
    tmp_path: Path,
) -> None:
    project = PROJECT.replace("registry: {{type: ghcr, namespace: acme}}", ECR)
    assert project != PROJECT
    long = names(100, "s" * (LONGEST - 5))
    assert len(long[0]) == LONGEST
    assert verify(files(write(tmp_path, long, __version__, project=project))) == []


def test_251_services_fit_beside_all_other_jobs(tmp_path: Path) -> None:
    """The number in the rule's documentation."""
    assert files(write(tmp_path, names(251), __version__))
    (production,) = refused(write(tmp_path, names(252), __version__))
    assert "production.yml" in production
    assert "257 jobs, 252 of them builds; the maximum is 256" in production


def test_257_services_are_refused_with_a_hint(tmp_path: Path) -> None:
    named = ", ".join(f"specs/{name}.yaml" for name in names(6))
    hint = (
        "    hint: Split the services into several repositories, or set `layout: per-service`. "
        "Pull requests have one workflow in either layout, which fits 253: leave services out of "
        "previews with `only_in`."
    )
    assert refused(write(tmp_path, names(257), __version__)) == [
        f"specs/project.yaml:1:1: .github/workflows/{pipeline}.yml, made from {named} and 252 more:"
        f" {jobs} jobs, 257 of them builds; the maximum is 256 [job-count]\n{hint}"
        for pipeline, jobs in (("production", 262), ("staging", 260))
    ]


def test_services_fit_after_following_the_hint(tmp_path: Path) -> None:
    project = "layout: per-service\n" + WITHOUT_PREVIEWS
    made = files(write(tmp_path, names(253), __version__, project=project))
    pipelines = [file for file in made if file.path.startswith(".github/workflows/production-")]
    assert len(pipelines) == 253


def test_1000_services_exceed_several_limits(tmp_path: Path) -> None:
    found = refused(write(tmp_path, names(1_000), __version__))
    rules = [text.partition("[")[2].partition("]")[0] for text in found]
    assert rules == ["job-count", "file-size", "variable-size"] * 2
    assert all("specs/service-0005.yaml and 995 more" in text for text in found)


def test_build_arguments_that_are_too_long_are_reported_at_their_service(tmp_path: Path) -> None:
    write(tmp_path, names(2), __version__)
    spec = tmp_path / "specs/service-0001.yaml"
    text = spec.read_text("utf-8")
    long = text.replace("build:", f"build:\n  args: {{LONG: {'x' * 21_000}}}")
    spec.write_text(long, "utf-8")
    production, staging = refused(tmp_path)
    assert production.startswith(
        "specs/service-0001.yaml:1:1: .github/workflows/production.yml: an expression has 21,0"
    )
    assert staging.startswith("specs/service-0001.yaml:1:1: .github/workflows/staging.yml:")
    # without a dynamic argument it is plain text, which GitHub accepts
    spec.write_text(long.replace("  dynamic_args: {GIT_SHA: sha}\n", ""), "utf-8")
    assert files(tmp_path)


def test_a_script_that_is_too_long_is_reported_at_its_service(tmp_path: Path) -> None:
    write(tmp_path, names(2), __version__)
    spec = tmp_path / "specs/service-0001.yaml"
    spec.write_text(
        spec.read_text("utf-8").replace("make test", "make " + "test " * 100_000), "utf-8"
    )
    production, _ = refused(tmp_path)
    assert production.startswith(
        "specs/service-0001.yaml:1:1: .github/workflows/production.yml: 511,"
    )
    assert "job build_service_0001 alone has 500," in production
