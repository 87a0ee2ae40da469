"""The documents build as a site, every link of them leads somewhere, and its lists are whole."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from streams.generate.commands import PAGE_FILE

ROOT = Path(__file__).parents[1]


def test_the_page_of_commands_is_what_the_commands_say() -> None:
    """In a process of its own: other tests add commands."""
    script = (
        "import sys; from streams.generate.commands import commands_page; sys.stdout.write(commands_page())"
    )
    made = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert PAGE_FILE.read_text("utf-8") == made, "make commands"
    assert len(re.findall("^## wiredesk ", made, re.MULTILINE)) > 10


def test_the_site_builds_without_a_broken_link(tmp_path: Path) -> None:
    mkdocs = Path(sys.executable).with_name("mkdocs")
    done = subprocess.run(
        [mkdocs, "build", "--strict", "-q", "-d", tmp_path / "site"],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for page in (ROOT / "docs").rglob("*.md"):
        name = page.relative_to(ROOT / "docs").with_suffix("")
        built = tmp_path / "site" / (name.parent if name.name == "index" else name) / "index.html"
        assert built.is_file(), f"{name} is not in the navigation of mkdocs.yml, or was not built"
    assert (tmp_path / "site" / "search" / "search_index.json").is_file()
