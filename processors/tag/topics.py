"""IPTC Media Topics of a story: what the publisher says, else what the words say.

The publisher's own codes and section names come first. For the words, every topic has a lexicon a language
(`config.lexicon.LanguageWords`): a term counts with the logarithm of its frequency, more in the headline and the lead,
less where several topics share it. A topic's confidence is its share of the squares of
all scores, dampened where little was found.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from config.lexicon import language
from config.tables import topic_names
from processors.linked_data import wikidata_uri
from processors.media_topics import (
    CODE_PREFIX,
    PIPELINE_CREATOR,
    TAGGER_CREATOR,
    codes_by_name,
    find_ancestors,
    media_topics,
)
from processors.model.event import Event, Topic

PUBLISHED_CONFIDENCE: Final = 1.0  # of the publisher's own code
# The part of a story that a publisher's topic is about, where neither he nor the words say: he names the main ones first
# and the others too, so neither a mention nor all of it.
PUBLISHED_SHARE: Final = 0.5
# Of a section name, or of another code, that stands for a topic: sections and codes are wider than topics.
SECTION_CONFIDENCE: Final = 0.9
# Of a term that is marked with ``!``: lower, and a story with one sure word has no topic; higher, and nothing else counts.
STRONG_TERM_WEIGHT: Final = 3.0
# How often a term of the headline counts: lower, and long bodies drown it; higher, and a pun decides the topic.
HEADLINE_WEIGHT: Final = 3.0
LEAD_TOKENS: Final = 60  # of a text: fewer cut its second sentence off, more reach the background
LEAD_WEIGHT: Final = 1.5  # as for the headline, but a lead has more words by chance
# The score at which the dampening is down to 1/e: lower, and one word in passing makes a topic; higher, and short
# stories have none.
DAMPING_EVIDENCE: Final = 8.0
SCORE_POWER: Final = 2.0  # confidences are shares of it: 1 spreads them, more leaves the first topic alone
MIN_CONFIDENCE: Final = 0.2  # lower brings topics of single words, higher loses the second of a mixed story
MAX_WORD_TOPICS: Final = 3  # that the words of a story give: the fourth is rarely what it is about
MAX_READ_CHARS: Final = 20_000
TOKEN: Final = re.compile(r"[^\W_]+(?:[-'’.&][^\W_]+)*")
CODE: Final = re.compile(r"(?:medtop:|/mediatopic/)(\d{8})$")


@dataclass(frozen=True, slots=True)
class Term:
    """The words of a term after its first, and what it weighs for which topics (by their number)."""

    rest: tuple[str, ...]
    weights: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class TopicLexicon:
    """The terms of one language by their first word."""

    codes: tuple[str, ...]
    terms: Mapping[str, tuple[Term, ...]]


def find_topics(event: Event) -> tuple[Topic, ...]:
    """The topics of a story, surest first; a topic is left out where one below it is told."""
    tag = event.language.tag if event.language else "und"
    found: dict[str, _FoundTopic] = {}
    for topic in [*_publishers(event), *_from_words(event, tag)]:
        found[topic.code] = topic.join(found.get(topic.code))
    implied = {above for code in found for above in find_ancestors(code)}
    kept = [topic for code, topic in found.items() if code not in implied]
    return tuple(
        topic.in_language(tag) for topic in sorted(kept, key=lambda topic: (-topic.confidence, topic.code))
    )


@dataclass(frozen=True, slots=True)
class _FoundTopic:
    """A topic, how sure it is, and the share of the story that is about it."""

    code: str
    confidence: float
    share: float

    def in_language(self, tag: str) -> Topic:
        """The topic as the event has it, with its name in a language."""
        name, relevance = media_topics()[self.code].name(tag), round(100 * self.share)
        return Topic(
            CODE_PREFIX + self.code, name, round(self.confidence, 3), relevance, wikidata_uri(self.code)
        )

    def join(self, other: _FoundTopic | None) -> _FoundTopic:
        """Both findings of one topic, the surer of each."""
        if other is None:
            return self
        return _FoundTopic(self.code, max(self.confidence, other.confidence), max(self.share, other.share))


def _publishers(event: Event) -> Iterator[_FoundTopic]:
    """What the publisher's subjects say: Media Topics, or section names that stand for one."""
    for subject in event.story.subjects:
        if subject.creator == TAGGER_CREATOR:
            continue
        share = PUBLISHED_SHARE if subject.relevance is None else min(max(subject.relevance, 0), 100) / 100
        sure = SECTION_CONFIDENCE if subject.creator == PIPELINE_CREATOR else PUBLISHED_CONFIDENCE
        coded = CODE.search(subject.uri or "") or CODE.search(subject.literal or "")
        if coded and coded.group(1) in media_topics():
            yield _FoundTopic(coded.group(1), sure, share)
            continue
        for name in (subject.name, subject.literal):
            code = _section(name or "")
            if code:
                yield _FoundTopic(code, SECTION_CONFIDENCE, share)
                break


