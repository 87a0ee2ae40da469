"""The head of a dispatch: slug lines, notes, captions, the headline, its deck, the byline."""

from __future__ import annotations

import re
from typing import Final

from processors.layout import line_kinds, pictures
from processors.layout.lines import DispatchPart, join_parts

MAX_PARTS_BELOW: Final = 12  # a line of the head that are looked at, so that time stays linear
PICTURE_LABEL: Final = re.compile(r"\W{0,2}[^\W\d_][\w ]{3,20} ?[–—:-] ")  # Archivo - , File photo:
MAX_OVERLINE_WORDS: Final = 3  # of a keyword line in capitals above the headline; four are a headline


def name_head(text: str, parts: list[DispatchPart], lead: int, *, titled: bool) -> None:
    """Name the parts before `lead`. `titled`: the headline came apart from the text."""
    _join_bylines(text, parts, lead)
    head = parts[: next((n for n, part in enumerate(parts) if part.kind == "dateline"), lead)]
    for number, part in enumerate(head):
        words = part.one_line
        if _names_writer(head, number, titled=titled):
            part.kind = "byline"
        if part.kind is not None:
            continue
        if number and head[number - 1].kind == "caption" and not part.parted and words.isupper():
            part.kind = "credit"
            continue
        after = [later for later in head[number + 1 : number + 1 + MAX_PARTS_BELOW] if later.kind is None]
        if line_kinds.is_byline(words):
            part.kind = "byline"
        elif not titled and _is_slug(words, after):
            part.kind = "slug"
        elif _is_caption(words, after, titled=titled):
            part.kind = "caption"
        elif not titled:
            part.kind, titled = "headline", True
        elif (
            line_kinds.is_person(words)
            or line_kinds.is_agency(words)
            or line_kinds.is_person_of_agency(words)
        ):
            part.kind = "byline"
        else:
            part.kind = "paragraph" if line_kinds.is_prose(words, 140) else "subhead"


def _names_writer(head: list[DispatchPart], number: int, *, titled: bool) -> bool:
    """Whether what looks like a sign-off or a credit names who writes: ``Ana Ruiz, EFE``, ``Maija Rautio / STT``."""
    kind, words = head[number].kind, head[number].one_line
    if kind == "signoff":
        return "," in words and line_kinds.are_names(words)
    below_caption = number > 0 and head[number - 1].kind == "caption"
    return kind == "credit" and titled and not below_caption and line_kinds.is_person_of_agency(words)


def same_words(words: str, headline: str) -> bool:
    """Whether a line is the headline, but for marks and blanks."""
    if abs(len(words) - len(headline)) > 12 + len(headline) // 10:
        return False
    return _letters_of(words) == _letters_of(headline) != ""


def _letters_of(words: str) -> str:
    return "".join(filter(str.isalnum, words.casefold()))


def _join_bylines(text: str, parts: list[DispatchPart], lead: int) -> None:
    """Join to a byline the agency's name or the writer's function on the line under it."""
    for number in range(min(lead, len(parts) - 1) - 1, -1, -1):
        part, after = parts[number], parts[number + 1]
        close = after.kind in (None, "signoff", "credit") and not after.parted and number + 1 != lead
        if part.kind is not None or not close or not line_kinds.is_agency(after.one_line):
            continue
        if line_kinds.is_byline(part.one_line) or (number and line_kinds.is_person(part.one_line)):
            join_parts(text, parts, number, number + 1, "byline")


def _is_slug(words: str, after: list[DispatchPart]) -> bool:
    if line_kinds.is_slug(words):
        return True
    if not after or len(words) > 60:
        return False
    few = words.isupper() and len(words.split()) <= MAX_OVERLINE_WORDS and len(after[0].words) > len(words)
    return few or line_kinds.NAMED_SLUG.fullmatch(words) is not None


def _is_caption(words: str, after: list[DispatchPart], *, titled: bool) -> bool:
    """Prose that speaks of a picture, or that stands above the headline."""
    if pictures.is_caption(words) and (line_kinds.ends_sentence(words) or PICTURE_LABEL.match(words)):
        return True
    above = not titled and any(not line_kinds.ends_sentence(later.words) for later in after)
    return above and line_kinds.is_prose(words) and words.endswith(".")
