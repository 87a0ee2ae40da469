"""Where quotation marks open and close, in every style that wires use.

An opening mark is closed by its own partners; a mark of another style inside belongs to the words quoted. Straight
marks open after a blank and close before one. Apostrophes open nothing: a single mark counts only where it stands
at a word's edge and has a partner before the paragraph ends.

Speech that a dash opens at the head of a paragraph, as Spanish, French, Italian and Portuguese copy has it, ends at
the narrator: in —No voy a dimitir —dijo Ana Peral—. Seguiremos— the dashes set the narrator off; in – Je ne sais pas,
a répondu Paul – a comma and the cue do. A paragraph without a cue is a list or a thought, not speech.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from processors.quotes.lexicon import SpeechLexicon

CLOSING_MARKS = {
    "“": "”“", "”": "”", "„": "“”", "‟": "”", "«": "»", "»": "«", "「": "」", "『": "』", "《": "》", "〝": "〞〟",
    '"': '"”', "``": "''", "‘": "’", "‚": "‘’", "‹": "›", "›": "‹", "'": "'",
}  # fmt: skip
SINGLE_MARKS = "‘‚'‹›"
STRAIGHT_MARKS = ('"', "”")  # that open and close alike
MAX_MARKS_BETWEEN = 200  # a mark and its partner: no sentence has more; more pairs marks of unlike sentences
MARK = re.compile(r"``|''|[“”„‟«»「」『』《》〝〞〟\"‘’‚‹›']")
OPENS_AFTER = re.compile(r"(?:^|[\s([{—–\-/:“„«‘\"'])$")
CLOSES_BEFORE = re.compile(r"\s|$|[.,;:!?)\]}—–\-/…”»’\"']")
DIALOGUE_HEAD = re.compile(r"(?:[—–―]\s*|-\s+)(?=[\w¿¡«“\"])")
DASH = re.compile(r"[—–―]|(?<=\s)-(?=\s)")
STOP = re.compile(r"(?<=[^\W\d_]{3})[.!?]\s+(?=[^\W\d_])")
WORD = re.compile(r"[^\W\d_]+")
COMMA = re.compile(r"[,?!…]\s+")
LATE_CUE = re.compile(
    r"(?:[\w’'-]+ ){0,7}(?P<last>[^\W\d_]+)(?=[.!?]|\Z)"
)  # who speaks, and a cue that ends it
MARKS_BEFORE_NARRATOR = ",.?!…"
MAX_CUE_CHARS = (
    40  # from a dash to the cue of the narrator whom it opens: a name and a title; more finds cues in speech
)
MAX_WORDS_TO_CUE = 3  # from the comma to the cue, as in "lui a répondu"; more is speech itself
MAX_CHARS_TO_CUE = 120  # that these words take, so that no long word costs time


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
    partners = _Partners(text, marks, end)
    while at < len(marks):
        mark = marks[at]
        if not _opens(text, mark, start, end):
            at += 1
            continue
        partner = partners.of(at)
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


class _Partners:
    """Which mark of a paragraph closes which. A kind of mark is matched once, in one pass, and no mark is tried twice."""

    def __init__(self, text: str, marks: list[re.Match[str]], end: int) -> None:
        self._text, self._marks, self._end = text, marks, end
        self._matched: dict[str, dict[int, int]] = {}
        self._vain: dict[str, int] = {}  # up to where the partner of a single mark was sought in vain

    def of(self, at: int) -> int | None:
        """The index of the mark that closes marks[at]."""
        kind = self._marks[at].group()
        if kind in SINGLE_MARKS:
            return self._of_single(kind, at)
        if kind not in self._matched:
            self._matched[kind] = self._match(kind)
        partner = self._matched[kind].get(at)
        return partner if partner is not None and partner - at < MAX_MARKS_BETWEEN else None

    def _match(self, kind: str) -> dict[int, int]:
        """The closing mark of each opening one; the same mark again opens a nested quotation, if it is not straight."""
        closers = CLOSING_MARKS[kind] + ('"' if kind == "``" else "")
        nests = kind not in STRAIGHT_MARKS
        partners: dict[int, int] = {}
        open_marks: list[int] = []
        for index, mark in enumerate(self._marks):
            words = mark.group()
            if nests and words == kind:
                open_marks.append(index)
            elif words in closers and _closes(self._text, mark, self._end, single=False):
                if nests and open_marks:
                    partners[open_marks.pop()] = index
                elif not nests:
                    partners |= dict.fromkeys(open_marks, index)
                    open_marks = [index] if words == kind else []
            elif words == kind:
                open_marks.append(index)
        return partners

    def _of_single(self, kind: str, at: int) -> int | None:
        closers = CLOSING_MARKS[kind]
        last = min(len(self._marks), at + MAX_MARKS_BETWEEN)
        for index in range(max(at + 1, self._vain.get(kind, 0)), last):
            words = self._marks[index].group()
            if words in closers:
                if _closes(self._text, self._marks[index], self._end, single=True):
                    return index
            elif words in '“”"«»„':
                return None
        self._vain[kind] = last
        return None


def _closes(text: str, mark: re.Match[str], end: int, *, single: bool) -> bool:
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


def find_dialogue(text: str, start: int, end: int, words: SpeechLexicon) -> tuple[QuotedSpan, ...]:
    """The spoken parts of the paragraph text[start:end]; () where it is no dialogue."""
    head = DIALOGUE_HEAD.match(text, start, end) if words.dash else None
    if head is None:
        return ()
    dashes = [dash.start() for dash in DASH.finditer(text, head.end(), end)]
    if not dashes:
        return _before_cue(text, start, head.end(), end, words)
    dashes = dashes[_find_narrator(text, dashes, end, words) :]
    if not dashes:
        return _before_cue(text, start, head.end(), end, words) if words.talks else ()
    spoken = [_spoken_part(text, start, head.end(), dashes[0])]
    spoken += [
        _spoken_part(text, dashes[at], dashes[at] + 1, dashes[at + 1] if at + 1 < len(dashes) else end)
        for at in range(1, len(dashes), 2)
    ]
    return tuple(part for part in spoken if part.end > part.start)


def _find_narrator(text: str, dashes: list[int], end: int, words: SpeechLexicon) -> int:
    """The number of the dash that opens the narrator's words; how many there are where none does.

    Speech may have dashes of its own: the narrator's, unless it is the first, has a mark before it and a cue behind.
    """
    for number, (at, after) in enumerate(pairwise((*dashes, end))):
        marked = not number or text[max(0, at - 3) : at].rstrip()[-1:] in MARKS_BEFORE_NARRATOR
        near = after if not number else min(after, at + MAX_CUE_CHARS)
        if marked and _has_cue(text, at, near, words):
            return number
    return len(dashes)


def _before_cue(text: str, outer: int, start: int, end: int, words: SpeechLexicon) -> tuple[QuotedSpan, ...]:
    """What stands before the first comma that a cue follows."""
    for comma in COMMA.finditer(text, start, end):
        if words.late and (stop := LATE_CUE.match(text, comma.end(), end)):
            *_, last = WORD.finditer(stop[0])
            if last[0].lower() in words.cues:
                ends = comma.start() + (text[comma.start()] != ",")
                return (
                    QuotedSpan(start, ends, outer, comma.start() + 1),
                    *_after_narrator(text, stop.start("last"), end),
                )
        near = WORD.finditer(text, comma.end(), min(end, comma.end() + MAX_CHARS_TO_CUE))
        for _, word in zip(range(MAX_WORDS_TO_CUE), near, strict=False):
            low = word.group().lower()
            if low in words.cues:
                ends = comma.start() + (text[comma.start()] != ",")
                said = QuotedSpan(start, ends, outer, comma.start() + 1)
                return (said, *_after_narrator(text, word.end(), end)) if words.talks else (said,)
            if low not in words.auxiliaries and low not in words.pronouns:
                break
    return ()


def _after_narrator(text: str, at: int, end: int) -> tuple[QuotedSpan, ...]:
    """What is said behind the sentence that names who speaks, to the end of the paragraph."""
    stop = STOP.search(text, at, end)
    return (QuotedSpan(stop.end(), end, stop.end(), end),) if stop else ()


def _has_cue(text: str, start: int, end: int, words: SpeechLexicon) -> bool:
    return any(word.group().lower() in words.cues for word in WORD.finditer(text, start, end))


def _spoken_part(text: str, outer: int, start: int, end: int) -> QuotedSpan:
    """A spoken part, without the marks and blanks at its ends that belong to the narrator."""
    said = text[start:end]
    first = start + len(said) - len(said.lstrip(" .,;:"))
    last = max(first, start + len(said.rstrip().removesuffix(",")))
    return QuotedSpan(first, last, outer, end)
