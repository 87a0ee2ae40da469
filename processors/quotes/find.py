"""Quotations with their cues and speakers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from processors.model.event import Quote, QuoteKind, Segment, Span
from processors.quotes.attribution import Attribution, Clause
from processors.quotes.dialogue import find_dialogue
from processors.quotes.indirect import find_indirect
from processors.quotes.lexicon import NO_WORDS, SpeechLexicon, speech_lexicon
from processors.quotes.marks import Quoted, find_quoted
from processors.quotes.tokens import TERMINAL, Token, sentences, tokens

SIGNED = re.compile(r"\s*[—–―]|\s-\s")  # a dash after the words: a narrator or a name follows
LETTERS = re.compile(r"[^\W\d_]+")
MAX_CHARS = 200_000  # of a text; nobody quotes anybody behind them
MOST = 5_000  # quotations of a text; a book of interviews has fewer
READ = frozenset({"paragraph", "list"})


def find_quotes(text: str, segments: tuple[Segment, ...], language: str) -> tuple[Quote, ...]:
    """The quotations of a segmented text, in order.

    `language` is a BCP 47 tag. Where it has no words of speech in ``config/lexicon/quotes.toml``, quotations are
    found without cue and speaker. Only running text is read: the words of headlines, captions and credits are not.
    A text is read up to `MAX_CHARS` characters and `MOST` quotations, so that none takes long.
    """
    words = speech_lexicon(language.partition("-")[0].lower()) or NO_WORDS
    reader = _Reader(text, words)
    found: list[Quote] = []
    for segment in segments:
        if segment.start >= MAX_CHARS or len(found) == MOST:
            break
        if segment.inside == "text" and segment.kind in READ:
            quotes = reader.paragraph(segment.start, min(segment.end, MAX_CHARS))
            found += islice(quotes, MOST - len(found))
    return tuple(sorted(found, key=lambda quote: (quote.start, quote.end)))


@dataclass(frozen=True, slots=True)
class _Said:
    """Who spoke last."""

    source: tuple[int, int]
    cue: tuple[int, int] | None


class _Reader:
    """Reads paragraphs in order; remembers who spoke last, and whether a quotation is still open."""

    def __init__(self, text: str, words: SpeechLexicon) -> None:
        self._text, self._words = text, words
        self._last: _Said | None = None
        self._open = False

    def paragraph(self, start: int, end: int) -> Iterator[Quote]:
        quoted = find_dialogue(self._text, start, end, self._words) or find_quoted(self._text, start, end)
        here: _Said | None = self._last if self._open or (quoted and quoted[0].outer_start == start) else None
        phrased = self._phrased(start, end)
        made: list[Token] = []
        if quoted or phrased or self._has_cue(start, end):
            made = tokens(self._text, start, end, quoted, self._words)
        for sentence in sentences(self._text, made, quoted, self._words):
            quoting, bare = False, self._bare(sentence)
            clause = Clause(self._text, sentence, self._words, phrased=phrased)
            for at, token in enumerate(sentence):
                if token.kind != "quote":
                    continue
                quote = quoted[token.number]
                title = self._titled(quote)
                said = self._said(clause.speaker_of(at, title=title))
                if said is None and not title and bare:
                    said = here
                yield self._made(quote.start, quote.end, self._kind(quote, bare=bare), said)
                here = said or here
                quoting = quoting or said is not None
            for first, last, found in find_indirect(clause, self._words):
                yield self._made(first, last, "indirect", self._said(found))
            if not quoting:
                told = next((each for each in clause.attributions if each.source and not each.weak), None)
                here = self._said(told) or here
        self._last = here
        self._open = bool(quoted) and not quoted[-1].closed

    def _phrased(self, start: int, end: int) -> bool:
        """Whether a nominal cue (``according to``) stands in the paragraph."""
        return any(
            pattern.search(self._text, start, end) for pattern in (self._words.phrases, self._words.behind)
        )

    def _has_cue(self, start: int, end: int) -> bool:
        """Whether a word that may be a cue stands in the paragraph; without one, nobody says anything there."""
        return not self._words.cues.isdisjoint(LETTERS.findall(self._text[start:end].lower()))

    def _said(self, found: Attribution | None) -> _Said | None:
        return _Said(found.source, found.cue) if found and found.source else None

    def _titled(self, quote: Quoted) -> bool:
        """Whether the words look like the title of a work: the first word and every long one have a capital."""
        if self._text[quote.start].islower():
            return False
        long = [word for word in self._text[quote.start : quote.end].split() if len(word) > 3]
        return 1 < len(long) < 12 and all(not word[0].islower() for word in long)

    def _bare(self, sentence: list[Token]) -> bool:
        """Whether a quotation is its sentence: nothing but marks beside it."""
        return all(token.kind != "word" for token in sentence)

    def _made(self, start: int, end: int, kind: QuoteKind, said: _Said | None) -> Quote:
        speaker = self._span(said.source) if said else None
        cue = self._span(said.cue) if said and said.cue else None
        return Quote(start, end, kind, speaker, cue)

    def _span(self, span: tuple[int, int]) -> Span:
        return Span(*span, self._text[span[0] : span[1]])

    def _kind(self, quote: Quoted, *, bare: bool) -> QuoteKind:
        """Direct: a sentence of its own, by its capital and by the full stop or comma that ends it."""
        words = self._text[quote.start : quote.end].lstrip(" ¿¡[(…\"'‘“«")
        comma = any(self._text.startswith(",", at) for at in (quote.end - 1, quote.end, quote.outer_end))
        closed = comma or TERMINAL.search(words)
        signed = SIGNED.match(self._text, quote.outer_end)
        whole = words[:1].isupper() and " " in words and (bare or closed or signed)
        return "direct" if whole else "partial"
