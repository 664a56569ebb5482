"""From a plan to the text of every file. Pure: nothing is written here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wfgen import __version__, header, pins
from wfgen.files import RELEASE_ACTION, PlannedFile, check_paths, files
from wfgen.plan import Plan
from wfgen.templating import Templates, built_in_templates

_PACKAGE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """A generated file: its path from the repository's root, its text, the specs it comes from.

    No spec: the lock's first text, and the release program, which is the same for everybody.
    """

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
    values = _values(made)
    rendered = [_render_file(templates, made, values, file) for file in planned]
    rendered += _release_program()
    used = {pin.action for file in rendered for pin in pins.in_text(file.text)}
    missing = sorted(used & set(known) - set(locked))
    lock = pins.completed(lock, first, [known[action] for action in missing])
    rendered.append(RenderedFile(pins.LOCK, lock, ()))
    return tuple(sorted(rendered, key=lambda file: file.path))


def first_lock() -> str:
    """The lock that comes with wfgen."""
    return (built_in_templates() / "pins.yml").read_text("utf-8")


def _values(made: Plan) -> dict[str, str]:
    """What each spec says, by its path: comments, quotes and the order of fields say nothing."""
    project = made.project
    values = {project.file.path: project.spec.model_dump_json(exclude_unset=True)}
    for service in project.services:
        values[service.file.path] = service.spec.model_dump_json(exclude_unset=True)
    return values


def _render_file(
    templates: Templates, made: Plan, values: dict[str, str], file: PlannedFile
) -> RenderedFile:
    body = templates.render(file.template, file.context)
    services = sorted(service.file.path for service in file.sources)
    sources = (*services, made.project.file.path)
    text = header.add(
        file.path,
        body.rstrip("\n") + "\n",
        sources,
        header.digest(*(values[path] for path in sources)),
        templates.digest(file.template),
    )
    return RenderedFile(file.path, text, sources)


def _release_program() -> Iterator[RenderedFile]:
    """The release program: its modules as they are, with our header. No spec changes them."""
    for module in sorted((_PACKAGE / "release_program").glob("*.py")):
        body = module.read_text("utf-8")
        path = f"{RELEASE_ACTION}/release_program/{module.name}"
        source = f"wfgen/release_program/{module.name}"
        text = header.add(path, body, [source], header.NONE, header.digest(__version__, body))
        yield RenderedFile(path, text, ())
