"""Quotation marks in every style, and what only looks like one."""

from __future__ import annotations

import time

import pytest

from processors.quotes.marks import find_quoted


def between(text: str) -> list[str]:
    return [text[quoted.start : quoted.end] for quoted in find_quoted(text, 0, len(text))]


@pytest.mark.parametrize(
    "text",
    [
        "She called it “a fine bridge” today.",
        'She called it "a fine bridge" today.',
        "She called it ``a fine bridge'' today.",
        "She called it ‘a fine bridge’ today.",
        "She called it 'a fine bridge' today.",
        "Elle parle d’« a fine bridge » ici.",
        "Ella habla de «a fine bridge» hoy.",
        "Sie nennt sie „a fine bridge“ heute.",
        "Sie nennt sie »a fine bridge« heute.",
        "Hon kallar den ”a fine bridge” idag.",
        "彼女は「a fine bridge」と言った。",
        "彼女は『a fine bridge』と言った。",
        "(“a fine bridge”)",
    ],
)
def test_every_style_is_read_without_its_marks(text: str) -> None:
    assert between(text) == ["a fine bridge"]


@pytest.mark.parametrize(
    "text",
    [
        "The workers' rights and the builders' unions aren't the state's.",
        "It opened in the '90s and didn't close.",
        "She said it’s the workers’ bridge.",
        "Rock 'n' roll isn't dead",
        'A 12" pipe',
    ],
)
def test_apostrophes_and_inches_are_no_quotation_marks(text: str) -> None:
    assert [words for words in between(text) if len(words) > 2] == []


def test_a_quotation_inside_a_quotation_belongs_to_the_outer_one() -> None:
    assert between("“He told me ‘go home’ and left,” she said.") == ["He told me ‘go home’ and left,"]
    assert between("«Me dijo “vete” y se fue», contó.") == ["Me dijo “vete” y se fue"]
    assert between("„Er rief »Halt« und ging“, sagte sie.") == ["Er rief »Halt« und ging"]


def test_an_apostrophe_inside_single_marks_does_not_close_them() -> None:
    assert between("'We don't agree with the council's plan,' she said.") == [
        "We don't agree with the council's plan,"
    ]


def test_a_mark_without_a_partner_runs_to_the_end_of_its_paragraph() -> None:
    text = "“It took years."
    (quoted,) = find_quoted(text, 0, len(text))

    assert (quoted.start, quoted.end, quoted.closed) == (1, len(text), False)


def test_two_quotations_do_not_run_together() -> None:
    assert between('"One," she said, "and two."') == ["One,", "and two."]


@pytest.mark.parametrize("mark", ['"', "'a ", "“", "‘a", "« ", "``", "''", "„“"])
def test_a_hundred_thousand_marks_take_no_more_than_seconds(mark: str) -> None:
    text = mark * (100_000 // len(mark))
    start = time.process_time()
    quoted = find_quoted(text, 0, len(text))

    assert time.process_time() - start < 5
    assert all(0 <= each.outer_start <= each.start <= each.end <= each.outer_end for each in quoted)
