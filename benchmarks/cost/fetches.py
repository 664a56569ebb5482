"""Measures what a job fetches to have files, the history or the release program.

Writes fetches.json: bytes and seconds over loopback, for this repository and a made one of 1 GiB.
The git commands are those of actions/checkout:
https://github.com/actions/checkout/blob/v7.0.1/src/git-source-provider.ts
"""

from __future__ import annotations

import datetime
import json
import random
import statistics
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.cost.server import GitServer, serve

ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).with_name("fetches.json")
ACTIONS = ".github/actions"
COMMITS, BLOB = 256, 2 << 20
"""Commits of the made repository, each with two new incompressible blobs of this many bytes: a new
file, and a new version of an old one. So the last commit has half of the history."""
RUNS = 3
"""Of this repository; the made one is fetched once."""


@dataclass(frozen=True)
class Way:
    """A way of fetching a commit: the archive of `uses: $/...`, or options of actions/checkout."""

    name: str
    depth: int = 1
    """`fetch-depth`; 0 for all history; -1 for the archive."""
    filter: str = ""
    sparse: str = ""
    cone: bool = True

    @property
    def is_archive(self) -> bool:
        return self.depth < 0


ARCHIVE = Way("archive of the commit (`uses: $/...`)", depth=-1)
WAYS = (
    ARCHIVE,
    Way("`.github/actions`, cone mode", sparse=ACTIONS),
    Way("`.github/actions`", sparse=ACTIONS, cone=False),
    Way("commit"),
    Way("commit and all history", depth=0),
    Way("commit and all history, without contents of older files", depth=0, filter="blob:none"),
    Way("`.github/actions` and the history, cone mode", depth=0, sparse=ACTIONS),
    Way("`.github/actions` and the history", depth=0, sparse=ACTIONS, cone=False),
)


def way_of(options: Mapping[str, Any]) -> Way | None:
    """The way that `with` of actions/checkout asks for; None if it is not measured."""
    sparse = str(options.get("sparse-checkout", "")).strip()
    given = Way(
        "",
        depth=int(options.get("fetch-depth", 1)),
        filter="" if sparse else str(options.get("filter", "")),
        sparse=sparse,
        cone=not sparse or str(options.get("sparse-checkout-cone-mode", True)).lower() == "true",
    )
    return next((w for w in WAYS if Way("", w.depth, w.filter, w.sparse, w.cone) == given), None)


@dataclass(frozen=True)
class Fetch:
    """A measured fetch: bytes of all bodies in both directions, and the median of the seconds."""

    bytes: int
    requests: int
    seconds: float


def read_results() -> Any:
    """The committed measurements."""
    return json.loads(RESULTS.read_text("utf-8"))


def git(folder: Path, *arguments: str) -> str:
    """The output of a git command. Raises `RuntimeError`."""
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.decode()}")
    return done.stdout.decode().strip()


def fetch(way: Way, address: str, sha: str, folder: Path) -> None:
    """Fetches a commit into an empty folder."""
    if way.is_archive:
        urllib.request.urlretrieve(f"{address}.tar.gz", folder / "archive")
        subprocess.run(["tar", "-xzf", "archive"], cwd=folder, check=True)
        return
    git(folder, "init", "--quiet")
    git(folder, "remote", "add", "origin", address)
    git(folder, "config", "--local", "gc.auto", "0")
    options = ["--no-tags", "--prune", "--no-recurse-submodules"]
    # Sparse implies the filter: git-source-provider.ts sets it unless `filter` has another.
    if way.filter or way.sparse:
        options.append(f"--filter={way.filter or 'blob:none'}")
    if way.depth:
        options += [f"--depth={way.depth}", "origin", f"+{sha}:refs/remotes/origin/main"]
    else:
        options += ["origin", "+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"]
    git(folder, "-c", "protocol.version=2", "fetch", *options)
    if way.sparse and way.cone:
        git(folder, "sparse-checkout", "set", way.sparse)
    elif way.sparse:
        git(folder, "config", "core.sparseCheckout", "true")
        info = folder / ".git/info"
        info.mkdir(exist_ok=True)
        (info / "sparse-checkout").write_text(f"\n{way.sparse}\n", "utf-8")
    else:
        git(folder, "sparse-checkout", "disable")
    git(folder, "checkout", "--progress", "--force", "-B", "main", "refs/remotes/origin/main")


