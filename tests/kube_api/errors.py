"""Error answers with the messages of the API server.

https://github.com/kubernetes/apimachinery/blob/master/pkg/api/errors/errors.go
"""

from __future__ import annotations

from typing import Any

from tests.kube_api.resources import Resource


class ApiError(Exception):
    """An error answer."""

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
    """The object does not exist."""
    message = f'{resource.qualified} "{name}" not found'
    return ApiError(404, "NotFound", message, _details(resource, name))


def already_exists(resource: Resource, name: str) -> ApiError:
    """An object of this name already exists."""
    message = f'{resource.qualified} "{name}" already exists'
    return ApiError(409, "AlreadyExists", message, _details(resource, name))


def conflict(resource: Resource, name: str, why: str = "") -> ApiError:
    """Another client wrote the object meanwhile."""
    why = why or (
        "the object has been modified; please apply your changes to the latest version and "
        "try again"
    )
    message = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}'
    return ApiError(409, "Conflict", message, _details(resource, name))


def apply_conflict(resource: Resource, name: str, owned: list[tuple[str, str]]) -> ApiError:
    """Other managers own applied fields; `owned` has (manager, field path)."""
    causes = [
        {"reason": "FieldManagerConflict", "message": f'conflict with "{who}"', "field": path}
        for who, path in owned
    ]
    text = "; ".join(f'conflict with "{who}": {path}' for who, path in owned)
    count = f"{len(owned)} conflict{'s' if len(owned) > 1 else ''}"
    details = {**_details(resource, name), "causes": causes}
    return ApiError(409, "Conflict", f"Apply failed with {count}: {text}", details)


def invalid(resource: Resource, name: str, problems: list[tuple[str, str]]) -> ApiError:
    """The object is invalid; `problems` has (field path, message)."""
    causes = [
        {"reason": "FieldValueInvalid", "message": text, "field": path} for path, text in problems
    ]
    joined = ", ".join(f"{path}: {text}" for path, text in problems)
    kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    details = {**_details(resource, name), "kind": resource.kind, "causes": causes}
    message = f'{kind} "{name}" is invalid: {joined if len(problems) == 1 else f"[{joined}]"}'
    return ApiError(422, "Invalid", message, details)


def bad_request(message: str) -> ApiError:
    """The request is malformed."""
    return ApiError(400, "BadRequest", message)


def not_implemented(what: str) -> ApiError:
    """The fake does not support the request."""
    return ApiError(501, "NotImplemented", f"the fake Kubernetes API does not support {what}")
