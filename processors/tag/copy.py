"""What the tagger reads of an event: headline and text as one string, part by part."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from processors.model.event import Event, Inside, Mention, SegmentKind
from processors.tag.found import Found

GAP: Final = "\n\n"  # between headline and text
NAMELESS: Final = frozenset({"slug", "initials"})  # kinds of segments whose words are codes
MARKS: Final = re.compile(
    r"\((?:[LRC]|\d(?:st|nd|rd|th)? [LR]|(?:far |back |front )?(?:left|right|centre|center))\)"
)  # who is who in a picture
BLANKS: Final = dict.fromkeys(map(ord, "\t\n\r\v\f\x85\xa0\u2028\u2029\u202f\u2009"), " ")
SAMPLE: Final = 60  # characters that tell a line which is not in capitals
CAPITALS: Final = 0.7  # share of letters that makes a line one in capitals
LETTERS: Final = 8  # in a line before it counts as one in capitals


@dataclass(frozen=True, slots=True)
class Part:
    """A segment in a copy's own offsets; the headline that was delivered apart is one of kind ``headline``."""

    start: int
    end: int
    kind: SegmentKind


@dataclass(frozen=True, slots=True)
class Copy:
    """`text` is headline, gap and text (cut at a limit); `read` is as long, with line ends and capitals smoothed.

    `shift` is where the text begins in both.
    """

    text: str
    read: str
    shift: int
    parts: tuple[Part, ...]
    language: str

    @classmethod
    def of(cls, event: Event, max_chars: int) -> Copy:
        """The copy of an event, up to `max_chars` characters of its text."""
        head = event.headline + GAP if event.headline else ""
        body = event.text[:max_chars]
        shift, text = len(head), head + body
        parts = [Part(0, len(event.headline), "headline")] if head else []
        parts += (
            Part(s.start + shift, min(s.end, max_chars) + shift, s.kind)
            for s in event.segments or ()
            if s.inside == "text" and s.start < min(s.end, max_chars)
        )
        if len(parts) == bool(head) and body.strip():
            parts.append(Part(shift, len(text), "paragraph"))
        language = event.language.tag if event.language else event.story.language or "en"
        return cls(text, _readable(text, parts), shift, tuple(parts), language.split("-")[0].lower())

    def part_at(self, offset: int) -> Part | None:
        """The part that holds the character at an offset."""
        return next((part for part in self.parts if part.start <= offset < part.end), None)

    def mention(self, found: Found, entity: str | None) -> Mention:
        """What was found, in the event's own offsets and words."""
        inside: Inside = "text" if found.start >= self.shift else "headline"
        back = self.shift if inside == "text" else 0
        words = self.text[found.start : found.end]
        return Mention(found.start - back, found.end - back, words, found.label, entity, inside)


def _readable(text: str, parts: list[Part]) -> str:
    """The text with white space as blanks within parts, codes blanked and capitals lowered; no offset moves."""
    made, at = [], 0
    for part in parts:
        words = text[part.start : part.end]
        made.append(text[at : part.start])
        if part.kind in NAMELESS:
            words = " " * len(words)
        elif part.kind != "table":
            words = "".join(_smooth(line) for line in words.splitlines(keepends=True))
            words = MARKS.sub(lambda mark: " " * len(mark.group()), words)
        made.append(words)
        at = part.end
    return "".join(made) + text[at:]


def _smooth(line: str) -> str:
    opening = line[:SAMPLE]
    if sum(map(str.islower, opening)) * 2 < len(opening):
        letters = [char for char in line if char.isalpha()]
        if len(letters) >= LETTERS and sum(map(str.isupper, letters)) > CAPITALS * len(letters):
            line = _titled(line)
    return line.translate(BLANKS)


def _titled(line: str) -> str:
    """A line in capitals with only the first letter of each word left so; letters that grow when lowered stay."""
    return "".join(
        small if char.isupper() and before.isalpha() and len(small := char.lower()) == 1 else char
        for before, char in zip(" " + line, line, strict=False)
    )
