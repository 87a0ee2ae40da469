"""What CONTRIBUTING tells to do is done, block by block, in a copy of the tree, and the real command shows the result."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.recipes.recipe import Edit, fits, patched, read_recipes
from tests.recipes.tree import ROOT, copy_tree

pytestmark = pytest.mark.acceptance
CONTRIBUTING = read_recipes((ROOT / "CONTRIBUTING.md").read_text("utf-8"))
RECIPES = CONTRIBUTING | read_recipes(Path(__file__).with_name("changes.md").read_text("utf-8"))
NAMES = ["a format", "an agency", "a language", "a setting", "a step", "a sink", "a source"]
MAX_EDITED, MAX_OPENED = 3, 5
MAX_PAGE_LINES = 66  # of a printed page; empty lines are not counted


def test_there_is_a_recipe_for_each() -> None:
    assert list(CONTRIBUTING) == [f"Add {name}" for name in NAMES]


@pytest.mark.parametrize("title", RECIPES)
def test_a_recipe_works_as_it_is_written(title: str, tmp_path: Path) -> None:
    recipe = RECIPES[title]
    assert recipe.blocks, "nothing to do"
    recipe.carry_out(copy_tree(tmp_path / "tree"))


@pytest.mark.parametrize("title", RECIPES)
def test_a_recipe_edits_three_files_and_opens_five_at_most(title: str) -> None:
    recipe = RECIPES[title]
    assert len(recipe.edited) <= MAX_EDITED, recipe.edited
    assert len(recipe.opened) <= MAX_OPENED, recipe.opened


def test_architecture_counts_the_files_of_each_change() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    rows = re.findall(r"^\| (?:\[)?(Add [^|\]]+?)(?:\][^|]*)? \| (\d) \| (\d) \|", page, re.MULTILINE)
    counts = {title: (int(edited), int(opened)) for title, edited, opened in rows}
    assert counts == {title: (len(recipe.edited), len(recipe.opened)) for title, recipe in RECIPES.items()}


@pytest.mark.parametrize("title", RECIPES)
def test_a_recipe_is_a_page_at_most(title: str) -> None:
    assert len([line for line in RECIPES[title].text.splitlines() if line]) <= MAX_PAGE_LINES


@pytest.mark.parametrize("title", RECIPES)
def test_files_that_a_recipe_names_exist_or_are_made_by_it(title: str) -> None:
    recipe = RECIPES[title]
    new = {block.path for block in recipe.blocks if isinstance(block, Edit) and block.how == "New file"}
    assert [path for path in recipe.opened if path not in new and not (ROOT / path).exists()] == []


def test_a_diff_is_applied_where_its_old_lines_stand() -> None:
    assert patched("a\nb\nc\n", " a\n-b\n+x\n+y\n") == "a\nx\ny\nc\n"
    assert patched("a\nb\nc\nd\n", "-a\n+A\n@@\n c\n-d\n+D\n") == "A\nb\nc\nD\n"
    with pytest.raises(AssertionError, match="stands 2 times"):
        patched("a\na\n", "-a\n+b\n")
    with pytest.raises(AssertionError, match="stands 0 times"):
        patched("a\n", "-x\n")


@pytest.mark.parametrize(
    ("expected", "output", "is_fit"),
    [
        ("", "", True),
        ("", "words", False),
        ("a\n…\nd\n", "a\nb\nc\nd", True),
        ("a\n…\nd\n", "a\nd\n", True),
        ("a\n…\nd\n", "a\nb\n", False),
        ("…b…", "abc", True),
        ("…b…", "ac", False),
        ("a.c", "abc", False),
    ],
)
def test_dots_stand_for_anything(expected: str, output: str, is_fit: bool) -> None:
    assert fits(expected, output) == is_fit
