"""A copy of the tree in a temporary folder, in which commands run as in a fresh clone whose environment is installed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("config", "docs", "processors", "sinks", "streams", "wiredesk", "locks", "tests")
FILES = (
    "Makefile",
    "pyproject.toml",
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    ".dockerignore",
    ".gitignore",
)


def copy_tree(target: Path) -> Path:
    """Copy the sources and data to `target`, with an environment that looks freshly installed."""
    for part in PARTS:
        shutil.copytree(ROOT / part, target / part, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, target / name)
    install(target)
    return target


def install(tree: Path) -> None:
    """Give a tree `.venv`: the packages of the running interpreter, and stamps that say so to make."""
    folder = tree / ".venv"
    folder.mkdir()
    for path in Path(sys.prefix).iterdir():
        if not path.name.startswith("."):
            (folder / path.name).symlink_to(path)
    for stamp in (".embedded", ".dev"):
        (folder / stamp).touch()


def environment(tree: Path) -> dict[str, str]:
    """The environment of a shell in the tree: our commands first, the tree's own modules, no settings of wiredesk."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("WIREDESK_", "MAKE", "MFLAGS", "PYTEST_"))
    }
    path = f"{tree / '.venv' / 'bin'}{os.pathsep}{ours.get('PATH', os.defpath)}"
    return {**ours, "PATH": path, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}


def run_shell(tree: Path, script: str, *, timeout_s: float = 100) -> str:
    """What a shell in the tree says to a script; what still runs at the end is killed."""
    command = ["bash", "-o", "pipefail", "-c", script]
    with subprocess.Popen(
        command,
        cwd=tree,
        env=environment(tree),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as shell:
        try:
            return shell.communicate(timeout=timeout_s)[0]
        except subprocess.TimeoutExpired:
            os.killpg(shell.pid, signal.SIGKILL)
            pytest.fail(f"not done within {timeout_s} s: {script}\n{shell.communicate()[0]}")
