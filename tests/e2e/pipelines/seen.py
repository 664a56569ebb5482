"""The results of a workflow run, as docs/release-behaviour.md shows them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from tests.act.run import Run, job_of
from tests.e2e.pipelines.shop import Shop

TITLE = re.compile(r"^## (.+)$", re.MULTILINE)
JUDGED = ("Finish: verdict", "Gate: gate")
FILES = ("production.yml", "staging.yml", "staging-cleanup.yml", "watchdog.yml")


def title_of(run: Run) -> str:
    """The title of the summary of `verdict` or `gate`; "" if the workflow has neither."""
    for work in JUDGED:
        if title := TITLE.search(run.texts.get(work, "")):
            return title[1]
    return ""


def name_jobs(shop: Shop, run: Run) -> str:
    """The jobs that started, as GitHub names them, in the workflow's order.

    Failed ones are in bold, with the commands that failed in them.
    """
    folder = shop.sample.root / ".github/workflows"
    order = [name for file in FILES for name in _jobs(folder / file)]
    # The jobs of a matrix, `job (value)`, end in any order.
    names = sorted(run.results, key=lambda name: (order.index(name.partition(" (")[0]), name))
    return ", ".join(_show(run, name) for name in names)


def _show(run: Run, job: str) -> str:
    text = job.replace("/", " / ")
    if job not in run.failed:
        return text
    commands = [
        work.rpartition(": ")[2]
        for work, result in run.works.items()
        if job_of(work) == job and result != "success"
    ]
    return f"**{text}: {', '.join(commands)}**" if commands else f"**{text}**"


def _jobs(path: Path) -> list[str]:
    """The names of a workflow's jobs, those of called workflows as caller/job."""
    jobs: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text("utf-8"))["jobs"]
    names = []
    for job in jobs.values():
        if "uses" in job:
            called = _jobs(path.parent / Path(job["uses"]).name)
            names += [f"{job['name']}/{name}" for name in called]
        else:
            names.append(job["name"])
    return names


def kept_in_repository(shop: Shop) -> str:
    """The tags, GitHub deployments and reverts that the last run made."""
    made = [f"tag `{tag}`" for tag in shop.sample.tags if tag not in shop.tagged]
    tasks = [body["task"] for body in shop.github.posted("deployments")]
    states = [body["state"] for body in shop.github.posted("deployments/1/statuses")]
    made += [f"{task}: {state}" for task, state in zip(tasks, states, strict=True)]
    if shop.github.posted("pulls"):
        made.append("revert pull request opened")
    if shop.github.sent("PATCH", "/repos/acme/shop/pulls/5"):
        made.append("revert pull request extended")
    return ", ".join(made)
