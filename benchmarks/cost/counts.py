"""Plays a run of a generated workflow and counts: jobs, jobs in series, fetches, logins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from benchmarks.cost.fetches import ARCHIVE, way_of
from wfgen.actions import Job, Run
from wfgen.actions.reading import Read
from wfgen.actions.workflow import Step
from wfgen.checks.scenarios.choice import Choice
from wfgen.checks.scenarios.choices import choices
from wfgen.checks.scenarios.explore import is_open, play
from wfgen.checks.scenarios.pipeline import Pipeline
from wfgen.checks.scenarios.scenario import events_of
from wfgen.checks.scenarios.story import Stage, Story
from wfgen.release_program import names

_SAME_REPOSITORY = "$/"

Prefer = Callable[[Choice], bool]
"""Whether a run takes this ending of a job; otherwise it takes the usual one."""


def usual(_: Choice) -> bool:
    """Everything changed, and everything succeeds."""
    return True


def nothing_to_release(choice: Choice) -> bool:
    """The plan proposes and builds nothing; deploy finds under the lock that it is right."""
    outputs = choice.outputs
    if "build" in outputs:
        return (outputs["services"], outputs["build"]) == ("[]", "[]")
    return outputs.get("proceed", "false").startswith("false") and not choice.kind


def bad_release(choice: Choice) -> bool:
    """The monitor finds that the change caused a failure."""
    return choice.outputs.get("cause", "app").startswith("app")


def nothing_found(choice: Choice) -> bool:
    """The watchdog finds no release that was left, the sweep no preview to delete."""
    is_left = choice.outputs.get("left", "false").startswith("true")
    return not is_left and choice.outputs.get("numbers", "[]") == "[]" and not choice.kind


@dataclass(frozen=True)
class JobCost:
    """A job that ran. A job with a matrix counts once."""

    path: str
    ways: tuple[str, ...]
    """How it fetches this repository, by names of `fetches.WAYS`."""
    others: tuple[str, ...]
    """The actions of other repositories whose archives it fetches."""
    logins: int
    """Logins to a cluster or registry."""


@dataclass(frozen=True)
class Cost:
    """A run. GitHub bills each job as at least a minute."""

    jobs: tuple[JobCost, ...]
    series: tuple[str, ...]
    """The paths of the longest chain of jobs that wait for one another."""

    @property
    def ways(self) -> list[str]:
        """Every fetch of this repository."""
        return [way for job in self.jobs for way in job.ways]

    @property
    def archives(self) -> int:
        """Fetches of this repository's archive."""
        return self.ways.count(ARCHIVE.name)

    @property
    def checkouts(self) -> int:
        """Runs of actions/checkout."""
        return len(self.ways) - self.archives

    @property
    def others(self) -> int:
        """Archives of actions of other repositories."""
        return sum(len(job.others) for job in self.jobs)

    @property
    def logins(self) -> int:
        """Logins of all jobs."""
        return sum(job.logins for job in self.jobs)

    def fetched(self, repository: Mapping[str, Any]) -> int:
        """Bytes of all fetches, by the measurements of a repository."""
        return sum(repository["fetches"][way]["bytes"] for way in self.ways)


def count(pipeline: Pipeline, read: Read, event: str = "", prefer: Prefer = usual) -> Cost:
    """The cost of a run. Raises `ValueError` for a checkout that is not measured."""
    story = run(pipeline, event, prefer)
    jobs = tuple(_job_cost(story, path, read) for path in ran(story.run))
    return Cost(jobs, longest_chain(story.run))


def run(pipeline: Pipeline, event: str = "", prefer: Prefer = usual) -> Story:
    """The run after an event, by default the first kind that starts the workflow.

    Raises `ValueError` where this event does not start it.
    """
    possible = [known for known in events_of(pipeline) if event in ("", known.kind)]
    if not possible:
        raise ValueError(f"no event {event} starts {pipeline.name}")
    stage = Stage(pipeline, possible[0])
    chosen: dict[str, Choice] = {}
    story = play(stage, chosen)
    for path in sorted(stage.paths, key=pipeline.last.__contains__):
        if is_open(story, path):
            known = choices(story, path)
            chosen[path] = next(filter(prefer, known), known[0])
            story = play(stage, chosen)
    return story


def ran(run: Run) -> list[str]:
    """The jobs that began on a runner, each after those that it needs."""
    return [path for path, job in run.jobs.items() if job.began and not job.job.called]


def longest_chain(run: Run, last: str = "") -> tuple[str, ...]:
    """The longest chain of jobs that ran one after the other, called workflows included.

    A skipped job takes no time, but what needs it waits for its needs. `last`: the chain of jobs up
    to this one.
    """
    began = set(ran(run))
    ends: dict[str, tuple[str, ...]] = {}

    def before(path: str) -> tuple[str, ...]:
        """The chain that must end before a job begins."""
        prefix = path[: len(path) - len(path.rpartition("/")[2])]
        chains = [end(prefix + need) for need in run.jobs[path].job.needs]
        return max([*chains, before(prefix[:-1]) if prefix else ()], key=len)

    def end(path: str) -> tuple[str, ...]:
        """The chain of a job or, for a job that calls a workflow, of all jobs that it calls."""
        if path not in ends:
            called = run.jobs[path].job.called
            inner = [end(f"{path}/{name}") for name in called.jobs] if called else []
            ends[path] = max([before(path), *inner], key=len)
            if path in began:
                ends[path] += (path,)
        return ends[path]

    return end(last) if last else max((end(path) for path in run.jobs), key=len)


def _job_cost(story: Story, path: str, read: Read) -> JobCost:
    job = story.pipeline.places[path].job
    steps = list(_steps_that_ran(story, path))
    ways = [_way(path, step) for step in steps if step.uses.startswith("actions/checkout@")]
    # The runner fetches archives before the first step, whichever steps then run.
    if any(step.uses.startswith(_SAME_REPOSITORY) for step in job.steps):
        ways.insert(0, ARCHIVE.name)
    others = dict.fromkeys(name for step in job.steps for name in _actions(step.uses, read))
    return JobCost(path, tuple(ways), tuple(others), sum(map(_is_login, steps)))


def _steps_that_ran(story: Story, path: str) -> Iterator[Step]:
    """All steps where the simulation does not say which ones ran."""
    job: Job = story.pipeline.places[path].job
    outcomes = {step.key: step.outcome for step in story.run.jobs[path].steps}
    for index, step in enumerate(job.steps):
        if outcomes.get(step.id or str(index)) != "skipped":
            yield step


def _way(path: str, step: Step) -> str:
    way = way_of(step.inputs)
    if way is None:
        raise ValueError(
            f"job {path}, step `{step.name}`: this way of checking out is not measured; add it to "
            "WAYS in benchmarks/cost/fetches.py and run `make cost`"
        )
    return way.name


def _is_login(step: Step) -> bool:
    return names.local_path(step.uses) == names.CLUSTER_LOGIN_ACTION or (
        step.name.startswith("Log in to")
    )


def _actions(uses: str, read: Read) -> Iterator[str]:
    """The actions of other repositories in `uses`, composite actions of this one included."""
    if path := names.local_path(uses):
        steps = yaml.safe_load(read(names.action(path)))["runs"]["steps"]
        for step in steps:
            yield from _actions(step.get("uses", ""), read)
    elif uses:
        yield uses
