"""Recipes of CONTRIBUTING as values: a section's code blocks, and the line above each that says what it is for.

=========================================  ================================================================
the line above                             the block
=========================================  ================================================================
New file `PATH`:                           the whole file
At the end of `PATH`:                      what is appended
In `PATH`:                                 a ``diff`` without line numbers: its old lines stand there once
Then: (or any other words)                 a ``console``: commands behind ``$``, and the output that must come
=========================================  ================================================================

In an output a line ``…`` stands for any lines, and ``…`` within a line for any characters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.recipes.tree import run_shell

FENCE = re.compile(r"^(?P<above>[^\n]*)\n```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
EDIT = re.compile(r"(?P<how>New file|At the end of|In) `(?P<path>[^`]+)`")
NAMED_FILE = re.compile(r"`([\w./<>-]+\.(?:py|toml|md|txt|json))`")


@dataclass(frozen=True, slots=True)
class Edit:
    """A file to write, to lengthen or to change."""

    how: Literal["New file", "At the end of", "In"]
    path: str
    text: str

    def carry_out(self, tree: Path) -> None:
        path = tree / self.path
        if self.how == "New file":
            assert not path.exists(), f"{self.path} is there already"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.text, "utf-8")
            return
        before = path.read_text("utf-8")
        path.write_text(
            before + self.text if self.how == "At the end of" else patched(before, self.text), "utf-8"
        )


@dataclass(frozen=True, slots=True)
class Console:
    """Commands, each with the output that must come."""

    commands: tuple[tuple[str, str], ...]

    def carry_out(self, tree: Path) -> None:
        """Run all in one shell, so that ``cd`` holds for what comes after it."""
        script = "\n".join(f"{command}\nprintf '\\x1f%d\\x1e' $?" for command, _ in self.commands)
        parts = [part.rpartition("\x1f") for part in run_shell(tree, script).split("\x1e")[:-1]]
        for (command, expected), (output, _, status) in zip(self.commands, parts, strict=True):
            assert status == "0", f"$ {command}\n{output}"
            assert fits(expected, output), f"$ {command}\n--- came:\n{output}--- must come:\n{expected}"


@dataclass(frozen=True, slots=True)
class Recipe:
    """One section of CONTRIBUTING."""

    title: str
    text: str
    blocks: tuple[Edit | Console, ...]

    @property
    def edited(self) -> list[str]:
        """The files of the tree that the recipe writes or changes: not those with which it is tried."""
        return sorted({block.path for block in self.blocks if isinstance(block, Edit) and "/" in block.path})

    @property
    def opened(self) -> list[str]:
        """The files of the tree that the recipe names: those to edit, and those to look at."""
        words = re.sub(r"^```.*?^```$", "", self.text, flags=re.MULTILINE | re.DOTALL)
        return sorted({*self.edited, *(path for path in NAMED_FILE.findall(words) if "/" in path)})

    def carry_out(self, tree: Path) -> None:
        for block in self.blocks:
            block.carry_out(tree)


def read_recipes(page: str) -> dict[str, Recipe]:
    """The sections of a page whose titles begin with "Add", by title."""
    sections = re.split(r"^## ", page, flags=re.MULTILINE)[1:]
    return {
        title: Recipe(title, text, tuple(_block(fence) for fence in FENCE.finditer(text)))
        for title, _, text in (section.partition("\n") for section in sections)
        if title.startswith("Add ")
    }


def _block(fence: re.Match[str]) -> Edit | Console:
    if fence["language"] == "console":
        return Console(tuple(_commands(fence["text"])))
    edit = EDIT.search(fence["above"])
    assert edit, f"no file is named above the block {fence['text'][:60]!r}"
    how: Literal["New file", "At the end of", "In"] = edit["how"]  # type: ignore[assignment]
    assert (fence["language"] == "diff") == (how == "In"), f"{edit['path']}: a change of a file is a diff"
    return Edit(how, edit["path"], fence["text"])


def _commands(text: str) -> list[tuple[str, str]]:
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)
    assert not parts[0].strip(), f"a console begins with a command: {parts[0]!r}"
    pairs = []
    for part in parts[1:]:
        command, _, output = part.replace("\\\n", "").partition("\n")
        pairs.append((command, output))
    return pairs


def patched(before: str, diff: str) -> str:
    """The text with a diff's hunks applied; hunks are parted by lines that begin with ``@@``."""
    for hunk in re.split(r"^@@.*\n", diff, flags=re.MULTILINE):
        lines = [line or " " for line in hunk.splitlines()]
        assert all(line[0] in " +-" for line in lines), f"no line of a diff: {hunk!r}"
        old = "".join(f"{line[1:]}\n" for line in lines if line[0] in " -")
        new = "".join(f"{line[1:]}\n" for line in lines if line[0] in " +")
        if lines:
            assert before.count(old) == 1, f"stands {before.count(old)} times:\n{old}"
            before = before.replace(old, new)
    return before


def fits(expected: str, output: str) -> bool:
    """Whether an output is the expected one, where ``…`` stands for anything."""
    lines = [
        r"(?:.*\n)*?" if line.strip() == "…" else re.escape(line).replace("…", ".*") + r"\n"
        for line in expected.strip().splitlines()
    ]
    return re.fullmatch("".join(lines), output.strip() + "\n" if output.strip() else "") is not None
