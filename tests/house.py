"""Sizes and imports of the code in `wfgen/`; `make house` prints them.

tests/test_house.py checks the limits. tests/house.yaml lists functions that exceed one, with the
issue that ends it; entries are only removed.
"""

from __future__ import annotations

import ast
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "wfgen"
LINES, BRANCHES, LEVELS, FLAT = 40, 12, 7, 4
"""Limits: lines and branches of a function, levels between rooms, modules outside rooms."""
APART = "release_program"
"""Has separate rooms; wfgen's rooms import its contract."""
_BRANCHES = (ast.If, ast.For, ast.While, ast.ExceptHandler, ast.match_case, ast.IfExp)


@dataclass(frozen=True)
class Function:
    """A function; `name` is path:qualified name, `lines` include signature and docstring."""

    name: str
    lines: int
    branches: int


@dataclass(frozen=True)
class House:
    """The modules below a folder, read as text."""

    package: Path = PACKAGE

    @cached_property
    def modules(self) -> dict[str, str]:
        """Path from the repository's root to text."""
        paths = sorted(self.package.rglob("*.py"))
        return {p.relative_to(self.package.parent).as_posix(): p.read_text("utf-8") for p in paths}

    @property
    def packages(self) -> list[str]:
        return [p.rpartition("/")[0] for p in self.modules if p.endswith("/__init__.py")]

    @property
    def flat(self) -> list[str]:
        """Modules outside rooms."""
        names = [path.split("/")[1] for path in self.modules if path.count("/") == 1]
        return [name for name in names if not name.startswith("__")]

    @cached_property
    def functions(self) -> list[Function]:
        return [f for path, text in self.modules.items() for f in _functions(path, text)]

    @property
    def large(self) -> list[str]:
        """Functions beyond a limit."""
        return [f.name for f in self.functions if f.lines > LINES or f.branches > BRANCHES]

    @property
    def twice(self) -> list[str]:
        """`room: Class` for a class name that a room has more than once."""
        places: dict[tuple[str, str], int] = defaultdict(int)
        for path, text in self.modules.items():
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.ClassDef):
                    places[_room(path), node.name] += 1
        return sorted(f"{room}: {name}" for (room, name), count in places.items() if count > 1)

    @cached_property
    def imports(self) -> dict[str, set[str]]:
        """The rooms that each room imports, those of the release program included."""
        graph = grimp.build_graph("wfgen", cache_dir=None)
        rooms: dict[str, set[str]] = defaultdict(set)
        for module in graph.modules:
            for imported in graph.find_modules_directly_imported_by(module):
                above, below = _dotted_room(module), _dotted_room(imported)
                if above != below:
                    rooms[above].add(below)
        return rooms

    @property
    def rooms(self) -> dict[str, str]:
        """What each room knows, by its docstring: wfgen's from the top down, then the program's."""
        dotted = sorted(
            (room for room in self.imports if "." in room),
            key=lambda room: (APART in room, -self._depth(room), room),
        )
        paths = {room: f"{room.replace('.', '/')}/__init__.py" for room in dotted}
        texts = {
            room: ast.get_docstring(ast.parse(self.modules[path])) or ""
            for room, path in paths.items()
            if path in self.modules
        }
        return {room: " ".join(text.split("\n\n")[0].split()) for room, text in texts.items()}

    @property
    def levels(self) -> int:
        """Length of the longest chain of imports between rooms, without the release program's."""
        return max(map(self._depth, self.imports))

    def _depth(self, room: str, above: tuple[str, ...] = ()) -> int:
        if room in above:
            raise ValueError(f"import cycle: {' > '.join((*above, room))}")
        below = [r for r in self.imports.get(room, ()) if "." in r and APART not in r]
        return 1 + max((self._depth(lower, (*above, room)) for lower in below), default=0)


def _room(path: str) -> str:
    """The folder below `wfgen/` or below the release program; empty for a flat module."""
    parts = path.split("/")[1:-1]
    return "/".join(parts[: 2 if parts[:1] == [APART] else 1])


def _dotted_room(module: str) -> str:
    folder = PACKAGE.parent / module.replace(".", "/")
    path = (
        f"{module.replace('.', '/')}/__init__.py" if folder.is_dir() else module.replace(".", "/")
    )
    room = _room(path).replace("/", ".")
    return f"wfgen.{room}" if room else "wfgen"


def _functions(path: str, text: str) -> Iterator[Function]:
    def below(node: ast.AST, names: tuple[str, ...]) -> Iterator[Function]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef):
                yield from below(child, (*names, child.name))
            elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (child.end_lineno or child.lineno) - child.lineno + 1
                branches = sum(isinstance(inner, _BRANCHES) for inner in ast.walk(child))
                yield Function(f"{path}:{'.'.join((*names, child.name))}", lines, branches)

    yield from below(ast.parse(text), ())


def main() -> int:
    """Prints the figures."""
    house = House()
    lengths = [text.count("\n") for text in house.modules.values()]
    print(f"{len(house.packages)} packages, {len(house.modules)} modules, {sum(lengths)} lines")
    print(f"lines of a module: median {statistics.median(lengths):.0f}, most {max(lengths)}")
    print(f"modules outside rooms: {len(house.flat)} ({', '.join(house.flat)})")
    arrows = sum(len(below) for below in house.imports.values())
    print(f"levels between rooms: {house.levels}, {arrows} imports between rooms, no cycle")
    print(f"functions over {LINES} lines or {BRANCHES} branches: {len(house.large)}")
    for function in sorted(house.functions, key=lambda function: -function.lines):
        if function.name in house.large:
            print(f"  {function.name}: {function.lines} lines, {function.branches} branches")
    print(f"class names twice in a room: {', '.join(house.twice) or 'none'}")
    print("rooms, each imports only rooms below it:")
    for room, text in house.rooms.items():
        print(f"  {room.removeprefix('wfgen.')}: {text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
