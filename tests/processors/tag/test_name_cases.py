"""Who is who in other languages where the names are given: surnames, cases, particles, in ``people/languages.txt``.

What the recogniser finds is left out of it, so that only the rules that gather mentions are judged.
"""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest

from processors.model.event import Event, Label, Language
from processors.model.story import Story
from processors.tag.copy import Copy, NameSpan
from processors.tag.entities import gather_entities
from processors.tag.phrase_search import CopyWords
from processors.tag.rules import RuleContext
from processors.tag.rules.bounds import cut_prefixes
from tests.processors.tag.test_people import MarkedStory, stories

BODIES = {"Unión Europea", "Consejo Europeo de Pesca", "SK Murau", "Ferrero Acciai"}
SURNAMES: list[tuple[str, str, str, bool]] = [
    ("ru", "Глеб Сорокин", "Глебом Сорокиным", True),
    ("ru", "Ольга Панина", "Паниной", True),
    ("ru", "Фёдор Достовский", "Достовского", True),
    ("ru", "Дарья Орлова", "Максим Орлов", False),
    ("ru", "Павел Лукин", "Петру Лукину", False),
    ("uk", "Оксана Бондар", "Оксани Бондар", True),
    ("pl", "Tomasz Wierzbicki", "Tomaszem Wierzbickim", True),
    ("pl", "Jan Nowak", "Nowakowi", True),
    ("pl", "Anna Kowalczyk", "Piotra Kowalczyka", False),
    ("cs", "Petr Novotný", "Petra Novotného", True),
    ("fi", "Aino Virkkula", "Virkkulalle", True),
    ("fi", "Timo Virtanen", "Virtasen", True),
    ("fi", "Sari Mäkelä", "Jari Mäkelän", False),
    ("sv", "Karin Lindeblad", "Lindeblads", True),
    ("de", "Hans Gruber", "Grubers", True),
    ("es", "María Gómez Pérez", "Gómez", True),
    ("es", "María Gómez Pérez", "Luis Gómez Ruiz", False),
    ("pt", "João Carlos Meireles", "Meireles", True),
    ("nl", "Sanne van der Veen", "Van der Veen", True),
    ("hu", "Kovács Bálint", "Kovács", True),
    ("ja", "村岡健二", "村岡", True),
    ("ja", "村岡健二", "遠藤", False),
    ("ja", "ジョン・スミス", "スミス", True),
    ("zh", "曹卫光", "卫光", True),
    ("zh", "曹卫光", "曹丽娟", False),
    ("en", "Kang Min-ho", "Kang Ji-yeon", False),
    ("en", "Hassan al-Khatib", "al-Khatib", True),
    ("en", "William “Buck” Tanner", "Bill Tanner", True),
    ("en", "Robert Kessel Jr.", "Robert Kessel Sr.", False),
    ("en", "Emily Harrow", "Martin Harrow", False),
    ("en", "J. P. Morrow", "John Morrow", True),
    ("en", "George W. Bellman", "George H. Bellman", False),
]


def joined(text: str, language: str, names: list[tuple[int, int, Label]]) -> list[str | None]:
    """The entities of names given in a text."""
    copy = Copy.of(Event(Story("urn:x"), text=text, language=Language(language, 1.0)), 100_000)
    mentions, _ = gather_entities(copy, [NameSpan(*name) for name in sorted(names)], None)
    return [mention.entity for mention in mentions]


def pairs(story: MarkedStory) -> Counter[str]:
    """How many pairs of mentions in different words are one as marked, as joined, and both."""
    names: list[tuple[int, int, Label]] = [
        (start, end, "ORG" if story.text[start:end] in BODIES else "PER") for start, end, _ in story.mentions
    ]
    entities = joined(story.text, story.language, names)
    counts: Counter[str] = Counter()
    for one, other in combinations(range(len(names)), 2):
        if story.text[slice(*names[one][:2])] != story.text[slice(*names[other][:2])]:
            marked = story.mentions[one][2] == story.mentions[other][2]
            same = entities[one] == entities[other]
            counts.update({"marked": marked, "joined": same, "right": marked and same})
    return counts


@pytest.mark.parametrize(("half", "floor"), [("A", 0.98), ("B", 0.98)])
def test_names_in_other_words_are_joined_in_every_language(half: str, floor: float) -> None:
    counts: Counter[str] = Counter()
    missed = []
    for story in stories("languages"):
        if story.half == half:
            of_story = pairs(story)
            counts.update(of_story)
            if of_story["right"] < of_story["marked"]:
                missed.append(story.title)
    assert counts["right"] >= 0.98 * counts["joined"], counts
    assert counts["right"] >= floor * counts["marked"], (counts, missed)


@pytest.mark.parametrize(
    ("text", "name", "rest"),
    [
        ("وسامي الحداد وليلى منصور", "وسامي الحداد", "سامي الحداد"),
        ("وليد الحداد", "وليد الحداد", "وليد الحداد"),
        ("فادي شمعون لفادي شمعون", "لفادي شمعون", "فادي شمعون"),
    ],
)
def test_arabic_prefixes_stay_out_of_the_name(text: str, name: str, rest: str) -> None:
    copy = Copy.of(Event(Story("urn:x"), text=text, language=Language("ar", 1.0)), 100_000)
    start = text.rindex(name)
    names = sorted(
        {
            NameSpan(0, len(text.split("و ", maxsplit=1)[0].split(" ل", maxsplit=1)[0]), "PER"),
            NameSpan(start, start + len(name), "PER"),
        }
    )
    cut = cut_prefixes(RuleContext(copy, CopyWords.of(copy.read), None, is_sport=False), names)

    assert rest in {text[each.start : each.end] for each in cut}
    assert name == rest or name not in {text[each.start : each.end] for each in cut}


@pytest.mark.parametrize(("language", "full", "other", "same"), SURNAMES)
def test_a_full_name_and_another_form(language: str, full: str, other: str, same: bool) -> None:
    text = f"{full} — {other}."
    start = len(full) + 3
    one, two = joined(text, language, [(0, len(full), "PER"), (start, start + len(other), "PER")])

    assert (one == two) is same
