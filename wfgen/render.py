"""From a plan to the text of every file. Pure: nothing is written here."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from wfgen import __version__, header, pins
from wfgen.errors import WfgenError
from wfgen.files import PlannedFile, RELEASE_ACTION, check_paths, files
from wfgen.plan import Plan
from wfgen.references import SpecFile

_PACKAGE = Path(__file__).parent
_PLAIN = re.compile(r"[A-Za-z_/$][A-Za-z0-9_./@$-]*(:[A-Za-z0-9_./@$-]+)*")
_NOT_TEXT = re.compile(r"true|false|null|yes|no|on|off|y|n", re.IGNORECASE)
_REFERS = re.compile(r'#\{% (?:include|import|from|extends) "([^"]+)"')

OUTPUTS = {
    "any": "plan: whether there is something to release",
    "sha": "plan: the commit to release",
    "services": "plan: the services of this release",
    "build": "plan: the services to build",
    "images": "plan, images: the image of each service, by digest",
    "previous": "plan: the newest deploy tag",
    "go_back": "plan: the recorded release to go back to",
    "trusted": "plan: whether a pull request may use credentials",
    "number": "plan: the pull request's number",
    "proceed": "preflight: whether the release may go on",
    "stale": "preflight: whether a newer commit is live",
    "release": "preflight: the number of the release",
    "lkg_sha": "preflight: the commit of the last known good release",
    "verified": "monitor: whether the release is good",
    "cause": "monitor, rollback: what failed",
    "restored": "rollback: what was restored",
    "namespaces": "previews: the previews there are",
    "numbers": "closed: the previews to tear down",
}
"""Outputs of the release program's commands."""


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """A generated file: its path from the repository's root, its text, the specs it comes from."""

    path: str
    text: str
    sources: tuple[str, ...]


class Templates:
    """The Jinja environment: a repository's own templates before the built-in ones of one name."""

    def __init__(self, root: Path, locked: dict[str, str], self_repository: bool) -> None:
        own = root / "templates"
        folders = [own] if own.is_dir() else []
        self.folders = [*folders, built_in_templates()]
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(self.folders),
            block_start_string="#{%",
            block_end_string="%}#",
            variable_start_string="#{{",
            variable_end_string="}}#",
            comment_start_string="#{#",
            comment_end_string="#}#",
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            undefined=jinja2.StrictUndefined,
            autoescape=True,
            finalize=scalar,
            bytecode_cache=_bytecode_cache(),
            auto_reload=False,
            cache_size=-1,
        )
        prefix = "$/.github/" if self_repository else "./.github/"

        def pin(action: str) -> Markup:
            if action not in locked:
                raise WfgenError(f"{action} is not in the lock; add it to {pins.LOCK}")
            return Markup(locked[action])

        environment.globals.update(
            pin=pin, local=lambda path: Markup(prefix + path), outputs=OUTPUTS
        )
        environment.filters.update(raw=Markup, line=_line, block=_block)
        self.environment = environment
        self._digests: dict[str, str] = {}

    def render(self, name: str, context: dict[str, Any]) -> str:
        """Raises `WfgenError` with the template's name and line where it cannot be rendered."""
        try:
            return self.environment.get_template(name).render(context)
        except jinja2.TemplateSyntaxError as error:
            place = f"{error.filename or name}:{error.lineno}"
            raise WfgenError(f"{place}: {error.message} [template]") from error
        except jinja2.TemplateNotFound as error:
            raise WfgenError(f"templates: no template {error.name}, for {name} [template]") from error
        except jinja2.UndefinedError as error:
            raise WfgenError(f"{_place(error, name)}: {error.message} [template]") from error

    def digest(self, name: str) -> str:
        """Digest of a template, of the fragments that it may include, and of wfgen's version."""
        if name not in self._digests:
            texts = [text for _, text in sorted(self._with_fragments(name).items())]
            self._digests[name] = header.digest(__version__, *texts)
        return self._digests[name]

    def names(self, prefix: str) -> list[str]:
        """The templates below a folder."""
        return self.environment.list_templates(filter_func=lambda name: name.startswith(prefix))

    def source(self, name: str) -> str:
        for folder in self.folders:
            if (path := folder / name).is_file():
                return path.read_text("utf-8")
        raise WfgenError(f"templates: no template {name} [template]")

    def _with_fragments(self, name: str) -> dict[str, str]:
        found: dict[str, str] = {}
        todo = [name]
        while todo:
            current = todo.pop()
            if current in found:
                continue
            if current.endswith("/"):  # a name made at run time: any file of the folder
                for folder in self.folders:
                    todo += [f"{current}{p.name}" for p in sorted((folder / current).glob("*.yml"))]
                continue
            found[current] = self.source(current)
            todo += _REFERS.findall(found[current])
        return found


