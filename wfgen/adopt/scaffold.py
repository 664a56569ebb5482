"""`wfgen new`: the first files of a service, and its place in the overlays and the project."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from wfgen.errors import InvalidSpecs, WfgenError
from wfgen.findings import did_you_mean
from wfgen.generate.templating import Templates
from wfgen.specs.kinds import KINDS, ServiceSpec, kind_name
from wfgen.specs.kinds._model import Name
from wfgen.specs.loading import PROJECT_FILE
from wfgen.specs.messages import translate
from wfgen.specs.references import SpecFile
from wfgen.text.editor import with_item
from wfgen.text.positions import parse
from wfgen.worktree.writing import write_all

_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")


def scaffold(root: Path, name: str, kind: str) -> list[str]:
    """Writes what a new service needs, and returns the paths.

    Folders of its name in `kube/bases/` and `app/` stay as they are. Raises `WfgenError`, and
    writes nothing, where the service exists or the name or kind cannot be.
    """
    model = _kind(kind)
    _check_name(root, name)
    templates = Templates(root, {}, self_repository=True)
    words = {"name": name, "password": f"{name.upper().replace('-', '_')}_PASSWORD"}
    spec = f"specs/{name}.yaml"
    folders = {"kube": f"kube/bases/{name}", "app": f"app/{name}"}
    wanted: dict[str, str] = {}
    for template in templates.names(f"kinds/{kind}/"):
        part, _, path = template.removeprefix(f"kinds/{kind}/").partition("/")
        if part == "spec.yaml":
            wanted[spec] = templates.render(template, words)
        elif part in folders and not (root / folders[part]).exists():
            wanted[f"{folders[part]}/{path}"] = templates.render(template, words)
    if spec not in wanted:
        raise WfgenError(f"templates: no template kinds/{kind}/spec.yaml")
    secrets = _secrets(spec, wanted[spec], name, model)
    places: list[tuple[str, str, str]] = []
    if (root / folders["kube"]).exists() or any(path.startswith("kube/") for path in wanted):
        places += _places(root, folders["kube"])
    if (root / PROJECT_FILE).is_file():
        places += [(PROJECT_FILE, "secrets", secret) for secret in secrets]
    for path, key, item in places:
        before = wanted.get(path) or _read(root / path)
        wanted[path] = _with_item(path, before, key, item)
    wanted = {path: text for path, text in wanted.items() if text != _read(root / path, missing="")}
    write_all(root, wanted)
    return sorted(wanted)


def _kind(kind: str) -> type[ServiceSpec]:
    kinds = {kind_name(each): each for each in KINDS}
    if kind not in kinds:
        rendered = [name for name, each in kinds.items() if not each.refused]
        raise WfgenError(f"--kind {kind}: no such kind; {did_you_mean(kind, rendered)}")
    if kinds[kind].refused:
        raise WfgenError(f"--kind {kind}: not rendered by this version; {kinds[kind].refused}")
    return kinds[kind]


def _check_name(root: Path, name: str) -> None:
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError as error:
        words = error.errors()[0]["ctx"]
        raise WfgenError(f"{name!r} is not {words['what']} ({words['hint']})") from error
    if f"specs/{name}.yaml" == PROJECT_FILE:
        raise WfgenError(f"{PROJECT_FILE} is the project's spec; choose another name")
    for path in sorted((root / "specs").glob("*.yaml")):
        own = _tree(path).get("name", path.stem)
        if name in (own, path.stem):
            raise WfgenError(f"specs/{path.name} is the spec of {own} already; choose another name")


def _secrets(path: str, text: str, name: str, model: type[ServiceSpec]) -> list[str]:
    """The secrets that the new spec uses. Raises `InvalidSpecs` where a template made a bad one."""
    tree, problems = parse(path, text)
    if not problems:
        try:
            return model.model_validate({"name": name, **tree}).secrets
        except ValidationError as error:
            problems = translate(SpecFile(path, text), model, error)
    raise InvalidSpecs(problems)


def _places(root: Path, base: str) -> Iterator[tuple[str, str, str]]:
    """The kustomizations of the project's overlays, each with the list and the item to add."""
    environments = _tree(root / PROJECT_FILE).get("environments")
    if isinstance(environments, dict):
        overlays = [
            (isinstance(each, dict) and each.get("overlay")) or f"kube/overlays/{name}"
            for name, each in environments.items()
        ]
    else:
        overlays = sorted(path.relative_to(root) for path in (root / "kube/overlays").glob("*"))
    for overlay in dict.fromkeys(str(each).rstrip("/") for each in overlays):
        for name in _KUSTOMIZATIONS:
            if (root / overlay / name).is_file():
                yield f"{overlay}/{name}", "resources", os.path.relpath(base, overlay)
                break


def _with_item(path: str, text: str, key: str, item: str) -> str:
    try:
        return with_item(text, key, item)
    except Exception as error:  # whatever the editor says of a broken file
        raise WfgenError(f"{path}: no YAML with a list `{key}`, to add {item} to") from error


def _tree(path: Path) -> dict[str, Any]:
    """The mapping in a file; an empty one where it cannot be read."""
    tree, _ = parse(str(path), _read(path, missing=""))
    return tree if isinstance(tree, dict) else {}


def _read(path: Path, missing: str | None = None) -> str:
    """The text of a file; `missing`, where that is given, for what is none."""
    if missing is not None and not path.is_file():
        return missing
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        if missing is not None:
            return missing
        raise WfgenError(f"{path}: byte {error.start + 1} is not UTF-8") from error
