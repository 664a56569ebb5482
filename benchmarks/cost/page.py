"""Writes docs/cost.md: page.md with tables from fetches.json, measured times and workflows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.cost import counts, fetches, pipelines, restore
from benchmarks.cost.counts import Cost
from benchmarks.cost.fetches import ROOT

PAGE = ROOT / "docs/cost.md"
_TEXT = Path(__file__).with_name("page.md")


def page() -> str:
    """The text of docs/cost.md."""
    measured = fetches.read_results()
    this, made = measured["repositories"]["this"], measured["repositories"]["made"]
    rows, jobs = list(runs()), hops()
    series = len(rows[0][1].series)
    low, *_, high = restore.HOPS
    return _TEXT.read_text("utf-8").format(
        runs=_table(_runs(rows, this, made)),
        low=low,
        high=high,
        series=series,
        least=series * low,
        most=series * high,
        month=pipelines.MONTH,
        schedules=_table(_schedules()),
        **{name: measured[name] for name in ("date", "git", "checkout")},
        this_files=this["files"],
        this_commits=this["commits"],
        made_commits=made["commits"],
        fetches=_table(_fetches(this["fetches"], made["fetches"])),
        hops=len(jobs),
        hop_jobs=", ".join(jobs),
        restore=_table(_restore(len(jobs))),
        draws=restore.DRAWS,
        failures=len(restore.measured()),
    )


def runs() -> Iterator[tuple[str, Cost]]:
    """The runs that the page lists, from this repository's two built services."""
    plain, production = pipelines.without_approval(), pipelines.own("production")
    staging, watchdog = pipelines.own("staging"), pipelines.own("watchdog")
    yield "release of two services", plain.count("push")
    yield "the same, with approval", production.count("push")
    yield "the same, failed and rolled back", production.count("push", counts.bad_release)
    yield "nothing to release", production.count("push", counts.nothing_to_release)
    yield "preview of two services", staging.count("pull_request")
    yield "pull request without a preview", staging.count("unlabelled")
    yield "watchdog, after each release run", watchdog.count("workflow_run", counts.nothing_found)


def hops() -> list[str]:
    """The jobs that start one after the other from the end of deploy to the rollback."""
    story = counts.run(pipelines.own("production").pipeline, "push", counts.bad_release)
    deploy, rollback = (
        counts.longest_chain(story.run, story.of(role)[0].action.job)
        for role in ("deploy", "rollback")
    )
    return [path.rpartition("/")[2] for path in rollback[len(deploy) :]]


def _runs(rows: Iterable[tuple[str, Cost]], this: Any, made: Any) -> Iterator[list[str]]:
    yield ["run", "jobs", "in series", "billed minutes", "checkouts", "archives", "actions",
           "MB, this", "MB, made", "logins"]  # fmt: skip
    for name, cost in rows:
        numbers = [len(cost.jobs), len(cost.series), len(cost.jobs), cost.checkouts, cost.archives,
                   cost.others]  # fmt: skip
        sizes = [_megabytes(cost.fetched(repository)) for repository in (this, made)]
        yield [name, *map(str, numbers), *sizes, str(cost.logins)]


def _schedules() -> Iterator[list[str]]:
    yield ["workflow", "schedule", "runs", "jobs of a run", "billed minutes"]
    for name, workflow in pipelines.own_workflows().items():
        for schedule in workflow.pipeline.workflow.triggers.get("schedule") or ():
            times = pipelines.runs_in_a_month(schedule["cron"])
            jobs = len(workflow.count("schedule", counts.nothing_found).jobs)
            yield [name, f"`{schedule['cron']}`", f"{times:,}", str(jobs), f"{times * jobs:,}"]


def _fetches(this: Any, made: Any) -> Iterator[list[str]]:
    yield ["what a job fetches", "MB, this", "s", "MB, made", "s", "requests"]
    for way in fetches.WAYS:
        cells = [way.name]
        for fetch in (this[way.name], made[way.name]):
            cells += [_megabytes(fetch["bytes"]), str(fetch["seconds"])]
        yield [*cells, str(this[way.name]["requests"])]


def _restore(starts: int) -> Iterator[list[str]]:
    yield ["failure", *(f"{mean} s a hop" for mean in restore.HOPS)]
    measured = restore.measured()
    together = [second for seconds in measured.values() for second in seconds]
    for failure, seconds in [*measured.items(), ("all", together)]:
        figures = [restore.percentile(seconds, starts, mean) for mean in restore.HOPS]
        yield [failure, *map(str, figures)]


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.2f}"


def _table(rows: Iterable[list[str]]) -> str:
    head, *body = [f"| {' | '.join(row)} |\n" for row in rows]
    return "".join([head, f"|{'---|' * (head.count(' | ') + 1)}\n", *body])
