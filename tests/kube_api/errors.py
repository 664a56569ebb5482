"""Answers other than success, as the API server words them.

https://github.com/kubernetes/apimachinery/blob/master/pkg/api/errors/errors.go
"""

from __future__ import annotations

from typing import Any

from tests.kube_api.resources import Resource


class ApiError(Exception):
    """An answer other than success."""

    def __init__(
        self, code: int, reason: str, message: str, details: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code, self.reason, self.details = code, reason, details

    def status(self) -> dict[str, Any]:
        """The Status object of the answer."""
        status = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": str(self),
            "reason": self.reason,
            "code": self.code,
        }
        return {**status, "details": self.details} if self.details else status


def _details(resource: Resource, name: str) -> dict[str, Any]:
    return {"name": name, "group": resource.group, "kind": resource.plural}


def not_found(resource: Resource, name: str) -> ApiError:
    """There is no such object."""
    message = f'{resource.qualified} "{name}" not found'
    return ApiError(404, "NotFound", message, _details(resource, name))


def already_exists(resource: Resource, name: str) -> ApiError:
    """An object of that name is there already."""
    message = f'{resource.qualified} "{name}" already exists'
    return ApiError(409, "AlreadyExists", message, _details(resource, name))


def conflict(resource: Resource, name: str, why: str = "") -> ApiError:
    """Somebody else wrote the object meanwhile."""
    why = why or (
        "the object has been modified; please apply your changes to the latest version and "
        "try again"
    )
    message = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}'
    return ApiError(409, "Conflict", message, _details(resource, name))


def apply_conflict(resource: Resource, name: str, found: list[tuple[str, str]]) -> ApiError:
    """Other managers own fields that were applied; `found` has (manager, field path)."""
    causes = [
        {"reason": "FieldManagerConflict", "message": f'conflict with "{who}"', "field": path}
        for who, path in found
    ]
    told = "; ".join(f'conflict with "{who}": {path}' for who, path in found)
    count = f"{len(found)} conflict{'s' if len(found) > 1 else ''}"
    details = {**_details(resource, name), "causes": causes}
    return ApiError(409, "Conflict", f"Apply failed with {count}: {told}", details)


def invalid(resource: Resource, name: str, problems: list[tuple[str, str]]) -> ApiError:
    """The object breaks rules; `problems` has (field path, message)."""
    causes = [
        {"reason": "FieldValueInvalid", "message": text, "field": path} for path, text in problems
    ]
    told = ", ".join(f"{path}: {text}" for path, text in problems)
    kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    details = {**_details(resource, name), "kind": resource.kind, "causes": causes}
    message = f'{kind} "{name}" is invalid: {told if len(problems) == 1 else f"[{told}]"}'
    return ApiError(422, "Invalid", message, details)


def bad_request(message: str) -> ApiError:
    """The request itself cannot be understood."""
    return ApiError(400, "BadRequest", message)


def not_implemented(what: str) -> ApiError:
    """What the fake does not do."""
    return ApiError(501, "NotImplemented", f"the fake Kubernetes API does not support {what}")
