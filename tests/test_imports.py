"""Imports go one way: streams → sinks, processors, config; sinks → the model, config; processors → config's data.

Inside a package they go one way too: `LAYERS` lists its rooms from the ground up. A room imports those below it, never
one beside or above it. What is named nowhere is the ground.
"""

from __future__ import annotations

import ast
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODEL = {
    "processors.model",
    *(f"processors.model.{name}" for name in ("codec", "event", "story", "schema")),
    *(f"processors.{name}" for name in ("errors", "numbers", "times", "media_topics", "sources")),
}
ALLOWED = {
    "streams": {"streams", "sinks", "processors", "config"},
    "sinks": {"sinks", "config", *MODEL},
    "processors": {"processors", "config"},
    "config": {"config"},
    "wiredesk": {"wiredesk", *MODEL},
}
LAYERS = {
    "processors": [
        {"dates", "places", "quotes"},
        {"layout"},
        {"notices"},
        {"signals"},
        {"normalise", "deduplicate", "segment", "tag", "cluster"},
    ],
    "sinks": [{"sqlite", "elasticsearch", "routes"}, {"desk"}],
    "streams": [
        {"pollers"},
        {"webhooks", "sources"},
        {"alerts", "operations", "operator_files"},
        {"embedded", "kafka", "settings_check"},
        {"commands"},
        {"cli"},
        {"generate"},  # it writes down what all others are
    ],
}
IMPURE = {
    "aiohttp",
    "aiokafka",
    "asyncio",
    "faust",
    "requests",
    "socket",
    "sqlite3",
    "subprocess",
    "time",
    "random",
}
MODULES = sorted(path for house in ALLOWED for path in (ROOT / house).rglob("*.py"))


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


@cache
def graph() -> dict[str, set[str]]:
    """Our modules, and those that each imports, also within functions."""
    dotted = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in MODULES
    }
    graph = {}
    for name, path in dotted.items():
        names = imported(path) & set(dotted)
        packages = {other for other in names if any(more.startswith(f"{other}.") for more in names)}
        graph[name] = (names - packages | _used_of_packages(path, packages)) - {name}
    return graph


def _used_of_packages(path: Path, packages: set[str]) -> set[str]:
    """The packages of which a name of their own is imported, not only one of their modules."""
    return {
        node.module
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module in packages
        for alias in node.names
        if not _is_module(f"{node.module}.{alias.name}")
    }


def _is_module(name: str) -> bool:
    path = ROOT / Path(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def room(module: str) -> str:
    return ".".join(module.split(".")[:2])


def height(module: str) -> int:
    house, _, rest = module.partition(".")
    name = rest.split(".")[0]
    return next((number for number, layer in enumerate(LAYERS.get(house, []), 1) if name in layer), 0)


def upward_imports() -> dict[tuple[str, str], set[str]]:
    """Pairs of rooms of one package of which the first imports the second although it may not, with the modules."""
    strays: dict[tuple[str, str], set[str]] = {}
    for module, names in graph().items():
        for name in names:
            same_house = module.split(".")[0] == name.split(".")[0]
            if not same_house or room(module) == room(name):
                continue
            if height(name) > height(module) or height(name) == height(module) > 0:
                strays.setdefault((room(module), room(name)), set()).add(f"{module} → {name}")
    return strays


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_one_way(path: Path) -> None:
    house = path.relative_to(ROOT).parts[0]
    ours = {name for name in graph()[_dotted(path)] if name.split(".")[0] in ALLOWED}
    strays = {
        name for name in ours if name.split(".")[0] not in ALLOWED[house] and name not in ALLOWED[house]
    }
    assert not strays, f"{house} must not import {', '.join(sorted(strays))}"


def _dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_no_room_imports_one_beside_or_above_it() -> None:
    assert upward_imports() == {}, "rooms import those below them only: LAYERS"


def test_every_room_of_the_layers_exists() -> None:
    gone = [
        f"{house}/{name}"
        for house, layers in LAYERS.items()
        for layer in layers
        for name in layer
        if not _is_module(f"{house}.{name}")
    ]
    assert gone == []


def test_modules_import_each_other_in_no_circle() -> None:
    try:
        TopologicalSorter(graph()).prepare()
    except CycleError as error:
        pytest.fail("a circle: " + " → ".join(error.args[1]))


@pytest.mark.parametrize(
    "path", [p for p in MODULES if p.is_relative_to(ROOT / "processors")], ids=lambda path: path.name
)
def test_processors_have_no_clock_network_or_chance(path: Path) -> None:
    strays = {name for name in imported(path) if name.split(".")[0] in IMPURE}
    assert not strays, f"pure functions need no {', '.join(sorted(strays))}"
