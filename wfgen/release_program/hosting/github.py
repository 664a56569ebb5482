"""GitHub's REST API by urllib, and the one way this program speaks HTTP.

No third-party client: the program runs on a bare runner. Retried are answers that say "later"
(5xx, 429, both kinds of rate limit) and broken connections, POST included: every POST of ours
is either refused the second time (a ref, a pull request) or harmless twice.
https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api

A token, a webhook's address or a request's headers never enter a message or a log.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ..failure import Failure
from ..names import Variable

if TYPE_CHECKING:
    from email.message import Message

ATTEMPTS = 5
TIMEOUT_SECONDS = 30
LONGEST_WAIT_SECONDS = 60.0
"""A limit that lifts later than this is an error: a job that sleeps for an hour tells nobody."""

sleep = time.sleep


class Answer(NamedTuple):
    """What a server said: HTTP status, headers, body."""

    status: int
    headers: Message
    text: str


class GitHubError(Failure):
    """A request that GitHub refused, in words for the run's log. status 0: no answer at all."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def send(method: str, url: str, body: Any = None, token: str = "") -> Answer:
    """The final answer to one request, whatever its status, after retries.

    Raises OSError when no attempt got an answer; its text holds no part of the address.
    """
    import http.client  # slow to load, and most commands have no use for it
    import urllib.error
    import urllib.request

    request = urllib.request.Request(url, method=method)
    request.add_header("Accept", "application/vnd.github+json, application/json")
    request.add_header("User-Agent", "wfgen-release-program")
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    if token:
        # Unredirected: a redirect to another host (a renamed repository) must not carry the token.
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    for attempt in range(ATTEMPTS):
        last = attempt == ATTEMPTS - 1
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
                return Answer(response.status, response.headers, response.read().decode())
        except urllib.error.HTTPError as error:
            answer = Answer(error.code, error.headers, error.read().decode(errors="replace"))
            wait = _retry_after(answer, attempt)
            if last or wait is None:
                return answer
        except (OSError, http.client.HTTPException) as error:
            if last:
                reason = getattr(error, "reason", None) or type(error).__name__
                raise OSError(f"no answer after {ATTEMPTS} attempts: {reason}") from None
            wait = float(2**attempt)
        sleep(wait)
    raise AssertionError("unreachable: the last attempt returns or raises")


def _retry_after(answer: Answer, attempt: int) -> float | None:
    """Seconds to wait before the next attempt; None where another attempt cannot help.

    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    if not (answer.status >= 500 or _is_limit(answer)):
        return None
    wait = float(2**attempt)
    after = answer.headers.get("Retry-After", "")
    reset = answer.headers.get("X-RateLimit-Reset", "")
    if after.isdigit():
        wait = float(after)
    elif answer.headers.get("X-RateLimit-Remaining") == "0" and reset.isdigit():
        wait = max(1.0, float(reset) - time.time())
    return wait if wait <= LONGEST_WAIT_SECONDS else None


def _is_limit(answer: Answer) -> bool:
    return answer.status == 429 or (
        answer.status == 403
        and (
            answer.headers.get("X-RateLimit-Remaining") == "0"
            or "Retry-After" in answer.headers
            or "rate limit" in answer.text.lower()
        )
    )


class GitHub:
    """One repository, with one token. Reads GITHUB_API_URL and GITHUB_REPOSITORY."""

    def __init__(self, token: str, environ: Mapping[str, str] = os.environ) -> None:
        self._token = token
        self._api = environ.get(Variable.API_URL, "https://api.github.com").rstrip("/")
        self._graphql = environ.get(Variable.GRAPHQL_URL, f"{self._api}/graphql")
        self.repository = environ.get(Variable.REPOSITORY, "")
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", self.repository):
            raise GitHubError(0, "GITHUB_REPOSITORY is not set to owner/name")
        if not token:
            raise GitHubError(0, "GITHUB_TOKEN is empty: pass `${{ github.token }}` to this step")

    def get(self, path: str, permission: str) -> Any:
        """The answer to GET /repos/<repository>/<path>."""
        return self._call("GET", path, None, permission)

    def post(self, path: str, body: Mapping[str, Any], permission: str) -> Any:
        """The answer to POST; GitHubError with status 422 where the thing exists or is invalid."""
        return self._call("POST", path, body, permission)

    def patch(self, path: str, body: Mapping[str, Any], permission: str) -> Any:
        """The answer to PATCH."""
        return self._call("PATCH", path, body, permission)

    def pages(self, path: str, permission: str) -> Iterator[Any]:
        """Every item of a list, over all its pages (Link: rel="next")."""
        separator = "&" if "?" in path else "?"
        url = f"{self._api}/repos/{self.repository}/{path}{separator}per_page=100"
        while url:
            answer = self._checked("GET", url, None, permission)
            yield from json.loads(answer.text)
            found = re.search(r'<([^>]+)>;\s*rel="next"', answer.headers.get("Link", ""))
            url = found.group(1) if found else ""
            if url and not url.startswith(f"{self._api}/"):
                raise GitHubError(0, f"GET {path}: the next page is on another host; not followed")

    def graphql(self, query: str, variables: Mapping[str, Any]) -> Any:
        """The data of a GraphQL answer; its errors (sent with status 200) as GitHubError."""
        body = {"query": query, "variables": variables}
        answer = json.loads(self._checked("POST", self._graphql, body, "pull-requests: write").text)
        if answer.get("errors"):
            messages = "; ".join(str(error.get("message")) for error in answer["errors"])
            raise GitHubError(200, messages)
        return answer["data"]

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None, permission: str) -> Any:
        url = f"{self._api}/repos/{self.repository}/{path}".rstrip("/")
        text = self._checked(method, url, body, permission).text
        return json.loads(text) if text else None

    def _checked(
        self, method: str, url: str, body: Mapping[str, Any] | None, permission: str
    ) -> Answer:
        what = f"{method} {url[len(self._api) :]}"
        try:
            answer = send(method, url, body, self._token)
        except OSError as error:
            raise GitHubError(0, f"GitHub, {what}: {error}") from None
        if answer.status < 300:
            return answer
        raise GitHubError(answer.status, f"GitHub, {what}: {_complaint(answer, permission)}")


def pull_request_is_open(number: str) -> bool:
    """Whether a pull request is open now, whatever the event said. Reads GITHUB_TOKEN."""
    github = GitHub(os.environ.get(Variable.TOKEN, ""))
    return bool(github.get(f"pulls/{number}", "pull-requests: read")["state"] == "open")


def _complaint(answer: Answer, permission: str) -> str:
    """Status and message of a refusal, with what the reader can do about it."""
    try:
        body = json.loads(answer.text)
        details = [str(e.get("message") or e.get("code")) for e in body.get("errors", [])]
        message = "; ".join([str(body.get("message")), *details])
    except (ValueError, AttributeError):
        message = "an answer that is not JSON"
    text = f"{answer.status} {message}"
    if _is_limit(answer):
        return f"{text}. The token's rate limit is used up; run this job again later"
    if answer.status == 401:
        return f"{text}. The token is wrong or has expired"
    # What a token may not see is hidden behind 404; a 403 often names the permission itself.
    if answer.status in (403, 404):
        accepted = answer.headers.get("X-Accepted-GitHub-Permissions", "")
        named = f" (GitHub accepts: {accepted})" if accepted else ""
        return f"{text}. The job (or the App) needs the permission `{permission}`{named}"
    return text
