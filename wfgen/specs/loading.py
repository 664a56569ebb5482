"""Loads `specs/`: checks each file against its kind, then all files against one another."""

from __future__ import annotations

import os
import typing
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from wfgen.errors import InvalidSpecs, WfgenError
from wfgen.findings import Diagnostic, Position
from wfgen.specs import overlay
from wfgen.specs.kinds import KINDS, ProjectSpec, ServiceSpec, kind_name
from wfgen.specs.kustomize import Overlays
from wfgen.specs.references import (
    Project,
    Service,
    SpecFile,
    check_project,
    check_requirement,
    check_services,
)
from wfgen.specs.runners import check_runners
from wfgen.specs.stored_secrets import check_secrets
from wfgen.text.positions import MAX_BYTES, parse

PROJECT_FILE = "specs/project.yaml"
_KINDS = {kind_name(kind): kind for kind in KINDS}
_NEW = "to create one, run `wfgen new <name> --kind server`"

Spec = typing.TypeVar("Spec", bound=BaseModel)


def load(root: Path, overlays: Overlays | None = None) -> Project:
    """Reads the specs below `root`; raises `InvalidSpecs` with all mistakes.

    With `overlays`, compares the specs with the rendered manifests as well.
    """
    specs = _Specs(root)
    for path in specs.paths():
        specs.read(path)
    problems = specs.problems
    if not specs.read_paths and not problems:
        raise WfgenError(f"no specs found in `{root / 'specs'}`; {_NEW}")
    if PROJECT_FILE not in specs.read_paths:
        hint = "create it with `project`, `wfgen`, `registry` and `environments`; see the README"
        problems.append(
            Diagnostic(Position(PROJECT_FILE), "missing project spec", "project-spec", hint)
        )
    elif specs.read_paths == [PROJECT_FILE] and not problems:
        raise WfgenError(f"no service specs found; {_NEW}")
    services = tuple(sorted(specs.services, key=lambda s: (s.spec.name, s.file.path)))
    name = specs.project[0].project if specs.project else "<project>"
    problems += check_services(root, name, services, specs.unread)
    if specs.project is not None:
        project = Project(root, *specs.project, services)
        problems += check_requirement(root, project.spec, project.file)
        problems += check_project(project.spec, project.file, services)
        problems += check_runners(project.spec, project.file)
        problems += check_secrets(project.spec, project.file, services)
        if overlays is not None:
            problems += overlay.check(project, overlays, complete=not specs.unread)
        if not problems:
            return project
    raise InvalidSpecs(problems)


@dataclass
class _Specs:
    """The specs that were read so far."""

    root: Path
    project: tuple[ProjectSpec, SpecFile] | None = None
    services: list[Service] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)
    """Names of services whose spec has errors; other services may depend on them."""
    read_paths: list[str] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)

    def paths(self) -> Iterator[str]:
        """The files to read, in order."""
        try:
            names = sorted(os.listdir(self.root / "specs"))
        except FileNotFoundError:
            return
        except OSError as error:
            raise WfgenError(f"cannot read the folder `specs`: {error.strerror}") from error
        for name in names:
            path = f"specs/{name}"
            if name.startswith("."):
                continue
            if not name.isprintable():
                self._refuse(
                    ascii(path), "unprintable character in the file name", "rename the file"
                )
            elif (self.root / path).is_dir():
                hint = "move its specs directly into `specs/`"
                self._refuse(path, "unexpected folder in `specs/`", hint)
            elif name.endswith(".yaml"):
                yield path
            elif name.lower().endswith((".yaml", ".yml")):
                suffix, hint = Path(name).suffix, f"rename the file to `{Path(name).stem}.yaml`"
                self._refuse(path, f"unsupported file extension `{suffix}`", hint)

    def read(self, path: str) -> None:
        """Reads and checks one file."""
        self.read_paths.append(path)
        stem = Path(path).stem
        text = self._text(path)
        if text is None:
            self.unread.add(stem)
            return
        file = SpecFile(path, text)
        tree, problems = parse(path, text, "project" if path == PROJECT_FILE else "kind")
        self.problems += problems
        if tree is None and problems:
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
                os.stat(full)  # raises OSError for a broken link, or a loop of links
                message = "not a regular file"
            elif (size := full.stat().st_size) > MAX_BYTES:
                message = f"file has {size:,} bytes; the maximum is {MAX_BYTES:,} bytes"
            else:
                return full.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            message = f"byte {error.start + 1} is not valid UTF-8"
        except OSError as error:
            message = f"cannot read the file: {error.strerror}"
        self._refuse(path, message)
        return None

    def _refuse(self, path: str, message: str, hint: str = "") -> None:
        self.problems.append(Diagnostic(Position(path), message, "spec-file", hint))

    def _kind(self, file: SpecFile, tree: Any) -> type[ServiceSpec] | None:
        name = tree.get("kind") if isinstance(tree, dict) else None
        kind = _KINDS.get(name) if isinstance(name, str) else None
        if kind is None or kind.refused:
            from wfgen.specs.messages import kind_diagnostic  # only errors need it

            self.problems.append(kind_diagnostic(file, tree, _KINDS))
            return None
        return kind

    def _validate(self, file: SpecFile, tree: Any, model: type[Spec]) -> Spec | None:
        try:
            return model.model_validate(tree)
        except ValidationError as error:
            from wfgen.specs.messages import translate  # only errors need it

            reported = {problem.position for problem in self.problems}  # by the YAML parser
            self.problems += [
                problem
                for problem in translate(file, model, error)
                if problem.position not in reported
            ]
            return None
