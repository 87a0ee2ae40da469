"""Routed topics: which stories go to which ``wire.out.<name>.v1``, and why.

Rules are data (`config/routes.toml`). `Router` is a pure function of an event and of what was routed before, so that
whoever owns the offsets can keep that memory beside them. Each rule is filed under its rarest condition, so that an
event is compared only with rules that it may fit.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, Literal

from processors.media_topics import with_ancestors
from processors.model.event import Event
from sinks.query import QueryLeaf, QueryTree, StoryFacts, asks_for, fits_facts, fitting_leaves
from sinks.query.facts import WordList
from sinks.search_words import SearchTerm
from sinks.search_words import words as words_of
from sinks.stories import entity_names, is_repeat, lineage, visible_from

ConditionKind = Literal["entity", "watchlist", "topic", "feed", "country", "language", "relation"]
RAREST_FIRST: Final[tuple[ConditionKind, ...]] = (
    "entity",
    "watchlist",
    "topic",
    "feed",
    "country",
    "language",
    "relation",
)
WORDS: Final = "words"
FOLLOWING_RELATIONS: Final = frozenset({"kill", "correction"})
MAX_SHOWN_VALUES: Final = 5  # of a rule in one line of `wiredesk routes explain`


@dataclass(frozen=True, slots=True)
class RouteRule:
    """A route: for each kind of condition the values of which one must fit, the least urgency, words.

    `query` is a condition in the query language (`sinks.query`), and `query_text` how it is written. Times that are so long
    ago count from the story's reception.

    `min_sources` and `min_novelty` ask for that many sources of the story's cluster and that much that is new in it.

    `compact`: the topic keeps the last event of each chain, and a kill removes it.
    """

    name: str
    conditions: Mapping[ConditionKind, frozenset[str]]
    urgency: int | None = None
    words: tuple[SearchTerm, ...] = ()
    compact: bool = False
    min_sources: int = 0
    min_novelty: float = 0.0
    query: QueryTree | None = None
    query_text: str = ""

    @property
    def topic(self) -> str:
        """The Kafka topic of the route."""
        return route_topic(self.name)


def route_topic(name: str) -> str:
    """The topic of the route of a name."""
    return f"wire.out.{name}.v1"


@dataclass(frozen=True, slots=True)
class RuleMatch:
    """Whether an event fits a rule; `reasons` says which condition holds by what, or which fails."""

    route: str
    fits: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RouteDecision:
    """Where an event goes. `held_until` is when its embargo ends, in milliseconds since the epoch; 0: now."""

    routes: tuple[str, ...]
    held_until: int = 0


def is_kill(event: Event) -> bool:
    """Whether an event withdraws its story: a kill, or the story itself sent as cancelled."""
    return lineage(event).relation == "kill" or event.story.pub_status == "canceled"


class Router:
    """The loaded rules."""

    def __init__(self, rules: Sequence[RouteRule]) -> None:
        """File each rule under its rarest condition."""
        self._rules = tuple(rules)
        self._filed: dict[tuple[str, str], list[RouteRule]] = defaultdict(list)
        self._unfiled: list[RouteRule] = []
        shared = Counter(asked for rule in rules for asked in _asked(rule))
        for rule in rules:
            self._file(rule, shared)
        self._asked_words = {value for kind, value in self._filed if kind == WORDS}
        self._words = any(rule.words for rule in rules)
        self._kills = [rule for rule in rules if _asks_for_kills(rule)]

    def route(self, event: Event, before: AbstractSet[str] = frozenset()) -> RouteDecision:
        """The routes of an event. `before` are those to which earlier members of its chain went.

        A kill or correction goes wherever the story that it touches went; a kill also to rules that ask for kills. A
        repeat goes nowhere. Old news that a back-fill brings goes nowhere either, but for its kills and corrections of
        what went out.
        """
        relation = lineage(event).relation
        if is_repeat(event):
            return RouteDecision(())
        old = event.provenance is not None and event.provenance.backfill
        if is_kill(event):
            if old or not self._kills:
                return RouteDecision(tuple(sorted(before)))
            facts = _Facts(event, words=self._words)
            return RouteDecision(
                tuple(sorted(before | {rule.name for rule in self._kills if _fits(rule, facts)}))
            )
        if old:
            return RouteDecision(
                tuple(sorted(before)) if relation in FOLLOWING_RELATIONS else (), visible_from(event)
            )
        facts = _Facts(event, words=self._words)
        fitting = {rule.name for rule in self._candidates(facts) if _fits(rule, facts)}
        fitting |= before if relation in FOLLOWING_RELATIONS else set()
        return RouteDecision(tuple(sorted(fitting)), visible_from(event))

    def explain(self, event: Event) -> list[RuleMatch]:
        """What every rule says of an event, the fitting ones first."""
        facts = _Facts(event, words=True)
        matches = []
        for rule in self._rules:
            verdicts = list(_verdicts(rule, facts))
            fits = all(held for held, _ in verdicts)
            reasons = tuple(reason for held, reason in verdicts if held == fits)
            matches.append(RuleMatch(rule.name, fits, reasons))
        return sorted(matches, key=lambda match: (not match.fits, match.route))

    def _file(self, rule: RouteRule, shared: Mapping[tuple[str, str], int]) -> None:
        """File a rule under the condition whose values the fewest rules ask for."""
        conditions = [(kind, rule.conditions[kind]) for kind in RAREST_FIRST if kind in rule.conditions]
        filings: list[tuple[int, str, Collection[str]]] = [
            (sum(shared[kind, value] for value in values), kind, values) for kind, values in conditions
        ]
        if words := _filing_words(rule):
            filings.append((sum(shared[WORDS, word] for word in words), WORDS, words))
        if not filings:
            self._unfiled.append(rule)
            return
        _, under, asked = min(filings, key=lambda filing: filing[0])
        for value in asked:
            self._filed[under, value].append(rule)

    def _candidates(self, facts: _Facts) -> Iterable[RouteRule]:
        candidates = {rule.name: rule for rule in self._unfiled}
        for kind, values in facts.values.items():
            for value in values:
                for rule in self._filed.get((kind, value), ()):
                    candidates[rule.name] = rule
        for word in facts.words.vocabulary & self._asked_words:
            candidates.update((rule.name, rule) for rule in self._filed[WORDS, word])
        return candidates.values()


class _Facts:
    """The facts of an event that rules ask for; its words only where a rule asks for words."""

    def __init__(self, event: Event, *, words: bool) -> None:
        tag = event.language.tag if event.language else event.story.language or ""
        entities = event.entities or ()
        places = [*(event.dateline.places if event.dateline else ()), *(e.place for e in entities if e.place)]
        feed = event.provenance.feed if event.provenance else None
        self.urgency = event.story.urgency
        self.sources = event.cluster.sources if event.cluster else 0
        self.novelty = event.cluster.novelty if event.cluster else 0.0
        self.values: dict[ConditionKind, frozenset[str]] = {
            "entity": frozenset(entity_names(event)),
            "watchlist": frozenset(name for entity in entities for name in entity.watchlists),
            "topic": frozenset(with_ancestors(topic.code for topic in event.topics or ())),
            "feed": frozenset([feed] if feed else []),
            "country": frozenset(place.country for place in places if place.country),
            "language": frozenset({tag, tag.partition("-")[0]} - {""}),
            "relation": frozenset([lineage(event).relation]),
        }
        self.story = StoryFacts(event)
        self.words = WordList(words_of(f"{event.headline}\n{event.text}") if words else [])


def _asked(rule: RouteRule) -> Iterable[tuple[str, str]]:
    """Every value that a rule could be filed under."""
    for kind, values in rule.conditions.items():
        yield from ((kind, value) for value in values)
    yield from ((WORDS, word) for word in _filing_words(rule))


def _filing_words(rule: RouteRule) -> list[str]:
    """A word of each term, the longest as the rarest; none where a term is the beginning of words."""
    if any(term.prefix for term in rule.words):
        return []
    return [max(term.words, key=len) for term in rule.words]


def _fits(rule: RouteRule, facts: _Facts) -> bool:
    if rule.urgency is not None and (facts.urgency is None or facts.urgency > rule.urgency):
        return False
    if facts.sources < rule.min_sources or facts.novelty < rule.min_novelty:
        return False
    for kind, wanted in rule.conditions.items():
        if facts.values[kind].isdisjoint(wanted):
            return False
    if rule.words and not any(facts.words.has(term) for term in rule.words):
        return False
    return rule.query is None or fits_facts(rule.query, facts.story)


def _asks_for_kills(rule: RouteRule) -> bool:
    return "kill" in rule.conditions.get("relation", ()) or (
        rule.query is not None and asks_for(rule.query, "kill")
    )


def _verdicts(rule: RouteRule, facts: _Facts) -> Iterable[tuple[bool, str]]:
    """Whether each condition holds, and the reason."""
    if rule.urgency is not None:
        yield (
            facts.urgency is not None and facts.urgency <= rule.urgency,
            f"urgency {facts.urgency or 'not told'}, wanted {rule.urgency} or more urgent",
        )
    if rule.min_sources:
        yield facts.sources >= rule.min_sources, f"{facts.sources} sources, wanted {rule.min_sources}"
    if rule.min_novelty:
        yield facts.novelty >= rule.min_novelty, f"novelty {facts.novelty:g}, wanted {rule.min_novelty:g}"
    for kind, wanted in rule.conditions.items():
        common = sorted(facts.values[kind] & wanted)
        has = ", ".join(sorted(facts.values[kind])) or "none"
        yield (
            bool(common),
            f"{kind} {', '.join(common)}" if common else f"{kind} {has}, wanted {_first_values(wanted)}",
        )
    if rule.words:
        matched = [" ".join(term.typed) for term in rule.words if facts.words.has(term)]
        wanted_words = _first_values([" ".join(term.typed) for term in rule.words])
        yield bool(matched), f"words {', '.join(matched)}" if matched else f"none of the words {wanted_words}"
    if rule.query is not None:
        fits = fits_facts(rule.query, facts.story)
        parts = [text for leaf in fitting_leaves(rule.query, facts.story) if (text := _leaf_text(rule, leaf))]
        reason = (
            f"query {', '.join(parts) or rule.query_text}" if fits else f"not the query {rule.query_text}"
        )
        yield fits, reason


def _leaf_text(rule: RouteRule, leaf: QueryLeaf) -> str:
    """A part of a rule's query as it is written."""
    return rule.query_text[leaf.span.start : leaf.span.start + leaf.span.length]


def _first_values(values: Iterable[str]) -> str:
    names = sorted(values)
    rest = len(names) - MAX_SHOWN_VALUES
    return ", ".join(names[:MAX_SHOWN_VALUES]) + (f" and {rest} more" if rest > 0 else "")


def compile_words(phrases: Sequence[str]) -> tuple[SearchTerm, ...]:
    """The words of a rule as terms: each is a word or a phrase, a last ``*`` means any ending."""
    terms = []
    for phrase in phrases:
        compared = tuple(words_of(phrase))
        if compared:
            terms.append(SearchTerm(compared, tuple(phrase.rstrip("*").split()), phrase.endswith("*")))
    return tuple(terms)
