"""From a plan to the text of every file. Writes no files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from wfgen.generate.files import PlannedFile, check_paths, files
from wfgen.generate.plan import Plan
from wfgen.generate.templating import Templates, built_in_templates
from wfgen.locks import pins
from wfgen.release_program import names
from wfgen.text import header

_PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """A generated file: path from the repository's root, text, the specs that it depends on.

    The lock and the release program depend on no spec.
    """

    path: str
    text: str
    sources: tuple[str, ...]
    unpatched: str = ""
    """The body before patches; empty if no patch changes it."""


def render(plan: Plan) -> tuple[RenderedFile, ...]:
    """Every file of the plan, sorted by path.

    Raises `WfgenError` for an invalid template, `InvalidSpecs` for patches that do not apply.
    """
    project = plan.project
    first = first_lock()
    lock = pins.load(project.root) or first
    known, locked = pins.read(first), pins.read(lock)
    actions = {**known, **locked}
    templates = Templates(project.root, actions)
    planned = list(files(plan))
    check_paths(planned)
    bodies = {file.path: templates.render(file.template, file.context) for file in planned}
    unpatched: dict[str, str] = {}
    if project.spec.patches:
        from wfgen.generate.patches import Patches  # most projects have none

        bodies, unpatched = Patches(project, actions).apply_all(bodies), bodies
    values = _values(plan)
    rendered = []
    for file in planned:
        body = bodies[file.path]
        before = unpatched.get(file.path, body)
        whole = _with_header(templates, plan, values, file, body)
        rendered.append(whole if before == body else replace(whole, unpatched=before))
    rendered += _release_program()
    used = {pin.action for file in rendered for pin in pins.in_text(file.text)}
    missing = sorted(used & set(known) - set(locked))
    lock = pins.completed(lock, first, [known[action] for action in missing])
    rendered.append(RenderedFile(pins.LOCK, lock, ()))
    return tuple(sorted(rendered, key=lambda file: file.path))


def first_lock() -> str:
    """The built-in lock."""
    return (built_in_templates() / "pins.yml").read_text("utf-8")


def locked_actions(root: Path) -> dict[str, pins.Pin]:
    """The actions in the repository's lock, and those that a render adds."""
    first = first_lock()
    return {**pins.read(first), **pins.read(pins.load(root) or first)}


def _values(plan: Plan) -> dict[str, str]:
    """The fields that each spec sets, by its path; those of wfgen's own version do not count."""
    project = plan.project
    version = {"wfgen", "wfgen_requirement"}
    values = {project.file.path: project.spec.model_dump_json(exclude_unset=True, exclude=version)}
    for service in project.services:
        values[service.file.path] = service.spec.model_dump_json(exclude_unset=True)
    return values


def _with_header(
    templates: Templates, plan: Plan, values: dict[str, str], file: PlannedFile, body: str
) -> RenderedFile:
    services = sorted(service.file.path for service in file.sources)
    sources = (*services, plan.project.file.path)
    text = header.add(
        file.path,
        body.rstrip("\n") + "\n",
        sources,
        header.digest(*(values[path] for path in sources)),
        templates.digest(file.template),
    )
    return RenderedFile(file.path, text, sources)


def _release_program() -> Iterator[RenderedFile]:
    """The modules of the release program, each with a header. They depend on no spec."""
    for module in sorted((_PACKAGE / "release_program").rglob("*.py")):
        body = module.read_text("utf-8")
        name = module.relative_to(_PACKAGE).as_posix()
        path, source = f"{names.RELEASE_ACTION}/{name}", f"wfgen/{name}"
        text = header.add(path, body, [source], header.NONE, header.digest(body))
        yield RenderedFile(path, text, ())
