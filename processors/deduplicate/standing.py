"""The report of a story: its text without what a sender prints on every story.

Copyright lines, credits, sign-offs, contributors, contacts and "read more" are house style, as the dateline is. Two
stories that share nothing else have nothing in common, and a copy that lacks them lacks nothing.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import compress, pairwise
from typing import Final, NamedTuple

from processors.deduplicate.sentences import find_dateline_end
from processors.deduplicate.standing_lines import (
    MAX_UNSURE_CHARS,
    MIN_SENTENCE_CHARS,
    Occasion,
    StandingLines,
    bare_sentences,
    find_sentence_ends,
)
from processors.layout.line_kinds import is_initials, sign_off_at_end, standing_kind_of
from processors.layout.printed import match_dateline
from processors.model.event import Event, SegmentKind
from processors.times import HOUR_MS, read_milliseconds

# Lines at either end whose kind is asked for. More cost time; fewer leave the upper lines of a long tail.
MAX_HEAD_LINES: Final = 3
MAX_TAIL_LINES: Final = 16
# Of prose from the end, beyond which nothing is looked at: with one a postscript hides the tail above it, more cost time.
MAX_TAIL_PROSE: Final = 2
# A longer line is prose: a copyright line may have a sentence more, a paragraph has none of these kinds.
MAX_STANDING_CHARS: Final = 400
# Sentences from either end that may stand by what their source repeats: a long tail has a dozen, more cost time.
MAX_HEAD_SENTENCES: Final = 16
MAX_TAIL_SENTENCES: Final = 24
MAX_OPENING_CHARS: Final = 100  # of a text without a headline, that stand for one

_STANDING: Final[frozenset[SegmentKind]] = frozenset({"signoff", "boilerplate", "credit", "initials", "slug"})


class StoryReport(NamedTuple):
    """What a story reports, and the occasion that its source's standing lines are learned from.

    `content` is the text with the sentences that its source repeats.
    """

    text: str
    content: str
    occasion: Occasion


def read_report(event: Event, lines: StandingLines) -> StoryReport:
    """What a story reports: its text without standing matter.

    Where nothing else remains, a long text is a report that was sent before and is kept; of a short one the headline
    tells what it is about.
    """
    text = content = strip_standing_matter(event.text)
    cuts = [0, *find_sentence_ends(text)]
    bare = bare_sentences(text, cuts)
    places = [at for at, words in enumerate(bare) if len(words) >= MIN_SENTENCE_CHARS]
    if len(places) > MAX_HEAD_SENTENCES + MAX_TAIL_SENTENCES:
        places = places[:MAX_HEAD_SENTENCES] + places[-MAX_TAIL_SENTENCES:]
    hours = (read_milliseconds(event.story.version_created or "") or 0) // HOUR_MS
    headline = event.headline or text[:MAX_OPENING_CHARS]
    occasion, standing = lines.read_occasion(_source_of(event), hours, headline, [bare[at] for at in places])
    if any(standing):
        sentences = [text[start:end] for start, end in pairwise(cuts)]
        for at in compress(places, standing):
            sentences[at] = bare[at] = ""
        rest = "".join(sentences).strip() if any(bare) else ""
        text = rest or (text if len(text) > MAX_UNSURE_CHARS else "")
    return StoryReport(text or event.headline or event.text, content or event.text, occasion)


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
    return "\n".join([line for line in kept if line])


@lru_cache(maxsize=4096)
def _is_standing(line: str) -> bool:
    """Whether a line is of a kind that stands on every story of its sender."""
    if len(line) > MAX_STANDING_CHARS:
        return False
    return standing_kind_of(line) in _STANDING or is_initials(line)


def _cut_sign_off(line: str) -> str:
    """A paragraph without the sign-off behind its last full stop."""
    at = sign_off_at_end(line)
    return line[:at].rstrip() if at else line


def _cut_dateline(line: str) -> str:
    """A paragraph without the dateline before it, also that of an agency that nobody knows."""
    line = line.lstrip()
    dateline = match_dateline(line, 0, len(line))
    rest = line[max(dateline.end if dateline else 0, find_dateline_end(line)) :].lstrip()
    return rest or line


def _source_of(event: Event) -> str:
    """Whose standing lines a story has: its source's, or those of whom the document names where that is not known."""
    if event.provenance and (source := event.provenance.source or event.provenance.feed):
        return source
    return next((source.name or source.uri or "" for source in event.story.info_sources), "")
