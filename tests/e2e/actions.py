"""A stand-in for GitHub's API: which attempts of a repository's runs have ended; and Slack."""

from __future__ import annotations

from typing import Any

from tests.github_api import Api

REPOSITORY = "acme/shop"
SLACK = "/slack"


class Actions(Api):
    """GitHub's API of one repository: which attempts of its runs have ended.

    https://docs.github.com/en/rest/actions/workflow-runs#get-a-workflow-run-attempt
    """

    def __init__(self) -> None:
        super().__init__()
        self.on("POST", SLACK, "ok")

    def begin(self, run: int, attempt: int) -> None:
        """An attempt of a run begins, and with it the run."""
        self._set(run, attempt, {"status": "in_progress", "conclusion": None})

    def end(self, run: int, attempt: int) -> None:
        """An attempt of a run has ended."""
        self._set(run, attempt, {"status": "completed", "conclusion": "failure"})

    def forget(self, run: int, attempt: int) -> None:
        """GitHub does not find the attempt."""
        self._answer(run, attempt, {"message": "Not Found"}, 404)

    def _set(self, run: int, attempt: int, state: dict[str, Any]) -> None:
        workflow = {"path": ".github/workflows/production.yml"}
        self._answer(run, attempt, {"id": run, "run_attempt": attempt, **workflow, **state}, 200)

    def _answer(self, run: int, attempt: int, body: dict[str, Any], status: int) -> None:
        path = f"/repos/{REPOSITORY}/actions/runs/{run}"
        self.now("GET", f"{path}/attempts/{attempt}", body, status)
        self.now("GET", path, body, status)
        jobs = [{"name": "Finish", "conclusion": "failure", "steps": []}]  # none notified
        self.now("GET", f"{path}/attempts/{attempt}/jobs", {"total_count": 1, "jobs": jobs})