def built_in_templates() -> Path:
    """The folder of templates that comes with wfgen: in the wheel, or in its own repository."""
    inside = _PACKAGE / "templates"
    return inside if inside.is_dir() else _PACKAGE.parent / "templates"


def render(made: Plan) -> tuple[RenderedFile, ...]:
    """Every file that the plan makes, sorted by path. Raises `WfgenError` for a bad template."""
    project = made.project
    first_lock = (built_in_templates() / "pins.yml").read_text("utf-8")
    locked, has_lock = pins.load(project.root, first_lock)
    templates = Templates(project.root, locked, project.spec.self_repository)
    planned = list(files(made))
    check_paths(planned)
    rendered = [_render_file(templates, made, file) for file in planned]
    rendered += _release_program(made)
    if not has_lock:
        rendered.append(RenderedFile(pins.LOCK, first_lock, ()))
    return tuple(sorted(rendered, key=lambda file: file.path))


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


def scalar(value: Any) -> Markup:
    """How a value stands in YAML: quoted, unless it is plainly a word.

    Templates need not think of it: every `#{{ }}#` goes through here.
    """
    if isinstance(value, Markup):
        return value
    if isinstance(value, jinja2.Undefined):
        str(value)  # raises, and says which name is undefined
    if isinstance(value, bool):
        return Markup("true" if value else "false")
    if isinstance(value, int):
        return Markup(str(value))
    if isinstance(value, str):
        if _PLAIN.fullmatch(value) and not _NOT_TEXT.fullmatch(value):
            return Markup(value)
        return Markup(json.dumps(value, ensure_ascii=False))
    if isinstance(value, list | tuple):
        return Markup(f"[{', '.join(scalar(item) for item in value)}]")
    raise WfgenError(f"a template prints {value!r}, which is no text, number or list [template]")


def _line(value: str) -> Markup:
    """A value as the rest of a line of a block literal, where nothing needs quotes."""
    if any(character in value for character in "\r\n\x85\u2028\u2029"):
        raise WfgenError(f"{value!r} is more than one line [template]")
    return Markup(value)


def _block(value: str, indent: int) -> Markup:
    """A text as a block literal where it has several lines, as a scalar otherwise."""
    lines = value.rstrip("\n").split("\n")
    if len(lines) == 1 or lines[0][:1] in (" ", "\t", ""):
        return scalar(value.rstrip("\n"))
    return Markup("|" + "".join(f"\n{' ' * indent}{line}".rstrip() for line in lines))


def _place(error: BaseException, name: str) -> str:
    """The template and line that an error came from."""
    trace, place = error.__traceback__, name
    while trace is not None:
        code = trace.tb_frame.f_code
        if trace.tb_frame.f_globals.get("__jinja_template__") is not None or code.co_filename.endswith(
            (".yml", ".md", ".json")
        ):
            place = f"{code.co_filename}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _bytecode_cache() -> jinja2.BytecodeCache | None:
    """Compiled templates, kept between runs in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    folder = Path(base) / "wfgen" / _settings_digest()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if folder.stat().st_uid != os.getuid() or not os.access(folder, os.W_OK):
            return None
    except (OSError, AttributeError):
        return None
    return jinja2.FileSystemBytecodeCache(str(folder), "%s")


@lru_cache(maxsize=1)
def _settings_digest() -> str:
    """What compiled templates depend on beside their text."""
    return hashlib.sha256(f"{__version__} {jinja2.__version__}".encode()).hexdigest()[:16]
