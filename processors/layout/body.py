"""The body and tail of a dispatch: subheads, captions, notes, what signs off, and standing matter."""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

from processors.layout import line_kinds, pictures
from processors.layout.agencies import conventions
from processors.layout.lines import DispatchPart, join_parts, split_part
from processors.layout.phrases import phrases

MIN_PROSE_CHARS: Final = 30  # of a last paragraph; shorter lines are names and tags, but for sentences
MIN_SENTENCE_CHARS: Final = 15
ADDRESS_LINE: Final = re.compile(r"[\w.+-]{1,60}@[\w.-]{3,80}|[+(]?\d[\d() /.-]{6,30}")
MIN_CONTACT_LINES: Final = 3  # of a block without a heading: a name, its company, a number
MAX_CONTACT_CHARS: Final = 60  # of each of its lines
MAX_SUBHEAD_CHARS: Final = 90  # longer lines without a full stop are paragraphs cut by the wire
SIGNED_CAPITALS: Final = re.compile(r"(?<=[.!?”\"»)] )[A-Z]{2,4}(?: [A-Z]{2,4}){1,4}$")
MAX_TAIL_LINES: Final = 5  # at the end, among which a tag with initials is looked for
QUOTED_LINE: Final = re.compile(r"[“\"«„][^“”\"«»„]{3,60}[^.,;:!?…\s“”\"«»„]\s?[”\"»“]")
MAX_QUOTED_SUBHEAD_WORDS: Final = 8  # of a subhead in quotation marks; longer ones are said
BY_AGENCY: Final = re.compile(r"[^\W\d_][\w.'’ -]{2,40}\s?/\s?\w{2,12}")
MAX_CATCH_WORDS: Final = 4  # of a line that ends in a colon and is a subhead; longer ones open a list
BOX_SEGMENTS: Final = frozenset({"list", "table"})
MAX_HEADING_CHARS: Final = 40  # of the line above them
TAIL_SEGMENTS: Final = frozenset({"signoff", "initials", "boilerplate", "credit", "caption", "note", "slug"})


def name_body(text: str, parts: list[DispatchPart], lead: int) -> None:
    """Name the parts from `lead` on."""
    _join_standing_matter(text, parts, lead)
    _join_contacts(text, parts, lead)
    _name_tail(parts, lead)
    for number in range(lead, len(parts)):
        part = parts[number]
        if part.kind is None:
            part.kind = "subhead" if _is_subhead(parts, number, lead) else "paragraph"
            if part.kind == "paragraph" and number > lead and line_kinds.is_byline(part.one_line):
                part.kind = "byline"
            elif part.kind == "paragraph" and number > lead and _is_caption(parts, number):
                part.kind = "caption"


def split_sign_off(parts: list[DispatchPart]) -> None:
    """Split the sign-off, and the initials after it, from the end of the last paragraph."""
    prose = (
        n
        for n in range(len(parts) - 1, -1, -1)
        if parts[n].kind is None and _may_be_last_prose(parts[n].words)
    )
    number = next((n for n in islice(prose, MAX_TAIL_LINES) if not pictures.is_caption(parts[n].words)), None)
    if number is None:
        return
    words = parts[number].words
    _split_lone_sign_off(parts)
    if words[-1].isupper() and (match := SIGNED_CAPITALS.search(words, len(words) - 30)):
        tag, _, rest = match.group().partition(" ")
        if rest and line_kinds.is_agency_tag(tag):
            split_part(parts, number, match.start() + len(tag) + 1, "initials")
            split_part(parts, number, match.start(), "signoff")
            return
    head, _, last = words.rpartition(" ")
    if (
        line_kinds.is_initials(last)
        and ("-" in last or "/" in last)
        and (at := line_kinds.sign_off_at_end(head.rstrip()))
    ):
        split_part(parts, number, len(head) + 1, "initials")
        split_part(parts, number, at, "signoff")
    elif at := line_kinds.sign_off_at_end(words):
        split_part(parts, number, at, "signoff")


def _may_be_last_prose(words: str) -> bool:
    return len(words) > MIN_PROSE_CHARS or (len(words) > MIN_SENTENCE_CHARS and words[-1] == ".")


def _split_lone_sign_off(parts: list[DispatchPart]) -> None:
    """Split a last line that holds nothing but the agency's tag and the initials: ``(BELGA) gvd/lmc``."""
    for number in range(len(parts) - 1, max(0, len(parts) - MAX_TAIL_LINES), -1):
        part = parts[number]
        tag, _, last = part.words.rpartition(" ")
        if (
            part.kind is None
            and len(part.words) <= 40
            and {"/", "-"} & set(last)
            and line_kinds.is_agency_tag(tag)
        ):
            if line_kinds.is_initials(last) and tag[0] in "([/":
                split_part(parts, number, len(tag) + 1, "initials")
                part.kind = "signoff"
            return


def _join_standing_matter(text: str, parts: list[DispatchPart], lead: int) -> None:
    """Join headings (``About X``, ``Contact``) and notebooks to what they stand above."""
    number = lead
    while number < len(parts):
        part = parts[number]
        if part.kind == "boilerplate":
            if phrases().notebook.match(part.words.lower()):
                last = number
                while (
                    last + 1 < len(parts)
                    and parts[last + 1].kind not in ("initials", "signoff")
                    and not line_kinds.is_initials(parts[last + 1].words)
                ):
                    last += 1
            else:
                last = _end_of_block(parts, number)
            if last > number:
                join_parts(text, parts, number, last, "boilerplate")
        number += 1


