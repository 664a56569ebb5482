"""The manifests of releases, kept in the cluster without the bodies of Secrets."""

from __future__ import annotations

import base64
import gzip
import json

from . import kubectl
from .description import Description
from .kubectl import Object
from .outputs import Failure
from .record import config_map, name_of

CHUNK = 700_000
"""Characters of manifests in one ConfigMap; the API server takes 1 MiB an object."""


def write(description: Description, release: int, objects: list[Object]) -> None:
    """Keeps the manifests of a release, without the bodies of Secrets."""
    packed = base64.b64encode(
        gzip.compress(json.dumps([_bodiless(thing) for thing in objects]).encode(), mtime=0)
    ).decode()
    chunks = [packed[i : i + CHUNK] for i in range(0, len(packed), CHUNK)]
    things = [
        config_map(
            description,
            _part(description, release, index),
            {"of": str(len(chunks)), "manifests": chunk},
        )
        for index, chunk in enumerate(chunks)
    ]
    kubectl.apply(things)


def read(description: Description, release: int) -> list[Object] | None:
    """The manifests of a release, or None where they are not kept."""
    first = kubectl.get("configmap", _part(description, release, 0), description.place)
    if first is None:
        return None
    packed = first["data"]["manifests"]
    for index in range(1, int(first["data"]["of"])):
        part = kubectl.get("configmap", _part(description, release, index), description.place)
        if part is None:
            raise Failure(f"the manifests of release {release} are not whole")
        packed += part["data"]["manifests"]
    objects: list[Object] = json.loads(gzip.decompress(base64.b64decode(packed)))
    return objects


def demand(description: Description, release: int) -> list[Object]:
    """The manifests of a release to go back to. Raises `Failure` where it cannot be made again."""
    objects = read(description, release)
    if objects is None:
        raise Failure(f"release {release} is not recorded any more")
    hashed = [thing for thing in objects if thing["kind"] == "Secret"]
    present = {kubectl.key(thing) for thing in kubectl.live(hashed)}
    if missing := {kubectl.key(thing) for thing in hashed} - present:
        raise Failure(f"release {release} needs {', '.join(sorted(missing))}, which are gone")
    return objects


def parts(description: Description) -> dict[int, list[Object]]:
    """The ConfigMaps with manifests, by release."""
    found: dict[int, list[Object]] = {}
    prefix = f"{name_of(description)}-"
    for thing in kubectl.select(
        "configmaps", description.place, "app.kubernetes.io/component=release"
    ):
        name = thing["metadata"]["name"]
        if name.startswith(prefix):
            found.setdefault(int(name[len(prefix) :].split(".")[0]), []).append(thing)
    return found


def _part(description: Description, release: int, index: int) -> str:
    return f"{name_of(description)}-{release}" + (f".{index}" if index else "")


def _bodiless(thing: Object) -> Object:
    return {
        k: v
        for k, v in thing.items()
        if thing["kind"] != "Secret" or k not in ("data", "stringData")
    }
