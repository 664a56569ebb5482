"""`wfgen pins`: updates of the lock, and whether its commits are those of their tags.

git reads real repositories, with lightweight and annotated tags.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from tests import case
from tests.git_hosts import GIT, GitHost, reach
from tests.terminal import Terminal
from wfgen.generate.render import first_lock
from wfgen.locks import pins
from wfgen.locks.pin_updates import from_files
from wfgen.locks.pins import LOCK, Pin, is_newer
from wfgen.locks.releases import Tags

OTHER = "b" * 40


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> tuple[GitHost, dict[str, dict[str, str]]]:
    """Repositories, and the commit of each tag."""
    there = GitHost(tmp_path_factory.mktemp("hosts"))
    return there, {
        "acme/annotated": there.publish(
            "acme/annotated", "v1.0.0!", "v1.9.0!", "v1.10.0!!", "v2.0.0-beta.1!", "v1=v1.10.0",
            "nightly",
        ),
        "acme/plain": there.publish("acme/plain", "v3.0.0", "v3=v3.0.0", "bundle-v9.0.0"),
        "acme/bare": there.publish("acme/bare", "1.0.0", "1.1.0!"),
        "acme/none": there.publish("acme/none", "latest"),
    }  # fmt: skip


@pytest.fixture
def commits(
    terminal: Terminal,
    host: tuple[GitHost, dict[str, dict[str, str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, dict[str, str]]:
    """Repository to tag to commit; git reads these repositories."""
    there, repositories = host
    reach(monkeypatch, there.root / "gitconfig", there.address)
    return repositories


def lock(terminal: Terminal, *entries: str) -> None:
    """Writes a lock with these entries only."""
    head = first_lock().partition("    steps:\n")[0]
    steps = "".join(f"      - name: x\n        uses: {entry}\n" for entry in entries)
    case.write(terminal.root, {LOCK: f"{head}    steps:\n{steps}"})


def locked(terminal: Terminal) -> list[str]:
    return [str(pin) for pin in pins.in_text((terminal.root / LOCK).read_text("utf-8"))]


# verify


def test_commits_that_are_their_releases(
    terminal: Terminal, commits: dict[str, dict[str, str]]
) -> None:
    """Annotated tags are peeled, also of annotated tags; actions may be in subfolders."""
    lock(
        terminal,
        f"acme/annotated/setup@{commits['acme/annotated']['v1.10.0']} # v1.10.0",
        f"acme/annotated@{commits['acme/annotated']['v1.0.0']} # v1.0.0",
        f"acme/bare@{commits['acme/bare']['1.1.0']} # v1.1.0",
        f"acme/plain@{commits['acme/plain']['v3.0.0']} # v3.0.0",
    )
    ran = terminal.run("pins", "verify")
    assert (ran.code, ran.out) == (0, "4 of 4 pins verified, 0 wrong\n")
    assert ran.err == ""
    quiet = terminal.run("pins", "verify", "-q")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")


def test_commits_that_are_not_their_releases(
    terminal: Terminal, commits: dict[str, dict[str, str]], host: tuple[GitHost, object]
) -> None:
    annotated, plain = commits["acme/annotated"], commits["acme/plain"]
    hosted = host[0].root / "acme/annotated"
    tag_object = host[0].git("rev-parse", "v1.9.0", at=hosted)
    assert tag_object != annotated["v1.9.0"]
    lock(
        terminal,
        f"acme/annotated/a@{tag_object} # v1.9.0",
        f"acme/annotated/b@{annotated['v1.0.0']} # v1.9.0",
        f"acme/annotated/c@{OTHER} # v1.9.0",
        f"acme/annotated/d@{annotated['v1.9.0']} # v7.7.7",
        f"acme/plain/a@{plain['v3.0.0']}",
        "acme/plain/b@v3 # v3.0.0",
        f"acme/gone@{OTHER} # v1.0.0",
    )
    ran = terminal.run("pins", "verify")
    assert ran.code == 1
    messages = dict(
        re.findall(r"^\.github/workflows/_pins\.yml:(\d+):1: (.*) \[pins\]$", ran.out, re.MULTILINE)
    )
    peeled, first = annotated["v1.9.0"][:12], annotated["v1.0.0"][:12]
    assert list(messages.values()) == [
        f"acme/annotated/a: {tag_object[:12]} is the tag object of v1.9.0, its commit is {peeled}",
        f"acme/annotated/b: {first} is v1.0.0; v1.9.0 is {peeled}",
        f"acme/annotated/c: {OTHER[:12]} has no tag and may come from a fork; v1.9.0 is {peeled}",
        "acme/annotated/d: no tag v7.7.7 in acme/annotated",
        "acme/plain/a: acme/plain/a has no version after its commit; expected the full commit SHA "
        "and `# vX.Y.Z` after it",
        "acme/plain/b: acme/plain/b@v3 is not pinned: a tag or branch can move; expected the full "
        "commit SHA and `# vX.Y.Z` after it",
        messages[str(pin_line(terminal, "acme/gone"))],
    ]
    assert "acme/gone: acme/gone cannot be read: " in ran.out
    names = [
        *(f"acme/annotated/{letter}" for letter in "abcd"), "acme/plain/a", "acme/plain/b",
        "acme/gone",
    ]  # fmt: skip
    assert list(messages) == [str(pin_line(terminal, name)) for name in names]
    assert "    hint: to fix, run `wfgen pins update acme/annotated/a@v1.9.0`\n" in ran.out
    assert ran.out.splitlines()[-1] == "7 of 7 pins verified, 7 wrong"
    errors = json.loads(terminal.run("pins", "verify", "--format", "json").out)["errors"]
    assert [str(error["line"]) for error in errors] == list(messages)


def pin_line(terminal: Terminal, action: str) -> int:
    return pins.read((terminal.root / LOCK).read_text("utf-8"))[action].line


def test_untagged_commit_in_all_files_fails(
    terminal: Terminal, commits: dict[str, dict[str, str]]
) -> None:
    """check passes, as lock and files agree; the commit has no tag."""
    lock(terminal, f"acme/plain@{OTHER} # v3.0.0")
    ran = terminal.run("pins", "verify", "--format", "github")
    assert ran.code == 1
    assert (
        f"\n::error file={LOCK},line={pin_line(terminal, 'acme/plain')},col=1::acme/plain: "
        in ran.out
    )


def test_only_what_changed_since_a_commit(
    terminal: Terminal, commits: dict[str, dict[str, str]], host: tuple[GitHost, object]
) -> None:
    git, root = host[0].git, terminal.root
    good = f"acme/plain@{commits['acme/plain']['v3.0.0']} # v3.0.0"
    wrong = f"acme/annotated@{OTHER} # v1.0.0"
    lock(terminal, wrong, good)
    git("init", "--quiet", at=root)
    for message in ("one", "two"):
        git("add", "--all", at=root)
        git("commit", "--quiet", "--allow-empty", "-m", message, at=root)
    ran = terminal.run("pins", "verify", "--since", "HEAD^1")
    assert (ran.code, ran.out) == (0, "0 of 2 pins verified, 0 wrong\n")
    lock(terminal, wrong, f"acme/plain@{OTHER} # v3.0.0")
    ran = terminal.run("pins", "verify", "--since", "HEAD^1")
    assert (ran.code, ran.out.splitlines()[-1]) == (1, "1 of 2 pins verified, 1 wrong")
    for revision in ("0" * 40, "nowhere"):  # a first push, a deleted commit: all are verified
        ran = terminal.run("pins", "verify", "--since", revision)
        assert (ran.code, ran.out.splitlines()[-1]) == (1, "2 of 2 pins verified, 2 wrong")
    ran = terminal.run("pins", "verify", "--since=--output=x")
    assert (ran.code, ran.out) == (2, "")
    assert "expected a commit" in ran.err
    assert not (root / "x").exists()


def test_commit_that_a_shallow_clone_lacks_is_fetched(
    terminal: Terminal,
    commits: dict[str, dict[str, str]],
    host: tuple[GitHost, object],
    tmp_path: Path,
) -> None:
    """As in the generated workflow after a push of several commits."""
    git, root = host[0].git, terminal.root
    lock(terminal, f"acme/annotated@{OTHER} # v1.0.0")
    git("init", "--quiet", at=root)
    for message in ("one", "two", "three"):
        git("add", "--all", at=root)
        git("commit", "--quiet", "--allow-empty", "-m", message, at=root)
    git("config", "uploadpack.allowAnySHA1InWant", "true", at=root)
    first = git("rev-parse", "HEAD~2", at=root)
    git("clone", "--quiet", "--depth=1", f"file://{root}", str(tmp_path / "clone"), at=root)
    there = Terminal(tmp_path / "clone", terminal._capsys)
    ran = there.run("pins", "verify", "--since", first)
    assert (ran.code, ran.out) == (0, "0 of 1 pins verified, 0 wrong\n")


@pytest.mark.parametrize(
    "arguments", [["verify"], ["update"], ["update", "acme/new"]], ids=" ".join
)
def test_no_network(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str]
) -> None:
    """One error line, and nothing changes."""
    reach(monkeypatch, tmp_path / "gitconfig", "http://127.0.0.1:1/")
    before = terminal.files()
    ran = terminal.run("pins", *arguments)
    assert (ran.code, ran.out) == (2, "")
    error, _, hint = ran.err.partition("; ")
    assert re.fullmatch(r"wfgen: cannot reach https://github.com: .*127\.0\.0\.1.*\s*", error)
    offline = "without a network, run `wfgen pins update --offline`\n"
    assert hint == (offline if arguments[0] == "update" else "")
    assert terminal.files() == before


def test_no_git(terminal: Terminal) -> None:
    ran = terminal.run("pins", "verify")
    assert (ran.code, ran.err) == (2, "wfgen: git not found; it reads the tags of actions\n")


# update


def test_newest_releases_are_taken(terminal: Terminal, commits: dict[str, dict[str, str]]) -> None:
    """Compared by number; no prereleases, no floating tags; the form of the version stays."""
    annotated, plain, bare = commits["acme/annotated"], commits["acme/plain"], commits["acme/bare"]
    lock(
        terminal,
        f"acme/annotated@{annotated['v1.0.0']} # v1.0.0",
        "acme/annotated/floating@v1",
        f"acme/bare@{bare['1.0.0']} # 1.0.0",
        f"acme/plain@{OTHER} # v3.0.0",
    )
    ran = terminal.run("pins", "update")
    assert ran.code == 0
    assert f"acme/annotated: v1.0.0 ({annotated['v1.0.0'][:12]}) -> v1.10.0 (" in ran.out
    assert ran.out.endswith(f"wrote {LOCK}; next: run `wfgen render`\n")
    assert locked(terminal) == [
        f"acme/annotated@{annotated['v1.10.0']} # v1.10.0",
        f"acme/annotated/floating@{annotated['v1.10.0']} # v1.10.0",
        f"acme/bare@{bare['1.1.0']} # 1.1.0",
        f"acme/plain@{plain['v3.0.0']} # v3.0.0",
    ]
    assert terminal.run("pins", "verify").code == 0
    ran = terminal.run("pins", "update")
    assert (ran.code, ran.out) == (0, f"{LOCK} is unchanged\n")


def test_an_action_is_added_in_its_place(
    terminal: Terminal, commits: dict[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a user's template; a tag can be given."""
    annotated = commits["acme/annotated"]
    ran = terminal.run("pins", "update", "acme/annotated@v1.9.0", "acme/plain/sub")
    assert ran.code == 0
    assert f"acme/annotated: new: v1.9.0 ({annotated['v1.9.0'][:12]})\n" in ran.out
    text = (terminal.root / LOCK).read_text("utf-8")
    assert (
        "      - name: acme/annotated\n"
        f"        uses: acme/annotated@{annotated['v1.9.0']} # v1.9.0\n"
        "      - name: acme/plain/sub\n"
        f"        uses: acme/plain/sub@{commits['acme/plain']['v3.0.0']} # v3.0.0\n"
        "      - name: actions/checkout\n"
    ) in text
    case.write(terminal.root, {"templates/_source-step.yml": OWN_STEP})
    monkeypatch.setenv("PATH", "")  # no kustomize: the case has no overlays
    assert terminal.run("render").code == 0
    assert f"uses: acme/plain/sub@{commits['acme/plain']['v3.0.0']} # v3.0.0\n" in (
        terminal.root / ".github/workflows/_deploy.yml"
    ).read_text("utf-8")
    assert terminal.run("check").code == 0


