"""How the words of two versions differ."""

from __future__ import annotations

import pytest

from sinks.versions import MAX_COMPARED_WORDS, find_changes


def marked(old: str, new: str) -> str:
    """The changes in one line: ``-removed-``, ``+added+``."""
    signs = {"same": "", "removed": "-", "added": "+"}
    return "".join(
        f"{signs[change.kind]}{change.text}{signs[change.kind]}" for change in find_changes(old, new)
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("Two died in Veldhaven.", "Three died in Veldhaven.", "-Two-+Three+ died in Veldhaven."),
        ("The quay is shut.", "The quay is open again.", "The quay is- shut-+ open again+."),
        ("Ships wait.", "Ships wait. Ferries sail.", "Ships wait.+ Ferries sail.+"),
        ("It cost 1,200 crowns", "It cost 1,300 crowns", "It cost- 1,200-+ 1,300+ crowns"),
        ("two  blanks", "two blanks", "two blanks"),
        ("渡船今日停运", "渡船明日停运", "渡船-今-+明+日停运"),
        ("เรือหยุดวิ่ง", "เรือวิ่ง", "เรือ-หยุด-วิ่ง"),
        ("등대가 꺼졌다", "등대가 켜졌다", "등대가- 꺼졌다-+ 켜졌다+"),
        ("", "New", "+New+"),
        ("Old", "", "-Old-"),
        ("", "", ""),
    ],
)
def test_words_that_changed_are_told(old: str, new: str, expected: str) -> None:
    assert marked(old, new) == expected


@pytest.mark.parametrize("old", ["", "a b\n\nc  d.", "é ї\t한 日本 \u200b x's"])
@pytest.mark.parametrize("new", ["", "a c d,", "ї\t日 語\n", " \n "])
def test_what_is_the_same_or_added_is_the_later_text(old: str, new: str) -> None:
    changes = list(find_changes(old, new))
    assert "".join(change.text for change in changes if change.kind != "removed") == new
    removed = "".join(change.text for change in changes if change.kind != "added")
    assert "".join(removed.split()) == "".join(old.split())


def test_what_is_too_long_is_one_change() -> None:
    text = "word " * MAX_COMPARED_WORDS
    assert marked(f"{text}old end", f"{text}new end") == f"{text.rstrip()}- old end-+ new end+"
