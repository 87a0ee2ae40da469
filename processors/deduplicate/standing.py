"""The report of a story: its text without what a sender prints on every story.

Copyright lines, credits, sign-offs, contributors, contacts and "read more" are house style, as the dateline is. Two
stories that share nothing else have nothing in common, and a copy that lacks them lacks nothing.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from processors.layout.line_kinds import is_initials, kind_of, sign_off_at_end
from processors.layout.printed import match_dateline
from processors.model.event import Event, SegmentKind

# Lines at either end whose kind is asked for. More cost time; fewer leave the upper lines of a long tail.
MAX_HEAD_LINES: Final = 3
MAX_TAIL_LINES: Final = 16
# Of prose from the end, beyond which nothing is looked at: with one a postscript hides the tail above it, more cost time.
MAX_TAIL_PROSE: Final = 2
# A longer line is prose: a copyright line may have a sentence more, a paragraph has none of these kinds.
MAX_STANDING_CHARS: Final = 400

_STANDING: Final[frozenset[SegmentKind]] = frozenset({"signoff", "boilerplate", "credit", "initials", "slug"})


def read_report(event: Event) -> str:
    """What a story reports: its text without standing matter, else its headline, else its text as it is."""
    return strip_standing_matter(event.text) or event.headline or event.text


def strip_standing_matter(text: str) -> str:
    """The text without dateline, sign-off and standing lines; empty where it has nothing else."""
    lines = [line for line in text.split("\n") if line and not line.isspace()]
    first, last = 0, len(lines)
    tail: list[str] = []
    prose = 0
    for line in reversed(lines[-MAX_TAIL_LINES:]):
        if prose == MAX_TAIL_PROSE:
            break
        last -= 1
        if _is_standing(line.strip()):
            continue
        prose += 1
        tail.append(line)
    while first < min(last, MAX_HEAD_LINES) and _is_standing(lines[first].strip()):
        first += 1
    kept = [*lines[first:last], *reversed(tail)]
    if kept:
        kept[-1] = _cut_sign_off(kept[-1])
        kept[0] = _cut_dateline(kept[0])
    return "\n".join(line for line in kept if line)


@lru_cache(maxsize=4096)
def _is_standing(line: str) -> bool:
    """Whether a line is of a kind that stands on every story of its sender."""
    if len(line) > MAX_STANDING_CHARS:
        return False
    return kind_of(line) in _STANDING or is_initials(line)


def _cut_sign_off(line: str) -> str:
    """A paragraph without the sign-off behind its last full stop."""
    at = sign_off_at_end(line)
    return line[:at].rstrip() if at else line


def _cut_dateline(line: str) -> str:
    """A paragraph without the dateline before it."""
    line = line.lstrip()
    dateline = match_dateline(line, 0, len(line))
    return line[dateline.end :].lstrip() if dateline else line
