"""How the rooms of the house depend on each other: imports run one way, and no room outgrows the others."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter

from ci.staged_sample import ROOT

# What each room may import, beside itself.
MAY_IMPORT = {
    "spark_prep": set(),
    "pages": set(),
    "terraform": set(),
    "demo": {"spark_prep", "pages"},
    "ci": {"spark_prep", "pages", "demo"},
    # The DAGs start the commands of the other rooms, in environments of their own, and import none.
    "airflow/dags": set(),
    "airflow/plugins": set(),
}


def tracked(*patterns: str) -> list[str]:
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    files = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [file for file in files if (ROOT / file).exists()]


@cache
def modules() -> dict[str, str]:
    """Module -> file of all Python code but tests, which may import from any room."""
    named = {}
    for file in tracked("*.py"):
        room = next((room for room in MAY_IMPORT if file.startswith(f"{room}/")), None)
        if room and "/tests/" not in file and file != "ci/fixtures.py":
            name = file.removeprefix(f"{room}/") if room.startswith("airflow") else file
            named[name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")] = file
    return named


def imports() -> dict[str, set[str]]:
    """Module -> modules of the project that it imports; `from package import module` is an import of the module alone."""
    files = modules()
    found = {}
    for module in files:
        names: set[str] = set()
        for package, imported in named_by(module):
            parts = {f"{package}.{name}" for name in imported}
            names |= parts if parts and parts <= files.keys() else {package}
        found[module] = names & files.keys()
    return found


def named_by(module: str) -> Iterator[tuple[str, set[str]]]:
    """Each module that its import statements name, with what they take from it."""
    for node in ast.walk(ast.parse((ROOT / modules()[module]).read_text())):
        if isinstance(node, ast.Import):
            yield from ((name.name, set()) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", {name.name for name in node.names}


def room_of(module: str) -> str:
    return next(room for room in MAY_IMPORT if modules()[module].startswith(f"{room}/"))


def test_no_imports_run_in_a_circle():
    assert sum(map(len, imports().values())) > 150
    TopologicalSorter(imports()).prepare()  # raises an error that names the circle


def test_a_room_imports_only_what_it_may():
    for module, imported in imports().items():
        room = room_of(module)
        assert {room_of(other) for other in imported} <= {room, *MAY_IMPORT[room]}, module


def test_no_code_imports_what_is_for_tests():
    for module in modules():
        for package, imported in named_by(module):
            assert "tests" not in {*package.split("."), *imported}, f"{module} imports {package}"


def test_the_largest_room_is_less_than_three_tenths():
    """Lines of code, tests included; locks and the licence are not written by hand."""
    lines: dict[str, int] = {}
    for file in tracked():
        room = file.split("/")[0]
        if "/" in file and room != "requirements":
            lines[room] = lines.get(room, 0) + (ROOT / file).read_bytes().count(b"\n")
    assert max(lines.values()) < 0.3 * sum(lines.values()), lines
