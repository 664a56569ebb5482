"""A stand-in for GitHub's API: creates tags in the repository under test, and knows its runs."""

from __future__ import annotations

from typing import Any

from tests.act.run import Run, job_of
from tests.act.sample import Sample
from tests.github_api import Api, Request

NAME = "acme/shop"
REPOSITORY = f"/repos/{NAME}"
SLACK = "/slack"
REVIEWER = "grace"
APPROVAL = "production-approval"
"""The environment whose reviewers approve releases."""


class GitHub(Api):
    """The API of one repository, and Slack."""

    def __init__(self, sample: Sample) -> None:
        super().__init__()
        self.sample = sample
        self.on("GET", f"{REPOSITORY}/deployments", [])
        self.on("POST", f"{REPOSITORY}/deployments", {"id": 1}, status=201)
        self.on("POST", f"{REPOSITORY}/deployments/1/statuses", {}, status=201)
        self.on("GET", f"{REPOSITORY}/pulls", [])
        address = f"https://github.com/{NAME}/pull/5"
        made = {"number": 5, "node_id": "five", "html_url": address}
        self.on("POST", f"{REPOSITORY}/pulls", made, status=201)
        self.on("PATCH", f"{REPOSITORY}/pulls/5", made)
        self.on("POST", SLACK, "ok")
        self.reviews = [review("approved")]
        """The reviews of each run that starts from now on."""
        self.refuses_tags = False
        self._runs: dict[int, dict[str, Any]] = {}
        """The newest attempt of each run."""

    def answer(self, request: Request) -> tuple[int, Any, dict[str, str]]:
        if (request.method, request.path) == ("POST", f"{REPOSITORY}/git/tags"):
            self.requests.append(request)
            return 201, {"sha": self._tag_object(request.body)}, {}
        if (request.method, request.path) == ("POST", f"{REPOSITORY}/git/refs"):
            self.requests.append(request)
            if self.refuses_tags:
                return 403, {"message": "Resource not accessible by integration"}, {}
            nothing = "0" * 40
            self.sample.git("update-ref", request.body["ref"], request.body["sha"], nothing)
            return 201, {}, {}
        answer = super().answer(request)
        if (request.method, request.path) == ("POST", f"{REPOSITORY}/pulls"):
            self.now("GET", request.path, [answer[1]])  # the pull request is open
        return answer

    def begin(self, run: int, attempt: int, workflow: str) -> None:
        """Makes an attempt of a run known, which is in progress.

        https://docs.github.com/en/rest/actions/workflow-runs#get-a-workflow-run-attempt
        https://docs.github.com/en/rest/actions/workflow-runs#get-the-review-history-for-a-workflow-run
        """
        path = f".github/workflows/{workflow}"
        self._runs[run] = {"id": run, "run_attempt": attempt, "path": path}
        self.say(run, "in_progress")
        self.now("GET", f"{REPOSITORY}/actions/runs/{run}/approvals", self.reviews)

    def end(self, run: int, result: Run) -> None:
        """Makes known how the newest attempt of a run ended, and the results of its jobs' steps.

        https://docs.github.com/en/rest/actions/workflow-jobs#list-jobs-for-a-workflow-run-attempt
        """
        self.say(run, "completed", "failure" if result.failed else "success")
        jobs = [
            {
                "name": job.replace("/", " / "),
                "status": "completed",
                "conclusion": conclusion,
                "steps": [
                    {"name": name.partition(": ")[2], "status": "completed", "conclusion": ended}
                    for name, ended in result.steps.items()
                    if job_of(name) == job
                ],
            }
            for job, conclusion in result.results.items()
        ]
        listed = {"total_count": len(jobs), "jobs": jobs}
        self.now("GET", f"{self._attempt(run)}/jobs", listed)

    def say(self, run: int, status: str, conclusion: str | None = None) -> None:
        """Sets what the API says of the newest attempt of a run: in_progress, or completed."""
        body = {**self._runs[run], "status": status, "conclusion": conclusion}
        for path in (f"{REPOSITORY}/actions/runs/{run}", self._attempt(run)):
            self.now("GET", path, body)

    def forget(self, run: int) -> None:
        """Makes a run one that the API does not find, such as one that was deleted."""
        for path in (f"{REPOSITORY}/actions/runs/{run}", self._attempt(run)):
            self.now("GET", path, {"message": "Not Found"}, status=404)

    def _attempt(self, run: int) -> str:
        return f"{REPOSITORY}/actions/runs/{run}/attempts/{self._runs[run]['run_attempt']}"

    def _tag_object(self, tag: dict[str, str]) -> str:
        lines = [
            f"object {tag['object']}",
            f"type {tag['type']}",
            f"tag {tag['tag']}",
            "tagger github-actions[bot] <bot@example.com> 1700000000 +0000",
            "",
            tag["message"],
        ]
        return self.sample.git("mktag", given="\n".join(lines))

    def posted(self, path: str) -> list[Any]:
        """The bodies of the POST requests to a path below the repository."""
        return self.sent("POST", f"{REPOSITORY}/{path}")

    @property
    def messages(self) -> list[str]:
        """The texts of the Slack messages, as a phone shows them."""
        return [body["text"] for body in self.sent("POST", SLACK)]

    @property
    def written(self) -> list[Request]:
        """The requests that were to change something, messages included."""
        return [request for request in self.requests if request.method != "GET"]


def review(state: str, environment: str = APPROVAL) -> dict[str, Any]:
    """A review of a run: approved or rejected.

    https://docs.github.com/en/rest/actions/workflow-runs#get-the-review-history-for-a-workflow-run
    """
    return {
        "state": state,
        "comment": "",
        "environments": [{"id": 1, "name": environment}],
        "user": {"login": REVIEWER, "id": 7, "type": "User"},
    }
