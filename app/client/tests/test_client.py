"""The page and the nginx that serves it, without building the image."""

import json
import os
import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message
from html.parser import HTMLParser
from pathlib import Path

import pytest
from real_services import Process, find_program, free_port

CLIENT = Path(__file__).parents[1]
PUBLIC = CLIENT / "public"
# Where the Dockerfile puts the pages.
IMAGE_ROOT = "/usr/share/nginx/html"


class Page(HTMLParser):
    """The elements of index.html that the tests ask about."""

    def __init__(self) -> None:
        super().__init__()
        self.references: set[str] = set()
        self.ids: set[str] = set()
        self.inline: list[str] = []
        self.feed((PUBLIC / "index.html").read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record URLs, IDs and what the Content-Security-Policy would block."""
        for name, value in attrs:
            if name in {"src", "href"}:
                self.references.add(value or "")
            if name == "id":
                self.ids.add(value or "")
            if name == "style" or name.startswith("on"):
                self.inline.append(name)
        if tag == "style" or (tag == "script" and "src" not in dict(attrs)):
            self.inline.append(tag)


def test_referenced_files_exist() -> None:
    references = Page().references
    assert references >= {"app.js", "style.css"}
    assert {name for name in references if not (PUBLIC / name).is_file()} == set()


def test_nothing_inline() -> None:
    """The Content-Security-Policy has no 'unsafe-inline': a browser would drop it silently."""
    assert Page().inline == []


def test_script_finds_its_elements() -> None:
    script = (PUBLIC / "app.js").read_text()
    wanted = set(re.findall(r'getElementById\("([^"]+)"\)', script))
    assert wanted
    assert wanted <= Page().ids


def test_script_asks_its_own_origin() -> None:
    """In a preview the same files run under another host name."""
    script = (PUBLIC / "app.js").read_text()
    assert '"/api/visits"' in script
    assert "://" not in script


def test_script_parses() -> None:
    node = find_program("node", "nodejs")
    subprocess.run([node, "--check", str(PUBLIC / "app.js")], check=True, timeout=20)


def test_script_behaves() -> None:
    """Run page.test.mjs: the script in a page of stubs, with a server that answers or fails."""
    node = find_program("node", "nodejs")
    command = [node, "--test", str(Path(__file__).with_name("page.test.mjs"))]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Run nginx with the image's settings and files on a port of 127.0.0.1, and return the port."""
    program = find_program("nginx", "nginx-light")
    directory = tmp_path_factory.mktemp("nginx")
    root = directory / "html"
    root.mkdir()
    for file in PUBLIC.iterdir():
        (root / file.name).write_bytes(file.read_bytes())
    write_version(root, "abc123")
    port = free_port()
    settings = (CLIENT / "nginx.conf").read_text()
    for in_image, here in (("listen 8080;", f"listen 127.0.0.1:{port};"), (IMAGE_ROOT, str(root))):
        assert settings.count(in_image) == 1
        settings = settings.replace(in_image, here)
    (directory / "nginx.conf").write_text(surround(program, settings))
    command = [program, "-p", str(directory), "-c", "nginx.conf", "-e", "stderr"]
    process = Process(command, lambda: fetch(port, "/healthz"))
    with process.running():
        yield port


def write_version(root: Path, sha: str) -> None:
    """Run the Dockerfile's own command that writes version.json."""
    dockerfile = (CLIENT / "Dockerfile").read_text()
    [command] = re.findall(r"^RUN (.+)$", dockerfile, re.MULTILINE)
    assert IMAGE_ROOT in command
    command = command.replace(IMAGE_ROOT, str(root))
    subprocess.run(["sh", "-ec", command], check=True, env=os.environ | {"GIT_SHA": sha})


def surround(program: str, server: str) -> str:
    """Return a whole nginx.conf around the image's server, writing below -p only."""
    build = subprocess.run([program, "-V"], check=True, capture_output=True, text=True).stderr
    [packaged] = re.findall(r"--conf-path=(\S+)", build)
    # The worker of a master that is root would be another user, who may not read the pages.
    user = "user root;" if os.geteuid() == 0 else ""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{kind}_temp_path {kind};" for kind in kinds)
    return f"""{user} daemon off; worker_processes 1; pid nginx.pid; events {{}}
http {{ include {Path(packaged).with_name("mime.types")}; access_log off; {temporary}
{server}
}}
"""


def fetch(port: int, path: str) -> tuple[int, Message, str]:
    """Return status, headers and body of an answer of the local nginx."""
    try:
        answer = urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.headers, answer.read().decode()


def test_health(nginx: int) -> None:
    status, _, body = fetch(nginx, "/healthz")
    assert (status, body) == (200, "ok\n")


@pytest.mark.parametrize(
    ("path", "kinds"),
    [
        ("/", {"text/html"}),
        # Which of the two depends on nginx's version; browsers take both.
        ("/app.js", {"application/javascript", "text/javascript"}),
        ("/style.css", {"text/css"}),
        ("/favicon.svg", {"image/svg+xml"}),
    ],
)
def test_files_are_served(path: str, kinds: set[str], nginx: int) -> None:
    """With the right type, since nosniff makes a browser refuse any other."""
    status, headers, body = fetch(nginx, path)
    assert status == 200
    assert headers.get_content_type() in kinds
    assert body == (PUBLIC / (path[1:] or "index.html")).read_text()
    # Names stay the same between releases, so a browser has to ask again.
    assert headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("path", ["/version.json", "/version"])
def test_version_is_the_commit_of_the_image(path: str, nginx: int) -> None:
    status, headers, body = fetch(nginx, path)
    assert (status, headers.get_content_type()) == (200, "application/json")
    assert json.loads(body) == {"sha": "abc123"}


def test_missing_page(nginx: int) -> None:
    assert fetch(nginx, "/missing")[0] == 404


@pytest.mark.parametrize("path", ["/", "/app.js", "/healthz", "/version", "/missing"])
def test_security_headers(path: str, nginx: int) -> None:
    """On every response: an add_header in a location would drop them there."""
    _, headers, _ = fetch(nginx, path)
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    # No version, which would reveal known vulnerabilities.
    assert headers["Server"] == "nginx"
