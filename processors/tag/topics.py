"""IPTC Media Topics of a story: what the publisher says, else what the words say.

The publisher's own codes and section names come first. For the words, every topic has a lexicon a language
(`config.lexicon.Language`): a term counts with the logarithm of its frequency, more in the headline and the lead,
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
from processors.media_topics import CODE_PREFIX, codes_by_name, find_ancestors, media_topics
from processors.model.event import Event, Topic

TOLD: Final = 1.0  # confidence of the publisher's own code
SECTION: Final = 0.9  # of a section name that stands for a topic
STRONG: Final = 3.0
HEADLINE: Final = 3.0  # a term in the headline counts so often
LEAD_TOKENS: Final = 60
LEAD: Final = 1.5
ENOUGH: Final = 8.0  # evidence at which the dampening is down to 1/e
SHARPNESS: Final = 2.0  # the power of the scores whose shares are the confidences
LEAST: Final = 0.2  # confidence of a topic that is told
MOST: Final = 3  # topics that the words give
MAX_CHARS: Final = 20_000
TOKEN: Final = re.compile(r"[^\W_]+(?:[-'’.&][^\W_]+)*")
CODE: Final = re.compile(r"(?:medtop:|/mediatopic/)(\d{8})$")


@dataclass(frozen=True, slots=True)
class Term:
    """The words of a term after its first, and what it weighs for which topics (by their number)."""

    rest: tuple[str, ...]
    weights: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The terms of one language by their first word."""

    codes: tuple[str, ...]
    terms: Mapping[str, tuple[Term, ...]]


def find_topics(event: Event) -> tuple[Topic, ...]:
    """The topics of a story, surest first; a topic is left out where one below it is told."""
    tag = event.language.tag if event.language else "und"
    found: dict[str, float] = {}
    for code, confidence in [*_publishers(event), *_from_words(event, tag)]:
        found[code] = max(confidence, found.get(code, 0.0))
    implied = {above for code in found for above in find_ancestors(code)}
    kept = {code: confidence for code, confidence in found.items() if code not in implied}
    return tuple(
        Topic(CODE_PREFIX + code, media_topics()[code].name(tag), round(confidence, 3))
        for code, confidence in sorted(kept.items(), key=lambda pair: (-pair[1], pair[0]))
    )


def _publishers(event: Event) -> Iterator[tuple[str, float]]:
    """What the publisher's subjects say: Media Topics, or section names that stand for one."""
    for subject in event.story.subjects:
        if subject.creator:
            continue
        coded = CODE.search(subject.uri or "") or CODE.search(subject.literal or "")
        if coded and coded.group(1) in media_topics():
            yield coded.group(1), TOLD
            continue
        for name in (subject.name, subject.literal):
            code = _section(name or "")
            if code:
                yield code, SECTION
                break


def _section(name: str) -> str | None:
    told = name.casefold().strip()
    return _sections().get(told) or codes_by_name().get(told)


def _from_words(event: Event, tag: str) -> Iterator[tuple[str, float]]:
    lexicon = _lexicon(tag.partition("-")[0])
    if lexicon is None:
        return
    counts: dict[Term, float] = {}
    _count(lexicon, _tokens(event.headline), counts, lambda _at: HEADLINE)
    _count(lexicon, _tokens(event.text[:MAX_CHARS]), counts, lambda at: LEAD if at < LEAD_TOKENS else 1.0)
    scores = [0.0] * len(lexicon.codes)
    for term, count in counts.items():
        for topic, weight in term.weights:
            scores[topic] += weight * (1 + math.log(count) if count >= 1 else count)
    total = sum(score**SHARPNESS for score in scores)
    for score, code in sorted(zip(scores, lexicon.codes, strict=True), reverse=True)[:MOST]:
        if score:
            confidence = score**SHARPNESS / total * (1 - math.exp(-score / ENOUGH))
            if confidence >= LEAST:
                yield code, min(confidence, 0.99)


def _count(lexicon: Lexicon, tokens: list[str], counts: dict[Term, float], weigh: Any) -> None:
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
def _lexicon(tag: str) -> Lexicon | None:
    known = language(tag)
    if known is None or not known.topics:
        return None
    weights: dict[tuple[str, ...], list[tuple[int, float]]] = {}
    for number, (code, terms) in enumerate(known.topics.items()):
        prior = topic_names().priors.get(code, 1.0)
        for term in _listed(terms):
            words = tuple(_tokens(term.removesuffix("!")))
            weights.setdefault(words, []).append((number, prior * (STRONG if term.endswith("!") else 1.0)))
    by_first: dict[str, list[Term]] = {}
    for words, pairs in weights.items():
        shared = tuple((number, weight / len(pairs)) for number, weight in pairs)
        by_first.setdefault(words[0], []).append(Term(words[1:], shared))
    return Lexicon(tuple(known.topics), {first: tuple(terms) for first, terms in by_first.items()})


def _listed(names: str) -> Iterable[str]:
    return (name for name in (each.strip().casefold() for each in names.split(",")) if name)
