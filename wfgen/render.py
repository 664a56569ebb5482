"""From a plan to the text of every file. Pure: nothing is written here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wfgen import __version__, header, pins
from wfgen.files import RELEASE_ACTION, PlannedFile, check_paths, files
from wfgen.plan import Plan
from wfgen.references import Service, SpecFile
from wfgen.templating import Templates, built_in_templates

_PACKAGE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """A generated file: its path from the repository's root, its text, the specs it comes from."""

    path: str
    text: str
    sources: tuple[str, ...]
    unpatched: str = ""
    """The body before patches; empty where it has none."""


def render(made: Plan) -> tuple[RenderedFile, ...]:
    """Every file that the plan makes, sorted by path.

    Raises `WfgenError` for a bad template, `InvalidSpecs` for patches that cannot be applied.
    """
    project = made.project
    first = first_lock()
    locked, has_lock = pins.load(project.root, first)
    templates = Templates(project.root, locked, project.spec.self_repository)
    planned = list(files(made))
    check_paths(planned)
    bodies = {file.path: templates.render(file.template, file.context) for file in planned}
    unpatched = {}
    if project.spec.patches:
        from wfgen.patches import Patches  # only here, as most projects have none

        unpatched = bodies
        bodies = Patches(project, locked).apply_all(bodies)
    rendered = []
    for file in planned:
        body = bodies[file.path]
        before = unpatched.get(file.path, body)
        text = _with_header(templates, made, file, body)
        sources = tuple(source.path for source in _sources(made.project.file, file.sources))
        rendered.append(RenderedFile(file.path, text, sources, "" if before == body else before))
    rendered += _release_program(made)
    if not has_lock:
        rendered.append(RenderedFile(pins.LOCK, first, ()))
    return tuple(sorted(rendered, key=lambda file: file.path))


def first_lock() -> str:
    """The lock that comes with wfgen."""
    return (built_in_templates() / "pins.yml").read_text("utf-8")


def locked_actions(root: Path) -> dict[str, str]:
    """The repository's lock: what stands after `uses:`, by action."""
    return pins.load(root, first_lock())[0]


def _with_header(templates: Templates, made: Plan, file: PlannedFile, body: str) -> str:
    sources = _sources(made.project.file, file.sources)
    return header.add(
        file.path,
        body.rstrip("\n") + "\n",
        [source.path for source in sources],
        header.digest(*(source.text for source in sources)),
        templates.digest(file.template),
    )


def _sources(project: SpecFile, services: tuple[Service, ...]) -> list[SpecFile]:
    return [*sorted((service.file for service in services), key=lambda file: file.path), project]


def _release_program(made: Plan) -> Iterator[RenderedFile]:
    """The release program: its modules as they are, with our header."""
    project = made.project.file
    for module in sorted((_PACKAGE / "release_program").glob("*.py")):
        body = module.read_text("utf-8")
        path = f"{RELEASE_ACTION}/release_program/{module.name}"
        templates = header.digest(__version__, body)
        text = header.add(path, body, [project.path], header.digest(project.text), templates)
        yield RenderedFile(path, text, (project.path,))
