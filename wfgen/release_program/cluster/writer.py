"""What changes the cluster for a release: a parameter of the modules here that do.

`state.fence.Fence` is one that asks the release record before each call.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from .kubectl import MANAGER, Object


class Writer(Protocol):
    """Applies and deletes objects, as the functions of these names in `kubectl`."""

    def apply(self, objects: Iterable[Object], *, manager: str = MANAGER) -> None:
        """Applies objects, by server-side apply."""

    def delete(self, objects: Iterable[Object]) -> None:
        """Deletes objects, without waiting for the end of it."""

    def renew(self) -> None:
        """Renews the lease of the release where that is due."""
