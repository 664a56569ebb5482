"""Field managers of an object: `metadata.managedFields`, and conflicts.

https://kubernetes.io/docs/reference/using-api/server-side-apply/
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.kube_api import fields
from tests.kube_api.errors import apply_conflict
from tests.kube_api.fields import Path
from tests.kube_api.resources import Object, Resource


@dataclass
class Manager:
    """One entry of `managedFields`; `operation` is Apply or Update."""

    name: str
    operation: str
    owns: set[Path]
    time: str
    subresource: str = ""

    @property
    def identity(self) -> tuple[str, str, str]:
        """The key of an entry."""
        return self.name, self.operation, self.subresource


def read(obj: Object | None) -> list[Manager]:
    """The managers of an object."""
    metadata = obj.get("metadata", {}) if obj else {}
    return [
        Manager(
            entry.get("manager", ""),
            entry["operation"],
            set(fields.from_tree(entry.get("fieldsV1", {}))),
            entry.get("time", ""),
            entry.get("subresource", ""),
        )
        for entry in metadata.get("managedFields") or []
    ]


def write(resource: Resource, managers: list[Manager]) -> list[Object]:
    """`managedFields` of an object."""
    return [
        {
            "manager": manager.name,
            "operation": manager.operation,
            "apiVersion": resource.api_version,
            "time": manager.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": fields.to_tree(manager.owns),
            **({"subresource": manager.subresource} if manager.subresource else {}),
        }
        for manager in managers
        if manager.owns
    ]


def apply(
    resource: Resource, live: Object, wanted: Object, who: Manager, force: bool
) -> tuple[Object, list[Manager]]:
    """The object with `wanted` applied, and its managers.

    Fields that `who` applied before and now omits are removed, unless others own them too.
    Raises 409 if others own a field that would change, unless `force`.
    """
    known = read(live)
    before = next((m for m in known if m.identity == who.identity), None)
    others = [m for m in known if m is not before]
    current, applied = fields.leaves(live), fields.leaves(wanted)
    who.owns = set(applied)
    changed = {p for p, value in applied.items() if p not in current or current[p] != value}
    lost = [(m, path) for m in others for path in sorted(m.owns & changed)]
    if lost and not force:
        owned = [(m.name, fields.show(path)) for m, path in lost]
        raise apply_conflict(resource, wanted["metadata"]["name"], owned)
    for manager, path in lost:
        manager.owns.discard(path)
    merged = fields.merge(live, wanted)
    gone = (before.owns if before else set()) - who.owns
    for path in list(gone):
        # An item of a list stays while any manager owns a field of it.
        inside = path[:-1] if path[-1] == "." else path
        if any(p[: len(inside)] == inside for m in others for p in m.owns):
            gone.discard(path)
    if gone:
        merged = fields.prune(merged, fields.to_tree(gone)) or {}
    same = before is not None and before.owns == who.owns and not changed and not gone
    if before is not None and same:
        who.time = before.time
    return merged, [*others, who]


def update(live: Object | None, wanted: Object, who: Manager) -> list[Manager]:
    """The managers after another write, which takes over the fields that it changes."""
    known = read(wanted if wanted["metadata"].get("managedFields") else live)
    before, after = fields.leaves(live or {}), fields.leaves(wanted)
    changed = {p for p, value in after.items() if p not in before or before[p] != value}
    mine = next((m for m in known if m.identity == who.identity), None)
    for manager in known:
        manager.owns &= set(after)
        if manager is not mine:
            manager.owns -= changed
    if mine is None:
        who.owns = changed
        return [*known, who]
    if changed - mine.owns:
        mine.time = who.time
    mine.owns |= changed
    return known
