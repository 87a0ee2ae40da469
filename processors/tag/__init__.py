"""Who, where, when and what about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from config.settings import Tag
from processors.story import Event, Quote
from processors.tag.bounds import trimmed
from processors.tag.consistency import agreed
from processors.tag.copy import Copy
from processors.tag.dates import find_dates
from processors.tag.entities import gather
from processors.tag.found import Found, merge
from processors.tag.gazetteer import find_dateline, find_known
from processors.tag.ninjs import filled
from processors.tag.pipeline import Pipeline
from processors.tag.speakers import resolve_speakers
from processors.tag.topics import find_topics
from processors.tag.words import Words

VERSION = "1"


class Tagger:
    """Loads the models once; tags batches of events."""

    def __init__(self, settings: Tag) -> None:
        """Load the pipeline that the settings name.

        Raises:
            Misconfigured: the pipeline is not installed, or a watch list can't be read.
        """
        self._settings = settings
        self._pipeline = Pipeline(settings.pipeline)

    def tag(self, events: Sequence[Event]) -> list[Event]:
        """The events with `mentions`, `entities`, `dates`, `topics` and their quotes' speakers resolved."""
        copies = [Copy.of(event, self._settings.max_chars) for event in events]
        read = [copy for copy in copies if self._pipeline.language in {copy.language, "xx"}]
        names = dict(zip(map(id, read), self._pipeline.find([copy.read for copy in read]), strict=True))
        return [
            self._tagged(event, copy, names.get(id(copy), []))
            for event, copy in zip(events, copies, strict=True)
        ]

    def _tagged(self, event: Event, copy: Copy, names: list[Found]) -> Event:
        mentions, entities = gather(copy, _settled(copy, names, event), event.dateline)
        tagged = replace(event, mentions=mentions, entities=entities, dates=find_dates(event))
        tagged = replace(tagged, topics=find_topics(tagged), quotes=_quotes(tagged))
        return replace(tagged, story=filled(tagged))


def _quotes(event: Event) -> tuple[Quote, ...] | None:
    return None if event.quotes is None else resolve_speakers(event)


def _settled(copy: Copy, names: list[Found], event: Event) -> list[Found]:
    """The pipeline's names and the known ones, with their bounds and labels put right."""
    words = Words.of(copy.read)
    bounded = [found for name in names if (found := trimmed(copy, name))]
    certain = merge(find_dateline(copy, event.dateline), ())
    found = merge(merge(certain, bounded), find_known(words))
    return agreed(copy, words, found)
