"""The head of a dispatch: slug lines, notes, captions, the headline, its deck, the byline."""

from __future__ import annotations

import re
from typing import Final

from processors.layout import line_kinds, pictures
from processors.layout.lines import DispatchPart, join_parts
from processors.layout.phrases import phrases
from processors.layout.tables import is_day
from processors.model.event import SegmentKind

DESK_SLUG: Final = re.compile(
    r"[A-ZÀ-Þ0-9]{2,}(?: [A-ZÀ-Þ0-9]{2,}){0,4} \([A-ZÀ-Þ ]{3,20}\)"
)  # BEES AUST RTV (ALDEN)
MAX_PARTS_BELOW: Final = 12  # a line of the head that are looked at, so that time stays linear
PICTURE_LABEL: Final = re.compile(r"\W{0,2}[^\W\d_][\w ]{3,20} ?[–—:-] ")  # Archivo - , File photo:
BOX_SEGMENTS: Final = frozenset({"list", "table"})
MAX_SCRIPT_CHARS: Final = 20  # of a heading in the script of a film
MAX_CATCH_WORDS: Final = (
    4  # of a line that ends in a colon and is a subhead; longer ones announce what follows
)
MAX_OVERLINE_WORDS: Final = 3  # of a keyword line in capitals above the headline; four are a headline


def name_head(text: str, parts: list[DispatchPart], lead: int, *, titled: bool) -> None:
    """Name the parts before `lead`. `titled`: the headline came apart from the text."""
    _join_bylines(text, parts, lead)
    head = parts[: next((n for n, part in enumerate(parts) if part.kind == "dateline"), lead)]
    boxed = len(head) < len(parts) and parts[len(head)].kind in BOX_SEGMENTS and not parts[len(head)].parted
    for number, part in enumerate(head):
        if _names_writer(head, number, titled=titled):
            part.kind = "byline"
        if part.kind is None:
            above_box = (
                titled and boxed and number + 1 == len(head) and not line_kinds.is_byline(part.one_line)
            )
            part.kind = "subhead" if above_box else _head_kind(head, number, titled=titled, boxed=boxed)
        titled = titled or part.kind == "headline"


def _head_kind(head: list[DispatchPart], number: int, *, titled: bool, boxed: bool) -> SegmentKind:
    """What a line of the head is whose own words don't tell. `boxed`: the last one is the title of a list or table."""
    part, words = head[number], head[number].one_line
    if number and head[number - 1].kind == "caption" and not part.parted and words.isupper():
        return "credit"
    if line_kinds.is_byline(words):
        return "byline"
    if len(words) <= MAX_SCRIPT_CHARS and phrases().script.match(words.lower()):
        return "subhead"
    after = [later for later in head[number + 1 : number + 1 + MAX_PARTS_BELOW] if later.kind is None]
    if not titled and _is_slug(words, after[: len(after) - boxed]):
        return "slug"
    if _is_caption(words, after, titled=titled):
        return "caption"
    return _kind_below_headline(words) if titled else "headline"


def _kind_below_headline(words: str) -> SegmentKind:
    if line_kinds.is_person(words) or line_kinds.is_agency(words) or line_kinds.is_person_of_agency(words):
        return "byline"
    announces = words.endswith(":") and len(words.split()) > MAX_CATCH_WORDS
    return "paragraph" if announces or line_kinds.is_prose(words, 140) else "subhead"


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
        is_agency = close and line_kinds.is_agency(after.one_line.rstrip(" ="))
        if part.kind is not None or not is_agency or line_kinds.is_byline(after.one_line):
            continue
        if line_kinds.is_byline(part.one_line) or (number and line_kinds.is_person(part.one_line)):
            join_parts(text, parts, number, number + 1, "byline")


def _is_slug(words: str, after: list[DispatchPart]) -> bool:
    """Whether a line is keywords; `after` are the lines below it that may be the headline."""
    if line_kinds.is_slug(words):
        return True
    if not after or len(words) > 60:
        return False
    few = words.isupper() and len(words.split()) <= MAX_OVERLINE_WORDS and len(after[0].words) > len(words)
    if few and is_day(after[0].words):
        return False  # the title of fixtures or results, above their first day
    desk = DESK_SLUG.fullmatch(words) is not None and not after[0].words.isupper()
    return few or desk or line_kinds.NAMED_SLUG.fullmatch(words) is not None


def _is_caption(words: str, after: list[DispatchPart], *, titled: bool) -> bool:
    """Prose that speaks of a picture, or that stands above the headline."""
    if pictures.is_caption(words) and (line_kinds.ends_sentence(words) or PICTURE_LABEL.match(words)):
        return True
    above = not titled and any(not line_kinds.ends_sentence(later.words) for later in after)
    return above and line_kinds.is_prose(words) and words.endswith(".")
