"""What the network is told of words is frozen beside its weights."""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path

import pytest

from processors.tag import features
from processors.tag.features import INPUTS, WORD_SETS, network_inputs, of_word


@pytest.mark.parametrize("name", ["inputs.npz", "pieces.npz", "words.npz", "english.npz", "characters.npz"])
def test_the_files_are_those_that_belong_together(name: str) -> None:
    digest = hashlib.sha256((INPUTS.parent / name).read_bytes()).hexdigest()

    assert f"`{name}`: `{digest}`" in (INPUTS.parent / "README.md").read_text("utf-8")


def test_no_lexicon_is_read() -> None:
    modules = [
        node.module or ""
        for node in ast.walk(ast.parse(Path(features.__file__).read_text("utf-8")))
        if isinstance(node, ast.ImportFrom)
    ]

    assert [name for name in modules if "lexicon" in name] == []


@pytest.mark.parametrize(
    ("word", "expected"),
    [("Tokyo", 0), ("Graz", 1), ("Toledo", 1), ("Ghent", 1), ("France", 3), ("Zzyzxqua", None)],
)
def test_the_class_of_a_place_follows_its_likeliest_place(word: str, expected: int | None) -> None:
    assert network_inputs().place_class(word) == expected


@pytest.mark.parametrize(
    ("word", "feature"),
    [
        ("Mr.", 3),
        ("minister", 4),
        ("France", 0),
        ("French", 1),
        ("Reuters", 2),
        ("Bank", 5),
        ("Monday", 11),
        ("Maria", 13),
    ],
)
def test_a_word_of_each_set_has_its_feature(word: str, feature: int) -> None:
    assert of_word(word)[feature] == 1
    assert set(network_inputs().words) == set(WORD_SETS)
