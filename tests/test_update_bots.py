"""Bots bump this repository's files: the drift check stays green.

Other changes of pins are drift, and the message says what differs.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import update_bots
from tests.terminal import Ran, Terminal
from tests.update_bots import Release
from wfgen.generate.render import first_lock
from wfgen.locks import pins
from wfgen.locks.pins import LOCK

ROOT = Path(__file__).resolve().parents[1]
BUILD = ".github/workflows/_build.yml"
CHECK = ".github/workflows/wfgen-check.yml"
LOGIN = ".github/actions/cluster-login/action.yml"
PIPELINE = ".github/workflows/production.yml"
CHECKOUT = pins.read((ROOT / LOCK).read_text("utf-8"))["actions/checkout"]
AWS = pins.read((ROOT / LOCK).read_text("utf-8"))["aws-actions/configure-aws-credentials"]
NEW = "a" * 40
"""A commit that does not exist."""


@pytest.fixture(scope="module")
def _copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("bots") / "repository"
    for name in ("specs", ".github", "docs", "app", "kube"):
        ignored = shutil.ignore_patterns("__pycache__", "tests")
        shutil.copytree(ROOT / name, root / name, ignore=ignored)
    return root


@pytest.fixture
def here(
    _copied: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Terminal:
    """A copy of this repository."""
    shutil.copytree(_copied, tmp_path / "repository")
    monkeypatch.setenv("PATH", "")  # no kustomize: it is slow
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    return Terminal(tmp_path / "repository", capsys)


def next_releases(*actions: str) -> dict[str, Release]:
    """A release of each of these actions, or of all in the lock; the commits do not exist."""
    locked = pins.read((ROOT / LOCK).read_text("utf-8"))
    return {
        action: Release(f"{number:040x}", f"v{40 + number}.1.0", pin.version)
        for number, (action, pin) in enumerate(locked.items(), 1)
        if action in actions or not actions
    }


def directories(root: Path) -> list[str]:
    """The folders that this repository's Dependabot reads."""
    settings = yaml.safe_load((root / ".github/dependabot.yml").read_text("utf-8"))
    (entry,) = (e for e in settings["updates"] if e["package-ecosystem"] == "github-actions")
    folders: list[str] = entry["directories"]
    return folders


def by_dependabot(root: Path, releases: update_bots.Releases) -> set[str]:
    return update_bots.dependabot(root, directories(root), releases)


Bot = Callable[[Path, update_bots.Releases], set[str]]
BOTS: list[Bot] = [by_dependabot, update_bots.renovate]
USED = [
    "actions/checkout", "actions/create-github-app-token", "actions/setup-python",
    "aws-actions/configure-aws-credentials", "docker/build-push-action", "docker/login-action",
    "docker/setup-buildx-action", "docker/setup-qemu-action",
]  # fmt: skip


def line_of(root: Path, path: str, text: str) -> int:
    lines = (root / path).read_text("utf-8").split("\n")
    return next(number for number, line in enumerate(lines, 1) if text in line)


def drift(terminal: Terminal) -> dict[str, dict[str, Any]]:
    """The drift that check reports, by path."""
    ran = terminal.run("check", "--format", "json")
    drifts: list[dict[str, Any]] = json.loads(ran.out)["drift"]
    assert ran.code == (1 if drifts else 0)
    return {entry["path"]: entry for entry in drifts}


def assert_green(ran: Ran, *named: str) -> None:
    """Nothing differs, and the note names the bumped actions."""
    assert (ran.code, ran.out.count("\n")) == (0, 1), ran.out
    assert "run `wfgen pins verify`" in ran.err
    for name in named:
        assert name in ran.err


# A bot's pull request


@pytest.mark.parametrize("bot", BOTS)
def test_single_bumps_one_after_the_other(here: Terminal, bot: Bot) -> None:
    """Each pull request of the bot, merged before the next one."""
    for action in USED:
        (release,) = next_releases(action).values()
        changed = bot(here.root, next_releases(action))
        assert LOCK in changed
        assert len(changed) > 1, action
        lock = (here.root / LOCK).read_text("utf-8")
        assert f"uses: {action}@{release.commit} # {release.version}\n" in lock
        assert here.run("check").code == 0, action
    assert_green(here.run("check"), "actions/checkout v41.1.0", "and 5 more")


@pytest.mark.parametrize("bot", BOTS)
def test_grouped_bump_of_all_actions(here: Terminal, bot: Bot) -> None:
    changed = bot(here.root, next_releases())
    assert {LOCK, PIPELINE, LOGIN, BUILD} <= changed
    assert_green(here.run("check"), "actions/checkout v41.1.0")
    before = here.files()
    assert here.run("render").code == 0
    assert here.files() == before


