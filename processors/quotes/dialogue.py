"""Speech that a dash opens at the head of a paragraph, as Spanish, French, Italian and Portuguese copy has it.

In —No voy a dimitir —dijo Ana Peral—. Seguiremos— the dashes set the narrator off; in – Je ne sais pas, a répondu
Paul – a comma and the cue do. A paragraph without a cue is a list or a thought, not speech.
"""

from __future__ import annotations

import re
from itertools import pairwise

from processors.quotes.lexicon import SpeechLexicon
from processors.quotes.marks import QuotedSpan

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
