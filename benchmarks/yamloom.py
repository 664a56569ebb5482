"""Compares wfgen with yamloom, a generator with a core in Rust, from PyPI.

Whole processes, in pairs one right after the other; a ratio is the median of the pairs' ratios.
yamloom generates one workflow per service with the eight jobs of a service's pipeline, 170 lines
each, from Python code. wfgen generates its usual files for as many services, with kubectl if it is
installed. yamloom knows no specs, manifests, pins or safety checks: the ratios compare what a user
waits for, not equal work.
"""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable
from pathlib import Path

from benchmarks import projects
from benchmarks.measure import Row, environment_with
from wfgen import __version__

_PROGRAM = """
from yamloom import Events, Job, PushEvent, Workflow, action, script, sync

JOBS = ["build", "preflight", "migrate", "deploy", "monitor", "rollback", "prune", "audit"]

def job(name, index):
    return Job(
        name=f"{{JOBS[index]}} {{name}}",
        needs=JOBS[max(0, index - 2):index] or None,
        runs_on="ubuntu-24.04",
        timeout_minutes=10 + index,
        env={{"SERVICE": name, "STEP": JOBS[index]}},
        steps=[
            action("Check out", "actions/checkout", ref="v5", with_opts={{"fetch-depth": "0"}}),
            script(f"make {{JOBS[index]}}", f"echo {{name}}", name=f"Run {{JOBS[index]}}"),
            script("make report", name="Report", env={{"JOB": JOBS[index]}}),
        ],
    )

def workflow(name):
    jobs = {{key: job(name, index) for index, key in enumerate(JOBS)}}
    return Workflow(name=name, on=Events(push=PushEvent(branches=["main"])), jobs=jobs)

sync({{f"{{name}}.yml": workflow(name) for name in {names}}})
"""


def compare(folder: Path, program: Path, wfgen: Path, sizes: list[int], runs: int) -> str:
    """A table of ratios, in Markdown. `program` is yamloom's command."""
    environment = environment_with(folder / "peer-cache")
    lines = [
        "| services | command | wfgen, ms | yamloom, ms | ratio | half | processor | peak, MiB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for size in sizes:
        root = projects.write(folder / f"wfgen-{size}", projects.names(size), __version__)
        other = folder / f"yamloom-{size}"
        other.mkdir()
        (other / "yamloom.py").write_text(_PROGRAM.format(names=projects.names(size)), "utf-8")
        for command, arguments, reset in _commands(root, other, folder / "peer-cache"):
            ours = Row("", [str(wfgen), *arguments, "-C", str(root)], reset)
            verb = "sync" if command == "render" else "check"
            theirs = Row("", [str(program), verb], lambda: None, folder=other)
            for row in (ours, theirs):  # fills the caches
                row.run(environment)
                row.forget()
            for _ in range(runs):
                if command == "render":
                    shutil.rmtree(other / ".github", ignore_errors=True)
                ours.run(environment)
                theirs.run(environment)
            ratios = [a / b for a, b in zip(ours.wall, theirs.wall, strict=True)]
            low, middle, high = statistics.quantiles(ratios, n=4)
            processor = statistics.median(a / b for a, b in zip(ours.cpu, theirs.cpu, strict=True))
            times = [1000 * statistics.median(row.wall) for row in (ours, theirs)]
            lines.append(
                f"| {size} | {command} | {times[0]:.0f} | {times[1]:.0f} | {middle:.2f} "
                f"| {low:.2f} to {high:.2f} | {processor:.2f} | {max(ours.peak):.0f} |"
            )
    return "\n".join(lines) + "\n"


def _commands(
    root: Path, other: Path, cache: Path
) -> list[tuple[str, list[str], Callable[[], None]]]:
    """What is compared: a name, wfgen's arguments, and what happens before each run."""

    def remove() -> None:
        for folder in (".github", "docs"):
            shutil.rmtree(root / folder, ignore_errors=True)

    def spec() -> None:
        """A spec that differs from that of the run before; the overlays are remembered."""
        path = root / "specs/service-0000.yaml"
        text = path.read_text("utf-8")
        one, two = "test: make test\n", "test: make tess\n"
        path.write_text(text.replace(one, two) if one in text else text.replace(two, one), "utf-8")

    def forget() -> None:
        shutil.rmtree(cache / "wfgen/remembered", ignore_errors=True)

    def nothing() -> None:
        return

    return [
        ("render", ["render"], remove),
        ("render after a change", ["render"], spec),
        ("first check", ["check"], forget),
        ("check", ["check"], nothing),
    ]
