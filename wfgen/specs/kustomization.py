"""Which folders kustomize reads for an overlay.

kustomize loads files only from the folder of the kustomization that names them, or below it, also
through links. So the folders are those of the overlay and of all bases and components. The answer
is `None` where a kustomization can depend on something else, such as a remote base, a variable of
the environment, or a plugin: https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import yaml

from wfgen.text.reader import all_texts

_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_FOLDERS = ("resources", "bases", "components")
_OF_FILES = {
    "apiVersion", "kind", "metadata", "namespace", "namePrefix", "nameSuffix", "labels",
    "commonLabels", "commonAnnotations", "images", "replicas", "patches", "patchesStrategicMerge",
    "patchesJson6902", "replacements", "configMapGenerator", "secretGenerator", "generatorOptions",
    "configurations", "crds", "vars", "sortOptions", "openapi",
}  # fmt: skip
"""Fields that only read files of the kustomization's folder, or none."""
_ADDRESSES = ("http:", "https:")
_VALUES = {"literals", "annotations", "commonAnnotations"}
"""Fields whose texts kustomize does not read as paths."""
_REMOTE = (":", "@", "?", "github.com", "_git", ".git")
"""Parts of a base that kustomize may take for an address."""


def folders_read(overlay: str) -> frozenset[str] | None:
    """The absolute paths of the folders of an overlay, its bases and components."""
    folders: set[str] = set()
    todo = [os.path.realpath(overlay)]
    while todo:
        folder = todo.pop()
        if folder in folders:
            continue
        folders.add(folder)
        names = [name for name in _NAMES if os.path.isfile(os.path.join(folder, name))]
        bases = _bases(folder, names[0]) if len(names) == 1 else None
        if bases is None:
            return None
        todo += bases
    return frozenset(folders)


def _bases(folder: str, name: str) -> list[str] | None:
    """The folders that a kustomization names; None where it can depend on something else."""
    try:
        with open(os.path.join(folder, name), "rb") as file:
            (document,) = all_texts(file.read())
    except (OSError, ValueError, yaml.YAMLError):
        return None
    if not isinstance(document, dict) or set(document) - _OF_FILES - set(_FOLDERS):
        return None
    # kustomize downloads addresses, and `envs` takes values that its files lack from the
    # environment.
    for text in _texts(document):
        if text in ("env", "envs") or text.lower().rpartition("=")[2].startswith(_ADDRESSES):
            return None
    bases = []
    for field in _FOLDERS:
        paths = document.get(field) or []
        for path in paths if isinstance(paths, list) else [paths]:
            full = os.path.join(folder, str(path))
            if os.path.isfile(full):
                continue
            if not os.path.isdir(full) or any(part in str(path) for part in _REMOTE):
                return None
            bases.append(os.path.realpath(full))
    return bases


def _texts(node: Any) -> Iterator[str]:
    """Every scalar below a node, keys included, but not those of `_VALUES`."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield str(key)
            if key not in _VALUES:
                yield from _texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value)
    else:
        yield str(node)
