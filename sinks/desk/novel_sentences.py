"""What each report of a happening says that the earlier ones in its language did not: the sentences to show beside it.

This is for the eye only. How much a report adds (`ClusterStanding.novelty`) the step cluster decides, over all languages.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from processors.model.event import Event
from sinks.search_words import words
from sinks.stories import MAKERS_SEGMENTS

# Of its words of four letters and more, figures included, that no earlier report has. Half: a sentence that puts the same
# in other words has a third at the most; two thirds leave out what adds a fact to what was known.
MIN_NEW_SHARE: Final = 0.5
MIN_NEW_WORDS: Final = 3  # fewer, and a sentence of two words is new with a synonym
MIN_WORD_CHARS: Final = 4  # shorter ones are grammar in most languages
MAX_SENTENCES: Final = 2  # of a report: more, and nobody sees at a glance what it adds
MAX_SENTENCE_CHARS: Final = 300
MAX_READ_CHARS: Final = 20_000  # of a text; what stands behind is seldom news
_END: Final = re.compile(r"(?<=[^\W\d_]{2}[.!?])[\"”»’)]?\s+(?=[^\W\d_a-z])|(?<=[。！？])|\n\s*\n")
_LEFT_OUT: Final = MAKERS_SEGMENTS | {"boilerplate", "note", "slug", "dateline", "table"}


def find_novel_sentences(events: Sequence[Event]) -> Mapping[str, tuple[str, ...]]:
    """The sentences to show, by the uri of their report; the reports are given in the order in which they came."""
    known: defaultdict[str, set[str]] = defaultdict(set)
    added: dict[str, tuple[str, ...]] = {}
    for event in events:
        language = (event.language.tag if event.language else "").partition("-")[0]
        before = known[language]
        sentences = [(sentence, _telling_words(sentence)) for sentence in _sentences(event)]
        if before:
            added[event.story.uri] = tuple(_most_novel(sentences, before))
        before |= {word for _, telling in sentences for word in telling} | _telling_words(event.headline)
    return added


def _most_novel(sentences: Sequence[tuple[str, set[str]]], before: set[str]) -> Iterator[str]:
    """Those with most new words, in the order of the text."""
    ranked = sorted(
        (
            (len(telling - before), number)
            for number, (_, telling) in enumerate(sentences)
            if len(telling - before) >= max(MIN_NEW_WORDS, MIN_NEW_SHARE * len(telling))
        ),
        key=lambda entry: (-entry[0], entry[1]),
    )
    for _, number in sorted(ranked[:MAX_SENTENCES], key=lambda entry: entry[1]):
        sentence = sentences[number][0]
        yield sentence if len(sentence) <= MAX_SENTENCE_CHARS else f"{sentence[:MAX_SENTENCE_CHARS]}…"


def _sentences(event: Event) -> Iterator[str]:
    """The sentences of the copy."""
    parts = [
        event.text[segment.start : segment.end]
        for segment in event.segments or ()
        if segment.inside == "text" and segment.kind not in _LEFT_OUT and segment.end <= MAX_READ_CHARS
    ]
    for part in parts or [event.text[:MAX_READ_CHARS]]:
        for sentence in _END.split(part):
            if sentence and sentence.strip():
                yield " ".join(sentence.split())


def _telling_words(text: str) -> set[str]:
    return {word for word in words(text) if len(word) >= MIN_WORD_CHARS or word.isdigit()}
