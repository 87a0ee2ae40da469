"""A fault in a file of words ends the real command with status 2 and one line: file, line and key."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.recipes.tree import ROOT

pytestmark = pytest.mark.acceptance
MAIN = "from streams.cli import main; main()"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tree")
    for part in ("config", "processors", "sinks", "streams"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "boats.txt").write_text("The lock gate of Ashmere opens to boats after a winter of repairs.\n")
    return folder


@pytest.mark.parametrize(
    ("name", "added", "key"),
    [
        ("languages/en.toml", '[adverbs]\nslow = "slowly"\n', "adverbs: "),
        (
            "languages/en.toml",
            '[[version]]\nwords = "kill"\nwhere = ["headline"]\npattern = "(kill"\n',
            "pattern: ",
        ),
        (
            "agencies.toml",
            '[[agency]]\nname = "Reuters"\n',
            "name: 'Reuters' stands for agency 2: Reuters already",
        ),
        ("agencies.toml", '[[agency]]\nname = "Ashmere News"\nsignofs = ["AN"]\n', "signofs: "),
    ],
)
def test_a_fault_is_one_line_with_status_2(tree: Path, name: str, added: str, key: str) -> None:
    path = tree / "config" / "lexicon" / name
    before = path.read_text("utf-8")
    path.write_text(before + added, "utf-8")
    try:
        done = subprocess.run(
            [sys.executable, "-c", MAIN, "process", "boats.txt"],
            cwd=tree,
            env={**os.environ, "PYTHONPATH": str(tree)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    finally:
        path.write_text(before, "utf-8")
    (line,) = done.stderr.splitlines()
    number = int(line.split(f"{name}:")[1].split(":")[0])

    assert done.returncode == 2
    assert number > before.count("\n")
    assert key in line
