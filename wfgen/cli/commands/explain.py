"""Show which template line and spec fields made a line.

A field made a line if another value of only this field changes or removes the line.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from wfgen.cli.console import chosen_format, echo
from wfgen.cli.declared import Argument
from wfgen.cli.options import Directory, Format, find_root
from wfgen.errors import EXIT_CLEAN, WfgenError
from wfgen.explain import explanation, lines
from wfgen.findings import did_you_mean
from wfgen.generate.plan import plan
from wfgen.generate.render import RenderedFile, render
from wfgen.locks import pins
from wfgen.specs import loading
from wfgen.specs.references import Project
from wfgen.text import header

Place = Annotated[str, Argument(metavar="FILE:LINE", help="A line of a generated file.")]


def run(place: Place, directory: Directory = None, format_: Format = None) -> int:
    as_json = chosen_format(format_) == "json"
    project = loading.load(find_root(directory))
    file, index = _find(project, place)
    line = explanation.Line(file.path, index + 1, file.text.split("\n")[index])
    reasons = [*lines.explain(project, file, index)]
    write = explanation.as_json if as_json else explanation.as_text
    echo(write(line, reasons))
    return EXIT_CLEAN


def _find(project: Project, place: str) -> tuple[RenderedFile, int]:
    """The rendered file, and the index in it of a line of the file on disk."""
    path, number = _parse(project.root.resolve(), place)
    rendered = {file.path: file for file in render(plan(project))}
    if path == pins.LOCK:
        raise WfgenError(f"{path} is the lock of actions: your bot and you edit it, not a spec")
    if path not in rendered:
        hint = did_you_mean(path, rendered, "to list them, run `wfgen list`")
        raise WfgenError(f"{path} is not a file that wfgen generates; {hint}")
    generated = on_disk = rendered[path].text.splitlines()
    if (file := project.root / path).is_file():
        on_disk = file.read_bytes().decode("utf-8", errors="backslashreplace").splitlines()
    if not 1 <= number <= len(on_disk):
        raise WfgenError(f"{path} has {len(on_disk)} lines; {number} is not one of them")
    index = lines.same_line(on_disk, generated, number - 1)
    if index is None:
        hint = f"run `wfgen check`; to restore the file, run `{header.COMMAND}`"
        raise WfgenError(f"{path}:{number} is not as generated; to see the difference, {hint}")
    return rendered[path], index


def _parse(root: Path, place: str) -> tuple[str, int]:
    """The path from the repository's root, and the line."""
    name, _, digits = place.rpartition(":")
    if not name or not digits.isdecimal():
        raise WfgenError(f"{place}: expected FILE:LINE, such as .github/workflows/_deploy.yml:12")
    # A relative path is one of the repository, else one of the current folder.
    full = (root / name) if (root / name).exists() else (Path.cwd() / name).absolute()
    return full.relative_to(root).as_posix() if full.is_relative_to(root) else name, int(digits)
