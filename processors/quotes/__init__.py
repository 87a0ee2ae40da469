"""Quotations, their cues and their speakers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from processors.model.event import Quote, QuoteKind, Segment, Span
from processors.quotes.attribution import Attribution, Clause, find_indirect
from processors.quotes.caseless import find_said
from processors.quotes.lexicon import NO_WORDS, SpeechLexicon, speech_lexicon
from processors.quotes.marks import QuotedSpan, find_dialogue, find_quoted
from processors.quotes.tokens import TERMINAL_MARK, Token, split_sentences, tokenize

DASH_AFTER = re.compile(r"\s*[—–―]|\s-\s")  # a dash after the words: a narrator or a name follows
LETTERS = re.compile(r"[^\W\d_]+")
MAX_QUOTED_CHARS = 200_000  # of a text; nobody quotes anybody behind them
MAX_QUOTES = 5_000  # of a text; a book of interviews has fewer
QUOTED_SEGMENTS = frozenset({"paragraph", "list"})


def find_quotes(text: str, segments: tuple[Segment, ...], language: str) -> tuple[Quote, ...]:
    """The quotations of a segmented text, in order.

    `language` is a BCP 47 tag. Where it has no words of speech in its file, quotations are
    found without cue and speaker. Only running text is read: the words of headlines, captions and credits are not.
    A text is read up to `MAX_QUOTED_CHARS` characters and `MAX_QUOTES` quotations, so that none takes long.
    """
    words = speech_lexicon(language.partition("-")[0].lower()) or NO_WORDS
    reader = _QuoteReader(text, words)
    quotes: list[Quote] = []
    for segment in segments:
        if segment.start >= MAX_QUOTED_CHARS or len(quotes) == MAX_QUOTES:
            break
        if segment.inside == "text" and segment.kind in QUOTED_SEGMENTS:
            in_paragraph = reader.read_paragraph(segment.start, min(segment.end, MAX_QUOTED_CHARS))
            quotes += islice(in_paragraph, MAX_QUOTES - len(quotes))
    return tuple(sorted(quotes, key=lambda quote: (quote.start, quote.end)))


@dataclass(frozen=True, slots=True)
class _Speaker:
    """Who spoke last, and the cue that says so."""

    source: tuple[int, int]
    cue: tuple[int, int] | None


class _QuoteReader:
    """Reads paragraphs in order; remembers who spoke last, and whether a quotation is still open."""

    def __init__(self, text: str, words: SpeechLexicon) -> None:
        self._text, self._words = text, words
        self._last: _Speaker | None = None
        self._open = False

    def read_paragraph(self, start: int, end: int) -> Iterator[Quote]:
        quoted = find_dialogue(self._text, start, end, self._words) or find_quoted(self._text, start, end)
        if self._words.is_caseless:
            yield from self._read_caseless(start, end, quoted)
            return
        here: _Speaker | None = (
            self._last if self._open or (quoted and quoted[0].outer_start == start) else None
        )
        phrased = self._has_nominal_cue(start, end)
        tokens: list[Token] = []
        if quoted or phrased or self._has_cue(start, end):
            tokens = tokenize(self._text, start, end, quoted, self._words)
        for sentence in split_sentences(self._text, tokens, quoted, self._words):
            quoting, bare = False, self._is_bare(sentence)
            clause = Clause(self._text, sentence, self._words, phrased=phrased)
            for at, token in enumerate(sentence):
                if token.kind != "quote":
                    continue
                quote = quoted[token.number]
                title = self._looks_like_title(quote)
                speaker = self._speaker(clause.speaker_of(at, title=title))
                if speaker is None and not title and bare:
                    speaker = here
                yield self._quote(quote.start, quote.end, self._kind(quote, bare=bare), speaker)
                here = speaker or here
                quoting = quoting or speaker is not None
            for first, last, attribution in find_indirect(clause, self._words):
                yield self._quote(first, last, "indirect", self._speaker(attribution))
            if not quoting:
                stated = next((said for said in clause.attributions if said.source and not said.weak), None)
                here = self._speaker(stated) or here
        self._last = here
        self._open = bool(quoted) and not quoted[-1].closed

    def _read_caseless(self, start: int, end: int, quoted: tuple[QuotedSpan, ...]) -> Iterator[Quote]:
        """The quotations of a paragraph in a language without capitals; who goes on speaking is not named again."""
        for said in find_said(self._text, start, end, quoted, self._words):
            speaker = _Speaker(said.source, said.cue) if said.source else None
            alone = (said.quoted.outer_start, said.quoted.outer_end) == (start, end)
            if speaker is None and self._last and (said.cue or (alone and self._open)):
                speaker = _Speaker(self._last.source, said.cue)
            yield self._quote(
                said.quoted.start, said.quoted.end, "direct" if said.is_whole else "partial", speaker
            )
            self._last = speaker or self._last
        self._open = bool(quoted) and not quoted[-1].closed

    def _has_nominal_cue(self, start: int, end: int) -> bool:
        """Whether a nominal cue (``according to``) stands in the paragraph."""
        return any(
            pattern.search(self._text, start, end) for pattern in (self._words.phrases, self._words.behind)
        )

    def _has_cue(self, start: int, end: int) -> bool:
        """Whether a word that may be a cue stands in the paragraph; without one, nobody says anything there."""
        return not self._words.cues.isdisjoint(LETTERS.findall(self._text[start:end].lower()))

    def _speaker(self, attribution: Attribution | None) -> _Speaker | None:
        if attribution is None or attribution.source is None:
            return None
        return _Speaker(attribution.source, attribution.cue)

    def _looks_like_title(self, quote: QuotedSpan) -> bool:
        """Whether the words look like the title of a work: the first word and every long one have a capital."""
        if self._text[quote.start].islower():
            return False
        long = [word for word in self._text[quote.start : quote.end].split() if len(word) > 3]
        return 1 < len(long) < 12 and all(not word[0].islower() for word in long)

    def _is_bare(self, sentence: list[Token]) -> bool:
        """Whether a quotation is its sentence: nothing but marks beside it."""
        return all(token.kind != "word" for token in sentence)

    def _quote(self, start: int, end: int, kind: QuoteKind, speaker: _Speaker | None) -> Quote:
        source = self._span(speaker.source) if speaker else None
        cue = self._span(speaker.cue) if speaker and speaker.cue else None
        return Quote(start, end, kind, source, cue)

    def _span(self, span: tuple[int, int]) -> Span:
        return Span(*span, self._text[span[0] : span[1]])

    def _kind(self, quote: QuotedSpan, *, bare: bool) -> QuoteKind:
        """Direct: a sentence of its own, by its capital and by the full stop or comma that ends it."""
        words = self._text[quote.start : quote.end].lstrip(" ¿¡[(…\"'‘“«")
        comma = any(self._text.startswith(",", at) for at in (quote.end - 1, quote.end, quote.outer_end))
        closed = comma or TERMINAL_MARK.search(words)
        signed = DASH_AFTER.match(self._text, quote.outer_end)
        whole = words[:1].isupper() and " " in words and (bare or closed or signed)
        return "direct" if whole else "partial"
