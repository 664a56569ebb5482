"""The manifests of releases, kept in the cluster without the bodies of Secrets."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json

from ..cluster import kubectl, manifests
from ..cluster.kubectl import Object
from ..contract import Description
from ..failure import Failure
from .record import config_map, name_of

CHUNK = 700_000
"""Characters of manifests in one ConfigMap; the API server takes 1 MiB an object."""


def write(description: Description, release: int, objects: list[Object]) -> None:
    """Keeps the manifests of a release, without the bodies of Secrets.

    The first ConfigMap comes last and names the others, so that whoever is cut off leaves what was
    there before.
    """
    packed = base64.b64encode(
        gzip.compress(json.dumps([_bodiless(thing) for thing in objects]).encode(), mtime=0)
    ).decode()
    first, *rest = [packed[i : i + CHUNK] for i in range(0, len(packed), CHUNK)]
    name = f"{name_of(description)}-{release}"
    digest = hashlib.sha256(packed.encode()).hexdigest()[:10]
    further = {f"{name}.{digest}-{index}": chunk for index, chunk in enumerate(rest)}
    for part, chunk in further.items():
        kubectl.apply([config_map(description, part, {"manifests": chunk})])
    more = {"more": ",".join(further)} if further else {}
    kubectl.apply([config_map(description, name, {"manifests": first, **more})])


def read(description: Description, release: int) -> list[Object] | None:
    """The manifests of a release, or None where they are not kept."""
    name = f"{name_of(description)}-{release}"
    first = kubectl.get("configmap", name, description.place)
    if first is None:
        return None
    packed = first["data"]["manifests"]
    for part in filter(None, first["data"].get("more", "").split(",")):
        found = kubectl.get("configmap", part, description.place)
        if found is None:
            raise Failure(f"the manifests of release {release} are not whole: {part} is gone")
        packed += found["data"]["manifests"]
    objects: list[Object] = json.loads(gzip.decompress(base64.b64decode(packed)))
    return objects


def demand(description: Description, release: int) -> list[Object]:
    """The manifests of a release to go back to, its Secrets as they are in the cluster.

    Raises `Failure` where they are not there any more.
    """
    objects = read(description, release)
    if objects is None:
        raise Failure(f"release {release} is not recorded any more")
    hashed = [thing for thing in objects if thing["kind"] == "Secret"]
    live = {kubectl.key(thing): manifests.clean(thing) for thing in kubectl.live(hashed)}
    if missing := {kubectl.key(thing) for thing in hashed} - live.keys():
        raise Failure(f"release {release} needs {', '.join(sorted(missing))}, which are gone")
    return [live.get(kubectl.key(thing), thing) for thing in objects]


def same(old: list[Object], new: list[Object]) -> bool:
    """Whether manifests are alike, as far as they are kept."""
    kept, given = ({kubectl.key(t): _bodiless(t) for t in each} for each in (old, new))
    return kept == given


def parts(description: Description) -> dict[int, list[Object]]:
    """The ConfigMaps with manifests, by release."""
    found: dict[int, list[Object]] = {}
    prefix = f"{name_of(description)}-"
    for thing in kubectl.select(
        "configmaps", description.place, "app.kubernetes.io/component=release"
    ):
        number = thing["metadata"]["name"].removeprefix(prefix).partition(".")[0]
        if number.isdigit():  # the record has none, nor has another environment's
            found.setdefault(int(number), []).append(thing)
    return found


def _bodiless(thing: Object) -> Object:
    return {
        k: v
        for k, v in thing.items()
        if thing["kind"] != "Secret" or k not in ("data", "stringData")
    }
