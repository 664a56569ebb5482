"""Patches: each changes its target and nothing else."""

from __future__ import annotations

import copy
import itertools
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tests import case
from tests.judges import tree
from tests.spec_strategies import as_yaml
from tests.terminal import Terminal
from tests.test_properties import HOSTILE, SEVERAL_LINES, tried
from wfgen.cli.repository import Repository
from wfgen.errors import InvalidSpecs
from wfgen.findings import Diagnostic
from wfgen.generate.patches import Patches
from wfgen.specs import loading as spec
from wfgen.specs.kinds import ProjectSpec
from wfgen.specs.kinds.patch import Patch
from wfgen.specs.references import Project, SpecFile
from wfgen.text.editor import Document, Unfit
from wfgen.text.positions import Route
from wfgen.text.quoting import entry

ROOT = Path(__file__).parents[1]
GENERATED = {
    file.path: file.text.split("\n", 3)[3]
    for file in case.rendered(ROOT)
    if file.path.endswith(".yml") and file.sources
}
"""The bodies of this repository's generated workflows and actions."""
DEPLOY = ".github/workflows/_deploy.yml"
PRODUCTION = ".github/workflows/production.yml"


def project(patches: dict[str, Any]) -> Project:
    """A project with these patches."""
    values = yaml.safe_load(case.BASE["specs/project.yaml"])
    text = as_yaml({**values, "patches": patches})
    made = ProjectSpec.model_validate({**values, "patches": patches})
    return Project(ROOT, made, SpecFile("specs/project.yaml", text), ())


def patched(text: str, *patches: dict[str, Any], path: str = PRODUCTION) -> str:
    """A text with patches that apply."""
    named = {f"p{i}": {"file": path, **each} for i, each in enumerate(patches)}
    made, found = Patches(project(named), {}).apply(path, text)
    assert [str(each) for each in found] == []
    return made.text


def problem_of(text: str, patch: dict[str, Any], path: str = PRODUCTION) -> Diagnostic:
    """The problem of a patch that does not apply; the text is unchanged."""
    made, (found,) = Patches(project({"odd": {"file": path, **patch}}), {}).apply(path, text)
    assert made.text == text
    return found


# Values are written as our templates would, and read back as they were.

