"""The copy that the tagger reads of an event: headline and text as one string, part by part, and names in it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from typing import Final

from processors.model.event import Event, Label, Mention, OffsetText, SegmentKind
from processors.tag.words import WORD

# Of a text that are tagged: 100,000 characters of prose have some 20,000 words and marks, a run of marks more, of Chinese as many. Fewer: names
# late in a long text are missed; more: texts of short words and marks take the tagger longer than a second.
MAX_READ_WORDS: Final = 22_000
MAX_HEADLINE_CHARS: Final = (
    2_000  # that are read: real ones have 300 at the most, and a lead in place of one 1,000
)
HEADLINE_GAP: Final = "\n\n"  # between headline and text
CODE_SEGMENTS: Final = frozenset({"slug", "initials"})  # kinds of segments whose words are codes
POSITION_MARK: Final = re.compile(
    r"\((?:[LRC]|\d(?:st|nd|rd|th)? [LR]|(?:far |back |front )?(?:left|right|centre|center))\)"
)  # who is who in a picture
BLANK_OF: Final = dict.fromkeys(map(ord, "\t\n\r\v\f\x85\xa0\u2028\u2029\u202f\u2009"), " ")
# The end of a line of a list of names, where the next line is one too: four words at the most, all with capitals.
# Wrapped copy has longer lines, and small words in them.
CAPITAL_WORD: Final = r"[A-ZÀ-ÖØ-ÞĆČĐĘŁŃŚŞŠŹŻŽЀ-Я][^\W\d_]+(?:[-'’.][^\W\d_]+){0,2}"
LIST_LINE: Final = rf"[ \t]*{CAPITAL_WORD}(?: {CAPITAL_WORD}){{0,3}}[ \t]*"
LIST_BREAK: Final = re.compile(rf"^({LIST_LINE})\n(?={LIST_LINE}$)", re.MULTILINE)
SAMPLE_CHARS: Final = (
    60  # of a line that show quickly that it is not in capitals; fewer misjudge a line that opens with a name
)
MIN_CAPITALS_SHARE: Final = (
    0.7  # of a line's letters, to be lowered; below it, "NATO and EU" would lose its acronyms
)
MIN_CAPITALS_LETTERS: Final = 8  # of a line to be lowered; a shorter one may be an acronym alone


@dataclass(frozen=True, slots=True, order=True)
class NameSpan:
    """A name in the offsets of its copy, before it is decided which entity it means.

    `weight` is how much its label counts when the mentions of one name disagree.
    """

    start: int
    end: int
    label: Label
    weight: float = 1.0


def merge_names(preferred: Iterable[NameSpan], others: Iterable[NameSpan]) -> list[NameSpan]:
    """All preferred names, and those of the others that overlap none of them, in order of the text."""
    merged = sorted(preferred)
    taken = bytearray(max((name.end for name in merged), default=0))
    for name in merged:
        taken[name.start : name.end] = b"\1" * (name.end - name.start)
    for name in sorted(others, key=lambda other: (other.start, -other.end)):
        if not any(taken[name.start : name.end]):
            if name.end > len(taken):
                taken.extend(bytes(name.end - len(taken)))
            taken[name.start : name.end] = b"\1" * (name.end - name.start)
            merged.append(name)
    return sorted(merged)


def readable_chars(text: str, max_chars: int) -> int:
    """How many characters of a text are read: up to both limits, the one in characters, the other in words and marks.

    Words are the recogniser's: each character of an unspaced script, digits apart from letters, each low line.
    """
    if len(text) <= MAX_READ_WORDS:  # a word has at least a character
        return min(len(text), max_chars)
    words = WORD.finditer(text, 0, max_chars)
    last = next(islice(words, MAX_READ_WORDS, None), None)
    return last.start() if last else min(len(text), max_chars)


@dataclass(frozen=True, slots=True)
class CopyPart:
    """A segment in a copy's own offsets; the headline that was delivered apart is one of kind ``headline``."""

    start: int
    end: int
    kind: SegmentKind


_start_of: Final = attrgetter("start")


@dataclass(frozen=True, slots=True)
class Copy:
    """Headline and text of an event as one string.

    `text` is headline, gap and text (cut at a limit). `read` is as long, with line ends and capitals smoothed.
    `shift` is the offset at which the event's text begins in both.
    """

    text: str
    read: str
    shift: int
    parts: tuple[CopyPart, ...]
    language: str

    @classmethod
    def of(cls, event: Event, max_chars: int) -> Copy:
        """The copy of an event, up to `max_chars` characters of its text (see `readable_chars`)."""
        headline = event.headline[:MAX_HEADLINE_CHARS]
        head = headline + HEADLINE_GAP if headline else ""
        body = event.text[:max_chars]
        shift, text = len(head), head + body
        parts = [CopyPart(0, len(headline), "headline")] if head else []
        parts += (
            CopyPart(s.start + shift, min(s.end, max_chars) + shift, s.kind)
            for s in event.segments or ()
            if s.inside == "text" and s.start < min(s.end, max_chars)
        )
        if len(parts) == bool(head) and body.strip():
            parts.append(CopyPart(shift, len(text), "paragraph"))
        language = event.language.tag if event.language else event.story.language or "en"
        return cls(text, _read_as_prose(text, parts), shift, tuple(parts), language.split("-")[0].lower())

    @property
    def is_english(self) -> bool:
        """Whether the rules that know English alone may read it."""
        return self.language == "en"

    def part_at(self, offset: int) -> CopyPart | None:
        """The part that holds the character at an offset."""
        at = bisect_right(self.parts, offset, key=_start_of) - 1
        return self.parts[at] if at >= 0 and offset < self.parts[at].end else None

    def mention(self, name: NameSpan, entity: str | None) -> Mention:
        """The mention of a name, in the event's own offsets and words."""
        inside: OffsetText = "text" if name.start >= self.shift else "headline"
        back = self.shift if inside == "text" else 0
        words = self.text[name.start : name.end]
        return Mention(name.start - back, name.end - back, words, name.label, entity, inside)


def _read_as_prose(text: str, parts: list[CopyPart]) -> str:
    """The text with white space as blanks within parts, codes blanked and capitals lowered; no offset moves."""
    pieces, at = [], 0
    for part in parts:
        words = text[part.start : part.end]
        pieces.append(text[at : part.start])
        if part.kind in CODE_SEGMENTS:
            words = " " * len(words)
        elif part.kind != "table":
            words = LIST_BREAK.sub(r"\1;", words) if "\n" in words else words
            words = "".join(_smooth_line(line) for line in words.splitlines(keepends=True))
            words = POSITION_MARK.sub(lambda mark: " " * len(mark.group()), words)
        pieces.append(words)
        at = part.end
    return "".join(pieces) + text[at:]


def _smooth_line(line: str) -> str:
    opening = line[:SAMPLE_CHARS]
    if sum(map(str.islower, opening)) * 2 < len(opening):
        letters = [char for char in line if char.isalpha()]
        if len(letters) >= MIN_CAPITALS_LETTERS and sum(map(str.isupper, letters)) > MIN_CAPITALS_SHARE * len(
            letters
        ):
            line = _lower_capitals(line)
    return line.translate(BLANK_OF)


def _lower_capitals(line: str) -> str:
    """A line in capitals with only the first letter of each word left so; letters that grow when lowered stay."""
    return "".join(
        small if char.isupper() and before.isalpha() and len(small := char.lower()) == 1 else char
        for before, char in zip(" " + line, line, strict=False)
    )
