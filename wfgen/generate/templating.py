"""The Jinja environment that templates run in.

Its delimiters do not collide with GitHub's `${{ }}` or with bash, and keep a template valid YAML.
Every value that a template prints is quoted by `quoting.scalar`.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from wfgen import __version__
from wfgen.errors import WfgenError
from wfgen.locks import pins
from wfgen.release_program import names
from wfgen.text import header
from wfgen.text.quoting import block, code, line, scalar

_PACKAGE = Path(__file__).parents[1]
_REFERS = re.compile(r'#\{% (?:include|import|from|extends) "([^"]+)"')


class Templates:
    """The Jinja environment. A repository's templates replace built-in ones of the same name."""

    def __init__(self, root: Path, locked: Mapping[str, pins.Pin]) -> None:
        self.root = root
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

        def pin(action: str) -> Markup:
            if action not in locked:
                raise WfgenError(
                    f"`{action}` is not in the lock {pins.LOCK}; "
                    f"to add it, run `wfgen pins update {action}`"
                )
            return Markup(locked[action])

        environment.globals.update(pin=pin, local=_local)
        environment.filters.update(raw=Markup, line=line, block=block, code=code)
        self.environment = environment
        self._digests: dict[str, str] = {}

    def render(self, name: str, context: dict[str, Any]) -> str:
        """Raises `WfgenError` with the template's name and line if rendering fails."""
        try:
            return self.environment.get_template(name).render(context)
        except jinja2.TemplateSyntaxError as error:
            place, message = f"{error.filename or name}:{error.lineno}", str(error.message)
            cause: Exception = error
        except jinja2.TemplateNotFound as error:
            place, message, cause = _place(error), f"no template {error.name}", error
        except UnicodeDecodeError as error:
            place, message, cause = f"templates/{name}", "not UTF-8", error
        except Exception as error:
            if not (place := _place(error)):
                raise  # an internal error
            known = isinstance(error, WfgenError | jinja2.TemplateError)
            message = str(error) if known else f"{type(error).__name__}: {error}"
            cause = error
        place = (place or f"templates/{name}").removeprefix(f"{self.root}/")
        raise WfgenError(f"{place}: {message.removesuffix(' [template]')} [template]") from cause

    def digest(self, name: str) -> str:
        """Digest of a template and of the fragments that it may include."""
        if name not in self._digests:
            texts = [text for _, text in sorted(self._with_fragments(name).items())]
            self._digests[name] = header.digest(*texts)
        return self._digests[name]

    def names(self, prefix: str) -> list[str]:
        """The templates below a folder, without the bytecode that pip compiles of .py files."""
        return self.environment.list_templates(
            filter_func=lambda name: name.startswith(prefix) and "__pycache__" not in name
        )

    def source(self, name: str) -> str:
        for folder in self.folders:
            if (path := folder / name).is_file():
                return path.read_text("utf-8")
        raise WfgenError(f"templates: no template {name} [template]")

    def _with_fragments(self, name: str) -> dict[str, str]:
        texts: dict[str, str] = {}
        todo = [name]
        while todo:
            current = todo.pop()
            if current in texts:
                continue
            if current.endswith("/"):  # the rest of the name is an expression: any file there
                for folder in self.folders:
                    todo += [f"{current}{p.name}" for p in sorted((folder / current).glob("*.*"))]
                continue
            texts[current] = self.source(current)
            todo += _REFERS.findall(texts[current])
        return texts


@jinja2.pass_context
def _local(context: jinja2.runtime.Context, path: str) -> Markup:
    """A reference to a workflow or action of the same repository.

    GitHub reads a called workflow itself. For an action, `$/` makes the runner fetch the whole
    repository in each job (see docs/cost.md), so jobs check out the actions alone.
    """
    if context["project"].platform == "github.com" and path.startswith("workflows/"):
        return Markup(f"{names.SAME_REPOSITORY}.github/{path}")
    reason = "# zizmor: ignore[self-repository] checked out at this workflow's commit"
    return Markup(f"{names.CHECKOUT}.github/{path} {reason}")


def built_in_templates() -> Path:
    """The folder of the built-in templates: in the wheel, or in wfgen's repository."""
    inside = _PACKAGE / "templates"
    return inside if inside.is_dir() else _PACKAGE.parent / "templates"


def _place(error: BaseException) -> str:
    """The template and line that raised an error; "" if no template did."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        if "__jinja_exception__" in trace.tb_frame.f_globals:  # a frame of a template
            place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
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
    """A digest of what compiled templates depend on beside their text."""
    return hashlib.sha256(f"{__version__} {jinja2.__version__}".encode()).hexdigest()[:16]
