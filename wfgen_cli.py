"""The commands `wfgen` and `wfgen-cli`.

Not in the package `wfgen`: PyPI's unrelated distribution `wfgen` has a package of that name, which
overwrites `wfgen/__init__.py` if both are installed. This module stays importable and reports it.
"""

from __future__ import annotations

import gc
import os
import sys

__all__ = ["main"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_CONFLICT = """\
wfgen: the distribution `wfgen` {version} is installed beside `wfgen-cli`
It is an unrelated project; both install a package `wfgen` and overwrite each other's files.
to fix, run `pip uninstall wfgen`, then reinstall `wfgen-cli` with `pip install --force-reinstall`
"""


def main() -> NoReturn:
    """Runs the command line; exits with code 2 if the other distribution is installed."""
    gc.disable()  # a short process: collecting costs more time than it saves memory
    if version := _version_of("wfgen"):
        sys.stderr.write(_CONFLICT.format(version=version))
        sys.exit(2)
    from wfgen.cli import remembered  # only here: importing it may fail otherwise

    code = remembered.answer(sys.argv[1:])
    if code is None:
        # pydantic would look for plugins in every installed distribution.
        os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
        from wfgen.cli.app import main as run  # half of a command's time

        try:
            run()
        except SystemExit as ended:
            code = int(ended.code or 0)
    _end(code or 0)


def _end(code: int) -> NoReturn:
    """Ends the process without freeing every object first, which takes a sixth of a command's time.

    Nothing is left to do: files are closed, and wfgen registers nothing to run at exit.
    """
    for stream in (sys.stdout, sys.stderr):
        try:  # noqa: SIM105 - contextlib takes time to import
            stream.flush()
        except OSError:  # nobody reads it
            pass
    os._exit(code)


def _version_of(distribution: str) -> str | None:
    """The installed version; None if it is not installed. importlib.metadata takes 20 ms."""
    for folder in sys.path:
        for name in os.listdir(folder) if os.path.isdir(folder) else ():
            if name.lower().startswith(f"{distribution}-") and name.endswith(".dist-info"):
                return name.removesuffix(".dist-info").partition("-")[2]
    return None
