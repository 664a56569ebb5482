"""Real servers for the sample application's tests: Redis, Postgres, nginx, gunicorn.

Each is a child process with its own loopback port and directory, and is stopped by its process ID.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import redis

START_SECONDS = 120
STOP_SECONDS = 60


@dataclass
class Process:
    """A server that is up when `ask` returns without an exception.

    `user` is the user to run it as, by default that of the tests; `stop_signal` stops it
    gracefully.
    """

    command: list[str]
    ask: Callable[[], object]
    user: str | None = None
    cwd: Path | None = None
    environment: dict[str, str] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers.

        Raises:
            RuntimeError: it exited or was too slow; the message has its output.
        """
        with tempfile.TemporaryFile() as output:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.cwd,
                env=self.environment,
                user=self.user,
                group=_group(self.user),
                extra_groups=_extra_groups(self.user),
            )
            deadline = time.monotonic() + START_SECONDS
            while True:
                try:
                    self.ask()
                except Exception as error:
                    if self._process.poll() is None and time.monotonic() < deadline:
                        time.sleep(0.05)
                        continue
                    self.stop()
                    output.seek(0)
                    printed = output.read().decode(errors="replace")
                    raise RuntimeError(f"{self.command[0]}: {error}\n{printed}") from error
                return

    def stop(self) -> None:
        """Stop, and wait until it exits; do nothing if it is not running."""
        if self._process is None:
            return
        self._process.send_signal(self.stop_signal)
        try:
            self._process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run during a with statement."""
        try:
            self.start()
            yield
        finally:
            self.stop()

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Be stopped during a with statement."""
        self.stop()
        try:
            yield
        finally:
            self.start()


@dataclass(frozen=True)
class Store:
    """A running Redis or Postgres, and the environment that connects the server to it."""

    process: Process
    environment: dict[str, str]
    password: str


def find_program(name: str, package: str) -> str:
    """Return the path of a program; without it, skip the test (with CI=true, fail it).

    Args:
        package: the Debian package that has the program.
    """
    # On Debian, the server programs of Postgres, and for ordinary users nginx, are not in PATH.
    postgres = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    places = [os.environ.get("PATH", os.defpath), *postgres, "/usr/local/bin", "/usr/sbin"]
    path = shutil.which(name, path=os.pathsep.join(map(str, places)))
    if path is not None:
        return path
    reason = f"{name} is missing: apt-get install {package}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def free_port() -> int:
    """Return a free port of 127.0.0.1."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def run_redis() -> Iterator[Store]:
    """Run a Redis with a password and without files."""
    port, password = free_port(), secrets.token_hex(8)
    command = [find_program("redis-server", "redis-server"), "--bind", "127.0.0.1"]
    command += ["--port", str(port), "--requirepass", password, "--appendonly", "no", "--save", ""]
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    process = Process(command, redis.Redis.from_url(url).ping)
    with process.running():
        yield Store(process, {"REDIS_URL": url}, password)


@contextmanager
def run_postgres() -> Iterator[Store]:
    """Run a Postgres with the user `shop`, a password and an empty database."""
    initdb = find_program("initdb", "postgresql")
    postgres = find_program("postgres", "postgresql")
    port, password = free_port(), secrets.token_hex(8)
    user = _unprivileged_user()
    # Not pytest's temporary directory: only its owner can enter it.
    with tempfile.TemporaryDirectory(prefix="shop-postgres-") as name:
        directory = Path(name)
        (directory / "password").write_text(password)
        if user is not None:
            shutil.chown(directory, user)
            shutil.chown(directory / "password", user)
        data = str(directory / "data")
        create = [initdb, "-D", data, "-U", "shop", "-A", "scram-sha-256", "--pwfile=password"]
        subprocess.run(
            [*create, "--no-sync", "--encoding=UTF8", "--locale=C"],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=directory,
            user=user,
            group=_group(user),
            extra_groups=_extra_groups(user),
        )

        def connect() -> psycopg.Connection[tuple[object, ...]]:
            return psycopg.connect(
                host="127.0.0.1",
                port=port,
                user="shop",
                password=password,
                dbname="postgres",
                autocommit=True,
            )

        process = Process(
            # -k: the directory of its socket; -F: no fsync.
            [postgres, "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", name, "-F"],
            lambda: connect().close(),
            user=user,
            cwd=directory,
            # SIGTERM would wait for the clients to disconnect.
            stop_signal=signal.SIGINT,
        )
        with process.running():
            with connect() as connection:
                connection.execute("CREATE DATABASE shop")
            environment = {"PGHOST": "127.0.0.1", "PGPORT": str(port), "PGUSER": "shop"}
            environment |= {"PGDATABASE": "shop", "PGPASSWORD": password}
            yield Store(process, environment, password)


def _unprivileged_user() -> str | None:
    """Return the user for Postgres if the tests run as root, which Postgres refuses."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _group(user: str | None) -> int | None:
    return None if user is None else pwd.getpwnam(user).pw_gid


def _extra_groups(user: str | None) -> list[int] | None:
    # None would keep those of root.
    return None if user is None else []
