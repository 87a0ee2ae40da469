"""Which saved searches an event fits, and by what: thousands are asked about each event.

Each search is filed under the rarest thing that a story must have to fit it (a word, a name, a feed, how a word begins),
so that an event is compared only with searches that it may fit. What asks for nothing of the kind (``-ferry``,
``urgency:1..3``) is compared with every event.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from processors.model import Model
from processors.model.event import Event
from sinks.alerts.saved import SavedSearch
from sinks.query import QueryError, QueryTree, StoryFacts, asks_for, fits_facts, fitting_leaves, parse_query
from sinks.query.tree import AllOf, AnyOf, ValueTerm, WordTerm
from sinks.search_words import excerpt, word_spans
from sinks.stories import other_words

FilingKey = tuple[str, str]  # what of a story, and its value
BEGINNING_CHARS: Final = (
    2  # of a word, under which searches for beginnings are filed: none of them is shorter
)
# Parts of a query that an alert names: more fill a message with a list of names.
MAX_REASONS: Final = 12
MAX_REASON_CHARS: Final = 200  # of the words around a place in the text
MAX_SEARCHED_CHARS: Final = 100_000  # of a text in which the place of a word is looked for, to be shown
log = structlog.get_logger("wiredesk.alerts")


class MatchReason(Model, frozen=True):
    """A part of a query that a story fits: as it was typed, where it stands in the query (code points), and in the story.

    `inside` is ``headline``, ``text``, or the field that was asked for; `excerpt` the words around the first place.
    """

    part: str
    start: int
    length: int
    inside: str = ""
    excerpt: str = ""


@dataclass(frozen=True, slots=True)
class SearchMatch:
    """A search that an event fits, and why; `asks_for_kills`: it names kills, which others get only after their story."""

    search: SavedSearch
    reasons: tuple[MatchReason, ...]
    asks_for_kills: bool = False


@dataclass(frozen=True, slots=True)
class _Compiled:
    search: SavedSearch
    tree: QueryTree
    asks_for_kills: bool


class SearchMatcher:
    """Searches, compiled and filed. `faults` has what can't be searched any more, by the search's id."""

    def __init__(self, searches: Iterable[SavedSearch]) -> None:
        """File what alerts somebody."""
        self.faults: dict[str, str] = {}
        compiled = []
        for search in searches:
            try:
                tree = parse_query(search.query)
            except QueryError as error:
                self.faults[search.id] = str(error)
                continue
            compiled.append(_Compiled(search, tree, asks_for(tree, "kill")))
        self._everywhere: list[_Compiled] = []
        self._filed: dict[FilingKey, list[_Compiled]] = defaultdict(list)
        possible = [_filings(one.tree) for one in compiled]
        shared = Counter(key for filings in possible for filing in filings for key in filing)
        for one, filings in zip(compiled, possible, strict=True):
            if not filings:
                self._everywhere.append(one)
                continue
            for key in min(filings, key=lambda filing: sum(shared[key] for key in filing)):
                self._filed[key].append(one)
        self.count = len(compiled)

    def match(self, event: Event) -> list[SearchMatch]:
        """The searches that an event fits, in the order of their ids."""
        if not self.count:
            return []
        facts = StoryFacts(event)
        fitting = [one for one in self._candidates(facts) if fits_facts(one.tree, facts)]
        return [
            SearchMatch(one.search, _reasons(one, event, facts), one.asks_for_kills)
            for one in sorted(fitting, key=lambda one: one.search.id)
        ]

    def _candidates(self, facts: StoryFacts) -> list[_Compiled]:
        found = {one.search.id: one for one in self._everywhere}
        for key in _story_keys(facts) & self._filed.keys():
            found.update((one.search.id, one) for one in self._filed[key])
        return list(found.values())


def load_matcher(searches: Iterable[SavedSearch]) -> SearchMatcher:
    """The matcher of the searches that alert somebody; of those that can't be searched any more the log tells."""
    matcher = SearchMatcher(search for search in searches if search.alert and not search.alert.paused)
    for search_id, fault in matcher.faults.items():
        log.warning(
            "a saved search can't be searched any more, and alerts nobody", search=search_id, reason=fault
        )
    return matcher


def _story_keys(facts: StoryFacts) -> set[FilingKey]:
    """All that searches may be filed under and that a story has."""
    keys: set[FilingKey] = {("word", word) for word in facts.vocabulary}
    keys |= {("begins", beginning) for beginning in {word[:BEGINNING_CHARS] for word in facts.vocabulary}}
    for kind, values in facts.values.items():
        keys |= {(kind, value) for value in values}
    return keys


def _filings(tree: QueryTree) -> list[frozenset[FilingKey]]:
    """The sets of which a story must have one member of each, or it does not fit; none where nothing is demanded."""
    match tree:
        case WordTerm(words=asked, prefix=is_prefix):
            whole = asked[:-1] if is_prefix else asked
            keys = [frozenset({("word", word)}) for word in whole]
            if is_prefix and len(asked[-1]) >= BEGINNING_CHARS:
                keys.append(frozenset({("begins", asked[-1][:BEGINNING_CHARS])}))
            return keys
        case ValueTerm(kind=kind, value=value, prefix=False):
            return [frozenset({(kind, value)})]
        case AllOf(parts):
            return [filing for part in parts for filing in _filings(part)]
        case AnyOf(parts):
            of_parts = [_filings(part) for part in parts]
            if not all(of_parts):
                return []
            # the first demand of each alternative: a word of a phrase is as good as another
            return [frozenset(key for filings in of_parts for key in max(filings, key=_rarity))]
    return []


def _rarity(filing: frozenset[FilingKey]) -> tuple[int, int]:
    """How rare what a filing asks for may be, before anything is known of the others: few keys, long words."""
    return -len(filing), max(len(value) for _, value in filing)


def _reasons(one: _Compiled, event: Event, facts: StoryFacts) -> tuple[MatchReason, ...]:
    leaves = fitting_leaves(one.tree, facts)[:MAX_REASONS]
    reasons = []
    for leaf in leaves:
        span = leaf.span
        part = one.search.query[span.start : span.start + span.length]
        inside, words_around = "", ""
        if isinstance(leaf, WordTerm):
            inside, words_around = _find_words(leaf, event)
        elif isinstance(leaf, ValueTerm):
            inside = leaf.kind
        reasons.append(MatchReason(part, span.start, span.length, inside, words_around))
    return tuple(reasons)


def _find_words(leaf: WordTerm, event: Event) -> tuple[str, str]:
    """In which part of a story words stand first, and what stands around them."""
    texts: Mapping[str, str] = {
        "headline": event.headline, "text": event.text[:MAX_SEARCHED_CHARS],
        "slug": event.story.slugline or "", "other": other_words(event),
    }  # fmt: skip
    places: Sequence[str] = ("headline", "text", "slug", "other") if leaf.place == "any" else (leaf.place,)
    for place in places:
        text = texts[place]
        if spans := word_spans(text, [leaf.term]):
            start, end = excerpt(text, spans[:1], MAX_REASON_CHARS)
            return place, " ".join(text[start:end].split())
    return "", ""
