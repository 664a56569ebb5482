"""The commands `wfgen` and `wfgen-cli`.

Not in the package `wfgen`: PyPI's unrelated distribution `wfgen` has a package of that name, which
overwrites `wfgen/__init__.py` if both are installed. This module stays importable and reports it.
"""

import sys
from importlib import metadata

__all__ = ["main"]

_CONFLICT = """\
wfgen: the distribution `wfgen` {version} is installed beside `wfgen-cli`
It is an unrelated project; both install a package `wfgen` and overwrite each other's files.
to fix, run `pip uninstall wfgen`, then reinstall `wfgen-cli` with `pip install --force-reinstall`
"""


def main() -> None:
    """Runs the command line; exits with code 2 if the other distribution is installed."""
    # Costs less than 1 ms: pydantic needs importlib.metadata anyway.
    if version := _version_of("wfgen"):
        sys.stderr.write(_CONFLICT.format(version=version))
        sys.exit(2)
    from wfgen.cli.app import main as run  # only here: importing it may fail otherwise

    run()


def _version_of(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