def _section(name: str) -> str | None:
    key = name.casefold().strip()
    return _sections().get(key) or codes_by_name().get(key)


def _from_words(event: Event, tag: str) -> Iterator[_FoundTopic]:
    lexicon = _lexicon(tag.partition("-")[0])
    if lexicon is None:
        return
    counts: dict[Term, float] = {}
    _count(lexicon, _tokens(event.headline), counts, lambda _at: HEADLINE_WEIGHT)
    _count(
        lexicon,
        _tokens(event.text[:MAX_READ_CHARS]),
        counts,
        lambda at: LEAD_WEIGHT if at < LEAD_TOKENS else 1.0,
    )
    scores = [0.0] * len(lexicon.codes)
    for term, count in counts.items():
        for topic, weight in term.weights:
            scores[topic] += weight * (1 + math.log(count) if count >= 1 else count)
    total = sum(score**SCORE_POWER for score in scores)
    for score, code in sorted(zip(scores, lexicon.codes, strict=True), reverse=True)[:MAX_WORD_TOPICS]:
        if score:
            confidence = score**SCORE_POWER / total * (1 - math.exp(-score / DAMPING_EVIDENCE))
            if confidence >= MIN_CONFIDENCE:
                yield _FoundTopic(code, min(confidence, 0.99), score**SCORE_POWER / total)


def _count(lexicon: TopicLexicon, tokens: list[str], counts: dict[Term, float], weigh: Any) -> None:
    for at, token in enumerate(tokens):
        for term in lexicon.terms.get(token, ()) or lexicon.terms.get(_singular(token), ()):
            if not term.rest or tuple(tokens[at + 1 : at + 1 + len(term.rest)]) == term.rest:
                counts[term] = counts.get(term, 0.0) + weigh(at)


def _tokens(text: str) -> list[str]:
    return [token.removesuffix("'s").removesuffix("’s") for token in TOKEN.findall(text.casefold())]


def _singular(token: str) -> str:
    return token[:-1] if len(token) > 3 and token.endswith("s") else ""


@cache
def _sections() -> dict[str, str]:
    return {name: code for code, names in topic_names().sections.items() for name in _listed(names)}


@cache
def _lexicon(tag: str) -> TopicLexicon | None:
    known = language(tag)
    if known is None or not known.topics:
        return None
    weights: dict[tuple[str, ...], list[tuple[int, float]]] = {}
    for number, (code, terms) in enumerate(known.topics.items()):
        prior = topic_names().priors.get(code, 1.0)
        for term in _listed(terms):
            words = tuple(_tokens(term.removesuffix("!")))
            weights.setdefault(words, []).append(
                (number, prior * (STRONG_TERM_WEIGHT if term.endswith("!") else 1.0))
            )
    by_first: dict[str, list[Term]] = {}
    for words, pairs in weights.items():
        shared = tuple((number, weight / len(pairs)) for number, weight in pairs)
        by_first.setdefault(words[0], []).append(Term(words[1:], shared))
    return TopicLexicon(tuple(known.topics), {first: tuple(terms) for first, terms in by_first.items()})


def _listed(names: str) -> Iterable[str]:
    return (name for name in (each.strip().casefold() for each in names.split(",")) if name)
