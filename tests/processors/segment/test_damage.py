"""Damage is told where copy breaks, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.layout import lay_out
from processors.segment.damage import damage_grammar, find_damage

BEFORE = "The council of Ashmere met on Friday to talk about the trees along the river, the mayor said."


def damaged(paragraph: str, language: str = "en") -> list[tuple[str, str]]:
    """Kind and words of each damaged place of a paragraph that stands between two others."""
    text = f"{BEFORE}\n\n{paragraph}\n\nWork on the river bank starts in May and ends in June, according to the plan."
    return [
        (d.kind, text[d.start : d.end].strip())
        for d in find_damage(text, lay_out(text, language, "x"), language)
    ]


@pytest.mark.parametrize(
    ("paragraph", "language", "words"),
    [
        ("The visit involved important s, as the mayor put it before the vote on Friday evening.", "en", "s"),
        ("In May, the Senate ed a law that allows towns to plant trees without a permit.", "en", "ed"),
        ("The town keeps “daily” with the builders, the mayor told reporters on Friday.", "en", "daily”"),
        ("The delegation voiced its “ for the changes in the town, the mayor told reporters.", "en", "“"),
        ("The council hopes that the of the river bank will be finished before the summer.", "en", ""),
        ("The mayor met Mr. said that the trees would be planted before the summer.", "en", "Mr."),
        ("The firm ( ) said that the trees would be planted before the summer holidays.", "en", "( )"),
        ("The project will cost $ million, the mayor told reporters on Friday evening.", "en", ""),
        ("La delegación expresó su “ por los cambios en la ciudad, según el comunicado oficial.", "es", "“"),
        ("El alcalde habló de su de la ribera con los vecinos durante la tarde del viernes.", "es", ""),
        ("La maire a voté pour son de la rive avec les habitants vendredi dans la soirée.", "fr", ""),
        ("Il sindaco ha parlato del di piantare alberi lungo il fiume prima dell'estate.", "it", ""),
    ],
)
def test_words_lost_in_transit(paragraph: str, language: str, words: str) -> None:
    assert damaged(paragraph, language) == [("missing-words", words)]


@pytest.mark.parametrize(
    "paragraph",
    [
        "“We are ready,” she said, calling the plan “ambitious” in its scope and “important” for the town.",
        "The plan is “unacceptable” to the farmers, who want a “full” debate and “real” answers.",
        "He got A's and B's; the op-ed said so. Vitamins A and E were found, and S and P rated it A by Friday.",
        "The to-do list of the in-house team has an of-the-moment look, the mayor said on Friday.",
        "“Der Plan steht”, sagte sie. „Wir warten“ mit Ungeduld, hieß es.",
        "The shares rose 5 p to 210 p. The T cell count fell, and the rule of thumb is 3 g a day.",
        "Where he comes from is a town that the company he works for is proud of, he said.",
        "Is it http://example.org/a?b=c&d?e or what? Who knows? The mayor did not say on Friday.",
    ],
)
def test_clean_copy_is_left_alone(paragraph: str) -> None:
    assert damaged(paragraph) == []


@pytest.mark.parametrize(
    ("language", "paragraph"),
    [
        ("en", "To answer your, well, question, the council has not decided, she said on Friday."),
        ("en", "It was the, how shall I put it, least bad of the plans, he told the council."),
        ("de", "Er hielt sich an das, was er hatte, und ging in dem, was vom Haus blieb, umher."),
        ("de", "Sie dankte dem, der ihr geholfen hatte, und allen anderen im Dorf."),
        ("es", "Habló con el, hasta ayer, alcalde de la ciudad sobre el puente."),
    ],
)
def test_what_speech_and_clauses_put_in_between_is_no_gap(language: str, paragraph: str) -> None:
    assert damaged(paragraph, language) == []


def test_a_paragraph_that_stands_twice() -> None:
    assert damaged(BEFORE) == [("garbled", BEFORE)]


@pytest.mark.parametrize(
    "paragraph",
    [
        f"They have met twice. {BEFORE[:85].rstrip('.')}",
        "The council of Ashmere met on Friday to talk about the trees along the river and the",
        "The council of Ashmere met on Friday to talk about the trees along the river with",
    ],
)
def test_a_tail_that_is_cut(paragraph: str) -> None:
    text = f"{BEFORE}\n\nWork starts in May, the council said on Friday.\n\n{paragraph}"
    found = find_damage(text, lay_out(text, "en", "x"), "en")
    assert [(d.kind, d.start) for d in found] == [("truncated", len(text))]


@pytest.mark.parametrize(
    "paragraph",
    [
        "The exhibition runs until the fourth of May in the old town hall, open daily except on public holidays",
        "Amelia Korver is a writer and photographer who lives on the coast with two dogs and a very old boat",
    ],
)
def test_a_last_line_without_a_stop_is_no_cut(paragraph: str) -> None:
    text = f"{BEFORE}\n\nWork starts in May, the council said on Friday.\n\n{paragraph}"
    assert find_damage(text, lay_out(text, "en", "x"), "en") == ()


def damage_kinds(*paragraphs: str) -> list[str]:
    text = "\n\n".join(paragraphs)
    return [damage.kind for damage in find_damage(text, lay_out(text, "en", "x"), "en")]


def test_paragraphs_that_stand_again_one_by_one_are_a_refrain_and_together_a_fault() -> None:
    first, second, third = (
        f"{BEFORE} That was the {number} time." for number in ("first", "second", "third")
    )
    assert damage_kinds(first, second, third, first) == []
    assert damage_kinds(first, second, third, first, second) == ["garbled", "garbled"]
    assert damage_kinds(first, f"“{BEFORE}”", f"“{BEFORE}”", third) == []


@pytest.mark.parametrize(
    ("paragraph", "words"),
    [
        ("The cafÃ© on the river bank in the town will be closed from May until the autumn.", "cafÃ©"),
        ("The caf\ufffd on the river bank in the town will be closed from May until the autumn.", "\ufffd"),
    ],
)
def test_characters_that_were_mangled(paragraph: str, words: str) -> None:
    assert damaged(paragraph) == [("mojibake", words)]


def test_a_table_run_together() -> None:
    assert [
        kind for kind, _ in damaged("Wheat 41,200Maize 22,750Barley 8,300Oats 9,050 were loaded at the port.")
    ] == ["garbled"]


@pytest.mark.parametrize("language", ["en", "es", "fr", "de", "it", "pt", "nl", "sv", "nb", "da"])
def test_ten_languages_have_their_lexicon(language: str) -> None:
    known = damage_grammar(language)
    assert known is not None
    assert known.never
    assert known.adjectives


@given(st.text())
def test_damage_lies_in_the_text_in_order(text: str) -> None:
    at = 0
    for damage in find_damage(text, lay_out(text), "en"):
        assert at <= damage.start <= damage.end <= len(text)
        at = damage.end