TEXT = st.text(max_size=30) | st.sampled_from(
    [HOSTILE, SEVERAL_LINES, "${{ a }}", "yes", "1.10", "a: b", "a #b", "- a", "x:", "", " a"]
)
# No surrogates: no file has them.
SCALARS = (
    TEXT.filter(lambda text: text.isascii() or not any(0xD800 <= ord(c) < 0xE000 for c in text))
    | st.booleans()
    | st.integers(-(10**6), 10**6)
    | st.floats(-1000, 1000).map(lambda number: round(number, 3))
    | st.none()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@tried(120)
@given(TEXT, VALUES, st.sampled_from([0, 2, 6]))
def test_a_value_is_read_as_it_was_given(key: str, value: Any, indent: int) -> None:
    text = "\n".join(entry(key, value, indent)) + "\n"
    assert YAML(typ="safe").load(text) == {key: value}
    assert yaml.safe_load(text) == {key: value}


def test_a_value_is_written_as_our_templates_have_it() -> None:
    """What is generated here, read and written again, is what it was: but comments and breaks."""
    text = GENERATED[DEPLOY]
    jobs = tree.load(text)["jobs"]
    written = [line for name, job in jobs.items() for line in entry(name, job, 2)]
    before = [
        line.partition(" #")[0]
        for line in text.partition("\njobs:\n")[2].split("\n")
        if line and not line.strip().startswith("#")
    ]
    assert written == before


# The result of a patch is what the same change of the values gives.


def routes(node: Any, route: Route = ()) -> list[Route]:
    """All places in a tree."""
    found = [route] if route else []
    inner: Any = node.items() if isinstance(node, dict) else ()
    inner = enumerate(node) if isinstance(node, list) else inner
    for key, value in inner:
        found += routes(value, (*route, key))
    return found


def at(node: Any, route: Route) -> Any:
    for part in route:
        node = node[part]
    return node


def aim(loaded: Any, route: Route) -> dict[str, Any]:
    """The fields of a patch that name a place; {} where none can."""
    found: dict[str, Any] = {}
    rest: list[Any] = list(route)
    if rest[0] == "jobs" and len(rest) > 1:
        found["job"], rest = rest[1], rest[2:]
    elif rest[0] == "runs":
        rest = rest[1:]
    if len(rest) > 1 and rest[0] == "steps" and isinstance(rest[1], int):
        outer = loaded["jobs"][found["job"]] if "job" in found else loaded["runs"]
        step = outer["steps"][rest[1]]
        found["step"], rest = step.get("id", step["name"]), rest[2:]
    elif rest and "jobs" not in loaded and route[0] == "runs":
        return {}
    if any(isinstance(part, int) or "." in part for part in rest):
        return {}
    return {**found, **({"key": ".".join(rest)} if rest else {})}


LOADED = {path: tree.load(text) for path, text in GENERATED.items()}
PLACES = [
    (path, route)
    for path, loaded in LOADED.items()
    for route in routes(loaded)
    if aim(loaded, route)
]
PIECES = st.dictionaries(st.sampled_from(["name", "run", "env"]), SCALARS, min_size=1)


@tried(80)
@given(st.sampled_from(PLACES), st.sampled_from(["replace", "remove", "before", "after", "add"]),
       st.data())  # fmt: skip
def test_a_patch_does_what_it_says_and_nothing_else(
    place: tuple[str, Route], way: str, data: st.DataObject
) -> None:
    path, route = place
    text, loaded = GENERATED[path], LOADED[path]
    target = aim(loaded, route)
    if target.keys() == {"job"} and way in ("before", "after"):
        return
    wanted = copy.deepcopy(loaded)
    holder, last, value = at(wanted, route[:-1]), route[-1], at(wanted, route)
    given: Any = True
    if way == "remove":
        del holder[last]
    elif way == "replace":
        given = data.draw(PIECES if "key" not in target else VALUES)
        holder[last] = given
    elif way == "add":
        if "key" not in target or not isinstance(value, dict):
            return
        given = data.draw(VALUES)
        target["key"] += ".brand-new"
        value["brand-new"] = given
    else:
        given = [data.draw(PIECES)] if "key" not in target else [data.draw(SCALARS)]
        where = holder if "key" not in target else value
        if not isinstance(where, list):
            return
        index = last if "key" not in target and isinstance(last, int) else None
        begin = (index if way == "before" else index + 1) if index is not None else None
        begin = begin if begin is not None else 0 if way == "before" else len(where)
        where[begin:begin] = given
    document = Document(text)
    named = {"p": Patch.model_validate({"file": path, **target, way: given})}
    patches = Patches(project({}), {})
    patches.all, patches.by_file = named, {path: named}
    patches.project_file = SpecFile("specs/project.yaml", "patches: {p: {}}")
    made, found = patches.apply(path, text)
    if found:
        assert found[0].message.startswith(("nothing would be left", "steps have the")) or any(
            words in found[0].message
            for words in ("be empty", "is empty", "no keys in lines", "in brackets", "steps have")
        )
        assert made.text == text
        return
    assert tree.load(made.text) == wanted
    # Every line that the patch did not write is one of the text's, in order, byte by byte.
    lines = made.text.split("\n")[:-1]
    assert len(made.origins) == len(lines)
    kept = [
        (origin.line, line)
        for origin, line in zip(made.origins, lines, strict=True)
        if not origin.authors and origin.line is not None
    ]
    assert len(kept) == sum(not origin.authors for origin in made.origins)
    assert [number for number, _ in kept] == sorted({number for number, _ in kept})
    assert all(document.lines[number] == line for number, line in kept)
    assert len(kept) < len(lines), "nothing says that there is a patch"


# Places that are easy to get wrong.

STEPS = """\
jobs:
  plan:
    # First words.
    needs: [a, b] # why
    steps:
      # The script.
      - name: One
        run: |
          echo one

          echo more


      # What comes next.
      - run: echo two

  last:
    steps:
      - run: echo three
"""


def test_comments_above_go_with_what_they_are_about() -> None:
    after = patched(STEPS, {"job": "plan", "step": "One", "after": [{"run": "x"}]})
    assert "echo more\n      # patch p0\n      - run: x\n\n\n      # What comes next.\n" in after
    before = patched(STEPS, {"job": "plan", "step": "One", "before": [{"run": "x"}]})
    assert "steps:\n      # patch p0\n      - run: x\n      # The script.\n" in before
    removed = patched(STEPS, {"job": "plan", "step": "One", "remove": True})
    assert "steps:\n      # patch p0: removed\n\n\n      # What comes next.\n" in removed
    replaced = patched(STEPS, {"job": "plan", "key": "needs", "replace": ["c"]})
    assert "# First words.\n    # patch p0\n    needs: [c]\n    steps:" in replaced


def test_the_key_beside_a_dash_leaves_the_dash() -> None:
    removed = patched(STEPS, {"job": "plan", "step": "One", "key": "name", "remove": True})
    assert "      # The script.\n" not in removed
    assert "      # patch p0: removed\n      - run: |\n          echo one\n" in removed
    replaced = patched(
        STEPS, {"job": "plan", "step": "One", "key": "name", "replace": "Other: name"}
    )
    assert '      # patch p0\n      - name: "Other: name"\n        run: |\n' in replaced


@pytest.mark.parametrize("end", ["\x85", "\u2028", "\u2029"])
def test_lines_are_those_that_yaml_counts(end: str) -> None:
    text = STEPS.replace("# First words.", f"# First{end}# words.")
    assert tree.load(text) == tree.load(STEPS)
    after = patched(text, {"job": "plan", "step": "One", "key": "name", "replace": "Uno"})
    assert after == text.replace("      - name: One", "      # patch p0\n      - name: Uno")


def test_a_job_is_added_at_the_end() -> None:
    after = patched(STEPS, {"job": "new", "add": {"steps": [{"run": "x"}]}})
    assert after == f"{STEPS}\n  # patch p0\n  new:\n    steps:\n      - run: x\n"


def test_inserts_at_one_place_stand_in_the_order_of_the_spec() -> None:
    """... and what belongs to the step before them comes before them."""
    step = {"job": "plan", "step": "One"}
    after = patched(
        STEPS,
        {**step, "after": [{"run": "x"}]},
        {**step, "after": [{"run": "z"}]},
        {**step, "key": "shell", "add": "bash"},
    )
    lines = ["        shell: bash", "      - run: x", "      - run: z"]
    assert [line for line in after.split("\n") if line in lines] == lines
    assert tree.load(after)["jobs"]["plan"]["steps"][0]["shell"] == "bash"


def test_the_order_of_patches_says_nothing_else() -> None:
    patches: list[dict[str, Any]] = [
        {"job": "plan", "step": "One", "key": "name", "replace": "Uno"},
        {"job": "plan", "step": "One", "key": "env", "add": {"A": "b"}},
        {"job": "plan", "key": "needs", "after": ["c"]},
        {"job": "last", "remove": True},
    ]
    made = {
        patched(STEPS, *order).replace(f"p{order.index(patches[0])}", "p")
        for order in itertools.permutations(patches)
    }
    assert len({yaml.dump(tree.load(text)) for text in made}) == 1


def test_a_patch_sees_the_text_without_other_patches() -> None:
    named: dict[str, Any] = {
        "one": {"file": PRODUCTION, "job": "new", "add": {"steps": [{"id": "x", "run": "x"}]}},
        "two": {"file": PRODUCTION, "job": "new", "step": "x", "remove": True},
    }
    _, (found,) = Patches(project(named), {}).apply(PRODUCTION, STEPS)
    assert found.message == f"{PRODUCTION} has no job `new`"


def test_two_steps_of_one_name_are_told() -> None:
    text = "jobs:\n  a:\n    steps:\n      - {name: X}\n      - {name: X}\n"
    found = problem_of(text, {"job": "a", "step": "X", "remove": True})
    assert found.message == "2 steps have the name `X`"
    assert found.position.file == "specs/project.yaml"


def test_what_stands_in_brackets_is_replaced_as_a_whole() -> None:
    text = "jobs:\n  a:\n    steps: [{id: x, run: a}]\n"
    found = problem_of(text, {"job": "a", "step": "x", "remove": True})
    assert (found.message, found.hint) == (
        "`jobs.a.steps` is in flow style",
        "replace `jobs.a.steps` as a whole",
    )
    with pytest.raises(Unfit):
        Document(text).find(("jobs", "a", "steps", 0))


# With everything around it.


def with_patches(patches: dict[str, Any], name: str = "base") -> dict[str, str]:
    files = case.read("ok", name)
    text = as_yaml({"patches": patches})
    return {**files, "specs/project.yaml": files["specs/project.yaml"] + text}


def test_the_case_of_all_patches_is_safe(tmp_path: Path) -> None:
    root = case.write(tmp_path, case.read("ok", "patches"))
    made = {file.path: file.text for file in Repository(spec.load(root), ()).files()}
    reason = "  # waives environment-lock: only the newest commit is released\n"
    assert reason in made[PRODUCTION]


def test_a_patched_file_is_checked_as_any_other(terminal: Terminal) -> None:
    patch = {"file": PRODUCTION, "job": "plan", "key": "timeout-minutes", "replace": 20}
    case.write(terminal.root, with_patches({"patient": patch}))
    ran = terminal.run("check")
    assert (ran.code, f"{PRODUCTION}: out of date (specs changed)" in ran.out) == (1, True)
    assert terminal.run("render").code == 0
    assert terminal.run("check").code == 0
    text = (terminal.root / PRODUCTION).read_text("utf-8")
    assert "    # patch patient\n    timeout-minutes: 20\n" in text
    terminal.edit(PRODUCTION, "timeout-minutes: 20", "timeout-minutes: 30")
    assert terminal.run("check").code == 1


def test_a_patch_that_cannot_be_applied_writes_nothing(terminal: Terminal) -> None:
    before = terminal.files()
    files = with_patches({"gone": {"file": PRODUCTION, "job": "gone", "remove": True}})
    case.write(terminal.root, files)
    (terminal.root / PRODUCTION).unlink()
    ran = terminal.run("render")
    assert (ran.code, "has no job `gone` [patch-target]" in ran.err) == (2, True)
    after = terminal.files()
    assert PRODUCTION not in after
    assert {p: t for p, t in after.items() if not p.startswith("specs/")} == {
        p: t for p, t in before.items() if not p.startswith("specs/") and p != PRODUCTION
    }


def test_an_expression_is_for_patches_alone(tmp_path: Path) -> None:
    files = dict(case.BASE)
    patch = {"file": PRODUCTION, "job": "plan", "key": "env", "add": {"A": "${{ github.sha }}"}}
    files["specs/project.yaml"] += as_yaml({"patches": {"p": patch}, "runner": "${{ x }}"})
    with pytest.raises(InvalidSpecs) as caught:
        spec.load(case.write(tmp_path, files))
    assert {found.rule for found in caught.value.diagnostics} == {"no-expression"}
    assert {found.message for found in caught.value.diagnostics} == {
        "GitHub Actions expressions are not allowed here"
    }


def test_an_action_comes_from_the_repositorys_lock(terminal: Terminal) -> None:
    step = {"name": "Upload", "uses": "acme/upload"}
    patch = {"file": PRODUCTION, "job": "plan", "step": "plan", "after": [step]}
    case.write(terminal.root, with_patches({"upload": patch}))
    ran = terminal.run("render")
    assert ran.code == 2
    assert "`acme/upload` is not in the lock [unlocked-action]" in ran.err
    lock = terminal.root / ".github/workflows/_pins.yml"
    pin = f"acme/upload@{'1' * 40} # v1.2.3"
    lock.write_text(lock.read_text("utf-8") + f"      - uses: {pin}\n", "utf-8")
    assert terminal.run("render").code == 0
    text = (terminal.root / PRODUCTION).read_text("utf-8")
    assert f"      - name: Upload\n        uses: {pin}\n" in text
    assert terminal.run("check").code == 0
