"""Where quotation marks open and close, in every style that wires use.

An opening mark is closed by its own partners; a mark of another style inside belongs to the words quoted. Straight
marks open after a blank and close before one. Apostrophes open nothing: a single mark counts only where it stands
at a word's edge and has a partner before the paragraph ends.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

CLOSING_MARKS = {
    "“": "”“", "”": "”", "„": "“”", "‟": "”", "«": "»", "»": "«", "「": "」", "『": "』", "《": "》", "〝": "〞〟",
    '"': '"”', "``": "''", "‘": "’", "‚": "‘’", "‹": "›", "›": "‹", "'": "'",
}  # fmt: skip
SINGLE_MARKS = "‘‚'‹›"
MAX_MARKS_BETWEEN = (
    200  # a mark and its partner: no sentence has more; without it unpaired marks cost their square
)
MARK = re.compile(r"``|''|[“”„‟«»「」『』《》〝〞〟\"‘’‚‹›']")
OPENS_AFTER = re.compile(r"(?:^|[\s([{—–\-/:“„«‘\"'])$")
CLOSES_BEFORE = re.compile(r"\s|$|[.,;:!?)\]}—–\-/…”»’\"']")


@dataclass(frozen=True, slots=True)
class QuotedSpan:
    """Words between marks: [start, end) without them, [outer_start, outer_end) with them.

    `closed` is false where the paragraph ends before the partner comes.
    """

    start: int
    end: int
    outer_start: int
    outer_end: int
    closed: bool = True


def find_quoted(text: str, start: int, end: int) -> tuple[QuotedSpan, ...]:
    """The outermost quotations of text[start:end], one paragraph, in order and disjoint."""
    spans: list[QuotedSpan] = []
    marks = list(MARK.finditer(text, start, end))
    at = 0
    vain: dict[str, int] = {}  # up to where a partner was sought in vain, so that no mark is tried twice
    while at < len(marks):
        mark = marks[at]
        if not _opens(text, mark, start, end):
            at += 1
            continue
        partner = _partner(text, marks, at, end, vain)
        if partner is not None:
            closing = marks[partner]
            spans.append(QuotedSpan(mark.end(), closing.start(), mark.start(), closing.end()))
            at = partner + 1
        elif _runs_on(mark, start) and end - mark.end() > 1:
            spans.append(QuotedSpan(mark.end(), end, mark.start(), end, closed=False))
            break
        else:
            at += 1
    return tuple(_trim_blanks(text, quoted) for quoted in spans if text[quoted.start : quoted.end].strip())


def _runs_on(mark: re.Match[str], start: int) -> bool:
    """Whether a mark without a partner opens a quotation that goes on in the next paragraph."""
    return mark.group() in ("“", "„", "«", "「", "『", "``") or (
        mark.group() == '"' and mark.start() == start
    )


def _opens(text: str, mark: re.Match[str], start: int, end: int) -> bool:
    kind = mark.group()
    if kind not in CLOSING_MARKS:
        return False
    before = text[max(start, mark.start() - 1) : mark.start()]
    after = text[mark.end() : min(end, mark.end() + 1)]
    if kind in "“„‟«「『《〝``":
        return True
    if kind in "»›":  # »German style«
        return bool(OPENS_AFTER.search(before)) and bool(after) and not after.isspace()
    return bool(OPENS_AFTER.search(before)) and bool(after) and not after.isspace()


def _partner(text: str, marks: list[re.Match[str]], at: int, end: int, vain: dict[str, int]) -> int | None:
    """The index of the mark that closes marks[at]."""
    kind, depth = marks[at].group(), 0
    closers = CLOSING_MARKS[kind]
    single = kind in SINGLE_MARKS
    last = min(len(marks), at + MAX_MARKS_BETWEEN)
    for index in range(max(at + 1, vain.get(kind, 0) if single else 0), last):
        mark = marks[index]
        if mark.group() == kind and kind not in ('"', "'", "”") and not single:
            depth += 1  # the same mark again opens a nested quotation
        elif mark.group() in closers or (kind == "``" and mark.group() == '"'):
            if not _closes(text, mark, end, single):
                continue
            if depth == 0:
                return index
            depth -= 1
        elif single and mark.group() in '“”"«»„':
            return None
    vain[kind] = last
    return None


def _closes(text: str, mark: re.Match[str], end: int, single: bool) -> bool:
    if mark.group() not in ('"', "'", "’"):
        return True
    after = text[mark.end() : min(end, mark.end() + 1)]
    before = text[mark.start() - 1]
    if mark.group() == '"':
        return not before.isspace() or not after or after.isspace()
    return single and not before.isspace() and bool(CLOSES_BEFORE.match(after))


def _trim_blanks(text: str, quoted: QuotedSpan) -> QuotedSpan:
    """The same without the blanks that French sets inside its marks."""
    if text[quoted.outer_start] not in "«‹":
        return quoted
    words = text[quoted.start : quoted.end]
    start = quoted.start + len(words) - len(words.lstrip())
    end = quoted.end - (len(words) - len(words.rstrip()))
    return QuotedSpan(start, end, quoted.outer_start, quoted.outer_end, quoted.closed)