OWN_STEP = """\
      - name: Own step
        uses: #{{ pin("acme/plain/sub") }}#
"""


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("acme/none", "refused: acme/none: no release such as v1.2.3 in acme/none\n"),
        ("acme/plain@v9", "refused: acme/plain: no tag v9 in acme/plain\n"),
    ],
)
def test_release_that_does_not_exist(
    terminal: Terminal, commits: dict[str, dict[str, str]], name: str, message: str
) -> None:
    before = terminal.files()
    ran = terminal.run("pins", "update", name)
    assert (ran.code, message in ran.err) == (1, True), ran.err
    assert terminal.files() == before


@pytest.mark.parametrize("name", ["checkout", "https://github.com/a/b", "a/b c", "ä/b"])
def test_invalid_name_of_an_action(terminal: Terminal, name: str) -> None:
    ran = terminal.run("pins", "update", name)
    assert (ran.code, "is not an action; expected owner/name in ASCII" in ran.err) == (2, True)


def test_offline_takes_the_releases_that_wfgen_ships_with(terminal: Terminal) -> None:
    """Except for older ones than the lock has."""
    known = pins.read(first_lock())
    newer = f"docker/login-action@{OTHER} # v99.0.0"
    lock(terminal, "actions/checkout@v4", f"azure/login@{OTHER} # v1.0.0", newer,
         f"acme/own@{OTHER} # v1.0.0")  # fmt: skip
    ran = terminal.run("pins", "update", "--offline")
    assert ran.code == 0
    assert locked(terminal) == [
        str(known["actions/checkout"]), str(known["azure/login"]), newer,
        f"acme/own@{OTHER} # v1.0.0",
    ]  # fmt: skip
    ran = terminal.run("pins", "update", "--offline", "docker/setup-qemu-action")
    assert ran.code == 0
    assert locked(terminal)[-1] == str(known["docker/setup-qemu-action"])
    ran = terminal.run("pins", "update", "--offline", "acme/other")
    assert ran.code == 1
    assert "acme/other: this wfgen ships with no release of it\n" in ran.err


