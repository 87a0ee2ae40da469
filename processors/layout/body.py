"""The body and tail of a dispatch: subheads, captions, notes, what signs off, and standing matter."""

from __future__ import annotations

import re
from typing import Final

from processors.layout import line_kinds as marks
from processors.layout import pictures
from processors.layout.agencies import conventions
from processors.layout.parts import Part, join, split
from processors.layout.phrases import phrases

SUBHEAD: Final = 90  # characters
SIGNED_CAPITALS: Final = re.compile(r"(?<=[.!?”\"»)] )[A-Z]{2,4}(?: [A-Z]{2,4}){1,4}$")
TAIL_LINES: Final = 5  # at the end, among which a tag with initials is looked for
QUOTED_LINE: Final = re.compile(r"[“\"«„][^“”\"«»„]{3,60}[^.,;:!?…\s“”\"«»„]\s?[”\"»“]")
QUOTED_SUBHEAD: Final = 8  # words of a subhead that stands in quotation marks
BY_AGENCY: Final = re.compile(r"[^\W\d_][\w.'’ -]{2,40}\s?/\s?\w{2,12}")
ASKED: Final = re.compile(  # what opens a question or an answer of an interview
    r"(?:Q|A|P|R|D|F|Question|Answer|Réponse|Frage|Antwort|Pregunta|Respuesta|Domanda|Risposta|Pergunta|Resposta"
    r"|Vraag|Antwoord|Fråga|Svar|Spørsmål|Spørgsmål)\s?[:.] \S"
)
CATCH: Final = 4  # words of a catch word with a colon
BOX: Final = frozenset({"list", "table"})
HEADING: Final = 40  # characters of the line above them
TAIL: Final = frozenset({"signoff", "initials", "boilerplate", "credit", "caption", "note", "slug"})


def name_body(text: str, parts: list[Part], lead: int) -> None:
    """Name the parts from `lead` on."""
    _standing_matter(text, parts, lead)
    _name_tail(parts, lead)
    for number in range(lead, len(parts)):
        part = parts[number]
        if part.kind is None:
            part.kind = "subhead" if _is_subhead(parts, number, lead) else "paragraph"
            if part.kind == "paragraph" and number > lead and marks.is_byline(part.one_line):
                part.kind = "byline"
            elif part.kind == "paragraph" and number > lead and _is_caption(parts, number):
                part.kind = "caption"


def sign_off(parts: list[Part]) -> None:
    """Split the sign-off, and the initials after it, from the end of the last paragraph."""
    prose = (n for n in range(len(parts) - 1, -1, -1) if parts[n].kind is None and len(parts[n].words) > 30)
    number = next(prose, None)
    if number is None or pictures.is_caption(parts[number].words):
        return
    words = parts[number].words
    _sign_alone(parts)
    if words[-1].isupper() and (found := SIGNED_CAPITALS.search(words, len(words) - 30)):
        tag, _, rest = found.group().partition(" ")
        if rest and marks.is_agency_tag(tag):
            split(parts, number, found.start() + len(tag) + 1, "initials")
            split(parts, number, found.start(), "signoff")
            return
    head, _, last = words.rpartition(" ")
    if (
        marks.is_initials(last)
        and ("-" in last or "/" in last)
        and (at := marks.sign_off_at_end(head.rstrip()))
    ):
        split(parts, number, len(head) + 1, "initials")
        split(parts, number, at, "signoff")
    elif at := marks.sign_off_at_end(words):
        split(parts, number, at, "signoff")


def _sign_alone(parts: list[Part]) -> None:
    """Split a last line that holds nothing but the agency's tag and the initials: ``(BELGA) gvd/lmc``."""
    for number in range(len(parts) - 1, max(0, len(parts) - TAIL_LINES), -1):
        part = parts[number]
        tag, _, last = part.words.rpartition(" ")
        if (
            part.kind is None
            and len(part.words) <= 40
            and {"/", "-"} & set(last)
            and marks.is_agency_tag(tag)
        ):
            if marks.is_initials(last) and tag[0] in "([/":
                split(parts, number, len(tag) + 1, "initials")
                part.kind = "signoff"
            return


