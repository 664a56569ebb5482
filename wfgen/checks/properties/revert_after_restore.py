"""The change is reverted only, and always, after a rollback that restored what it broke.

To revert a change that is still live would hide what runs; to revert one that is not to blame (the
cluster did not answer, a person went back to an old release) takes good work out. That a revert is
never reverted is the release program's own business: it looks at the commits.

Gate the revert on the rollback's own word, with `always()` before it, as the release has failed by
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
    blamed = story.output("monitor", "cause") == "app" if given else restored
    wanted = restored and blamed and story.event.kind != "go_back"
    began = bool(story.of("revert"))
    if began and not wanted:
        why = "a person went back" if story.event.kind == "go_back" else (
            "nothing was restored" if not restored else "the change is not to blame"
        )  # fmt: skip
        return f"the change is reverted although {why}"
    if wanted and given and not began:
        return "a bad change was rolled back, and nothing reverts it"
    return ""
