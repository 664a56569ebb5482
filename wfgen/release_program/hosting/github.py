"""GitHub's REST API by urllib; the only module that uses HTTP.

No third-party client: the program runs on a bare runner. It retries after 5xx, 429, both kinds of
rate limit and broken connections, POST included: each POST of this program is either refused the
second time (a ref, a pull request) or harmless twice.
https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api

Tokens, webhook addresses and request headers never appear in a message or log.
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
"""A rate limit that ends later is an error, rather than a job that sleeps for an hour."""

sleep = time.sleep


class Answer(NamedTuple):
    """An HTTP response."""

    status: int
    headers: Message
    text: str


class GitHubError(Failure):
    """GitHub refused a request. `status` is the HTTP status, 0 for no response."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def send(method: str, url: str, body: Any = None, token: str = "") -> Answer:
    """The response to one request, whatever its status, after retries.

    Raises `OSError` if no attempt got a response. Its text has no part of the URL.
    """
    import http.client  # slow to load, and most commands do not need it
    import urllib.error
    import urllib.request

    request = urllib.request.Request(url, method=method)
    request.add_header("Accept", "application/vnd.github+json, application/json")
    request.add_header("User-Agent", "wfgen-release-program")
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    if token:
        # Unredirected: a redirect to another host (a renamed repository) must not get the token.
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
    """Seconds to wait before the next attempt; None if another attempt cannot help.

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
    """The API of one repository, with one token."""

    def __init__(self, token: str, environ: Mapping[str, str] = os.environ) -> None:
        self._token = token
        self._api = environ.get(Variable.API_URL, "https://api.github.com").rstrip("/")
        self._graphql = environ.get(Variable.GRAPHQL_URL, f"{self._api}/graphql")
        self.repository = environ.get(Variable.REPOSITORY, "")
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", self.repository):
            raise GitHubError(0, "GITHUB_REPOSITORY is not owner/name")
        if not token:
            raise GitHubError(0, "GITHUB_TOKEN is empty: pass `${{ github.token }}` to this step")

    def get(self, path: str, permission: str) -> Any:
        """The response to GET /repos/<repository>/<path>. Raises `GitHubError`."""
        return self._call("GET", path, None, permission)

    def post(self, path: str, body: Mapping[str, Any], permission: str) -> Any:
        """The response to POST. Raises `GitHubError`, status 422 for what exists or is invalid."""
        return self._call("POST", path, body, permission)

    def patch(self, path: str, body: Mapping[str, Any], permission: str) -> Any:
        """The response to PATCH. Raises `GitHubError`."""
        return self._call("PATCH", path, body, permission)

    def pages(self, path: str, permission: str, member: str = "") -> Iterator[Any]:
        """Every item of a list, over all its pages (Link: rel="next").

        `member` is the member of each answer that holds the list; '' where the answer is the list.
        """
        separator = "&" if "?" in path else "?"
        url = f"{self._api}/repos/{self.repository}/{path}{separator}per_page=100"
        while url:
            answer = self._checked("GET", url, None, permission)
            items = json.loads(answer.text)
            yield from items[member] if member else items
            following = re.search(r'<([^>]+)>;\s*rel="next"', answer.headers.get("Link", ""))
            url = following.group(1) if following else ""
            if url and not url.startswith(f"{self._api}/"):
                raise GitHubError(0, f"GET {path}: the next page is on another host; not followed")

    def graphql(self, query: str, variables: Mapping[str, Any]) -> Any:
        """The data of a GraphQL response. Its errors, sent with status 200, are a `GitHubError`."""
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
        request = f"{method} {url[len(self._api) :]}"
        try:
            answer = send(method, url, body, self._token)
        except OSError as error:
            raise GitHubError(0, f"GitHub, {request}: {error}") from None
        if answer.status < 300:
            return answer
        raise GitHubError(answer.status, f"GitHub, {request}: {_refusal(answer, permission)}")


def pull_request_is_open(number: str) -> bool:
    """Whether a pull request is open now, which its event may not know."""
    github = GitHub(os.environ.get(Variable.TOKEN, ""))
    return bool(github.get(f"pulls/{number}", "pull-requests: read")["state"] == "open")


def _refusal(answer: Answer, permission: str) -> str:
    """Status and message of a refusal, and what to do."""
    try:
        body = json.loads(answer.text)
        details = [str(e.get("message") or e.get("code")) for e in body.get("errors", [])]
        message = "; ".join([str(body.get("message")), *details])
    except (ValueError, AttributeError):
        message = "the response is not JSON"
    text = f"{answer.status} {message}"
    if _is_limit(answer):
        return f"{text}. The token's rate limit is exceeded; re-run this job later"
    if answer.status == 401:
        return f"{text}. The token is invalid or has expired"
    # GitHub hides behind 404 what a token cannot see; a 403 often names the permission.
    if answer.status in (403, 404):
        accepted = answer.headers.get("X-Accepted-GitHub-Permissions", "")
        named = f" (GitHub accepts: {accepted})" if accepted else ""
        return f"{text}. The job (or the App) needs the permission `{permission}`{named}"
    return text
