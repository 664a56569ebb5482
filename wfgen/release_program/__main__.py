"""What the pipelines run: `release_program COMMAND --help` says what a command reads and writes."""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Callable
from pathlib import Path

if not __package__:  # started as a folder, beside the workflows
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    __package__ = Path(__file__).resolve().parent.name
    __import__(__package__)

from .cluster.kubectl import KubectlError
from .commands import (
    audit,
    comment,
    deploy,
    monitor,
    notify,
    preflight,
    preview,
    prune,
    revert,
    rollback,
    verdict,
    watchdog,
)
from .commands import plan as changes
from .failure import Failure
from .hosting.git import GitError
from .hosting.github import GitHubError
from .hosting.outputs import error
from .state import record

COMMANDS: dict[str, Callable[[], int]] = {
    **changes.COMMANDS,
    **preflight.COMMANDS,
    **prune.COMMANDS,
    **record.COMMANDS,
    **deploy.COMMANDS,
    **monitor.COMMANDS,
    **rollback.COMMANDS,
    **watchdog.COMMANDS,
    **preview.COMMANDS,
    **audit.COMMANDS,
    **revert.COMMANDS,
    **notify.COMMANDS,
    **verdict.COMMANDS,
    **comment.COMMANDS,
}


def main() -> int:
    """Runs one command; 0 is success, 1 a failure that was explained."""
    parser = argparse.ArgumentParser(prog="release_program", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, function in COMMANDS.items():
        text = inspect.getdoc(function) or ""
        commands.add_parser(
            name,
            help=text.partition("\n")[0],
            description=text,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    try:
        return COMMANDS[parser.parse_args().command]()
    except (Failure, KubectlError, GitError, GitHubError) as failure:
        error(str(failure))
        return 1


if __name__ == "__main__":
    sys.exit(main())
