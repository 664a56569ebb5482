"""Properties of all specs, tested with generated specs.

By default, each run tests the same few examples. WFGEN_TRIES=50 tests fifty times as many, and
different ones in each run.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from tests import case
from tests.judges import Finding, Sample, schema, tree
from tests.spec_strategies import Values, as_yaml, projects
from wfgen.checks.rules import verify
from wfgen.cli import repository
from wfgen.errors import InvalidSpecs, WfgenError
from wfgen.generate.plan import plan
from wfgen.generate.render import RenderedFile, render
from wfgen.report.formats import REPORTS
from wfgen.report.reference import refused
from wfgen.specs import loading as spec
from wfgen.specs.kinds import KINDS, ProjectSpec
from wfgen.specs.kinds.patch import Patch
from wfgen.specs.kustomize import Overlays
from wfgen.specs.schema import models_of

TRIES = int(os.environ.get("WFGEN_TRIES", "1"))
ROOT = Path(__file__).parents[1]


def tried(examples: int) -> settings:
    return settings(
        max_examples=examples * TRIES,
        derandomize=TRIES == 1,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def written(root: Path, specs: dict[str, Values]) -> Path:
    """Writes the specs and the files that they refer to."""
    for path, values in specs.items():
        case.write(root, {path: as_yaml(values)})
        build = values.get("build")
        if build is not None:
            context = build.get("context", ".")
            try:
                (root / context).mkdir(parents=True, exist_ok=True)
                case.write(root, {build.get("dockerfile") or f"{context}/Dockerfile": ""})
            except OSError:  # one path is a folder and a file, or too long
                reject()
    return root


@tried(12)
@given(projects())
def test_any_valid_spec_renders(specs: dict[str, Values]) -> None:
    renders(specs)


@pytest.mark.slow
@tried(40)
@given(projects())
def test_more_valid_specs_render(specs: dict[str, Values]) -> None:
    renders(specs)


def renders(specs: dict[str, Values]) -> None:
    """The specs give the same bytes each time, valid by GitHub's schema and the rules of wfgen."""
    with tempfile.TemporaryDirectory() as folder:
        root = written(Path(folder), specs)
        files = render(plan(spec.load(root)))
        assert render(plan(spec.load(root))) == files
        case.write(root / "rendered", {file.path: file.text for file in files})
        findings = [*verify(files), *shape_findings(root / "rendered")]
    assert [str(finding) for finding in findings] == []
    for file in files:
        assert "\r" not in file.text
        parsed = parse(file)
        if file.path.startswith(".github/workflows/"):
            assert "on" in parsed
            assert re.search(r"^on:", file.text, re.MULTILINE), "`on` is quoted"


@tried(40)
@given(st.data())
def test_no_spec_however_mangled_ends_in_a_traceback(data: st.DataObject) -> None:
    """Damaged specs of this repository lead to errors of wfgen, or to files that parse."""
    path = data.draw(st.sampled_from(sorted(REAL)))
    text = data.draw(mangled(REAL[path]))
    with tempfile.TemporaryDirectory() as folder:
        root = case.write(Path(folder), {**PLACES, **{p: t.decode() for p, t in REAL.items()}})
        (root / path).write_bytes(text)
        try:
            for file in without_kustomize(root).files():
                parse(file)
        except InvalidSpecs as error:
            outputs = [report.errors(error.diagnostics) for report in REPORTS.values()]
        except WfgenError as error:
            outputs = [str(error)]
        else:
            outputs = ["it renders"]
    assert all(outputs)


def without_kustomize(root: Path) -> repository.Repository:
    overlays = Overlays(root)
    overlays.command = None
    return repository.load(root, overlays)


REAL = {f"specs/{path.name}": path.read_bytes() for path in (ROOT / "specs").glob("*.yaml")}
PLACES = {f"app/{name}/Dockerfile": "" for name in ("client", "server")}
PIECES = st.sampled_from(
    (
        *("", "null", "yes", "true", "~", "1.10", "-1", "0o17", ".inf", "2001-01-01", "9" * 400),
        *("[", "]", "[]", "{", "}", "{}", "[" * 60, "- ", ": ", "? ", "a: " * 60, "#", "|", ">"),
        *("&a ", "*a", "<<: ", "!!python/object:os.system ", "%YAML 1.1\n", "---\n", "...\n"),
        *("'", '"', "\t", "\r", "\x00", "\x85", "\ufeff", "\u2028", "\U0001f600", "é" * 70),
        *("${{ github.token }}", "a" * 2_000, "../..", "/etc/passwd", "server", "production"),
    )
)


@st.composite
def mangled(draw: st.DrawFn, text: bytes) -> bytes:
    """A text damaged in one to four ways."""
    for _ in range(draw(st.integers(1, 4))):
        damage = draw(st.sampled_from([damaged_bytes, damaged_lines]))
        text = damage(draw, text)
    return text


def damaged_bytes(draw: st.DrawFn, text: bytes) -> bytes:
    at = draw(st.integers(0, len(text)))
    match draw(st.sampled_from(["other", "more", "cut"])):
        case "other":
            return text[:at] + draw(st.binary(min_size=1, max_size=2)) + text[at + 1 :]
        case "more":
            return text[:at] + draw(PIECES).encode() + text[at:]
        case _:
            return text[:at]


