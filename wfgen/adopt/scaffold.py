"""`wfgen new`: the first files of a service, and its entries in the overlays and the project."""

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
from wfgen.specs.messages import shown, translate
from wfgen.specs.references import SpecFile
from wfgen.text.editor import with_item
from wfgen.text.positions import parse
from wfgen.worktree.writing import write_all

_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")


def scaffold(root: Path, name: str, kind: str) -> tuple[list[str], list[str]]:
    """Writes the files of a new service; returns the paths of new and of changed files.

    Existing folders `kube/bases/<name>` and `app/<name>` stay unchanged. Raises `WfgenError`, and
    writes nothing, if the service exists, or the name or the kind is not valid.
    """
    model = _kind(kind)
    _check_name(root, name)
    spec, kube = f"specs/{name}.yaml", f"kube/bases/{name}"
    folders = {"kube": kube, "app": f"app/{name}"}
    texts = _render(root, name, kind, spec, folders)
    secrets = _secrets(spec, texts[spec], name, model)
    additions: list[tuple[str, str, str]] = []
    if (root / kube).exists() or any(path.startswith(f"{kube}/") for path in texts):
        additions += _resources(root, kube)
    if (root / PROJECT_FILE).is_file():
        additions += [(PROJECT_FILE, "secrets", secret) for secret in secrets]
    for path, key, item in additions:
        before = texts.get(path) or _read(root / path)
        texts[path] = _with_item(path, before, key, item)
    texts = {path: text for path, text in texts.items() if text != _read(root / path, missing="")}
    changed = sorted(path for path in texts if (root / path).exists())
    write_all(root, texts)
    return sorted(texts.keys() - set(changed)), changed


def _render(root: Path, name: str, kind: str, spec: str, folders: dict[str, str]) -> dict[str, str]:
    """The files of a kind's templates by path, without those in folders that exist."""
    templates = Templates(root, {})
    variables = {"name": name, "password": f"{name.upper().replace('-', '_')}_PASSWORD"}
    texts: dict[str, str] = {}
    for template in templates.names(f"kinds/{kind}/"):
        part, _, path = template.removeprefix(f"kinds/{kind}/").partition("/")
        if part == "spec.yaml":
            texts[spec] = templates.render(template, variables)
        elif part in folders and not (root / folders[part]).exists():
            texts[f"{folders[part]}/{path}"] = templates.render(template, variables)
    if spec not in texts:
        raise WfgenError(f"missing template `kinds/{kind}/spec.yaml`")
    return texts


def _kind(kind: str) -> type[ServiceSpec]:
    kinds = {kind_name(model): model for model in KINDS}
    if kind not in kinds:
        supported = [name for name, model in kinds.items() if not model.refused]
        raise WfgenError(f"unknown kind `{kind}`; {did_you_mean(kind, supported)}")
    if instead := kinds[kind].refused:
        message = f"kind `{kind}` is not supported by this version of wfgen"
        raise WfgenError(f"{message}; {instead}")
    return kinds[kind]


def _check_name(root: Path, name: str) -> None:
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError as error:
        context = error.errors()[0]["ctx"]
        message = f"invalid name {shown(name)}: {context['expected']}"
        raise WfgenError(f"{message} ({context['hint']})") from error
    if f"specs/{name}.yaml" == PROJECT_FILE:
        raise WfgenError(f"`{PROJECT_FILE}` is the project spec; choose another name")
    for path in sorted((root / "specs").glob("*.yaml")):
        service = _tree(path).get("name", path.stem)
        if name in (service, path.stem):
            file = f"`specs/{path.name}`"
            raise WfgenError(f"{file} already defines service `{service}`; choose another name")


def _secrets(path: str, text: str, name: str, model: type[ServiceSpec]) -> list[str]:
    """The secrets of the new spec. Raises `InvalidSpecs` if a template renders an invalid one."""
    tree, problems = parse(path, text)
    if not problems:
        try:
            spec = model.model_validate({"name": name, **tree})
            return [use.stored for use in spec.secrets_in("")]
        except ValidationError as error:
            problems = translate(SpecFile(path, text), model, error)
    raise InvalidSpecs(problems)


def _resources(root: Path, base: str) -> Iterator[tuple[str, str, str]]:
    """For each overlay of the project: its kustomization, the list in it, and the item to add."""
    environments = _tree(root / PROJECT_FILE).get("environments")
    if isinstance(environments, dict):
        overlays = [
            (isinstance(environment, dict) and environment.get("overlay"))
            or f"kube/overlays/{name}"
            for name, environment in environments.items()
        ]
    else:
        overlays = sorted(path.relative_to(root) for path in (root / "kube/overlays").glob("*"))
    for overlay in dict.fromkeys(str(path).rstrip("/") for path in overlays):
        for name in _KUSTOMIZATIONS:
            if (root / overlay / name).is_file():
                yield f"{overlay}/{name}", "resources", os.path.relpath(base, overlay)
                break


def _with_item(path: str, text: str, key: str, item: str) -> str:
    try:
        return with_item(text, key, item)
    except Exception as error:  # ruamel.yaml raises errors of many types for a broken file
        message = f"cannot add `{item}` to `{path}`: expected a YAML mapping with a list `{key}`"
        raise WfgenError(message) from error


def _tree(path: Path) -> dict[str, Any]:
    """The mapping in a file; empty if it cannot be read."""
    tree, _ = parse(str(path), _read(path, missing=""))
    return tree if isinstance(tree, dict) else {}


def _read(path: Path, missing: str | None = None) -> str:
    """The text of a file; `missing`, if given, for one that does not exist or is not UTF-8."""
    if missing is not None and not path.is_file():
        return missing
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        if missing is not None:
            return missing
        raise WfgenError(f"`{path}`: byte {error.start + 1} is not valid UTF-8") from error