def test_new_commit_of_the_same_version(here: Terminal) -> None:
    """Renovate calls it a digest update; `wfgen pins verify` finds out whether the tag moved."""
    release = Release(NEW, CHECKOUT.version, CHECKOUT.version)
    assert LOCK in update_bots.renovate(here.root, {"actions/checkout": release})
    assert_green(here.run("check"), f"actions/checkout {CHECKOUT.version}")


def test_dependabot_reads_the_folders_of_composite_actions(here: Terminal) -> None:
    """Without that, a bump leaves them out: drift in one file."""
    here.edit(".github/dependabot.yml", "      - /.github/actions/cluster-login\n", "")
    by_dependabot(here.root, next_releases(AWS.action))
    ran = here.run("check")
    assert ran.code == 1
    assert f"{LOGIN}: only the action pins differ; to fix, run `wfgen render`" in ran.out
    assert f"  {AWS.action}: {AWS.short} here, v45.1.0 (000000000000) in the lock" in ran.out
    assert here.run("render").code == 0
    assert here.run("check").code == 0


def test_bot_that_ignores_the_lock(here: Terminal) -> None:
    """Drift; `pins pull` copies the bumps into the lock."""
    lock = (here.root / LOCK).read_bytes()
    by_dependabot(here.root, next_releases("actions/checkout", "docker/login-action"))
    (here.root / LOCK).write_bytes(lock)
    drifts = drift(here)
    assert {entry["remedy"] for entry in drifts.values()} == {"wfgen pins pull"}
    assert PIPELINE in drifts
    ran = here.run("pins", "pull")
    assert ran.code == 0
    assert f"actions/checkout: {CHECKOUT.short} -> v41.1.0 (000000000000)\n" in ran.out
    assert "-> v49.1.0 (000000000000)\n" in ran.out
    assert_green(here.run("check"))


def test_lock_bumped_alone(here: Terminal) -> None:
    here.edit(LOCK, str(CHECKOUT), f"actions/checkout@{NEW} # v99.0.0")
    drifts = drift(here)
    assert LOCK not in drifts
    assert {entry["cause"] for entry in drifts.values()} == {"pins"}
    assert {entry["remedy"] for entry in drifts.values()} == {"wfgen render"}
    ran = here.run("pins", "pull")  # nothing is newer than in the lock
    assert (ran.code, ran.out) == (0, f"{LOCK} is unchanged\n")
    assert here.run("render").code == 0
    assert_green(here.run("check"), "actions/checkout v99.0.0")


# Not bumps


def one_place(terminal: Terminal, new: str) -> dict[str, Any]:
    """The remark and the remedy where one line of one file differs from the lock."""
    file = terminal.root / BUILD
    file.write_text(file.read_text("utf-8").replace(str(CHECKOUT), new, 1), "utf-8")
    drifts = drift(terminal)
    assert list(drifts) == [BUILD]
    assert drifts[BUILD]["cause"] == "pins"
    (remark,) = drifts[BUILD]["remarks"]
    assert remark["line"] == drifts[BUILD]["line"] == line_of(terminal.root, BUILD, new)
    assert terminal.run("render").code == 0
    assert terminal.run("check").code == 0
    return {"remedy": drifts[BUILD]["remedy"], **remark}


@pytest.mark.parametrize(
    ("new", "message"),
    [
        (
            f"actions/checkout@{NEW} # {CHECKOUT.version}",
            f"actions/checkout: {CHECKOUT.version} (aaaaaaaaaaaa) here, "
            f"{CHECKOUT.short} in the lock",
        ),
        (
            f"actions/checkout@{NEW} # v99.0.0",
            f"actions/checkout: v99.0.0 (aaaaaaaaaaaa) here, {CHECKOUT.short} in the lock",
        ),
        (
            f"actions/checkout@{CHECKOUT.ref} # v99.0.0",
            f"actions/checkout: the comment says v99.0.0, and the lock says {CHECKOUT.version} for "
            f"the same commit {CHECKOUT.ref[:12]}",
        ),
        (
            "actions/checkout@v7 # v7.0.0",
            "actions/checkout@v7 is not pinned: a tag or branch can move; expected the full "
            "commit SHA and `# vX.Y.Z` after it; the lock has " + CHECKOUT.short,
        ),
        (
            "actions/checkout@main",
            "actions/checkout@main is not pinned: a tag or branch can move; expected the full "
            "commit SHA and `# vX.Y.Z` after it; the lock has " + CHECKOUT.short,
        ),
        (
            "actions/checkout@aaaaaaa # v7.0.0",
            "actions/checkout@aaaaaaa is not pinned: a tag or branch can move; expected the full "
            "commit SHA and `# vX.Y.Z` after it; the lock has " + CHECKOUT.short,
        ),
        (
            f"actions/checkout@{CHECKOUT.ref}",
            "actions/checkout has no version after its commit; expected the full commit SHA and "
            "`# vX.Y.Z` after it; the lock has " + CHECKOUT.short,
        ),
        (
            f"actlons/checkout@{CHECKOUT.ref} # {CHECKOUT.version}",
            "actlons/checkout in place of actions/checkout",
        ),
        (
            f"аctions/checkout@{CHECKOUT.ref} # {CHECKOUT.version}",  # noqa: RUF001 - a Cyrillic letter
            "аctions/checkout in place of actions/checkout",  # noqa: RUF001
        ),
        (
            f"actions/checkouts@{CHECKOUT.ref} # {CHECKOUT.version}",
            "actions/checkouts in place of actions/checkout",
        ),
        (
            f"checkout@{CHECKOUT.ref} # {CHECKOUT.version}",
            "checkout in place of actions/checkout",
        ),
        (
            f"actions/cache@{CHECKOUT.ref} # {CHECKOUT.version}",
            "actions/cache in place of actions/checkout",
        ),
    ],
    ids=[
        "commit", "commit and version", "version", "tag", "branch", "short commit", "no version",
        "owner", "letter", "nearly its name", "no owner", "action",
    ],
)  # fmt: skip
def test_in_one_place(here: Terminal, new: str, message: str) -> None:
    """Of several files that use it: drift with a message. `wfgen render` reverts it."""
    remark = one_place(here, new)
    assert (remark["message"], remark["remedy"]) == (message, "wfgen render")


