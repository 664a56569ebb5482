"""Faults of the API server that tests inject."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Any

from tests.kube_api.errors import ApiError

_REASONS = {
    401: ("Unauthorized", "Unauthorized"),
    403: ("Forbidden", "forbidden by a fault of the test"),
    404: ("NotFound", "the server could not find the requested resource"),
    409: (
        "Conflict",
        "the object has been modified; please apply your changes to the latest version",
    ),
    429: (
        "TooManyRequests",
        "the server has received too many requests and has asked us to try again later",
    ),
    500: ("InternalError", "Internal error occurred: a fault of the test"),
    503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
    504: ("Timeout", "Timeout: request did not complete within the allotted duration"),
}


@dataclass
class Fault:
    """The next `times` requests that match fail with `status`, or get no answer."""

    verb: str = ""
    """GET, POST, PUT, PATCH or DELETE; "" for all."""
    path: str = ""
    """A regular expression, searched for in path and query."""
    status: int = 500
    times: int = 1
    """-1: always."""
    reset: bool = False
    """Resets the connection instead of answering."""
    after: bool = False
    """The request takes effect, and only its answer is lost."""
    slow: float = 0.0
    """Seconds until the answer, which is then correct."""
    retry_after: int = 0
    """Seconds; with it, kubectl repeats the request up to ten times."""

    def error(self) -> ApiError:
        """The answer."""
        reason, message = _REASONS.get(self.status, ("Unknown", "a fault of the test"))
        return ApiError(self.status, reason, message)


class Faults:
    """The injected faults; of a request, the first that matches."""

    def __init__(self, faults: list[dict[str, Any]]) -> None:
        self.due: list[Fault] = []
        self.add(faults)

    def add(self, faults: list[dict[str, Any]]) -> None:
        """Adds faults. Raises `ValueError` for unknown fields."""
        known = {field.name for field in fields(Fault)}
        for fault in faults:
            if unknown := set(fault) - known:
                raise ValueError(f"unknown fields of a fault: {', '.join(sorted(unknown))}")
            self.due.append(Fault(**fault))

    def take(self, verb: str, address: str) -> Fault | None:
        """The fault of a request, which is then used once; None without one."""
        if address.startswith("/_test/"):
            return None
        for fault in self.due:
            if fault.times and fault.verb in ("", verb) and re.search(fault.path, address):
                fault.times -= fault.times > 0
                return fault
        return None