def _standing_matter(text: str, parts: list[Part], lead: int) -> None:
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
                    and not marks.is_initials(parts[last + 1].words)
                ):
                    last += 1
            else:
                last = _end_of_block(parts, number)
            if last > number:
                join(text, parts, number, last, "boilerplate")
        number += 1


def _end_of_block(parts: list[Part], number: int) -> int:
    """The last part of the block that standing matter opens; a heading alone takes the next block."""
    last = number
    heading = marks.is_heading(parts[number].words)
    while last + 1 < len(parts):
        after = parts[last + 1]
        if after.kind not in (None, "boilerplate", "list", "paragraph") or (
            after.kind is None and marks.is_initials(after.words)
        ):
            break
        labelled = after.kind == "boilerplate" and phrases().label.match(after.words.lower())
        if after.parted and (not heading or last != number or labelled):
            break
        last += 1
    return last


def _name_tail(parts: list[Part], lead: int) -> None:
    """Agency tags and initials; the latter have nothing but the tail after them."""
    closing = True  # whether only the tail follows
    for number in range(len(parts) - 1, lead, -1):
        part = parts[number]
        if part.kind == "credit" and closing and conventions().initials.describe(part.words.lower()):
            part.kind = "initials"
        elif (part.kind == "credit" and closing and _signs(parts, number)) or (
            part.kind is None and marks.is_agency_tag(part.words)
        ):
            part.kind = "signoff"
        elif part.kind is None and (
            (closing and marks.is_initials(part.words))
            or (parts[number - 1].kind == "signoff" and marks.is_capitals(part.words))
        ):
            part.kind = "initials"
        closing = closing and (part.kind in TAIL or _in_box(parts, number))


def _in_box(parts: list[Part], number: int) -> bool:
    """Whether a part is a list or table, or the heading of one, as stands in boxes below the story."""
    if parts[number].kind in BOX:
        return True
    below = parts[number + 1] if number + 1 < len(parts) else None
    return below is not None and below.kind in BOX and len(parts[number].words) <= HEADING


def _signs(parts: list[Part], number: int) -> bool:
    """Whether what looks like a credit (``Name/TT``, ``(Keystone-SDA)``) signs the story: at its end, under no caption."""
    return (
        (parts[number].parted or parts[number - 1].kind != "credit")
        and parts[number - 1].kind != "caption"
        and (BY_AGENCY.fullmatch(parts[number].words) is not None or marks.is_agency_tag(parts[number].words))
    )


def _is_subhead(parts: list[Part], number: int, lead: int) -> bool:
    """A short line above a paragraph, list or table, that is no sentence."""
    part = parts[number]
    words = part.one_line
    if number < lead or number + 1 >= len(parts) or len(words) > SUBHEAD or part.lines > 2:
        return False
    if parts[number + 1].kind not in (None, "paragraph", "list", "table", "caption", "byline"):
        return False
    if marks.ends_sentence(words) and (
        ASKED.match(words) or (words.isupper() and parts[number + 1].words.isupper())
    ):
        return False  # an interview, or copy in capitals throughout
    if QUOTED_LINE.fullmatch(words) and part.parted and len(words.split()) <= QUOTED_SUBHEAD:
        return True
    first = words.lstrip("“\"'‘«„+*#-–— (")[:1]
    if not (first.isupper() or first.isdigit() or not first.isascii()) or (
        words.endswith((".", ",", ";", "…", "”", '"', "»", ")")) and not words.isupper()
    ):
        return False
    return len(words.split()) <= CATCH if words.endswith(":") else len(words.split()) <= 14


def _is_caption(parts: list[Part], number: int) -> bool:
    """A caption without a credit needs the marks of one."""
    words = parts[number].one_line
    return (
        parts[number].parted
        and len(words) < 500
        and marks.ends_sentence(words)
        and pictures.is_caption(words)
    )