def everywhere(root: Path, new: str) -> None:
    for path in (root / ".github").rglob("*.yml"):
        text = path.read_text("utf-8")
        path.write_text(text.replace(str(CHECKOUT), new), "utf-8")


@pytest.mark.parametrize(
    ("new", "message"),
    [
        ("actions/checkout@v7", "actions/checkout@v7 is not pinned: a tag or branch can move"),
        ("actions/checkout@main # v7.0.1", "actions/checkout@main is not pinned"),
        (f"actions/checkout@{NEW}", "actions/checkout has no version after its commit"),
    ],
)
def test_ref_that_can_move_in_all_files(here: Terminal, new: str, message: str) -> None:
    """The lock itself is drift; nothing is rendered with such a lock."""
    everywhere(here.root, new)
    drifts = drift(here)
    assert list(drifts) == [LOCK]
    (remark,) = drifts[LOCK]["remarks"]
    assert remark["message"].startswith(message)
    assert drifts[LOCK]["remedy"] == "wfgen pins update actions/checkout"
    assert remark["line"] == line_of(here.root, LOCK, "uses: actions/checkout")
    before = here.files()
    ran = here.run("render")
    assert ran.code == 2
    assert f"{LOCK}:{remark['line']}: {message}" in ran.err
    assert here.run("render", "--only", "production").code == 2
    assert here.files() == before
    assert here.run("pins", "update", "--offline", "actions/checkout").code == 0
    assert here.run("render").code == 0
    assert here.run("check").code == 0


def test_misspelled_owner_in_all_files(here: Terminal) -> None:
    """The lock lacks an action that templates use: drift, and `wfgen render` adds it."""
    everywhere(here.root, f"actlons/checkout@{NEW} # v99.0.0")
    drifts = drift(here)
    assert {entry["cause"] for entry in drifts.values()} == {"pins"}
    assert drifts[LOCK]["remarks"] == [
        {"line": 1, "message": "actions/checkout is not in the lock"}
    ]
    messages = {remark["message"] for remark in drifts[PIPELINE]["remarks"]}
    assert messages == {"actlons/checkout in place of actions/checkout"}
    assert here.run("render").code == 0
    assert here.run("check").code == 0
    known = pins.read(first_lock())["actions/checkout"]
    assert str(known) in (here.root / PIPELINE).read_text("utf-8")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            f"actions/checkout@{NEW} # v99.0.0",
            f"actions/checkout is pinned twice: {CHECKOUT.short} in line 23, "
            "v99.0.0 (aaaaaaaaaaaa)",
        ),
        (
            f"actions/checkout/sub@{CHECKOUT.ref} # v98.0.0",
            f"actions/checkout/sub v98.0.0 ({CHECKOUT.ref[:12]}): the same commit is "
            f"{CHECKOUT.version} in line 23",
        ),
    ],
    ids=["two commits", "two versions"],
)
def test_lock_that_contradicts_itself(here: Terminal, entry: str, message: str) -> None:
    second = "      - name: actions/setup-python\n"
    here.edit(LOCK, second, f"      - uses: {entry}\n{second}")
    (remark,) = drift(here)[LOCK]["remarks"]
    assert remark == {"line": line_of(here.root, LOCK, entry), "message": message}
    assert here.run("render").code == 2