def damaged_lines(draw: st.DrawFn, text: bytes) -> bytes:
    lines = text.splitlines(keepends=True) or [b""]
    at = draw(st.integers(0, len(lines) - 1))
    match draw(st.sampled_from(["value", "value", "drop", "twice", "swap", "deeper"])):
        case "value":
            lines[at] = lines[at].partition(b":")[0] + b": " + draw(PIECES).encode() + b"\n"
        case "drop":
            del lines[at]
        case "twice":
            lines.insert(at, lines[at])
        case "swap":
            lines[at], lines[0] = lines[0], lines[at]
        case _:
            lines[at] = b"  " + lines[at]
    return b"".join(lines)


@pytest.mark.parametrize("runner", ["0", "1e3", "true", "null", "on", "0x10", "2001-01-01"])
def test_a_runner_is_a_text_whatever_its_name(runner: str, tmp_path: Path) -> None:
    project = case.BASE["specs/project.yaml"] + f"runner: {json.dumps(runner)}\n"
    project += "pull_request_runner: pull-requests\n"
    made = case.rendered(case.write(tmp_path, {**case.BASE, "specs/project.yaml": project}))
    case.write(tmp_path / "rendered", {file.path: file.text for file in made})
    assert [str(finding) for finding in shape_findings(tmp_path / "rendered")] == []


def test_a_location_is_part_of_a_text_whatever_its_name(tmp_path: Path) -> None:
    """YAML 1.1 reads `n` as a boolean."""
    files = case.read("ok", "registry-gar")
    project = files["specs/project.yaml"].replace("location: europe-west1", 'location: "n"')
    made = case.rendered(case.write(tmp_path, {**files, "specs/project.yaml": project}))
    case.write(tmp_path / "rendered", {file.path: file.text for file in made})
    assert [str(finding) for finding in shape_findings(tmp_path / "rendered")] == []
    assert any("registry: n-docker.pkg.dev" in file.text for file in made)


def shape_findings(root: Path) -> list[Finding]:
    """What GitHub's schemas refuse in the workflows and actions of a repository."""
    workflows, actions = (
        tuple(path.relative_to(root).as_posix() for path in (root / ".github").glob(pattern))
        for pattern in ("workflows/*.yml", "actions/*/action.yml")
    )
    assert workflows
    return schema.check(Sample(root, workflows, actions))


def parse(file: RenderedFile) -> Any:
    """A generated file as plain values."""
    if file.path.endswith(".json"):
        return json.loads(file.text)
    return tree.load(file.text) if file.path.endswith(".yml") else None


HOSTILE = "HOSTILE \"'}} `id`$(id)$X #: * &a |> %@ \\n {x}"
"""Text that could break out of quotes, blocks, comments or scripts; only patches may have `${{`."""

TOPS: tuple[type[BaseModel], ...] = (ProjectSpec, *KINDS)
PLACES_OF_TEXT = {
    ("Build", "args"): "build: {context: ., args: {A: %s}, dynamic_args: {B: sha}}",
    ("Build", "test"): "build: {context: ., test: %s}",
    ("Build", "before"): "build: {context: ., before: %s}",
    ("Health", "exec"): "build: {context: .}\nhealth: {exec: [%s]}",
    ("Migrate", "command"): "build: {context: .}\nmigrate: {command: [%s]}",
}
"""All fields that accept any text, each with a spec that has it; for patches, which are YAML, see
tests/test_patches.py."""


def test_the_table_has_all_fields_that_take_any_text() -> None:
    fields = {
        (model.__name__, name)
        for top in TOPS
        for model in models_of(top)
        if model is not Patch
        for name, info in model.model_fields.items()
        if not refused(info) and takes(info.annotation, info.metadata)
    }
    assert fields == set(PLACES_OF_TEXT)


def takes(annotation: Any, metadata: list[Any]) -> bool:
    """Whether a field accepts the hostile text as a value, in a list or in a mapping."""
    checked: TypeAdapter[Any] = TypeAdapter(
        annotation if not metadata else Annotated[annotation, *metadata]
    )
    for value in (HOSTILE, [HOSTILE], {"A": HOSTILE}):
        try:
            checked.validate_python(value)
        except ValidationError:
            continue
        return True
    return False


SEVERAL_LINES = f"{HOSTILE}\n  {HOSTILE}\n\n{HOSTILE}: x\n- run: y"
TEXTS = [(place, HOSTILE) for place in PLACES_OF_TEXT]
TEXTS += [(("Build", name), SEVERAL_LINES) for name in ("test", "before")]
TEXTS += [(("Build", name), f"{HOSTILE} \n{HOSTILE}\t\n \nx") for name in ("test", "before")]


@pytest.mark.parametrize(("place", "text"), TEXTS)
def test_no_text_breaks_out_of_its_scalar(
    place: tuple[str, str], text: str, tmp_path: Path
) -> None:
    written = json.dumps(text)
    files = {**case.BASE, "Dockerfile": ""}
    files["specs/web.yaml"] = f"kind: server\n{PLACES_OF_TEXT[place] % written}\n"
    made = case.rendered(case.write(tmp_path, files))
    texts = [
        (route, value)
        for file in made
        for route, value in scalars(parse(file))
        if "HOSTILE" in value
    ]
    raw = sum(file.text.count("HOSTILE") for file in made)
    assert texts
    assert raw == sum(value.count("HOSTILE") for _, value in texts), "outside of scalars"
    for route, value in texts:
        assert route[-1] not in ("run", "if", "uses", "name"), route
        if place == ("Build", "args"):
            assert value.startswith(f"A={text}\nB=${{{{ ")
        else:
            assert value.removesuffix("\n") == text  # a block ends in one


def scalars(node: Any, route: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Every text in a tree with its route; keys as well."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield (*route, "(key)"), str(key)
            yield from scalars(value, (*route, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from scalars(value, (*route, index))
    elif node is not None:
        yield route, str(node)
