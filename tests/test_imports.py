"""Imports go one way: streams → sinks, processors, config; sinks → the model, config; processors → config's data."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODEL = {
    *(f"processors.model.{name}" for name in ("base", "codec", "event", "story", "schema")),
    *(f"processors.{name}" for name in ("errors", "numbers", "media_topics")),
}
ALLOWED = {
    "streams": {"streams", "sinks", "processors", "config"},
    "sinks": {"sinks", "config", *MODEL},
    "processors": {"processors", "config"},
    "config": {"config"},
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
            names.add(node.module)
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_one_way(path: Path) -> None:
    house = path.relative_to(ROOT).parts[0]
    ours = {name for name in imported(path) if name.split(".")[0] in ALLOWED}
    strays = {
        name for name in ours if name.split(".")[0] not in ALLOWED[house] and name not in ALLOWED[house]
    }
    assert not strays, f"{house} must not import {', '.join(sorted(strays))}"


@pytest.mark.parametrize(
    "path", [p for p in MODULES if p.is_relative_to(ROOT / "processors")], ids=lambda path: path.name
)
def test_processors_have_no_clock_network_or_chance(path: Path) -> None:
    strays = {name for name in imported(path) if name.split(".")[0] in IMPURE}
    assert not strays, f"pure functions need no {', '.join(sorted(strays))}"
