"""Speakers of quotations resolved to the entities of the story."""

from __future__ import annotations

import re

import pytest

from processors.model.event import Entity, Event, Label, Language, Mention, Segment
from processors.model.story import Story
from processors.quotes import find_quotes
from processors.tag.speakers import resolve_speakers

ENTITIES: dict[str, tuple[Label, str]] = {
    "Ana Ruiz": ("PER", "ana"),
    "Ruiz": ("PER", "ana"),
    "Karl Brandt": ("PER", "karl"),
    "Brandt": ("PER", "karl"),
    "Vera Bank": ("ORG", "vera"),
    "Port Union": ("ORG", "union"),
    "Kiel": ("LOC", "kiel"),
    "German": ("MISC", "german"),
    "Germany": ("LOC", "germany"),
}


def event(text: str, language: str = "en") -> Event:
    """The text with its quotes, and a mention wherever one of the names stands."""
    found: list[Mention] = []
    for name, (label, entity) in ENTITIES.items():
        for place in re.finditer(rf"\b{name}\b", text):
            if not any(mention.start <= place.start() < mention.end for mention in found):
                found.append(Mention(place.start(), place.end(), name, label, entity))
    segments = tuple(Segment(line.start(), line.end(), "paragraph") for line in re.finditer(r"\S.*", text))
    entities = {entity: Entity(entity, label, name) for name, (label, entity) in reversed(ENTITIES.items())}
    return Event(
        Story(uri="urn:x"),
        text=text,
        language=Language(language, 1.0),
        quotes=find_quotes(text, segments, language),
        mentions=tuple(sorted(found, key=lambda mention: mention.start)),
        entities=tuple(entities.values()),
    )


def last_speaker(text: str, language: str = "en") -> str | None:
    quote = resolve_speakers(event(text, language))[-1]
    return quote.speaker.entity if quote.speaker else None


@pytest.mark.parametrize(
    ("text", "entity"),
    [
        ("“The bridge will open,” Ana Ruiz said.", "ana"),
        ("“The bridge will open,” said the minister, Ana Ruiz.", "ana"),
        ("“The bridge will open,” said Transport Minister Ana Ruiz of Kiel.", "ana"),
        ("Kiel said the plan was “a gift to nobody”.", "kiel"),
        ("Vera Bank said the plan was “a gift to nobody”.", "vera"),
        ("The mayor of Kiel said the plan was “a gift to nobody”.", None),
        ("A German spokesman said the plan was “a gift to nobody”.", None),
        ("The German delegation said the plan was “a gift to nobody”.", None),
        ("Somebody said the plan was “a gift to nobody”.", None),
    ],
)
def test_a_name_is_the_entity_that_it_mentions(text: str, entity: str | None) -> None:
    assert last_speaker(text) == entity


@pytest.mark.parametrize(
    ("text", "entity"),
    [
        ("Ana Ruiz met Karl Brandt in Kiel. “We agreed on little,” she said.", "ana"),
        ("Ruiz did not say whether Brandt would go. “I have no comment,” she said.", "ana"),
        ("“It is late,” Ana Ruiz said.\n\nRain fell. “It is very late,” she added.", "ana"),
        ("Mr. Karl Brandt came.\n\nMs. Ana Ruiz spoke. “I am glad,” he said.", "karl"),
        ("Spokeswoman Ana Ruiz came with Mr. Brandt. “I am glad,” he said.", "karl"),
        ("“It is late,” Vera Bank said. It added that “it is very late”.", "vera"),
        ("Nobody came. “It is late,” he said.", None),
        (
            "Vera Bank declined to comment.\n\nGermany had told that it keeps “daily contact” with the port.",
            "germany",
        ),
        ("Germany denied it.\n\nOn Monday Vera Bank said that it has “no debt in the port”.", "vera"),
    ],
)
def test_a_pronoun_is_who_the_story_speaks_of(text: str, entity: str | None) -> None:
    assert last_speaker(text) == entity


@pytest.mark.parametrize(
    ("text", "entity"),
    [
        ("Transport Minister Ana Ruiz met Karl Brandt. “It is late,” the minister said.", "ana"),
        ("Ana Ruiz, the mayor, met Karl Brandt. “It is late,” the mayor said.", "ana"),
        ("Vera Bank and Ana Ruiz agreed. “It is late,” the bank said.", "vera"),
        ("Ana Ruiz met the Port Union. “It is late,” the union said.", "union"),
        ("Ana Ruiz met Vera Bank. “It is late,” the company said.", "vera"),
        ("Ana Ruiz met Karl Brandt. “It is late,” the surgeon said.", None),
    ],
)
def test_a_description_is_who_had_that_title(text: str, entity: str | None) -> None:
    assert last_speaker(text) == entity


def test_other_languages_have_their_own_pronouns() -> None:
    assert last_speaker("Ana Ruiz llegó. «Es tarde», dijo ella.", "es") == "ana"
    assert last_speaker("Ana Ruiz est venue. « Il est tard », a-t-elle dit.", "fr") == "ana"


def test_quotes_stay_as_they_are_without_mentions() -> None:
    whole = event("“The bridge will open,” Ana Ruiz said.")
    bare = Event(whole.story, text=whole.text, quotes=whole.quotes)

    assert resolve_speakers(bare) == whole.quotes
    assert resolve_speakers(Event(whole.story)) == ()


def test_only_the_entity_of_the_speaker_changes() -> None:
    before = event("“The bridge will open,” Ana Ruiz said. “It is late,” he said.")
    after = resolve_speakers(before)

    assert before.quotes is not None
    assert [(quote.start, quote.end, quote.kind, quote.cue) for quote in after] == [
        (quote.start, quote.end, quote.kind, quote.cue) for quote in before.quotes
    ]
