"""Safety properties: what must hold in every run of a delivery pipeline, for `wfgen verify`.

To add one, write a module here, add it to `PROPERTIES`, and put a fault that breaks it into
tests/safety/faults.py (or a mistake into mistakes.py beside it). The module's docstring is its
documentation: the property, the reason, what to do. Its functions, of which it has one or both:

- `check_run` returns what is wrong with one run, or "";
- `check_files` yields what is wrong with the workflows in any run. `wfgen render` asks this as
  well. Modules import `Story` for types only, so that it does not load the simulator.

Rules for patches are in `wfgen.checks.safety`, GitHub's limits in `wfgen.checks.rules`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

from wfgen.checks.properties import (
    builds_before_deploy,
    changes_are_released,
    credentials_need_pinned_actions,
    every_deploy_is_monitored,
    every_environment_has_a_watchdog,
    every_run_is_reported,
    green_means_verified,
    never_cancelled_by_newer_run,
    no_approval_during_release,
    no_credentials_for_untrusted_code,
    one_lock,
    preview_torn_down,
    prune_after_verified,
    refused_release_is_not_deployed,
    release_is_recorded,
    revert_after_rollback,
    rollback_runs,
)
from wfgen.checks.properties._breach import Breach
from wfgen.checks.scenarios.pipeline import Pipeline

if TYPE_CHECKING:
    from wfgen.checks.scenarios.story import Story

    CheckRun = Callable[[Story], str]
    CheckFiles = Callable[[tuple[Pipeline, ...]], Iterator[Breach]]

__all__ = ["PROPERTIES", "Breach", "Property"]


class Property(NamedTuple):
    """One module of this package."""

    name: str
    """Its id in findings: `rollback-runs`."""
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
        """What to do where it does not hold."""
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
        refused_release_is_not_deployed,
        rollback_runs,
        no_approval_during_release,
        green_means_verified,
        revert_after_rollback,
        no_credentials_for_untrusted_code,
        never_cancelled_by_newer_run,
        one_lock,
        preview_torn_down,
        changes_are_released,
        every_run_is_reported,
        every_environment_has_a_watchdog,
        prune_after_verified,
        release_is_recorded,
        credentials_need_pinned_actions,
        every_deploy_is_monitored,
    )
)
"""The registry; the reference lists them in this order."""
