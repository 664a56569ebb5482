"""The exception that ends a command."""

from __future__ import annotations


class Failure(Exception):
    """Ends the command with exit code 1. The message is for whoever reads the run."""
