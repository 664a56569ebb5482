"""The manifests of releases, kept in the cluster without the bodies of Secrets."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json

from ..cluster import kubectl, manifests
from ..cluster.kubectl import Object, key
from ..cluster.writer import Writer
from ..contract import Description
from ..failure import Failure
from .record import config_map, record_name
from .record_format import KEPT_RELEASES

CHUNK = 700_000
"""Characters of manifests in one ConfigMap; the API server accepts 1 MiB per object."""


def write(description: Description, release: int, objects: list[Object], writer: Writer) -> None:
    """Stores the manifests of a release.

    The first ConfigMap is written last and names the others: if the job ends before that, what was
    stored before is still complete.
    """
    packed = base64.b64encode(
        gzip.compress(json.dumps([_without_body(m) for m in objects]).encode(), mtime=0)
    ).decode()
    first, *rest = [packed[i : i + CHUNK] for i in range(0, len(packed), CHUNK)]
    name = f"{record_name(description)}-{release}"
    digest = hashlib.sha256(packed.encode()).hexdigest()[:10]
    further = {f"{name}.{digest}-{index}": chunk for index, chunk in enumerate(rest)}
    for part, chunk in further.items():
        writer.apply([config_map(description, part, {"manifests": chunk})])
    more = {"more": ",".join(further)} if further else {}
    writer.apply([config_map(description, name, {"manifests": first, **more})])


def read(description: Description, release: int) -> list[Object] | None:
    """The manifests of a release; None where they are not stored.

    Raises `Failure` where a part of them is missing.
    """
    name = f"{record_name(description)}-{release}"
    first = kubectl.get("configmap", name, description.place)
    if first is None:
        return None
    packed = first["data"]["manifests"]
    for part in filter(None, first["data"].get("more", "").split(",")):
        further = kubectl.get("configmap", part, description.place)
        if further is None:
            raise Failure(
                f"the stored manifests of release {release} are incomplete: ConfigMap {part} not "
                "found"
            )
        packed += further["data"]["manifests"]
    objects: list[Object] = json.loads(gzip.decompress(base64.b64decode(packed)))
    return objects


def demand(description: Description, release: int) -> list[Object]:
    """The manifests of a release to go back to, with the Secrets that are in the cluster now.

    Raises `Failure` where the manifests or one of the Secrets no longer exist.
    """
    objects = read(description, release)
    if objects is None:
        raise Failure(
            f"the manifests of release {release} are not stored; the last {KEPT_RELEASES} are"
        )
    secrets = [manifest for manifest in objects if manifest["kind"] == "Secret"]
    live = {key(secret): manifests.clean(secret) for secret in kubectl.live(secrets)}
    if missing := {key(secret) for secret in secrets} - live.keys():
        raise Failure(
            f"release {release} needs {', '.join(sorted(missing))}, which the cluster no longer has"
        )
    return [live.get(key(manifest), manifest) for manifest in objects]


def same(old: list[Object], new: list[Object]) -> bool:
    """Whether two releases have the same manifests; the bodies of Secrets are not compared."""
    return _by_key(old) == _by_key(new)


def parts(description: Description) -> dict[int, list[Object]]:
    """The ConfigMaps with stored manifests, by release."""
    by_release: dict[int, list[Object]] = {}
    prefix = f"{record_name(description)}-"
    for part in kubectl.select(
        "configmaps", description.place, "app.kubernetes.io/component=release"
    ):
        number = part["metadata"]["name"].removeprefix(prefix).partition(".")[0]
        if number.isdigit():  # neither the record nor another environment's
            by_release.setdefault(int(number), []).append(part)
    return by_release


def _by_key(objects: list[Object]) -> dict[str, Object]:
    return {key(manifest): _without_body(manifest) for manifest in objects}


def _without_body(manifest: Object) -> Object:
    if manifest["kind"] != "Secret":
        return manifest
    return {name: value for name, value in manifest.items() if name not in ("data", "stringData")}
