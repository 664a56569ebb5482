"""Kubernetes' own schemas of objects. Each file is read once: they are large."""

from __future__ import annotations

from functools import cache
from typing import Any

from kubernetes_validate import utils  # type: ignore[import-untyped]

utils.schema_contents = cache(utils.schema_contents)


def validate(manifest: dict[str, Any]) -> None:
    """Raises `ValidationError` unless an object is valid in Kubernetes 1.37."""
    utils.validate(manifest, "1.37", strict=True)
