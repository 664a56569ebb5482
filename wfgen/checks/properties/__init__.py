"""What must hold in every run of a delivery pipeline. `PROPERTIES` is the only registry.

A property is a module: its docstring is its documentation (the property, why, what to do). Its
`check_run` says what is wrong with a run, "" for nothing; its `check_files` yields what is wrong
with the workflows whatever happens in their runs. It has one of the two, or both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

from wfgen.checks.properties import (
    all_deployed_is_watched,
    builds_before_deploy,
    every_run_is_told,
    green_means_good,
    never_cancelled_by_newer,
    no_credentials_for_strangers,
    nothing_refused_is_deployed,
    one_lock,
    pinned_with_credentials,
    preview_torn_down,
    prune_after_good,
    release_goes_through,
    release_is_recorded,
    revert_after_restore,
    rollback_runs,
    rollback_waits_for_nobody,
    watchdog_watches,
)
from wfgen.checks.properties._breach import Breach

if TYPE_CHECKING:
    from wfgen.checks.scenarios.pipeline import Pipeline
    from wfgen.checks.scenarios.story import Story

    CheckRun = Callable[[Story], str]
    CheckFiles = Callable[[tuple[Pipeline, ...]], Iterator[Breach]]

__all__ = ["PROPERTIES", "Breach", "Property"]


class Property(NamedTuple):
    """One module of this package."""

    name: str
    """As messages have it: `rollback-runs`."""
    text: str
    """Its documentation."""
    check_run: CheckRun | None
    check_files: CheckFiles | None

    @property
    def title(self) -> str:
        """The property in a sentence."""
        return self.text.partition("\n\n")[0].replace("\n", " ")

    @property
    def remedy(self) -> str:
        """What to do."""
        return self.text.rpartition("\n\n")[2].replace("\n", " ")


def _property(module: ModuleType) -> Property:
    return Property(
        module.__name__.rpartition(".")[2].replace("_", "-"),
        (module.__doc__ or "").strip(),
        getattr(module, "check_run", None),
        getattr(module, "check_files", None),
    )


PROPERTIES: tuple[Property, ...] = tuple(
    _property(module)
    for module in (
        builds_before_deploy,
        nothing_refused_is_deployed,
        rollback_runs,
        rollback_waits_for_nobody,
        green_means_good,
        revert_after_restore,
        no_credentials_for_strangers,
        never_cancelled_by_newer,
        one_lock,
        preview_torn_down,
        release_goes_through,
        every_run_is_told,
        watchdog_watches,
        prune_after_good,
        release_is_recorded,
        pinned_with_credentials,
        all_deployed_is_watched,
    )
)
