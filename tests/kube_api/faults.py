"""Faults of the API server, on demand."""

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
    """The next `times` requests that match are answered with `status`, or not at all."""

    verb: str = ""
    """GET, POST, PUT, PATCH, DELETE; empty for all."""
    path: str = ""
    """A regular expression that is searched for in path and query."""
    status: int = 500
    times: int = 1
    """-1: for ever."""
    reset: bool = False
    """The connection is reset instead of an answer."""
    after: bool = False
    """The request is carried out all the same: only its answer is lost."""
    slow: float = 0.0
    """Seconds until the answer, which is then the right one."""
    retry_after: int = 0
    """Seconds; with it, kubectl itself asks again up to ten times."""

    def error(self) -> ApiError:
        """The answer."""
        reason, message = _REASONS.get(self.status, ("Unknown", "a fault of the test"))
        return ApiError(self.status, reason, message)


class Faults:
    """The faults that are due; the first that matches counts."""

    def __init__(self, told: list[dict[str, Any]]) -> None:
        self.due: list[Fault] = []
        self.add(told)

    def add(self, told: list[dict[str, Any]]) -> None:
        """Adds faults. Raises `ValueError` for unknown names."""
        known = {each.name for each in fields(Fault)}
        for each in told:
            if unknown := set(each) - known:
                raise ValueError(f"a fault has no {', '.join(sorted(unknown))}")
            self.due.append(Fault(**each))

    def take(self, verb: str, address: str) -> Fault | None:
        """The fault of a request, which is then used up once."""
        if address.startswith("/_test/"):
            return None
        for fault in self.due:
            if fault.times and fault.verb in ("", verb) and re.search(fault.path, address):
                fault.times -= fault.times > 0
                return fault
        return None