def measure_all(server: GitServer, repository: Path, runs: int) -> dict[str, Fetch]:
    """Fetches a repository in all ways, one after the other, `runs` times."""
    address, sha = f"{server.address}/{repository.name}", git(repository, "rev-parse", "HEAD")
    figures: dict[str, list[Fetch]] = {way.name: [] for way in WAYS}
    for _ in range(runs):
        for way in WAYS:
            with tempfile.TemporaryDirectory(dir=repository.parent) as name:
                began, before = time.perf_counter(), server.traffic.copy()
                fetch(way, address, sha, Path(name))
                seconds, after = time.perf_counter() - began, server.traffic.copy()
                assert any(Path(name).rglob("actions/release/action.yml")), way.name
            requests = after.requests - before.requests
            figures[way.name].append(Fetch(after.bytes - before.bytes, requests, seconds))
    return {name: _summarize(fetches) for name, fetches in figures.items()}


def _summarize(fetches: list[Fetch]) -> Fetch:
    seconds = round(statistics.median(fetch.seconds for fetch in fetches), 2)
    largest = max(fetches, key=lambda fetch: fetch.bytes)
    return Fetch(largest.bytes, largest.requests, seconds)


def copy_this(folder: Path) -> Path:
    """A bare copy of the checked-out commit of this repository with its history."""
    bare = _create_bare(folder / "this")
    git(bare, "fetch", "--quiet", "--no-tags", str(ROOT), "HEAD:refs/heads/main")
    return bare


def make_large(folder: Path) -> Path:
    """A repository of 1 GiB with this one's composite actions."""
    bare = _create_bare(folder / "made")
    command = ["git", "-C", str(bare), "-c", "core.compression=0", "fast-import", "--quiet"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as importer:
        assert importer.stdin
        noise = random.Random(0)
        for number in range(COMMITS):
            old = str(noise.randrange(number)) if number else "first"
            files = {f"assets/{name}": noise.randbytes(BLOB) for name in (str(number), old)}
            if number == 0:
                names = git(ROOT, "ls-files", ACTIONS).splitlines()
                files |= {name: (ROOT / name).read_bytes() for name in names}
            head = f"commit refs/heads/main\ncommitter a <a@example.com> {number} +0000\ndata 0\n"
            importer.stdin.write(head.encode())
            for name, body in files.items():
                importer.stdin.write(f"M 100644 inline {name}\ndata {len(body)}\n".encode())
                importer.stdin.write(body + b"\n")
    if importer.returncode:
        raise RuntimeError("git fast-import failed; see its message above")
    return bare


def _create_bare(folder: Path) -> Path:
    folder.mkdir()
    git(folder, "init", "--quiet", "--bare", "--initial-branch", "main")
    # GitHub allows both: https://git-scm.com/docs/git-config#Documentation/git-config.txt-uploadpackallowFilter
    git(folder, "config", "uploadpack.allowFilter", "true")
    git(folder, "config", "uploadpack.allowAnySHA1InWant", "true")
    return folder


def measure() -> None:
    """Writes fetches.json. Takes about 2 minutes and 3 GiB in the temporary folder."""
    repositories: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name, serve(Path(name)) as server:
        for repository, runs in ((copy_this(Path(name)), RUNS), (make_large(Path(name)), 1)):
            repositories[repository.name] = {
                "commits": int(git(repository, "rev-list", "--count", "HEAD")),
                "files": len(git(repository, "ls-tree", "-r", "--name-only", "HEAD").splitlines()),
                "fetches": {
                    way: asdict(fetch)
                    for way, fetch in measure_all(server, repository, runs).items()
                },
            }
    results = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "git": git(ROOT, "version").split()[2],
        "checkout": "v7.0.1",
        "repositories": repositories,
    }
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", "utf-8")
