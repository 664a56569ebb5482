"""From a plan to the text of every file. Pure: nothing is written here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wfgen import __version__, header, pins
from wfgen.files import RELEASE_ACTION, PlannedFile, check_paths, files
from wfgen.plan import Plan
from wfgen.references import SpecFile
from wfgen.templating import Templates, built_in_templates

_PACKAGE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """A generated file: its path from the repository's root, its text, the specs it comes from."""

    path: str
    text: str
    sources: tuple[str, ...]


def render(made: Plan) -> tuple[RenderedFile, ...]:
    """Every file that the plan makes, sorted by path. Raises `WfgenError` for a bad template."""
    project = made.project
    first = first_lock()
    lock = pins.load(project.root) or first
    known, locked = pins.read(first), pins.read(lock)
    templates = Templates(project.root, {**known, **locked}, project.spec.self_repository)
    planned = list(files(made))
    check_paths(planned)
    rendered = [_render_file(templates, made, file) for file in planned]
    rendered += _release_program(made)
    missing = sorted(templates.pinned - set(locked))
    lock = pins.completed(lock, first, [known[action] for action in missing])
    rendered.append(RenderedFile(pins.LOCK, lock, ()))
    return tuple(sorted(rendered, key=lambda file: file.path))


def first_lock() -> str:
    """The lock that comes with wfgen."""
    return (built_in_templates() / "pins.yml").read_text("utf-8")


def _render_file(templates: Templates, made: Plan, file: PlannedFile) -> RenderedFile:
    body = templates.render(file.template, file.context)
    sources = _sources(made.project.file, [service.file for service in file.sources])
    text = header.add(
        file.path,
        body.rstrip("\n") + "\n",
        [source.path for source in sources],
        header.digest(*(source.text for source in sources)),
        templates.digest(file.template),
    )
    return RenderedFile(file.path, text, tuple(source.path for source in sources))


def _sources(project: SpecFile, services: list[SpecFile]) -> list[SpecFile]:
    return [*sorted(services, key=lambda file: file.path), project]


def _release_program(made: Plan) -> Iterator[RenderedFile]:
    """The release program: its modules as they are, with our header."""
    project = made.project.file
    for module in sorted((_PACKAGE / "release_program").glob("*.py")):
        body = module.read_text("utf-8")
        path = f"{RELEASE_ACTION}/release_program/{module.name}"
        templates = header.digest(__version__, body)
        text = header.add(path, body, [project.path], header.digest(project.text), templates)
        yield RenderedFile(path, text, (project.path,))