def test_merge_conflict_in_the_lock(here: Terminal) -> None:
    """After two bumps at once: drift, and nothing is rendered with it."""
    ours, theirs = (
        f"        uses: {CHECKOUT}\n",
        f"        uses: actions/checkout@{NEW} # v99.0.0\n",
    )
    here.edit(LOCK, ours, f"<<<<<<< HEAD\n{ours}=======\n{theirs}>>>>>>> bump\n")
    entry = drift(here)[LOCK]
    assert (entry["cause"], entry["line"]) == ("conflict", line_of(here.root, LOCK, "<<<<<<<"))
    assert entry["remarks"][0]["message"].startswith("contains merge conflict markers")
    before = here.files()
    assert here.run("render").code == 2
    assert here.files() == before


def test_two_places_of_one_file(here: Terminal) -> None:
    """Each is annotated at its line."""
    here.edit(PIPELINE, str(CHECKOUT), f"actions/checkout@{NEW} # v99.0.0")
    os.environ["GITHUB_ACTIONS"] = "true"
    try:
        ran = here.run("check")
    finally:
        del os.environ["GITHUB_ACTIONS"]
    text = (here.root / PIPELINE).read_text("utf-8").split("\n")
    lines = [number for number, line in enumerate(text, 1) if "# v99.0.0" in line]
    assert len(lines) > 1
    for line in lines:
        assert f"::error file={PIPELINE},line={line}::actions/checkout: v99.0.0 (aaaa" in ran.out
    assert ran.out.count("  actions/checkout: v99.0.0 (aaaaaaaaaaaa) here") == 1


def test_pin_with_another_change_is_an_edit(here: Terminal) -> None:
    """The cause is the other change."""
    here.edit(BUILD, str(CHECKOUT), f"actions/checkout@{NEW} # v99.0.0\n        if: always()")
    drifts = drift(here)
    assert (drifts[BUILD]["cause"], drifts[BUILD]["remarks"]) == ("edited", [])


def test_other_quotes_are_an_edit(here: Terminal) -> None:
    action, version = str(CHECKOUT).split(" ", 1)
    here.edit(BUILD, str(CHECKOUT), f'"{action}" {version}')
    assert drift(here)[BUILD]["cause"] != "pins"


# The lock


def test_crlf_in_the_lock_is_kept(here: Terminal) -> None:
    lock = (here.root / LOCK).read_bytes().replace(b"\n", b"\r\n")
    (here.root / LOCK).write_bytes(lock)
    assert here.run("check").code == 0
    by_dependabot(here.root, next_releases())
    assert_green(here.run("check"))
    assert (here.root / LOCK).read_bytes().count(b"\r\n") == lock.count(b"\r\n")
    azure = pins.read(lock.decode())["azure/login"]
    entry = f"      - name: azure/login\r\n        uses: {azure}\r\n".encode()
    assert entry in lock
    without = lock.replace(entry, b"").replace(str(CHECKOUT).encode(), b"actions/checkout@v7")
    (here.root / LOCK).write_bytes(without)
    assert here.run("pins", "update", "--offline", "azure/login", "actions/checkout").code == 0
    text = (here.root / LOCK).read_bytes()
    assert text.count(b"\r\n") == text.count(b"\n") == lock.count(b"\n")


def test_a_bump_never_changes_more_than_pins() -> None:
    """In the lock: names, comments and order stay the same."""
    text = (ROOT / LOCK).read_text("utf-8")
    news = {
        action: pins.Pin(action, release.commit, release.version)
        for action, release in next_releases().items()
    }
    expected = pins.changed(text, news)
    assert re.sub(r"@\S+ # \S+", "", expected) == re.sub(r"@\S+ # \S+", "", text)
    assert [str(pin) for pin in pins.in_text(expected)] == [str(pin) for pin in news.values()]


# The generated workflow


def test_the_generated_check_verifies_changed_pins() -> None:
    """In a separate job with a read-only token."""
    workflow = yaml.safe_load((ROOT / CHECK).read_text("utf-8"))
    job = workflow["jobs"]["pins"]
    assert (job["permissions"], job.get("if"), job.get("needs")) == (
        {"contents": "read"},
        None,
        None,
    )
    (checkout, *_, verify) = job["steps"]
    assert checkout["with"] == {"fetch-depth": 2, "persist-credentials": False}
    assert verify["run"] == '"$RUNNER_TEMP/wfgen/bin/wfgen" pins verify --since "$BEFORE"'
    # The merge commit of a pull request against its base, a push against the commit before.
    assert verify["env"] == {
        "BEFORE": "${{ github.event_name == 'push' && github.event.before || 'HEAD^1' }}"
    }
    assert {"merge_group", "pull_request", "push"} == set(workflow[True])
