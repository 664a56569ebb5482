"""A stand-in for GitHub's API that creates tags in the repository under test."""

from __future__ import annotations

from typing import Any

from tests.act.sample import Sample
from tests.github_api import Api, Request

NAME = "acme/shop"
REPOSITORY = f"/repos/{NAME}"
SLACK = "/slack"


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

    def answer(self, request: Request) -> tuple[int, Any, dict[str, str]]:
        if (request.method, request.path) == ("POST", f"{REPOSITORY}/git/tags"):
            self.requests.append(request)
            return 201, {"sha": self._tag_object(request.body)}, {}
        if (request.method, request.path) == ("POST", f"{REPOSITORY}/git/refs"):
            self.requests.append(request)
            nothing = "0" * 40
            self.sample.git("update-ref", request.body["ref"], request.body["sha"], nothing)
            return 201, {}, {}
        answer = super().answer(request)
        if (request.method, request.path) == ("POST", f"{REPOSITORY}/pulls"):
            self.now("GET", request.path, [answer[1]])  # the pull request is open
        return answer

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
