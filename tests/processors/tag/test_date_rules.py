"""Each rule of the date grammar, in every language, on words that its own pattern accepts: it never fails.

The words are drawn from the compiled expression itself, so that every class of tokens that a pattern accepts comes up:
Roman numerals, digits of other scripts, months, ordinals.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import pytest

from config.lexicon import every_language
from processors.dates.timex.grammar import grammar, read_roman
from processors.model.event import Event, Language
from processors.model.story import Story
from processors.tag.dates import find_dates

DRAWS = 12  # of each rule: enough for every alternative of the short tables at one seed
CLASS_SAMPLES = {
    "DIGIT": "09٣",
    "WORD": "aX9",
    "SPACE": " \n\u00a0",
    "NOT_DIGIT": "a ",
    "NOT_WORD": "- ",
    "NOT_SPACE": "a9",
}


def draw(tokens: Any, chance: random.Random) -> str:
    """A text that the parsed expression accepts, but for its conditions."""
    return "".join(draw_part(code, value, chance) for code, value in tokens)


def draw_part(code: Any, value: Any, chance: random.Random) -> str:
    if code in {codes.MAX_REPEAT, codes.MIN_REPEAT}:
        low, high, inner = value
        return "".join(draw(inner, chance) for _ in range(chance.randint(low, min(high, low + 2))))
    drawers: dict[Any, Callable[[], str]] = {
        codes.LITERAL: lambda: chr(value),
        codes.NOT_LITERAL: lambda: "-" if value != ord("-") else "a",
        codes.ANY: lambda: "a",
        codes.IN: lambda: draw_class(value, chance),
        codes.BRANCH: lambda: draw(chance.choice(value[1]), chance),
        codes.SUBPATTERN: lambda: draw(value[3], chance),
        codes.ASSERT: str,
        codes.ASSERT_NOT: str,
        codes.AT: str,
    }
    return drawers[code]()


def draw_class(members: Any, chance: random.Random) -> str:
    negated = [member for member in members if member[0] is codes.NEGATE]
    if negated:
        return "a"
    code, value = chance.choice(members)
    if code is codes.RANGE:
        return chr(chance.randint(*value))
    if code is codes.CATEGORY:
        return chance.choice(CLASS_SAMPLES[str(value).removeprefix("CATEGORY_")])
    return chr(value)


DATED_LANGUAGES = [tag for tag, words in every_language() if words.dates]


@pytest.mark.parametrize("tag", DATED_LANGUAGES)
def test_no_words_that_a_rule_accepts_make_it_fail(tag: str) -> None:
    rules = grammar(tag)
    assert rules
    chance = random.Random(tag)  # noqa: S311 -- no secret
    found = 0
    for pattern in rules.patterns:
        tokens = parser.parse(pattern, re.IGNORECASE)
        for _ in range(DRAWS):
            words = draw(tokens, chance)
            text = f"en {chance.choice([words, words.upper(), words.lower()])}, 1999."
            story = Story("urn:x", version_created="2025-01-29T12:00:00Z")
            found += len(find_dates(Event(story, text=text, language=Language(tag, 1.0))))
    assert found > len(rules.patterns)


@pytest.mark.parametrize(
    ("numeral", "value"),
    [
        ("I", 1),
        ("IV", 4),
        ("V", 5),
        ("IX", 9),
        ("XIV", 14),
        ("XIX", 19),
        ("XX", 20),
        ("ХХ", 20),
        ("ХXI", 21),
        ("XXIX", 29),
    ],
)
def test_roman_numerals_have_their_value(numeral: str, value: int) -> None:
    assert read_roman(numeral) == value


CENTURIES = [
    ("es", "Las islas del siglo XXI se hunden.", "siglo XXI", "20"),
    ("es", "Un puente del siglo V resistió.", "siglo V", "04"),
    ("fr", "La gare date du XIXe siècle.", "XIXe siècle", "18"),
    ("fr", "Un pont du XVIIIᵉ siècle.", "XVIIIᵉ siècle", "17"),
    ("pt", "Uma ponte do século XXI.", "século XXI", "20"),
    ("it", "Una torre del XX secolo.", "XX secolo", "19"),
    ("it", "Una torre del secolo XIV.", "secolo XIV", "13"),
    ("ru", "Мост построен в XX веке.", "XX веке", "19"),
    ("ru", "Мост построен в ХХ веке.", "ХХ веке", "19"),
    ("uk", "Міст ХХІ століття.", "ХХІ століття", "20"),
    ("uk", "Міст XXI століття.", "XXI століття", "20"),
    ("pl", "Most z XIX wieku runął.", "XIX wieku", "18"),
    ("cs", "Most z 19. století.", "19. století", "18"),
    ("ro", "Un pod din secolul al XXI-lea.", "secolul al XXI-lea", "20"),
    ("ca", "Un pont del segle XIX.", "segle XIX", "18"),
    ("en", "A bridge of the 3rd century fell.", "the 3rd century", "02"),
    ("de", "Eine Brücke des 19. Jahrhunderts.", "19. Jahrhunderts", "18"),
    ("nl", "Een brug uit de XXe eeuw.", "de XXe eeuw", "19"),
    ("hu", "A híd a XX. században épült.", "XX. században", "19"),
    ("es", "Un puente del siglo IV a. C.", None, None),
    ("en", "A bridge of the 3rd century B.C.", None, None),
    ("fr", "Elle a mix et vie, siècle après siècle.", None, None),
]


@pytest.mark.parametrize(("tag", "text", "words", "value"), CENTURIES)
def test_centuries_are_read_in_every_way_that_they_are_written(
    tag: str, text: str, words: str | None, value: str | None
) -> None:
    story = Story("urn:x", version_created="2025-01-29T12:00:00Z")
    found = [
        (date.text, date.value) for date in find_dates(Event(story, text=text, language=Language(tag, 1.0)))
    ]
    assert found == ([(words, value)] if words else [])