def test_a_repository_is_read_again_after_an_error(
    terminal: Terminal, commits: dict[str, dict[str, str]], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A short failure of the network does not fail a pull request."""
    script = (
        f'#!/bin/sh\n[ -e {tmp_path}/failed ] && exec {GIT} "$@"\n: > {tmp_path}/failed\nexit 128\n'
    )
    case.write(tmp_path, {"bin/git": script})
    (tmp_path / "bin/git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    lock(terminal, f"acme/plain@{commits['acme/plain']['v3.0.0']} # v3.0.0")
    assert terminal.run("pins", "verify").code == 0
    assert (tmp_path / "failed").exists()


# pull


LOCKED = {"acme/one": Pin("acme/one", "1" * 40, "v1.0.0")}


@pytest.mark.parametrize(
    ("bumped", "taken", "messages"),
    [
        ([("2", "v2.0.0"), ("2", "v2.0.0")], "v2.0.0", []),
        ([("1", "v1.0.0"), ("2", "v2.0.0")], "v2.0.0", []),
        ([("2", "v1.0.0")], "v1.0.0", []),
        ([("0", "v0.9.0")], "", []),
        (
            [("2", "v2.0.0"), ("3", "v3.0.0")],
            "",
            ["acme/one was bumped to several releases: v2.0.0 (222222222222) in 0.yml:7; "
             "v3.0.0 (333333333333) in 1.yml:7"],
        ),
        (
            [("1", "v2.0.0")],
            "",
            ["0.yml:7: acme/one: the comment says v2.0.0, and the lock says v1.0.0 for the same "
             "commit 111111111111"],
        ),
        (
            [("2", "")],
            "",
            ["0.yml:7: acme/one has no version after its commit; expected the full commit SHA and "
             "`# vX.Y.Z` after it"],
        ),
    ],
    ids=["everywhere", "here and there", "commit", "older", "several", "comment", "no version"],
)  # fmt: skip
def test_pull_from_files(bumped: list[tuple[str, str]], taken: str, messages: list[str]) -> None:
    pairs = [
        (f"{number}.yml", Pin("acme/one", digit * 40, version, 7))
        for number, (digit, version) in enumerate(bumped)
    ]
    take, refused = from_files(LOCKED, pairs)
    assert (take["acme/one"].version if take else "", refused) == (taken, messages)


def test_pull_refuses_an_action_that_is_not_in_the_lock(terminal: Terminal) -> None:
    """Such as a misspelled owner."""
    path = ".github/workflows/wfgen-check.yml"
    terminal.edit(path, "actions/setup-python@", "actlons/setup-python@")
    ran = terminal.run("pins", "pull")
    assert (ran.code, ran.out) == (1, f"{LOCK} is unchanged\n")
    assert re.search(f"refused: {path}:\\d+: actlons/setup-python is not in the lock\n", ran.err)


# The lock's text


def test_actions_that_templates_use_are_added(terminal: Terminal) -> None:
    """As after an upgrade of wfgen; the entry has the inputs that linters require."""
    text = (terminal.root / LOCK).read_text("utf-8")
    for name, block in {
        "actions/checkout": text[text.index("      - name: actions/checkout\n") :].partition(
            "      - name: actions/create"
        )[0],
        "docker/build-push-action": text[text.index("      - name: docker/build") :].partition(
            "      - name: docker/login"
        )[0],
    }.items():
        (terminal.root / LOCK).write_text(text.replace(block, ""), "utf-8")
        ran = terminal.run("check")
        assert (ran.code, f"  {name} is not in the lock\n" in ran.out) == (1, True)
        assert terminal.run("render").out.startswith(f"wrote {LOCK}\n")
        assert (terminal.root / LOCK).read_text("utf-8") == text


def test_an_unknown_action_in_a_template(terminal: Terminal) -> None:
    case.write(terminal.root, {"templates/_source-step.yml": OWN_STEP})
    ran = terminal.run("check")
    assert ran.code == 2
    assert ran.err.splitlines()[-1] == (
        "wfgen: templates/_source-step.yml:2: `acme/plain/sub` is not in the lock "
        f"{LOCK}; to add it, run `wfgen pins update acme/plain/sub` [template]"
    )


def test_a_pin_in_a_template_is_refused(terminal: Terminal) -> None:
    """Bots do not read templates."""
    step = OWN_STEP.replace('#{{ pin("acme/plain/sub") }}#', "acme/plain@v3")
    case.write(terminal.root, {"templates/_source-step.yml": step})
    ran = terminal.run("render")
    assert ran.code == 2
    assert "uses acme/plain@v3; the lock has no entry for it [locked-actions]" in ran.err


def test_entries_of_another_form_are_kept(terminal: Terminal) -> None:
    """A lock with quotes, other indents and no names."""
    lines = [
        f'  - uses: "{pin.action}@{pin.ref}" # {pin.version}\n' if index % 2 else
        f"  - {{}}\n  - uses: {pin}\n    with: {{}}\n"
        for index, pin in enumerate(pins.read(first_lock()).values())
    ]  # fmt: skip
    text = "on: [x]\njobs:\n p:\n  runs-on: x\n  steps:\n" + "".join(lines)
    (terminal.root / LOCK).write_text(text, "utf-8")
    assert terminal.run("check").code == 0
    news = {"azure/login": Pin("azure/login", OTHER, "v9.0.0")}
    changed = pins.changed(text, news).splitlines()
    different = [
        pair for pair in zip(text.splitlines(), changed, strict=True) if pair[0] != pair[1]
    ]
    assert len(different) == 1
    assert f"azure/login@{OTHER}" in different[0][1]
    assert different[0][0].count('"') == different[0][1].count('"')


def test_local_actions_and_images_are_not_pins() -> None:
    text = (
        "    uses: $/.github/workflows/x.yml\n    uses: ./x@1\n    uses: docker://a@sha256:1\n"
        "    # uses: a/b@v1\n    run: echo uses: a/b@v1\n"
    )
    assert list(pins.in_text(text)) == []


@pytest.mark.parametrize(
    ("one", "other", "newer"),
    [
        ("v1.10.0", "v1.9.9", True),
        ("v2", "v1.9.9", True),
        ("v1.0.0", "v1", False),
        ("v1.0.0", "v1.0.0", False),
        ("main", "v1.0.0", False),
        ("v2.0.0", "", False),
    ],
)
def test_which_version_is_newer(one: str, other: str, newer: bool) -> None:
    assert is_newer(one, other) is newer


def test_newest_of_a_form() -> None:
    tags = Tags(dict.fromkeys(["v4", "v4.2.0", "v5", "v10.0.0-rc.1", "x-v9.0.0", "6.0.0"], ""), {})
    assert tags.newest("v4.2.0") == "v5"
    assert tags.newest("x-v1.0.0") == "x-v9.0.0"
    assert tags.newest("1.0.0") == "6.0.0"
    assert tags.newest("") == "v5"
