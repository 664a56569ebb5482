"""How the options of `wfgen simulate` name what happens to a job, its steps and its outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from wfgen.checks.scenarios.ending import Ending
from wfgen.checks.scenarios.roles import Action

FLAGS: Mapping[str, str] = {"failure": "--fail", "cut": "--timeout"}
"""The options by how an action ends."""


def target(actions: Sequence[Action], action: Action) -> str:
    """How an option names an action: `job`, or `job:step`; a command of the program by its name."""
    if action is main_of(actions):
        return action.job
    return f"{action.job}:{action.role if action.given else action.step}"


def main_of(actions: Sequence[Action]) -> Action:
    """The action that an option means that names only the job: the one that names it, or the last.

    Of a job that is not wfgen's, the first.
    """
    stepped = [action for action in actions if action.step]
    if not stepped[-1].given:
        return stepped[0]
    named = [action for action in stepped if action.role == action.job.rpartition("/")[2]]
    return [*stepped, *named][-1]


def outputs_of(path: str, ending: Ending, alike: list[Ending]) -> tuple[str, ...]:
    """The options that name an ending among those that end alike: one output where it suffices."""
    for name, value in ending.outputs.items():
        if next(e for e in alike if e.outputs.get(name) == value) is ending:
            differs = ending is not alike[0]
            return ("--output", f"{path}.{name}={value}") if differs else ()
    return output(path, ending.outputs, alike[0].outputs)


def output(path: str, outputs: Mapping[str, str], usual: Mapping[str, str]) -> tuple[str, ...]:
    """The options for outputs that are not the usual ones."""
    values = [f"{path}.{name}={value}" for name, value in outputs.items()
              if value != usual.get(name, "")]  # fmt: skip
    return tuple(chain.from_iterable(("--output", value) for value in values))
