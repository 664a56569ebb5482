"""Starts the release program's commands in forks of a process that has imported it.

Started as the pipelines start it, a command is a new Python that spends most of its time on
imports. A fork has its own process id, session, environment and output. The process that
forks has no threads, and no installed packages (`-S`), as on a runner.

Whoever takes a release over waits for the end of a request that was cut off: here a moment, since
the tests cut commands off before a request or after its end. test_fence.py tests the wait.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


class Forks:
    """A process that forks one command at a time: `with Forks(folder of the program)`."""

    def __init__(self, program: Path) -> None:
        line = [sys.executable, "-S", __file__, str(program)]
        self._process = subprocess.Popen(
            line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )

    def __enter__(self) -> Forks:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def start(self, command: str, folder: Path, environment: dict[str, str], log: Path) -> int:
        """Starts a command in a new session; its process id. `end` must follow."""
        assert self._process.stdin is not None
        print(
            json.dumps([command, str(folder), environment, str(log)]),
            file=self._process.stdin,
            flush=True,
        )
        return self._answer()

    def end(self) -> int:
        """Waits until the command ends; its exit code, negative for a signal."""
        return self._answer()

    def _answer(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())


def main(program: str) -> None:
    """Reads one command per line; prints its process id, then its exit code."""
    sys.path.insert(0, str(Path(program).parent))
    package: Any = __import__(f"{Path(program).name}.__main__")
    for command in package.commands.COMMANDS:
        package.commands.function_of(command)
    record: Any = importlib.import_module(f"{package.__name__}.state.record")
    record.sleep = lambda seconds: time.sleep(min(seconds, 0.1))
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    for line in sys.stdin:
        command, folder, environment, log = json.loads(line)
        child = os.fork()
        if not child:
            os.setsid()  # so that a signal to its process group also ends its kubectl
            os.chdir(folder)
            os.environ.clear()
            os.environ.update(environment)
            output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
            for descriptor, stream in (
                (os.open(os.devnull, os.O_RDONLY), 0),
                (output, 1),
                (output, 2),
            ):
                os.dup2(descriptor, stream)
            answers.close()
            sys.argv = [program, command]
            sys.exit(package.__main__.main())
        print(child, file=answers)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), file=answers)


if __name__ == "__main__":
    main(sys.argv[1])
