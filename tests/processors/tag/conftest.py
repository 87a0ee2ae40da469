"""Events made of invented copy, and the tagger with the shipped pipeline, loaded once."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from msgspec.structs import replace

from config.settings import Settings
from processors.model.event import Entity, Event, Language
from processors.model.story import Story
from processors.segment import segment
from processors.tag import Tagger

Told = Callable[..., Event]


@pytest.fixture(scope="session")
def tagger() -> Tagger:
    return Tagger(Settings().tag)


@pytest.fixture(scope="session")
def told(tagger: Tagger) -> Told:
    """Segment and tag a text."""

    def tell(text: str, *, language: str = "en", headline: str = "", by: Tagger = tagger) -> Event:
        event = Event(Story("urn:test:1"), headline=headline, text=text, language=Language(language, 1.0))
        return by.tag([segment(event, Settings().segment)])[0]

    return tell


def tag_copy(tagger: Tagger, copy: Iterable[tuple[str, str]]) -> list[Event]:
    """Segment and tag texts, each given with its language, in one batch."""
    story = Story("urn:test:1", version_created="2025-05-05T12:00:00Z")
    events = (Event(story, text=text, language=Language(language, 1.0)) for text, language in copy)
    return tagger.tag([segment(event, Settings().segment) for event in events])


def entity(event: Event, name: str) -> Entity:
    """The one entity that goes by a name."""
    found = [each for each in event.entities or () if name in {each.name, *each.aliases}]
    assert len(found) == 1, [(each.name, each.aliases) for each in event.entities or ()]
    return found[0]


def labels(event: Event, name: str) -> set[str]:
    """The labels of a name's mentions in the text."""
    return {
        mention.label for mention in event.mentions or () if mention.text == name and mention.inside == "text"
    }


def relisted(settings: Settings, path: str) -> Settings:
    """The settings with other watch lists."""
    return replace(settings, tag=replace(settings.tag, watchlists=path))
