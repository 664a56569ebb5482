"""What wfgen remembers between runs, in the user's cache folder: results, and what each depends on.

A result is returned only if everything that it depends on is byte for byte as it was. Nothing is
remembered where that cannot be decided. A command imports this module first, so it uses only
modules of the standard library that Python imports anyway, or that take less than 1 ms.
"""

from __future__ import annotations

import marshal
import os
import stat
import sys
import time

try:
    from _blake2 import blake2b  # hashlib takes 5 ms: it loads OpenSSL
except ImportError:
    from hashlib import blake2b

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    Identity = tuple[int, int, int, int, int]
    Known = tuple[bytes, bytes]

CODE = "wfgen"
"""The part of a snapshot with wfgen's own code and built-in templates."""
ENVIRONMENT = "environment"
"""The part with Python, the installed libraries, kubectl, and variables that it reads."""

_PACKAGE = os.path.dirname(os.path.abspath(__file__))
_MAX_FILES = 5_000
"""Files of a folder; above, nothing is remembered."""
_MAX_TEXT = 1 << 20
"""Bytes of a file that counts by its content; a larger one counts by its identity."""
_SETTLED = 3_000_000_000
"""Nanoseconds after which a file that is written gets another time, on every file system."""
_MAX_ENTRY = 8 << 20
"""Bytes of an entry."""
_MAX_ENTRIES = 64
"""Entries in the cache folder; above, the oldest are removed."""


class Unclear(Exception):
    """Something that a digest cannot describe, or that is too large: remember nothing."""


class Snapshot:
    """Digests of what results depend on, part by part, each as it was when it was first asked for.

    A part is `CODE`, `ENVIRONMENT`, or a path relative to the root: a file, or a folder with
    everything below it. A path that ends with `/*` is a folder without the folders below it.
    """

    def __init__(self, root: str, known: Known | None = None) -> None:
        self.root = root
        self._known = known
        self._parts: dict[str, tuple[bytes, list[Identity]]] = {}

    def digest(self, part: str) -> bytes:
        """The digest of a part's content. Raises `Unclear`, or `OSError` for an unreadable file."""
        return self._both(part)[0]

    def digests(self, parts: Iterable[str]) -> dict[str, bytes]:
        """The digests of several parts."""
        return {part: self.digest(part) for part in parts}

    def has(self, part: str) -> bool:
        """Whether the part was digested before."""
        return part in self._parts

    def unchanged(self, parts: Iterable[str]) -> bool:
        """Whether the parts are now as they were, and no file was replaced or written since."""
        now = Snapshot(self.root)
        return all(self.has(part) and self._parts[part] == now._both(part) for part in parts)

    def known_code(self) -> Known | None:
        """The digest of wfgen's code, with which a later snapshot need not read it again.

        None if a file is so new that a later change could leave its identity the same: within one
        step of the file system's clock.
        """
        listed = _read_code(read=False)
        newest = max(max(identity[3:]) for identity in listed.identities)
        if newest > time.time_ns() - _SETTLED or self._both(CODE)[1] != listed.identities:
            return None
        return listed.stamp(), self.digest(CODE)

    def _both(self, part: str) -> tuple[bytes, list[Identity]]:
        if part not in self._parts:
            reader = _Reader()
            if part == CODE:
                listed = _read_code(read=False)
                if self._known and self._known[0] == listed.stamp():
                    self._parts[part] = self._known[1], listed.identities
                    return self._parts[part]
                reader = _read_code(read=True)
            elif part == ENVIRONMENT:
                _read_environment(reader, self.root)
            else:
                path = os.path.join(self.root, part.removesuffix("/*"))
                if os.path.realpath(os.path.dirname(path)) != os.path.dirname(path):
                    raise Unclear(path)
                reader.tree(path, deep=not part.endswith("/*"))
            self._parts[part] = reader.digest(), reader.identities
        return self._parts[part]


class _Reader:
    """Reads files: a digest of their names, modes and contents, and which files they are."""

    def __init__(self, *, read: bool = True) -> None:
        self._read = read
        self.identities: list[Identity] = []
        self._texts = blake2b(digest_size=20)
        self._values: list[object] = []
        self._files = 0

    def digest(self) -> bytes:
        return digest((self._values, self._texts.digest()))

    def stamp(self) -> bytes:
        """The digest of the names, modes and identities of the files."""
        return digest((self._values, self.identities))

    def add(self, *values: object) -> None:
        self._values += values

    def file(self, path: str) -> None:
        """Adds a file by its identity, not by its content: a program has many megabytes."""
        real = os.path.realpath(path)
        self.add(path, real, *_identity(os.stat(real)))

    def tree(self, path: str, *, deep: bool = True) -> None:
        """Adds a file, or a folder with what is in it; a path that does not exist as such."""
        try:
            state = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            self.add(path, None)
            return
        if stat.S_ISDIR(state.st_mode):
            self._folder(path, state, deep=deep)
        else:
            self._file(path, state)

    def _folder(self, path: str, state: os.stat_result, *, deep: bool) -> None:
        self.add(path, state.st_mode)
        self.identities.append(_identity(state))
        with os.scandir(path) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
        self._files += len(listed)
        if self._files > _MAX_FILES:
            raise Unclear(path)
        for entry in listed:
            if entry.name == "__pycache__":  # Python writes it, and nothing here reads it
                continue
            state = entry.stat(follow_symlinks=False)
            if not stat.S_ISDIR(state.st_mode):
                self._file(entry.path, state)
            elif deep:
                self._folder(entry.path, state, deep=True)
            else:
                self.add(entry.path, state.st_mode)

    def _file(self, path: str, state: os.stat_result) -> None:
        self.add(path, state.st_mode)
        self.identities.append(_identity(state))
        if stat.S_ISLNK(state.st_mode):
            self.add(os.readlink(path), os.path.realpath(path))
            try:
                state = os.stat(path)
            except (FileNotFoundError, NotADirectoryError):
                return
            self.identities.append(_identity(state))
            self.add(state.st_mode)
        if not stat.S_ISREG(state.st_mode):  # a link to a folder, a pipe, a socket, a device
            raise Unclear(path)
        if not self._read:
            return
        if state.st_size > _MAX_TEXT:
            self.add(*_identity(state))
            return
        handle = os.open(path, os.O_RDONLY)
        try:
            text = os.read(handle, state.st_size + 1)
        finally:
            os.close(handle)
        if len(text) != state.st_size:  # it is being written
            raise Unclear(path)
        self.add(len(text))
        self._texts.update(text)


