"""Counts of jobs, and docs/cost.md; no test measures times or bytes."""

from __future__ import annotations

import pytest

from benchmarks.cost import counts, fetches, page, pipelines, restore
from benchmarks.cost.pipelines import Releasing
from tests import case
from wfgen.actions import Simulator, read_workflow
from wfgen.checks.scenarios.pipeline import read_pipeline

CALLED = """
on: {workflow_call: {}}
jobs:
  first: {if: always(), runs-on: x, steps: [{run: a}]}
  second: {needs: first, if: always(), runs-on: x, steps: [{run: a}]}
  alone: {if: always(), runs-on: x, steps: [{run: a}]}
"""
CALLING = """
on: push
jobs:
  plan: {runs-on: x, steps: [{run: a}]}
  skipped: {needs: plan, if: false, runs-on: x, steps: [{run: a}]}
  call: {needs: [plan, skipped], if: always(), uses: ./called.yml}
  last: {needs: call, if: always(), runs-on: x, steps: [{run: a}]}
"""
FETCHING = """
on: push
jobs:
  archive:
    runs-on: x
    steps:
      - uses: $/.github/actions/own
      - {name: Log in to a registry, uses: $/.github/actions/own}
  checkout:
    runs-on: x
    steps:
      - {uses: actions/checkout@v7, with: {sparse-checkout: .github/actions}}
      - uses: ./.github/actions/own
      - {uses: actions/checkout@v7, with: {fetch-depth: 0, path: source}}
"""
COMPOSITE = "runs: {using: composite, steps: [{uses: acme/login@v1}, {run: a}]}"
PATCHED = {"smoke"}
"""Jobs that the patches of a case add."""
OWN = [("production", "push"), ("staging", "pull_request")]


def _demand_few_jobs(releasing: Releasing, event: str = "") -> None:
    cost = releasing.count(event)
    ran = [action.role for job in cost.jobs for action in releasing.pipeline.at[job.path]]
    assert {"deploy", "monitor"} <= {*ran}, "the good path releases"
    assert (ran.count("build"), "rollback" in ran) == (releasing.builds, False)
    series = [path for path in cost.series if path not in PATCHED]
    assert len(series) <= releasing.most_in_series, " > ".join(series)
    jobs = [job.path for job in cost.jobs if job.path not in PATCHED]
    assert len(jobs) <= releasing.most_jobs, jobs


def test_jobs_in_series_go_through_called_workflows_and_skipped_jobs() -> None:
    files = {"calling.yml": CALLING, "called.yml": CALLED}
    run = Simulator(read_workflow("calling.yml", files.__getitem__)).run()
    assert counts.longest_chain(run) == ("plan", "call/first", "call/second", "last")
    assert counts.longest_chain(run, "call/alone") == ("plan", "call/alone")
    assert sorted(counts.ran(run)) == ["call/alone", "call/first", "call/second", "last", "plan"]


def test_a_job_fetches_archives_once_and_every_checkout() -> None:
    files = {"a.yml": FETCHING, ".github/actions/own/action.yml": COMPOSITE}
    cost = counts.count(read_pipeline("a.yml", files.__getitem__), files.__getitem__)
    archive, checkout = cost.jobs
    assert archive == counts.JobCost("archive", (fetches.ARCHIVE.name,), ("acme/login@v1",), 1)
    assert checkout.others == ("actions/checkout@v7", "acme/login@v1")
    assert checkout.ways == ("`.github/actions`, cone mode", "commit and all history")
    assert (cost.archives, cost.checkouts, cost.others, cost.logins) == (1, 2, 3, 1)
    measured = {way: {"bytes": number} for number, way in enumerate(cost.ways, 1)}
    assert cost.fetched({"fetches": measured}) == 1 + 2 + 3


@pytest.mark.parametrize(("name", "event"), OWN)
def test_a_release_of_two_services_has_few_jobs(name: str, event: str) -> None:
    """At most 5 in series and 6 billed, one more with approval."""
    releasing = pipelines.own(name)
    assert releasing.builds == 2
    approve = name == "production"
    assert (releasing.most_in_series, releasing.most_jobs) == (5 + approve, 6 + approve)
    _demand_few_jobs(releasing, event)


def test_a_release_without_approval_has_one_job_less() -> None:
    releasing = pipelines.without_approval()
    assert (releasing.most_in_series, releasing.most_jobs) == (5, 6)
    _demand_few_jobs(releasing, "push")


@pytest.mark.parametrize("name", case.names("ok"))
def test_every_case_has_few_jobs(name: str) -> None:
    for releasing in pipelines.of_case(name):
        _demand_few_jobs(releasing)


def test_a_run_with_nothing_to_release_builds_and_monitors_nothing() -> None:
    cost = pipelines.own("production").count("push", counts.nothing_to_release)
    paths = [job.path for job in cost.jobs]
    assert paths[0] == "plan"
    assert len(cost.series) <= 3
    assert not [path for path in paths if path.startswith("build_") or "monitor" in path]


def test_the_page_is_what_the_workflows_and_the_measurements_give() -> None:
    """To update it, run `make cost MEASURE=`."""
    assert page.PAGE.read_text("utf-8") == page.page()


def test_a_checkout_that_is_not_measured_is_an_error() -> None:
    assert fetches.way_of({"fetch-depth": 7}) is None
    assert fetches.way_of({"fetch-depth": "0", "filter": "blob:none", "ref": "main"})
    sparse = {"sparse-checkout": ".github/actions"}
    cone, plain = (
        fetches.way_of(sparse),
        fetches.way_of(sparse | {"sparse-checkout-cone-mode": False}),
    )
    assert cone
    assert plain
    assert cone != plain


def test_the_mean_of_a_hop_is_the_one_that_is_asked_for() -> None:
    """With a constant time to restore, the median of many hops is near their sum."""
    seconds = restore.percentile([0], hops=20, mean=30, share=0.5)
    assert abs(seconds - 600) < 10


@pytest.mark.parametrize(
    ("cron", "runs"),
    [("*/15 * * * *", 2880), ("17 * * * *", 720), ("17 3 * * *", 30), ("0 3 * * 1-5", 21),
     ("0 0,12 1 * *", 2)],
)  # fmt: skip
def test_runs_of_a_schedule_in_a_month(cron: str, runs: int) -> None:
    assert pipelines.runs_in_a_month(cron) == runs
