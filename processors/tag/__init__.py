"""Who, where, when and what about."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from config.settings import Tag
from processors.model.event import Event, Feature, Quote
from processors.tag.copy import Copy
from processors.tag.dates import find_dates
from processors.tag.entities import gather
from processors.tag.found import Found, merge
from processors.tag.ninjs import filled
from processors.tag.pipeline import Pipeline
from processors.tag.rules.bounds import trimmed
from processors.tag.rules.companies import as_organisations
from processors.tag.rules.consistency import agreed
from processors.tag.rules.credits import find_credited, in_credit
from processors.tag.rules.foreign import find_foreign
from processors.tag.rules.gazetteer import find_dateline, find_known
from processors.tag.rules.parts import parted
from processors.tag.rules.teams import as_teams, find_nicknames, is_sport
from processors.tag.speakers import resolve_speakers
from processors.tag.topics import find_topics
from processors.tag.watchlists import WatchLists, marked, with_hits
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
        self._watchlists = WatchLists.read(settings.watchlists)

    def tag(self, events: Sequence[Event]) -> list[Event]:
        """The events with `mentions`, `entities`, `dates`, `topics` and their quotes' speakers resolved."""
        copies = [Copy.of(event, self._settings.max_chars) for event in events]
        read = [copy for copy in copies if self._pipeline.language in {copy.language, "xx"}]
        names = dict(zip(map(id, read), self._pipeline.find([copy.read for copy in read]), strict=True))
        return [
            self._tagged(event, copy, names[id(copy)] if id(copy) in names else list(find_foreign(copy)))
            for event, copy in zip(events, copies, strict=True)
        ]

    def evidence(self, event: Event) -> tuple[Feature, ...]:
        """How many characters at the end of a long text were left unread."""
        unread = len(event.text) - self._settings.max_chars
        return (Feature("unread_chars", float(unread)),) if unread > 0 else ()

    def _tagged(self, event: Event, copy: Copy, names: list[Found]) -> Event:
        words = Words.of(copy.read)
        hits = self._watchlists.find(copy, words)
        found = with_hits(_settled(copy, words, names, event), hits)
        mentions, entities = gather(copy, found, event.dateline)
        entities = marked(entities, mentions, copy, hits)
        tagged = replace(event, mentions=mentions, entities=entities, dates=find_dates(event))
        tagged = replace(tagged, topics=find_topics(tagged), quotes=_quotes(tagged))
        return replace(tagged, story=filled(tagged))


def _quotes(event: Event) -> tuple[Quote, ...] | None:
    return None if event.quotes is None else resolve_speakers(event)


def _settled(copy: Copy, words: Words, names: list[Found], event: Event) -> list[Found]:
    """The pipeline's names and the known ones, with their bounds and labels put right."""
    bounded = [bounds for name in names if (bounds := trimmed(copy, name)) and not in_credit(copy, name)]
    named = [part for name in bounded for part in parted(copy, name)]
    certain = merge(find_dateline(copy, event.dateline), find_credited(copy))
    found = merge(merge(certain, named), find_known(words))
    sport = is_sport(copy)
    if sport:
        found = merge(found, find_nicknames(copy))
    made = as_organisations(copy, agreed(copy, words, found, wired=event.dateline is not None))
    return as_teams(copy, made) if sport else made
