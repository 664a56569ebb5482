"""Loads `specs/`, checks each file against its kind and all of them against one another."""

from __future__ import annotations

import os
import typing
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from wfgen.errors import InvalidSpecs, WfgenError
from wfgen.findings import Diagnostic, Position, did_you_mean
from wfgen.specs import overlay
from wfgen.specs.kinds import KINDS, ProjectSpec, ServiceSpec, kind_name
from wfgen.specs.kustomize import Overlays
from wfgen.specs.messages import shown, translate
from wfgen.specs.references import (
    Project,
    Service,
    SpecFile,
    check_project,
    check_requirement,
    check_services,
)
from wfgen.text.source import MAX_BYTES, parse

PROJECT_FILE = "specs/project.yaml"
_KINDS = {kind_name(kind): kind for kind in KINDS}
_RENDERED = [name for name, kind in _KINDS.items() if not kind.refused]
_NEW = "write specs/NAME.yaml, or: wfgen new NAME --kind server"

Spec = typing.TypeVar("Spec", bound=BaseModel)


def load(root: Path, overlays: Overlays | None = None) -> Project:
    """Reads the specs below `root`; raises `InvalidSpecs` with every mistake found.

    With `overlays`, these are looked at as well.
    """
    found = _Specs(root)
    for path in found.paths():
        found.read(path)
    problems = found.problems
    if not found.read_paths and not problems:
        raise WfgenError(f"no specs: {root / 'specs'} has no .yaml file; {_NEW}")
    if PROJECT_FILE not in found.read_paths:
        message = "missing; expected the project's spec"
        hint = "write it, with project, wfgen, registry and environments; the README shows one"
        problems.append(Diagnostic(Position(PROJECT_FILE), message, "project-spec", hint))
    elif found.read_paths == [PROJECT_FILE] and not problems:
        raise WfgenError(f"no specs of services: {_NEW}")
    services = tuple(sorted(found.services, key=lambda s: (s.spec.name, s.file.path)))
    name = found.project[0].project if found.project else "<project>"
    problems += check_services(root, name, services, found.unread)
    if found.project is not None:
        project = Project(root, *found.project, services)
        problems += check_requirement(root, project.spec, project.file)
        problems += check_project(project.spec, project.file, services)
        if overlays is not None:
            problems += overlay.check(project, overlays, complete=not found.unread)
        if not problems:
            return project
    raise InvalidSpecs(problems)


@dataclass
class _Specs:
    """What was read so far."""

    root: Path
    project: tuple[ProjectSpec, SpecFile] | None = None
    services: list[Service] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)
    """Names of services whose spec has errors: others may depend on them all the same."""
    read_paths: list[str] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)

    def paths(self) -> Iterator[str]:
        """The files to read, in order."""
        try:
            names = sorted(os.listdir(self.root / "specs"))
        except FileNotFoundError:
            return
        except OSError as error:
            raise WfgenError(f"specs: {error.strerror}; expected a folder of specs") from error
        for name in names:
            path = f"specs/{name}"
            if name.startswith("."):
                continue
            if not name.isprintable():
                self._refuse(ascii(path), "a name that cannot be printed", "rename it")
            elif (self.root / path).is_dir():
                self._refuse(path, "a folder; expected files", "specs lie directly in specs/")
            elif name.endswith(".yaml"):
                yield path
            elif name.lower().endswith((".yaml", ".yml")):
                self._refuse(path, f"ends in {Path(name).suffix}; expected .yaml", "rename it")

    def read(self, path: str) -> None:
        """Reads and checks one file."""
        self.read_paths.append(path)
        stem = Path(path).stem
        text = self._text(path)
        if text is None:
            self.unread.add(stem)
            return
        file = SpecFile(path, text)
        tree, found = parse(path, text)
        self.problems += found
        if tree is None and found:
            self.unread.add(stem)
        elif path == PROJECT_FILE:
            if (spec := self._validate(file, tree, ProjectSpec)) is not None:
                self.project = spec, file
        else:
            kind = self._kind(file, tree)
            named = {"name": stem, **tree} if isinstance(tree, dict) else {"name": stem}
            service = self._validate(file, named, kind) if kind else None
            if service is not None:
                self.services.append(Service(service, file))
            else:
                self.unread.add(str(named["name"]))

    def _text(self, path: str) -> str | None:
        full = self.root / path
        try:
            if not full.is_file():
                os.stat(full)  # a loop or a broken link says so here
                message = "not a regular file; expected YAML"
            elif (size := full.stat().st_size) > MAX_BYTES:
                message = f"{size:,} bytes; expected at most {MAX_BYTES:,}"
            else:
                return full.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            message = f"byte {error.start + 1} is not UTF-8; expected YAML"
        except OSError as error:
            message = f"cannot be read: {error.strerror}"
        self._refuse(path, message)
        return None

    def _refuse(self, path: str, message: str, hint: str = "") -> None:
        self.problems.append(Diagnostic(Position(path), message, "spec-file", hint))

    def _kind(self, file: SpecFile, tree: Any) -> type[ServiceSpec] | None:
        name = tree.get("kind") if isinstance(tree, dict) else None
        kind = _KINDS.get(name) if isinstance(name, str) else None
        if not isinstance(tree, dict):
            message = f"{shown(tree)}; expected a mapping with `kind:` and further fields"
            problem = file.at((), message, "spec-file")
        elif "kind" not in tree:
            problem = file.at((), "kind is missing", "missing-field", did_you_mean("", _RENDERED))
        elif kind is None:
            message = f"{shown(name)} is no kind of service"
            problem = file.at(
                ("kind",), message, "unknown-kind", did_you_mean(shown(name), _RENDERED)
            )
        elif kind.refused:
            message = f"kind {name} is not rendered by this version of wfgen"
            problem = file.at(("kind",), message, "not-rendered", kind.refused)
        else:
            return kind
        self.problems.append(problem)
        return None

    def _validate(self, file: SpecFile, tree: Any, model: type[Spec]) -> Spec | None:
        try:
            return model.model_validate(tree)
        except ValidationError as error:
            # what the parser told already is not told again
            told = {problem.position for problem in self.problems}
            self.problems += [
                problem for problem in translate(file, model, error) if problem.position not in told
            ]
            return None
