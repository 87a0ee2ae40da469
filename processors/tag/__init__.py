"""Who, where, when and what about.

The recogniser finds names, `RULES` put them right in this order, and what remains is gathered into entities.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from config.settings import Tag
from processors.model.event import Event, Feature, Quote
from processors.tag.copy import MAX_HEADLINE_CHARS, Copy, NameSpan, readable_chars
from processors.tag.dates import find_dates
from processors.tag.entities import gather_entities
from processors.tag.foreign import find_foreign
from processors.tag.ninjs_members import fill_story
from processors.tag.phrase_search import CopyWords
from processors.tag.rules import NameRule, RuleContext
from processors.tag.rules.agreement import agree_on_labels
from processors.tag.rules.bounds import split_joined_names, trim_names
from processors.tag.rules.gazetteer import (
    add_dateline_names,
    add_known_names,
    add_photographers,
    drop_credit_names,
)
from processors.tag.rules.organisations import add_nicknames, is_sport, label_companies, label_teams
from processors.tag.spacy_pipeline import SpacyPipeline
from processors.tag.speakers import resolve_speakers
from processors.tag.topics import find_topics
from processors.tag.watchlists import WatchLists, add_hits, mark_entities

VERSION = "1"

# fmt: off
RULES: Final[tuple[NameRule, ...]] = (
    drop_credit_names,   # the recogniser reads sentences, and a credit line is none
    trim_names,          # before names are compared: "the EU" and "EU" are one
    split_joined_names,  # on trimmed names: a maker is looked up as it is written
    add_photographers,   # sure by their place in a credit line, so they win over what was guessed
    add_dateline_names,  # surer still, since the dateline was read by its own grammar
    add_known_names,     # only where nothing stands: "Paris Hilton" is not Paris
    add_nicknames,       # before labels agree, so that a nickname seen twice is found everywhere
    agree_on_labels,     # needs all names of the story; fills in those that were seen only elsewhere
    label_companies,     # after the vote: the words beside a name know better than its other mentions
    label_teams,         # last: in sport even a known city may be a club
)
# fmt: on


class Tagger:
    """Loads the models once; tags batches of events."""

    def __init__(self, settings: Tag) -> None:
        """Load the pipeline that the settings name.

        Raises:
            Misconfigured: the pipeline is not installed, or a watch list can't be read.
        """
        self._settings = settings
        self._pipeline = SpacyPipeline(settings.pipeline)
        self._watchlists = WatchLists.read(settings.watchlists)

    def tag(self, events: Sequence[Event]) -> list[Event]:
        """The events with `mentions`, `entities`, `dates`, `topics` and their quotes' speakers resolved."""
        copies = [Copy.of(event, self._readable_chars(event)) for event in events]
        read = [copy for copy in copies if self._pipeline.language in {copy.language, "xx"}]
        names = dict(zip(map(id, read), self._pipeline.find([copy.read for copy in read]), strict=True))
        return [
            self._tag_event(event, copy, names[id(copy)] if id(copy) in names else list(find_foreign(copy)))
            for event, copy in zip(events, copies, strict=True)
        ]

    def evidence(self, event: Event) -> tuple[Feature, ...]:
        """How many characters of a long headline and text were left unread, and whether names were left out."""
        unread = (
            len(event.text) - self._readable_chars(event) + max(0, len(event.headline) - MAX_HEADLINE_CHARS)
        )
        features = (Feature("unread_chars", float(unread)),) if unread > 0 else ()
        if len(event.mentions or ()) >= self._settings.max_names:
            features = (*features, Feature("max_names", float(self._settings.max_names)))
        return features

    def _readable_chars(self, event: Event) -> int:
        return readable_chars(event.text, self._settings.max_chars)

    def _tag_event(self, event: Event, copy: Copy, names: list[NameSpan]) -> Event:
        context = RuleContext(copy, CopyWords.of(copy.read), event.dateline, is_sport(copy))
        for rule in RULES:
            names = rule(context, names)
        names = names[: self._settings.max_names]
        hits = self._watchlists.find(copy, context.words)
        mentions, entities = gather_entities(copy, add_hits(names, hits), event.dateline)
        entities = mark_entities(entities, mentions, copy, hits)
        tagged = replace(event, mentions=mentions, entities=entities, dates=find_dates(event))
        tagged = replace(tagged, topics=find_topics(tagged), quotes=_resolve_quotes(tagged))
        return replace(tagged, story=fill_story(tagged))


def _resolve_quotes(event: Event) -> tuple[Quote, ...] | None:
    return None if event.quotes is None else resolve_speakers(event)
