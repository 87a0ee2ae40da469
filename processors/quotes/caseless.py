"""Who speaks in languages without capitals: Chinese, Japanese, Arabic.

Noun phrases can't be walked word by word there, so a language has two patterns in its file: what stands before the
opening mark (外交部长曹卫光说：) and what stands behind the closing one (と田辺市長は語った), each with the groups ``source``
and ``cue``, either of which the other pattern may have. Both look at a bounded stretch of the sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from processors.quotes.lexicon import SpeechLexicon
from processors.quotes.marks import QuotedSpan

MAX_CHARS_BEFORE: Final = (
    90  # an opening mark, in which who speaks stands: a long title, a name and a place have 60
)
MAX_CHARS_BEHIND: Final = 70  # a closing mark, likewise; more would read the next sentence's
SENTENCE_END: Final = re.compile(r"[。！？!?؟\n]|\.(?=\s)")
WHOLE_END: Final = re.compile(r"[。！？!?؟.…]$")
MIN_WHOLE_CHARS: Final = (
    5  # of a quotation without a full stop that is a sentence; fewer are a word at arm's length
)


@dataclass(frozen=True, slots=True)
class SaidQuote:
    """A quotation with who says it and by which word, as [start, end) in the text."""

    quoted: QuotedSpan
    is_whole: bool
    source: tuple[int, int] | None
    cue: tuple[int, int] | None


def find_said(
    text: str, start: int, end: int, quoted: Sequence[QuotedSpan], words: SpeechLexicon
) -> list[SaidQuote]:
    """The quotations of the paragraph text[start:end], each with its speaker where the words beside it tell one."""
    said: list[SaidQuote] = []
    for number, quote in enumerate(quoted):
        following = quoted[number + 1].outer_start if number + 1 < len(quoted) else end
        behind = words.said_behind.match(
            text, quote.outer_end, min(following, quote.outer_end + MAX_CHARS_BEHIND)
        )
        earliest = max(
            quoted[number - 1].outer_end if number else start, quote.outer_start - MAX_CHARS_BEFORE
        )
        stops = list(SENTENCE_END.finditer(text, earliest, quote.outer_start))
        before = words.said_before.search(text, stops[-1].end() if stops else earliest, quote.outer_start)
        said.append(_said_quote(text, quote, before, behind))
    return said


def _said_quote(
    text: str, quote: QuotedSpan, before: re.Match[str] | None, behind: re.Match[str] | None
) -> SaidQuote:
    """Behind the words first, since what stands before them may belong to other words."""
    cues = [match.span("cue") for match in (behind, before) if match and _has_group(match, "cue")]
    sources = [match.span("source") for match in (behind, before) if match and _has_group(match, "source")]
    words = text[quote.start : quote.end]
    opened = text[max(0, quote.outer_start - 2) : quote.outer_start].rstrip().endswith((":", "："))
    is_whole = bool(WHOLE_END.search(words)) or opened or (bool(cues) and len(words) >= MIN_WHOLE_CHARS)
    is_told = bool(cues) or (behind is not None and _has_group(behind, "source"))  # "according to" is no cue
    return SaidQuote(quote, is_whole, sources[0] if is_told and sources else None, cues[0] if cues else None)


def _has_group(match: re.Match[str], group: str) -> bool:
    return group in match.re.groupindex and match[group] is not None