def _read_code(*, read: bool) -> _Reader:
    reader = _Reader(read=read)
    reader.tree(_PACKAGE)
    reader.tree(os.path.join(os.path.dirname(_PACKAGE), "templates"))
    return reader


def program(name: str) -> str | None:
    """The program that a shell would start for this name; None if there is none."""
    path = os.environ.get("PATH", os.defpath)
    for folder in path.split(os.pathsep) if path else ():
        candidate = os.path.join(folder, name)
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    return None


def _identity(state: os.stat_result) -> Identity:
    """What changes when a file is replaced or written, even with its old size and time."""
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns


def _read_environment(reader: _Reader, root: str) -> None:
    """Adds everything outside the repository and wfgen's package that a result depends on."""
    reader.add(sys.version, sys.path, tuple(sys.flags), os.getuid())
    reader.file(sys.executable)
    for folder in filter(os.path.isdir, sys.path):
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                # A library counts by its version and by when it was installed.
                if entry.name.endswith((".dist-info", ".egg-info", ".pth")):
                    reader.add(entry.path, *_identity(entry.stat()))
    for name in ("kubectl", "kustomize"):
        _read_program(reader, name)
    home = os.path.expanduser("~")
    # KUBECONFIG, KUBERC, KUBECTL_..., KUSTOMIZE_...
    reader.add(home, [(k, v) for k, v in sorted(os.environ.items()) if k.startswith("KU")])
    for path in (os.environ.get("KUBERC"), os.path.join(home, ".kube", "kuberc")):
        if path:  # default options of kubectl
            reader.tree(path)
    repository, below = root, ""
    while below != repository and not os.path.exists(os.path.join(repository, ".git")):
        below, repository = repository, os.path.dirname(repository)
    reader.add(repository)


def _read_program(reader: _Reader, name: str) -> None:
    path = program(name)
    reader.add(name, path)
    if path is None:
        return
    reader.file(path)
    real = os.path.realpath(path)
    with open(real, "rb") as file:
        if file.read(2) == b"#!" or name not in os.path.basename(real):
            raise Unclear(path)  # a script or a version manager: it decides what runs
    folder = os.path.dirname(real)
    if versions := [entry for entry in os.listdir(folder) if entry.startswith(f"{name}.")]:
        # gcloud's kubectl starts the one of these that suits the current cluster.
        for version in sorted(versions):
            reader.file(os.path.join(folder, version))
        for config in os.environ.get("KUBECONFIG", "~/.kube/config").split(os.pathsep):
            reader.tree(os.path.expanduser(config))


def digest(value: object) -> bytes:
    """The digest of a value of plain types."""
    return blake2b(repr(value).encode(), digest_size=20).digest()


def load(root: str, name: str) -> dict | None:  # type: ignore[type-arg]
    """The entry of this name for a repository; None if there is none, or none that is whole."""
    try:
        with open(os.path.join(_folder(root), _entry(root, name)), "rb") as file:
            text = file.read(_MAX_ENTRY + 1)
    except (OSError, Unclear):
        return None
    if len(text) > _MAX_ENTRY or blake2b(text[20:], digest_size=20).digest() != text[:20]:
        return None
    entry: dict = marshal.loads(text[20:])  # type: ignore[type-arg]
    return entry


def save(root: str, name: str, entry: dict) -> None:  # type: ignore[type-arg]
    """Replaces an entry, if the cache folder can be written; removes the oldest entries."""
    text = marshal.dumps(entry)
    if len(text) > _MAX_ENTRY - 20:
        return
    try:
        folder = _folder(root)
        path = os.path.join(folder, _entry(root, name))
        temporary = f"{path}.{os.getpid()}"
        try:
            with open(temporary, "xb") as file:
                file.write(blake2b(text, digest_size=20).digest() + text)
            os.replace(temporary, path)
        except OSError:
            os.unlink(temporary)
        with os.scandir(folder) as entries:
            ages = sorted((entry.stat().st_mtime_ns, entry.path) for entry in entries)
        for _, old in ages[:-_MAX_ENTRIES]:
            os.unlink(old)
    except (OSError, Unclear):
        return


def _entry(root: str, name: str) -> str:
    # marshal's format depends on the version of Python.
    return blake2b(repr((root, name, sys.version)).encode(), digest_size=20).hexdigest()


def _folder(root: str) -> str:
    """The folder of the entries. Raises `Unclear` where somebody else could write to it."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    folder = os.path.realpath(os.path.join(base, "wfgen", "remembered"))
    if os.path.commonpath([folder, os.path.realpath(root)]) == os.path.realpath(root):
        raise Unclear(folder)  # a commit could forge entries
    os.makedirs(folder, mode=0o700, exist_ok=True)
    state = os.stat(folder)
    if state.st_uid != os.getuid() or state.st_mode & 0o022:
        raise Unclear(folder)
    return folder
