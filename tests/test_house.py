"""The house: imports go down the floors and never in a circle, a name is one thing, and what is built is the tree."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import networkx as nx
import pytest

ROOT = Path(__file__).parents[1]
FLOORS = ("errors", "ontology", "causal", "simulate", "renderers", "commands")
ROOMS = FLOORS[1:]
SOURCES = sorted(
    path for path in (*ROOT.glob("*.py"), *(p for room in ROOMS for p in (ROOT / room).rglob("*.py")))
    if path.name != "setup.py"
)  # fmt: skip


def name_module(path: Path) -> str:
    """`causal.model.build`; the root package is the empty name."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def find_imports(path: Path, modules: set[str]) -> Iterator[str]:
    """The modules of the house that a file imports, wherever in it: at its top, in functions, for types alone."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = ".".join([*package[: len(package) - node.level + 1], *(node.module or "").split(".")]).strip(".")
            for alias in node.names:
                below = f"{base}.{alias.name}".strip(".")
                yield below if below in modules else base
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            assert not any(name.split(".")[0] == "nosograph" for name in names), f"{path}: imports are relative"


@pytest.fixture(scope="module")
def imports() -> nx.DiGraph[str]:
    modules = {name_module(path) for path in SOURCES}
    graph: nx.DiGraph[str] = nx.DiGraph()
    for path in SOURCES:
        for target in find_imports(path, modules):
            assert target in modules, f"{path} imports {target}, which is not there"
            graph.add_edge(name_module(path), target)
    return graph


def test_imports_go_down_the_floors(imports: nx.DiGraph[str]) -> None:
    floor = {name: FLOORS.index(name.partition(".")[0]) for name in imports if name}  # any other file is a KeyError
    assert [(a, b) for a, b in imports.edges if a and (not b or floor[a] < floor[b])] == []


def test_no_file_imports_itself_by_a_detour(imports: nx.DiGraph[str]) -> None:
    assert [sorted(files) for files in nx.strongly_connected_components(imports) if len(files) > 1] == []


def test_a_class_name_is_one_thing() -> None:
    places = defaultdict(list)
    for path in SOURCES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                places[node.name.lstrip("_")].append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_what_is_built_is_the_tree(tmp_path: Path) -> None:
    """A wheel holds every file of the rooms, data files too, and nothing else."""
    source = tmp_path / "source"
    junk = shutil.ignore_patterns("__pycache__", "*.pyc")
    for room in ROOMS:
        shutil.copytree(ROOT / room, source / room, ignore=junk)
    for path in (*ROOT.glob("*.py"), *(ROOT / name for name in ("pyproject.toml", "README.md", "LICENSE", "py.typed"))):
        shutil.copy(path, source)
    tree = {f"nosograph/{path.relative_to(source).as_posix()}" for path in source.rglob("*") if path.is_file()}
    tree -= {f"nosograph/{name}" for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE")}
    build = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"
    command = [sys.executable, "-c", build, str(tmp_path)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        built = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert built == tree
