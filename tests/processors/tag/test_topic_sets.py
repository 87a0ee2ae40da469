"""Topics of invented headlines with leads, marked before the program read them, language by language.

``topics/<language>.tsv`` has a story a line: the Media Topics that are right (the narrowest, or any of several), the
headline, the lead. Odd lines were looked at for what is wrong with them, even ones were not. A topic is right under one
that is marked, or above it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from processors.media_topics import find_ancestors
from processors.model.event import Event, Language
from processors.model.story import Story
from processors.tag.topics import find_topics

FOLDER = Path(__file__).parent / "topics"


def read_set(language: str) -> list[tuple[list[str], str, str]]:
    """The marked stories of a language."""
    rows = (line.split("\t") for line in (FOLDER / f"{language}.tsv").read_text("utf-8").splitlines())
    return [(codes.split("|"), headline, lead) for codes, headline, lead in rows]


def count_right(language: str, stories: list[tuple[list[str], str, str]]) -> tuple[int, int, int, int]:
    """Stories with a topic, those whose surest one is right at the top, narrower ones, those of them that are right."""
    told = right = narrow = narrow_right = 0
    for codes, headline, lead in stories:
        topics = find_topics(Event(Story("urn:x:1"), headline, lead, Language(language, 1.0)))
        if not topics:
            continue
        code = topics[0].code.removeprefix("medtop:")
        line = [code, *find_ancestors(code)]
        told += 1
        right += line[-1] in {[each, *find_ancestors(each)][-1] for each in codes}
        if len(line) > 1:
            narrow += 1
            narrow_right += any(
                code in {each, *find_ancestors(each)} or (each in line and each != line[-1]) for each in codes
            )
    return told, right, narrow, narrow_right


@pytest.mark.parametrize("language", sorted(path.stem for path in FOLDER.glob("*.tsv")))
def test_marked_stories_have_their_topics(language: str) -> None:
    stories = read_set(language)
    told, right, narrow, narrow_right = count_right(language, stories)
    assert told >= 0.75 * len(stories)
    assert right >= 0.85 * told
    assert narrow >= 0.2 * told
    assert narrow_right >= 0.85 * narrow


@pytest.mark.parametrize(
    ("headline", "text", "code"),
    [
        ("Rugby trial ends in draw", "The trial at Hallam Park drew 4,000 people.", "15000000"),
        ("Trial of a vaccine for bees", "The trial of the oral vaccine runs until May.", "07000000"),
        ("Trial of a baker", "The trial of Tom Hale, accused of theft, begins on Monday.", "02000000"),
    ],
)
def test_a_word_of_several_topics_counts_for_what_the_story_is_about(
    headline: str, text: str, code: str
) -> None:
    topics = find_topics(Event(Story("urn:x:1"), headline, text, Language("en", 1.0)))
    tops = [[topic.code[7:], *find_ancestors(topic.code[7:])][-1] for topic in topics]
    assert tops == [code]


def test_help_for_refugees_is_society_before_politics() -> None:
    text = "Der Bürgermeister von Rottweil hat am Montag mit Helfern Wasser an Flüchtlinge verteilt. Die Regierung will mehr Busse schicken."
    event = Event(Story("urn:x:1"), "Helfer versorgen Flüchtlinge am Bahnhof", text, Language("de", 1.0))
    assert find_ancestors(find_topics(event)[0].code.removeprefix("medtop:"))[-1] == "14000000"
