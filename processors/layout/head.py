"""The head of a dispatch: slug lines, notes, captions, the headline, its deck, the byline."""

from __future__ import annotations

import re
from typing import Final

from processors.layout import line_kinds as marks
from processors.layout import pictures
from processors.layout.parts import Part, join

NEAR: Final = 12  # parts below a line of the head that are looked at
LABELLED: Final = re.compile(r"\W{0,2}[^\W\d_][\w ]{3,20} ?[–—:-] ")  # Archivo - , File photo:
OVERLINE: Final = 3  # words of a keyword line in capitals above the headline


def name_head(text: str, parts: list[Part], lead: int, *, titled: bool) -> None:
    """Name the parts before `lead`. `titled`: the headline came apart from the text."""
    _bylines(text, parts, lead)
    head = parts[: next((n for n, part in enumerate(parts) if part.kind == "dateline"), lead)]
    for number, part in enumerate(head):
        words = part.one_line
        if _writes(head, number, titled=titled):
            part.kind = "byline"
        if part.kind is not None:
            continue
        if number and head[number - 1].kind == "caption" and not part.parted and words.isupper():
            part.kind = "credit"
            continue
        after = [later for later in head[number + 1 : number + 1 + NEAR] if later.kind is None]
        if marks.is_byline(words):
            part.kind = "byline"
        elif not titled and _is_slug(words, after):
            part.kind = "slug"
        elif _is_caption(words, after, titled=titled):
            part.kind = "caption"
        elif not titled:
            part.kind, titled = "headline", True
        elif marks.is_person(words) or marks.is_agency(words) or marks.is_person_of_agency(words):
            part.kind = "byline"
        else:
            part.kind = "paragraph" if marks.is_prose(words, 140) else "subhead"


def _writes(head: list[Part], number: int, *, titled: bool) -> bool:
    """Whether what looks like a sign-off or a credit names who writes: ``Ana Ruiz, EFE``, ``Maija Rautio / STT``."""
    kind, words = head[number].kind, head[number].one_line
    if kind == "signoff":
        return "," in words and marks.are_names(words)
    below_caption = number > 0 and head[number - 1].kind == "caption"
    return kind == "credit" and titled and not below_caption and marks.is_person_of_agency(words)


def same_words(words: str, headline: str) -> bool:
    """Whether a line is the headline, but for marks and blanks."""
    if abs(len(words) - len(headline)) > 12 + len(headline) // 10:
        return False
    return _bare(words) == _bare(headline) != ""


def _bare(words: str) -> str:
    return "".join(filter(str.isalnum, words.casefold()))


def _bylines(text: str, parts: list[Part], lead: int) -> None:
    """Join to a byline the agency's name or the writer's function on the line under it."""
    for number in range(min(lead, len(parts) - 1) - 1, -1, -1):
        part, after = parts[number], parts[number + 1]
        close = after.kind in (None, "signoff", "credit") and not after.parted and number + 1 != lead
        if part.kind is not None or not close or not marks.is_agency(after.one_line):
            continue
        if marks.is_byline(part.one_line) or (number and marks.is_person(part.one_line)):
            join(text, parts, number, number + 1, "byline")


def _is_slug(words: str, after: list[Part]) -> bool:
    if marks.is_slug(words):
        return True
    if not after or len(words) > 60:
        return False
    few = words.isupper() and len(words.split()) <= OVERLINE and len(after[0].words) > len(words)
    return few or marks.NAMED_SLUG.fullmatch(words) is not None


def _is_caption(words: str, after: list[Part], *, titled: bool) -> bool:
    """Prose that speaks of a picture, or that stands above the headline."""
    if pictures.is_caption(words) and (marks.ends_sentence(words) or LABELLED.match(words)):
        return True
    above = not titled and any(not marks.ends_sentence(later.words) for later in after)
    return above and marks.is_prose(words) and words.endswith(".")
