"""Who, where, when and what about.

The recogniser finds names, `RULES` put them right in this order, and what remains is gathered into entities.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from config.settings import Tag
from processors.linked_data import geonames_uri
from processors.model.event import Dateline, Event, Feature, Quote
from processors.rule_guard import FailedRule, RuleGuard
from processors.tag.copy import MAX_HEADLINE_CHARS, Copy, NameSpan, readable_chars
from processors.tag.dates import MAX_DATES, find_dates
from processors.tag.entities import gather_entities
from processors.tag.ninjs_members import fill_story
from processors.tag.phrase_search import CopyWords
from processors.tag.recogniser import NameRecogniser
from processors.tag.relevance import rate_entities
from processors.tag.rules import NameRule, RuleContext
from processors.tag.rules.agreement import agree_on_labels
from processors.tag.rules.bounds import cut_prefixes, split_joined_names, trim_names
from processors.tag.rules.gazetteer import (
    add_dateline_names,
    add_known_names,
    add_photographers,
    drop_credit_names,
)
from processors.tag.rules.namesakes import tell_namesakes
from processors.tag.rules.organisations import add_nicknames, is_sport, label_companies, label_teams
from processors.tag.rules.towns import label_towns, split_places
from processors.tag.spacy_pipeline import SHIPPED_NAME, SpacyPipeline
from processors.tag.speakers import resolve_speakers
from processors.tag.topics import find_topics
from processors.tag.watchlists import WatchLists, add_hits, mark_entities

VERSION = "1"

# fmt: off
RULES: Final[tuple[NameRule, ...]] = (
    drop_credit_names,   # the recogniser reads sentences, and a credit line is none
    trim_names,          # before names are compared: "the EU" and "EU" are one
    cut_prefixes,        # before names are compared, too
    split_joined_names,  # on trimmed names: a maker is looked up as it is written
    split_places,        # before labels: each of the two has its own
    add_photographers,   # sure by their place in a credit line, so they win over what was guessed
    add_dateline_names,  # surer still, since the dateline was read by its own grammar
    add_known_names,     # only where nothing stands: "Paris Hilton" is not Paris
    add_nicknames,       # before labels agree, so that a nickname seen twice is found everywhere
    agree_on_labels,     # needs all names of the story; fills in those that were seen only elsewhere
    label_towns,         # after the vote, which knows nothing of where towns lie
    tell_namesakes,      # after labels agree, since here they need not: "Lincoln" of Lincoln
    label_companies,     # after the vote: the words beside a name know better than its other mentions
    label_teams,         # last: in sport even a known city may be a club
)
# fmt: on


@dataclass(frozen=True, slots=True)
class TaggedEvent:
    """An event with its tags, the evidence of the step, and the rules that failed on it."""

    event: Event
    evidence: tuple[Feature, ...]
    failed_rules: tuple[FailedRule, ...]


class Tagger:
    """Loads the models once; tags batches of events."""

    def __init__(self, settings: Tag) -> None:
        """Load the pipeline that the settings name.

        Raises:
            Misconfigured: the pipeline is not installed, or a watch list can't be read.
        """
        self._settings = settings
        shipped = settings.pipeline == SHIPPED_NAME
        self._recogniser = NameRecogniser()
        self._pipeline = None if shipped else SpacyPipeline(settings.pipeline)
        self._watchlists = WatchLists.read(settings.watchlists)

    def tag(self, events: Sequence[Event]) -> list[Event]:
        """The events with `mentions`, `entities`, `dates`, `topics` and their quotes' speakers resolved."""
        return [tagged.event for tagged in self.tag_guarded(events)]

    def tag_guarded(self, events: Sequence[Event]) -> list[TaggedEvent]:
        """The same with the step's evidence. A rule that fails costs what it makes, not the story."""
        copies = [Copy.of(event, self._readable_chars(event)) for event in events]
        guards = [RuleGuard() for _ in events]
        all_names = self._find_names(copies, guards)
        tagged = [
            self._tag_event(event, copy, names, guard)
            for event, copy, names, guard in zip(events, copies, all_names, guards, strict=True)
        ]
        return [
            TaggedEvent(event, (*self._unread_evidence(event), *guard.evidence()), tuple(guard.failed))
            for event, guard in zip(tagged, guards, strict=True)
        ]

    def _find_names(self, copies: Sequence[Copy], guards: Sequence[RuleGuard]) -> list[list[NameSpan]]:
        """The names of each text, all texts that one recogniser reads together."""
        try:
            return self._recognise(copies)
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 -- one by one tells which text it is
            return [
                guard.run(self._find_names_alone, [], copy)
                for copy, guard in zip(copies, guards, strict=True)
            ]

    def _find_names_alone(self, copy: Copy) -> list[NameSpan]:
        return self._recognise([copy])[0]

    def _recognise(self, copies: Sequence[Copy]) -> list[list[NameSpan]]:
        """By the pipeline that the settings name, where it reads the language, else by the shipped recogniser."""
        mine = [copy for copy in copies if self._is_piped(copy)]
        rest = [copy for copy in copies if not self._is_piped(copy)]
        names = dict(
            zip(
                map(id, rest),
                self._recogniser.find([copy.read for copy in rest], [copy.language for copy in rest]),
                strict=True,
            )
        )
        if self._pipeline is not None:
            names |= zip(map(id, mine), self._pipeline.find([copy.read for copy in mine]), strict=True)
        return [names[id(copy)] for copy in copies]

    def _is_piped(self, copy: Copy) -> bool:
        return self._pipeline is not None and self._pipeline.language in {copy.language, "xx"}

    def _unread_evidence(self, event: Event) -> tuple[Feature, ...]:
        """How many characters of a long headline and text were left unread, and whether names or dates were left out."""
        unread = (
            len(event.text) - self._readable_chars(event) + max(0, len(event.headline) - MAX_HEADLINE_CHARS)
        )
        features = (Feature("unread_chars", float(unread)),) if unread > 0 else ()
        if len(event.mentions or ()) >= self._settings.max_names:
            features = (*features, Feature("max_names", float(self._settings.max_names)))
        if len(event.dates or ()) >= MAX_DATES:
            features = (*features, Feature("max_dates", float(MAX_DATES)))
        return features

    def _readable_chars(self, event: Event) -> int:
        return readable_chars(event.text, self._settings.max_chars)

    def _tag_event(self, event: Event, copy: Copy, names: list[NameSpan], guard: RuleGuard) -> Event:
        context = RuleContext(copy, CopyWords.of(copy.read), event.dateline, is_sport(copy))
        for rule in RULES:
            names = guard.run(rule, names, context, names)
        names = names[: self._settings.max_names]
        hits = guard.run(self._watchlists.find, [], copy, context.words)
        mentions, entities = guard.run(gather_entities, ((), ()), copy, add_hits(names, hits), event.dateline)
        entities = guard.run(mark_entities, entities, entities, mentions, copy, hits)
        dates = guard.run(find_dates, (), event)
        tagged = replace(event, mentions=mentions, entities=entities, dates=dates)
        topics = guard.run(find_topics, (), tagged)
        tagged = replace(tagged, topics=topics, quotes=guard.run(_resolve_quotes, tagged.quotes, tagged))
        rated = guard.run(rate_entities, tagged.entities, tagged)
        tagged = replace(tagged, entities=rated, dateline=_linked_dateline(tagged.dateline))
        return replace(tagged, story=guard.run(fill_story, tagged.story, tagged))


def _linked_dateline(dateline: Dateline | None) -> Dateline | None:
    if dateline is None:
        return None
    linked = tuple(replace(place, uri=geonames_uri(place.geoname_id)) for place in dateline.places)
    return replace(dateline, places=linked)


def _resolve_quotes(event: Event) -> tuple[Quote, ...] | None:
    return None if event.quotes is None else resolve_speakers(event)
