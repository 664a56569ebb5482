"""A change is reverted after a rollback that restored what it broke: always then, and only then.

Reverting a change that is still live would hide what runs; reverting one that did not cause the
failure (the cluster did not answer, a person went back to an old release) removes good work. A
revert is never reverted itself: the release program checks the commits.

Gate the revert on the rollback's outputs, with `always()` before them, as the release has failed by
then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wfgen.checks.scenarios.story import Story


def check_run(story: Story) -> str:
    """Compares the revert with what was restored, and why."""
    if not story.pipeline.of("revert"):
        return ""
    restored = story.restored == "all" or story.restored.startswith("except")
    given = any(action.given for action in story.pipeline.of("monitor"))
    caused = story.cause == "app" if given else restored
    wanted = restored and caused and story.event.kind != "go_back"
    began = bool(story.of("revert"))
    if began and not wanted:
        return f"the change is reverted although {_why_not(story, restored)}"
    if wanted and given and not began:
        return "a failed change was rolled back, and no job reverts it"
    return ""


def _why_not(story: Story, restored: bool) -> str:
    if story.event.kind == "go_back":
        return "a person went back to an old release"
    return "it did not cause the failure" if restored else "nothing was restored"
