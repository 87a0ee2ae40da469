"""Captions and the credits of pictures."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

from processors.dates.printed import printed_dates
from processors.layout.agencies import conventions
from processors.layout.lines import DispatchPart, split_part
from processors.layout.phrases import phrases

MAX_CREDIT_CHARS: Final = 140  # at the end, in which a credit is looked for
MAX_CAPTION_CHARS: Final = 900  # longer ones are paragraphs
MAX_SHOWN_CHARS: Final = 320  # of a sentence that tells what is seen
CREDIT_MARK: Final = re.compile(r"[/©:(\[]|oto|HOTO|via ")  # what credits have
SIDE_MARK: Final = re.compile(
    r"(?<=[\w.]\s)\((?:[2-9]\s?-?\s?)?([lrcdgisLRCDGIS])\)"
)  # where somebody stands: (L), (2d)
SENTENCE: Final = re.compile(r"(?<=[^\W_]{4})[.!?]\s+")


def is_credit(words: str) -> bool:
    """Whether a line is nothing but a picture's credit."""
    if len(words) > 100:
        return False
    low = words.lower()
    if phrases().credit.fullmatch(low) or conventions().credit.describe(low.strip("()[] .")):
        return True
    return ("/" in words or words[:1] in "(©") and phrases().credit_tail.match(" " + words) is not None


def split_captions(parts: list[DispatchPart]) -> None:
    """Split credits and tags off captions that carry them, and name captions that a credit follows."""
    number = 0
    last = next((n for n in range(len(parts) - 1, -1, -1) if parts[n].kind is None), 0)
    while number < len(parts):
        part = parts[number]
        if part.kind is None and len(part.words) <= MAX_CAPTION_CHARS:
            tagged = " - Tags:" in part.words
            if tagged and (tags := phrases().tags.search(part.words, max(0, len(part.words) - 400))):
                split_part(parts, number, tags.start(), "note")
            at = _credit_at(part.words, is_last=number >= last)
            if at:
                split_part(parts, number, at, "credit")
                part.kind, last = "caption", last + 1
        number += 1
    for part, after in pairwise(parts):
        if (
            after.kind == "signoff"
            and part.kind is None
            and not after.parted
            and is_caption(part.words)
            and is_credit(after.words)
        ):
            after.kind = "credit"
        if (
            after.kind == "credit"
            and part.kind is None
            and len(part.words) <= MAX_CAPTION_CHARS
            and (not after.parted or is_caption(part.words))
        ):
            part.kind = "caption"


def _credit_at(words: str, *, is_last: bool) -> int | None:
    """Where the credit at the end of a caption begins, or None. `is_last`: no copy follows, so it may be a sign-off."""
    if not CREDIT_MARK.search(words, max(0, len(words) - MAX_CREDIT_CHARS)):
        return None
    tail = phrases().credit_tail.search(words, max(0, len(words) - MAX_CREDIT_CHARS))
    if not tail:
        return _agency_credit_at(words)
    at = tail.start("credit") + _chars_of_sentence(tail["credit"])
    at = _first_bracket_at(words, at)
    before, credit = words[:at].rstrip(), words[at:]
    closed = before.endswith((".", "!", "?", ")", "”", '"', "»", "]", "/", "-", "–", "—", "|"))
    shaped = any(mark in credit for mark in ("/", "©", ":", " via ", "hoto", "oto ")) or credit[0] == "["
    if not before or not (shaped or is_caption(before) or _shows_scene(before, credit, is_last=is_last)):
        return None
    return at if closed or credit[0] in "(©" or before[-1].isdigit() or is_caption(before) else None


def _shows_scene(before: str, credit: str, *, is_last: bool) -> bool:
    """Whether one sentence tells what is seen, and ends in a full date, before an agency in brackets.

    ``A ferry is moored in Busan on Nov. 21, 2026. (Yonhap)``
    """
    if (
        credit[0] not in "(["
        or len(before) > MAX_SHOWN_CHARS
        or conventions().agency(credit.strip("()[]. ")) is None
    ):
        return False
    last = max(printed_dates(before[-40:]), key=lambda printed: printed.end, default=None)
    dated = last is not None and last.year is not None and last.day is not None
    ends = dated and last is not None and last.end + max(0, len(before) - 40) >= len(before.rstrip(" ."))
    seen = phrases().seen.search(before) is not None or (not is_last and SENTENCE.search(before[:-1]) is None)
    return ends and seen and not phrases().said.search(before)


def _agency_credit_at(words: str) -> int | None:
    """Where a credit of the agencies' own forms (``BELGA PHOTO NAME``) begins, after a sentence's end."""
    if "hoto" not in words[-MAX_CREDIT_CHARS:].lower():
        return None
    for gap in SENTENCE.finditer(words, max(0, len(words) - MAX_CREDIT_CHARS)):
        credit = words[gap.end() :].lower()
        if "hoto" in credit and conventions().credit.describe(credit.strip("()[] .")):
            return gap.end()
    return None


def _first_bracket_at(words: str, at: int) -> int:
    """Where a credit begins that has another one in brackets before it: ``(PHOTO NOT FOR SALE) (Yonhap)``."""
    before = words[:at].rstrip()
    opening = before.rfind("(") if before.endswith(")") else -1
    more = opening > 0 and conventions().credit.describe(before[opening:].lower().strip("() ."))
    return opening if more else at


def _chars_of_sentence(credit: str) -> int:
    """How many characters of what was taken for a credit belong to the sentence before it."""
    inner = [
        gap.end() for gap in SENTENCE.finditer(credit) if credit[0] not in "([" and len(credit) > gap.end()
    ]
    return inner[-1] if inner else 0


def is_caption(words: str) -> bool:
    """Whether the words speak of a picture, or tell no more than who is seen where and when."""
    if len(words) > MAX_CAPTION_CHARS or " said " in words:
        return False
    is_about_picture = (
        phrases().caption.search(words[:500].lower()) is not None
        or _names_sides(words)
        or _ends_in_place_and_date(words)
    )
    return is_about_picture and not phrases().said.search(words)


def _names_sides(words: str) -> bool:
    """Whether letters in brackets tell where people stand: two sides, or one of somebody who is seen doing something.

    A letter alone may be a politician's party, or a paragraph of a law.
    """
    if "(" not in words:
        return False
    side_marks = list(SIDE_MARK.finditer(words))
    letters = {match[1].lower() for match in side_marks}
    if len(letters) > 1:
        return any(letters <= sides for sides in phrases().sides)
    if not side_marks or phrases().office.search(words, 0, side_marks[0].start()):
        return False
    named = words[: side_marks[0].start()].rsplit(maxsplit=1)[-1][:1].isupper()
    return named and (
        side_marks[0][1].islower() or phrases().seen.search(words, side_marks[0].end()) is not None
    )


def _ends_in_place_and_date(words: str) -> bool:
    """``… in Villaclara, Spain, 28 January 2023.``, in one sentence."""
    bare = words.rstrip(" .")
    if not bare[-4:].isdigit():
        return False
    if (
        len(bare) > 400
        or bare == words.rstrip()
        or re.search(r"[.!?] +[A-ZÀ-Þ“\"]", re.sub(r"\b[A-Z]\w{0,3}\.", "", bare))
    ):
        return False
    last = max(printed_dates(bare[-40:]), key=lambda printed: printed.end, default=None)
    offset = max(0, len(bare) - 40)
    return (
        last is not None
        and last.year is not None
        and last.end + offset == len(bare)
        and bare[: last.start + offset].rstrip().endswith(",")
    )
