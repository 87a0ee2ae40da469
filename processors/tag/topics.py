"""IPTC Media Topics of a story: what the publisher says, else what the words say.

The publisher's own codes and section names come first. For the words, every topic has terms in each language
(`processors.tag.topic_words`): a term counts less with each repetition, more in the headline and the lead. A
term of several topics counts for those that the rest of the story is about. A narrow topic's terms count for the one
above it at the top, too; the narrow one is told where it has most of them. Confidence is a curve of two numbers over the
share of the evidence, so that of what is told at .8, eight in ten are right.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

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
from processors.tag.topic_words import Term, TopicLexicon, listed_names, topic_lexicon

PUBLISHED_CONFIDENCE: Final = 1.0  # of the publisher's own code
# The part of a story that a publisher's topic is about, where neither he nor the words say: he names the main ones first
# and the others too, so neither a mention nor all of it.
PUBLISHED_SHARE: Final = 0.5
# Of a section name, or of another code, that stands for a topic: sections and codes are wider than topics.
SECTION_CONFIDENCE: Final = 0.9
# How often a term of the headline counts: lower, and long bodies drown it; higher, and a pun decides the topic.
HEADLINE_WEIGHT: Final = 3.0
LEAD_TOKENS: Final = 60  # of a text: fewer cut its second sentence off, more reach the background
LEAD_WEIGHT: Final = 1.5  # as for the headline, but a lead has more words by chance
SCORE_POWER: Final = 2.0  # confidences follow shares of it: 1 spreads them, more leaves the first topic alone
# Evidence that a story would have for what no lexicon knows, beside the weight 3 to 9 of one sure word: lower, and that
# word is certain; higher, and short stories are never sure.
OTHER_EVIDENCE: Final = 4.0
# The logistic curve of confidence: offset, and slope over the logarithm of the odds. Fitted on halves of three sets of
# news in two languages (the words' weights are not, `trust` in topics.toml is), each set counting alike.
CONFIDENCE_CURVE: Final = (0.777, 0.7)
MIN_CONFIDENCE: Final = (
    0.5  # lower tells what is wrong more often than right; higher loses the second of a mixed story
)
# Of how often a term comes: 1, and one word of a long story drowns all others; 0, and what comes ten times is a mention.
REPETITION_POWER: Final = 0.7
UNSEEN_WEIGHT: Final = (
    1.0  # weight of a topic that no other term of the story tells, so that it can still be one
)
WEIGHING_ROUNDS: Final = 3  # of weighing the terms of several topics; more change nothing
# A narrow topic is told from two sure words on, where it has this part of its top's evidence, and so many times that of
# its siblings: lower tells wrong ones, higher leaves "sport" for most of soccer.
CHILD_EVIDENCE: Final = 6.0
CHILD_SHARE: Final = 0.4
CHILD_LEAD: Final = 2.0
# Of the narrow topics that were told of our own marked stories in sixteen languages, so many were right at least.
CHILD_TRUST: Final = 0.95
MAX_WORD_TOPICS: Final = 3  # that the words of a story give: the fourth is rarely what it is about
MAX_READ_CHARS: Final = 20_000
CODE: Final = re.compile(r"(?:medtop:|/mediatopic/)(\d{8})$")


def find_topics(event: Event) -> tuple[Topic, ...]:
    """The topics of a story, surest first; a topic is left out where one below it is told."""
    tag = event.language.tag if event.language else "und"
    found: dict[str, _FoundTopic] = {}
    for topic in [*_publishers(event), *_from_words(event, tag)]:
        found[topic.code] = topic.join(found.get(topic.code))
    implied = {above for code in found for above in find_ancestors(code)}
    kept = [topic.under(found) for code, topic in found.items() if code not in implied]
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

    def under(self, others: Mapping[str, _FoundTopic]) -> _FoundTopic:
        """The topic, nearly as sure as those above it: the words tell it only where there is little doubt."""
        above = [others[code].confidence for code in find_ancestors(self.code) if code in others]
        return replace(self, confidence=max(self.confidence, *(CHILD_TRUST * sure for sure in above), 0.0))

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
    lexicon = topic_lexicon(tag.partition("-")[0])
    if lexicon is None:
        return
    counts: dict[Term, float] = {}
    for _, term in lexicon.terms_in(event.headline):
        counts[term] = counts.get(term, 0.0) + HEADLINE_WEIGHT
    for at, term in lexicon.terms_in(event.text[:MAX_READ_CHARS]):
        counts[term] = counts.get(term, 0.0) + (LEAD_WEIGHT if at < LEAD_TOKENS else 1.0)
    scores = _weigh(lexicon, counts)
    evidence = {
        number: score**SCORE_POWER * topic_names().trust.get(lexicon.codes[number], 1.0)
        for number, score in enumerate(scores)
        if score and lexicon.tops[number] == number
    }
    total = sum(evidence.values())
    for number, own in sorted(evidence.items(), key=lambda item: (-item[1], item[0]))[:MAX_WORD_TOPICS]:
        confidence = _confidence(own, total)
        if confidence >= MIN_CONFIDENCE:
            told = _sure_child(lexicon, scores, number) or number
            yield _FoundTopic(lexicon.codes[told], confidence, own / total)


def _sure_child(lexicon: TopicLexicon, scores: list[float], top: int) -> int | None:
    """The topic below one at the top that most of its words are about; None where they tell no single one."""
    below = [number for number, above in enumerate(lexicon.tops) if above == top != number and scores[number]]
    if not below:
        return None
    child = max(below, key=lambda number: scores[number])
    others = sum(scores[number] for number in below) - scores[child]
    is_sure = (
        scores[child] >= CHILD_EVIDENCE
        and scores[child] >= CHILD_SHARE * scores[top]
        and scores[child] >= CHILD_LEAD * others
    )
    return child if is_sure else None


def _confidence(own: float, total: float) -> float:
    """How sure a topic is, of its evidence and that of all."""
    odds = math.log(own / (total - own + OTHER_EVIDENCE**SCORE_POWER))
    return 1 / (1 + math.exp(-(CONFIDENCE_CURVE[0] + CONFIDENCE_CURVE[1] * odds)))


def _weigh(lexicon: TopicLexicon, counts: Mapping[Term, float]) -> list[float]:
    """The scores of all topics: a term of several topics counts for those that the rest of the story is about.

    That is one topic mixed with others by what the other terms say (expectation and maximisation of a mixture).
    """
    tops, size = lexicon.tops, len(lexicon.codes)
    scores = [0.0] * size
    shared: list[tuple[float, tuple[tuple[int, float], ...]]] = []
    for term, count in counts.items():
        often = count**REPETITION_POWER
        if len(term.weights) == 1:
            ((number, weight),) = term.weights
            scores[tops[number]] += weight * often
            if tops[number] != number:
                scores[number] += weight * often
        else:
            shared.append((often, term.weights))
    own = scores
    for _ in range(WEIGHING_ROUNDS):
        before, scores = scores, own.copy()
        for often, weights in shared:
            parts = [weight * (before[tops[number]] + UNSEEN_WEIGHT) for number, weight in weights]
            whole = sum(parts)
            for (number, weight), part in zip(weights, parts, strict=True):
                scores[tops[number]] += often * weight * part / whole
                if tops[number] != number:
                    scores[number] += often * weight * part / whole
    return scores


@cache
def _sections() -> dict[str, str]:
    return {name: code for code, names in topic_names().sections.items() for name in listed_names(names)}
