"""Measures `wfgen render` and `wfgen check` (`make bench`); README.md explains the figures.

Measures whole processes. The runs of all rows are interleaved, so a busy minute of the machine
affects all of them; prints medians. Writes only to a temporary folder.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import projects, yamloom  # noqa: E402 - the repository's root comes first
from benchmarks.measure import Row, environment_with  # noqa: E402
from wfgen import __version__  # noqa: E402

WFGEN = Path(sysconfig.get_path("scripts")) / "wfgen"
SHARE = Path(__file__).with_name("shares.py")
LIBRARIES = """
import jinja2, yaml
from pydantic import BaseModel
class Model(BaseModel):
    number: int
Model(number=1)
"""
"""Imports what every command needs, and builds one model."""
RUN = """
import gc, sys
from wfgen.cli.app import main
gc.disable()
for root in sys.argv[2:]:
    try:
        main([sys.argv[1], "--no-cache", "-C", root])
    except SystemExit as end:
        if end.code:
            raise
"""
"""Runs the command of the first argument in each repository of the others, in one process."""
IMPORTED = RUN + "print(*(name for name in sys.modules if name.startswith('wfgen.')), sep=', ')\n"
"""Runs it, then prints which modules of wfgen it imported; they import the libraries."""


def main() -> None:
    """Measures, and prints tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15, help="runs of each row")
    parser.add_argument("--yamloom", type=Path, help="only compare with this command, in pairs")
    parser.add_argument(
        "--sizes", type=int, nargs="*", default=[4, 100], help="numbers of services"
    )
    parser.add_argument("--kubectl", action="store_true", help="leave kubectl on the PATH")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.yamloom:
            program = options.yamloom.absolute()
            print(yamloom.compare(Path(folder), program, WFGEN, options.sizes, options.runs))
            return
        measure(Path(folder), options.runs, kubectl=options.kubectl)


def measure(folder: Path, runs: int, *, kubectl: bool) -> None:
    here = folder / "here"
    ignored = shutil.ignore_patterns(".git", ".venv", "node_modules", ".*_cache", ".cache")
    shutil.copytree(ROOT, here, ignore=ignored)
    one = projects.write(folder / "one", projects.names(1), __version__)
    hundred = projects.write(folder / "hundred", projects.names(100), __version__)
    ten = [
        projects.write(folder / f"ten-{index}", projects.names(100), __version__)
        for index in range(10)
    ]
    everything = [one, hundred, *ten]
    empty = folder / "no-programs"
    empty.mkdir()
    environment = environment_with(folder / "cache")
    if not kubectl:
        environment["PATH"] = str(empty)
    imports = imports_of_check(one, environment)
    rows = [
        Row("python, nothing else", [sys.executable, "-c", "pass"]),
        Row("the libraries", [sys.executable, "-c", LIBRARIES]),
        Row("importing what check needs", [sys.executable, "-c", imports]),
    ]
    sizes = [("this repository", [here]), ("1 service", [one]), ("100 services", [hundred])]
    if not kubectl:  # kustomize would take minutes
        sizes.append(("10 projects of 100, one process", ten))
    for name, roots in sizes:
        rows += [
            Row(f"{command}, {name}", line(command, roots), resetting(command, roots))
            for command in ("render", "check")
        ]
        if len(roots) == 1:
            again = [str(WFGEN), "check", "-C", str(roots[0])]
            rows.append(Row(f"check from the cache, {name}", again))
    for root in everything:  # check compares with it; fills the cache of compiled templates
        Row("", line("render", [root])).run(environment)
    for row in rows:  # fills the cache
        row.run(environment)
        row.forget()
    for _ in range(runs):
        for row in rows:
            row.run(environment)
    print(
        f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, {runs} runs of each row, ",
        end="",
    )
    print("with kubectl\n" if kubectl else "without kubectl\n")
    print(table(rows))
    if kubectl:
        return
    print(summary({row.name: row for row in rows}))
    print(of_check({row.name: row for row in rows}, count(here), count(one)))
    print("Where the time of `check` goes, processor time in ms:\n", flush=True)
    for name, root in (("this repository", here), ("100 services", hundred)):
        Row("", [sys.executable, str(SHARE), "--quiet", str(root)]).run(environment)
        print(f"- {name}: ", end="", flush=True)
        os.waitpid(
            os.posix_spawn(sys.executable, [sys.executable, str(SHARE), str(root)], environment), 0
        )


def line(command: str, roots: list[Path]) -> list[str]:
    """The command line for one repository, or for several one after another in one process."""
    if len(roots) == 1:
        return [str(WFGEN), command, "--no-cache", "-C", str(roots[0])]
    return [sys.executable, "-c", RUN, command, *map(str, roots)]


def imports_of_check(root: Path, environment: dict[str, str]) -> str:
    """A program that imports every module that `wfgen check` imports."""
    Row("", line("render", [root])).run(environment)
    command = [sys.executable, "-c", IMPORTED, "check", str(root)]
    shown = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return f"import gc; gc.disable(); import {shown.stdout.splitlines()[-1]}"


def resetting(command: str, roots: list[Path]) -> Callable[[], None]:
    """Removes the generated files before `render`, so that it writes all of them."""

    def reset() -> None:
        for root in roots:
            for folder in (".github/workflows", ".github/actions"):
                shutil.rmtree(root / folder, ignore_errors=True)

    return reset if command == "render" else lambda: None


def table(rows: list[Row]) -> str:
    lines = ["| what | wall, ms | processor, ms | peak, MiB |", "|---|---|---|---|"]
    for row in rows:
        wall, cpu = (1000 * statistics.median(each) for each in (row.wall, row.cpu))
        lines.append(f"| {row.name} | {wall:.0f} | {cpu:.0f} | {max(row.peak):.0f} |")
    return "\n".join(lines) + "\n"


def summary(rows: dict[str, Row]) -> str:
    """The figures that have a goal."""

    def cpu(name: str) -> float:
        return 1000 * statistics.median(rows[name].cpu)

    lines = []
    for command in ("render", "check"):
        one, hundred = cpu(f"{command}, 1 service"), cpu(f"{command}, 100 services")
        ten = cpu(f"{command}, 10 projects of 100, one process")
        lines += [
            f"- {command}: {one - cpu('the libraries'):.0f} ms above the libraries for 1 service;",
            f"  {(hundred - one) / 99:.2f} ms for each further service up to 100, "
            f"{(ten - hundred) / 900:.2f} ms from 100 to 1,000.",
        ]
    return "\n".join(lines) + "\n"


def of_check(rows: dict[str, Row], here: int, one: int) -> str:
    """The cost of check above its imports, and compared with render."""

    def cpu(name: str) -> float:
        return 1000 * statistics.median(rows[name].cpu)

    imports = cpu("importing what check needs")
    further = {
        command: cpu(f"{command}, 10 projects of 100, one process")
        - cpu(f"{command}, 100 services")
        for command in ("check", "render")
    }
    return (
        f"- check: {cpu('check, 1 service') - imports:.0f} ms above importing what it needs at "
        f"{one} generated files,\n  {cpu('check, this repository') - imports:.0f} ms at {here}; "
        f"a further service costs "
        f"{further['check'] / further['render']:.2f} times its cost for render.\n"
    )


def count(root: Path) -> int:
    """Number of generated files of a repository."""
    paths = [path for top in (".github", "docs") for path in (root / top).rglob("*.*")]
    return sum(b"Generated by wfgen" in path.read_bytes()[:100] for path in paths if path.is_file())


if __name__ == "__main__":
    main()