def _join_contacts(text: str, parts: list[DispatchPart], lead: int) -> None:
    """Join a block of short lines among which stand telephone numbers, mail or web addresses: who to ask, and where."""
    number = lead + 1
    while number < len(parts):
        last = number
        while last + 1 < len(parts) and not parts[last + 1].parted:
            last += 1
        if (
            parts[number].parted
            and last - number + 1 >= MIN_CONTACT_LINES
            and _is_contact(parts[number : last + 1])
        ):
            join_parts(text, parts, number, last, "boilerplate")
            last = number
        number = last + 1


def _is_contact(block: list[DispatchPart]) -> bool:
    return (
        any(part.kind == "boilerplate" for part in block)
        and all(
            part.kind == "boilerplate"
            or (part.kind is None and len(part.words) <= MAX_CONTACT_CHARS and part.words[-1] not in ".!?")
            for part in block
        )
        and not line_kinds.is_byline(block[0].one_line)
        and not line_kinds.is_initials(block[-1].words)
    )


def _end_of_block(parts: list[DispatchPart], number: int) -> int:
    """The last part of the block that standing matter opens; a heading alone takes the next block."""
    last = number
    heading = line_kinds.is_heading(parts[number].words)
    while last + 1 < len(parts):
        after = parts[last + 1]
        if after.kind not in (None, "boilerplate", "list", "paragraph") or (
            after.kind is None and line_kinds.is_initials(after.words)
        ):
            break
        labelled = after.kind == "boilerplate" and phrases().label.match(after.words.lower())
        if (
            after.parted
            and (not heading or last != number or labelled)
            and not (heading and _is_address(after))
        ):
            break
        last += 1
    return last


def _is_address(part: DispatchPart) -> bool:
    """Whether a line is a telephone number or a mail address, which may stand apart under the heading of contacts."""
    return part.kind == "boilerplate" and part.lines == 1 and ADDRESS_LINE.fullmatch(part.words) is not None


def _name_tail(parts: list[DispatchPart], lead: int) -> None:
    """Agency tags and initials; the latter have nothing but the tail after them."""
    closing = True  # whether only the tail follows
    for number in range(len(parts) - 1, lead, -1):
        part = parts[number]
        if part.kind == "credit" and closing and conventions().initials.describe(part.words.lower()):
            part.kind = "initials"
        elif (part.kind == "credit" and closing and _signs_story(parts, number)) or (
            part.kind is None and line_kinds.is_agency_tag(part.words)
        ):
            part.kind = "signoff"
        elif part.kind is None and (
            (closing and line_kinds.is_initials(part.words))
            or (parts[number - 1].kind == "signoff" and line_kinds.is_capitals(part.words))
        ):
            part.kind = "initials"
        closing = closing and (part.kind in TAIL_SEGMENTS or _in_box(parts, number))


def _in_box(parts: list[DispatchPart], number: int) -> bool:
    """Whether a part is a list or table, or the heading of one, as stands in boxes below the story."""
    if parts[number].kind in BOX_SEGMENTS:
        return True
    below = parts[number + 1] if number + 1 < len(parts) else None
    return below is not None and below.kind in BOX_SEGMENTS and len(parts[number].words) <= MAX_HEADING_CHARS


def _signs_story(parts: list[DispatchPart], number: int) -> bool:
    """Whether what looks like a credit (``Name/TT``, ``(Keystone-SDA)``) signs the story: at its end, under no caption."""
    return (
        (parts[number].parted or parts[number - 1].kind != "credit")
        and parts[number - 1].kind != "caption"
        and (
            BY_AGENCY.fullmatch(parts[number].words) is not None
            or line_kinds.is_agency_tag(parts[number].words)
        )
    )


def _is_subhead(parts: list[DispatchPart], number: int, lead: int) -> bool:
    """A short line above a paragraph, list or table, that is no sentence."""
    part = parts[number]
    words = part.one_line
    if number < lead or number + 1 >= len(parts) or len(words) > MAX_SUBHEAD_CHARS or part.lines > 2:
        return False
    if parts[number + 1].kind not in (None, "paragraph", "list", "table", "caption", "byline"):
        return False
    if line_kinds.ends_sentence(words) and (
        phrases().interview.match(words) or (words.isupper() and parts[number + 1].words.isupper())
    ):
        return False  # an interview, or copy in capitals throughout
    below = parts[number + 1]
    titles_box = (
        words.endswith(")") and below.kind in BOX_SEGMENTS and not below.parted and words[0].isalnum()
    )
    quoted = QUOTED_LINE.fullmatch(words) and part.parted and len(words.split()) <= MAX_QUOTED_SUBHEAD_WORDS
    if titles_box or quoted:
        return True  # the title of a race or a group with its ground; something said that heads what follows
    first = words.lstrip("“\"'‘«„+*#-–— (")[:1]
    if not (first.isupper() or first.isdigit() or not first.isascii()) or (
        words.endswith((".", ",", ";", "…", "”", '"', "»", ")", "。", "」", "』", "）"))
        and not words.isupper()
    ):
        return False
    return len(words.split()) <= MAX_CATCH_WORDS if words.endswith(":") else len(words.split()) <= 14


def _is_caption(parts: list[DispatchPart], number: int) -> bool:
    """A caption without a credit needs the marks of one."""
    words = parts[number].one_line
    return (
        parts[number].parted
        and len(words) < 500
        and line_kinds.ends_sentence(words)
        and pictures.is_caption(words)
    )
