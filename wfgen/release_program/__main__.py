"""The release program of the generated pipelines."""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Mapping
from pathlib import Path

if not __package__:  # started as a folder, beside the workflows
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    __package__ = Path(__file__).resolve().parent.name
    __import__(__package__)

from .cluster.kubectl import KubectlError
from .commands import COMMANDS, RUNNER_VARIABLES, function_of, run
from .failure import Failure
from .hosting.outputs import error


def main() -> int:
    """Runs one command. 0 is success, 1 a failure, which was reported."""
    if len(sys.argv) != 2 or sys.argv[1] not in COMMANDS:
        parser().parse_args()  # prints the help, or what is wrong
    try:
        return run(sys.argv[1])
    except (Failure, KubectlError) as failure:
        error(str(failure))
        return 1


def parser() -> argparse.ArgumentParser:
    """The command line, with the help of every command."""
    made = argparse.ArgumentParser(
        prog="release_program",
        description=__doc__,
        epilog="Every command " + _listed("reads", RUNNER_VARIABLES),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        text = inspect.getdoc(function_of(name)) or ""
        outputs = {output: str(declared) for output, declared in command.writes.items()}
        commands.add_parser(
            name,
            help=text.partition("\n")[0],
            description=text,
            epilog=f"{_listed('reads', command.reads)}\n{_listed('writes', outputs)}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    return made


def _listed(title: str, meanings: Mapping[str, str]) -> str:
    width = max(map(len, meanings), default=0)
    lines = [f"  {name:{width}}  {meaning}" for name, meaning in meanings.items()]
    return "\n".join([f"{title}:", *(lines or ["  nothing"]), ""])


if __name__ == "__main__":
    sys.exit(main())
