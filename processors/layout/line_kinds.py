"""What kind a line is by its own words, before its place in the dispatch is looked at.

Patterns come from `config.lexicon`; none is tried on more than `MAX_LINE_CHARS`
characters, so no text makes them slow.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from config.tables import common_lines
from processors.dates.calendar import fold_accents
from processors.layout.agencies import conventions
from processors.layout.phrases import phrases
from processors.layout.pictures import is_credit
from processors.model.event import SegmentKind

MAX_LINE_CHARS: Final = 500  # on which patterns are tried; no note, credit or sign-off is as long
MAX_SHORT_CHARS: Final = 120  # of a line that may be a mark; a paragraph is seldom shorter
MIN_SENTENCE_BLANKS: Final = (
    8  # in a line with a full stop that is a sentence: De Kock, asked about it, said nothing.
)
MAX_ROLE_WORDS: Final = 3  # that say what somebody does: "special correspondents"
CLOSING_CHARS: Final = "\"”’»')] 」』）"  # behind a sentence's end
CODE: Final = r"[^\W_]{2,4}"
INITIALS: Final = re.compile(
    rf"(?=[\W\d]*[^\W\d_])[(\[/]?{CODE}(?:\s?(?:-|/{{1,2}})\s?[^\W_]{{2,4}}){{1,5}}/?[)\]]?|{CODE}/|/{CODE}"
    r"|(?:dpa|[a-z]{2,5})(?: [a-z0-9]{2,4}){2,5}|[a-z]{2}(?: [a-z]{2}){1,2}|\(?[a-z]{2,3}\)?"
)
TIME_LINE: Final = re.compile(
    r"(?:[^\W\d_]{2,10},? )?(?:\d{1,2}[ ./-][^\W\d_]{3,10}\.?[ ,./-]+\d{2,4}|[^\W\d_]{3,10}\.? \d{1,2}, \d{4}|\d{4}-\d\d-\d\d"
    r"|\d{1,2}[./-]\d{1,2}[./-]\d{4}),?\s+\d{1,2}[:.h]\d\d(?::\d\d)?(?:\s*\(?(?:\d{1,2}[:.]\d\d\s)?[A-Za-z]{1,4}\)?){0,3}"
    r"|AP-[A-Z]{2}-\d\d-\d\d-\d\d \d{4}[A-Z]{3}|\d{6}[A-Z]? (?:[A-Z]{3,4} )?[A-Z][a-zä]{2} \d{2,4}|[A-Z]{2,4}\d{3,5}\s+\d{4}-\d\d-\d\d/\d\d[:.]\d\d"
)
BRACKET: Final = re.compile(r"[()\[\]]")
INNER_MARK: Final = re.compile(r"[()\[\].]")
MAX_NOTE_CHARS: Final = 190  # of a note in brackets that its phrase is tried on: they allow 200
ADD_IN_SLUG: Final = re.compile(r"[,\s](?:\d{1,2}(?:st|nd|rd|th) )?add\b", re.IGNORECASE)
PICKUP_LINE: Final = re.compile(r"(?P<place>[^\W\d_][^:\d]{1,40}): .{1,80}[.\"”…]$")
NAMED_SLUG: Final = re.compile(r"[A-ZÀ-Þ]{3,}(?:[/-][A-ZÀ-Þ]+)*(?: [A-ZÀ-Þ][a-zß-ÿ][\w'’-]*){1,4}")


def kind_of(words: str) -> SegmentKind | None:
    """The kind that a line tells by itself; None where it may be anything."""
    if len(words) > MAX_LINE_CHARS:
        return None
    low = words.lower()
    return _sure_kind(words, low) or ("note" if _is_note(words, low) else _standing_kind(words, low))


def standing_kind_of(words: str) -> SegmentKind | None:
    """The kind of a line, notes left out: they are asked for where a line seems to stand, which takes half of the time."""
    if len(words) > MAX_LINE_CHARS:
        return None
    low = words.lower()
    if kind := _sure_kind(words, low):
        return kind
    kind = _standing_kind(words, low)
    return None if kind and _is_note(words, low) else kind


def _sure_kind(words: str, low: str) -> SegmentKind | None:
    if len(words) > MAX_SHORT_CHARS:
        return None
    if conventions().signoff.describe(low) or is_signed(words):
        return "signoff"
    return "slug" if words[-1] in ")TCZtrshm0123456789" and TIME_LINE.fullmatch(words) else None


def _is_note(words: str, low: str) -> bool:
    if (
        phrases().note.match(low)
        or _is_bracketed_note(low)
        or (words.isupper() and phrases().genre.match(low))
    ):
        return True
    return len(words) <= MAX_SHORT_CHARS and conventions().note.describe(low)


def _standing_kind(words: str, low: str) -> SegmentKind | None:
    """The kind of a line that is no note, in the order of certainty."""
    common, is_short = phrases(), len(words) <= MAX_SHORT_CHARS
    if common.signoff.match(low) or names_contributors(low):
        return "signoff"
    if common.boilerplate.match(low) and not (words[0].islower() and ends_sentence(words)):
        return "boilerplate"  # a sentence in small letters goes on from the line before
    if is_short and is_heading(words):
        return "boilerplate"
    if conventions().boilerplate.describe(low):
        return "boilerplate"
    return "credit" if is_short and is_credit(words) and not is_byline(words) else None


def _is_bracketed_note(low: str) -> bool:
    """Whether brackets enclose the line and what opens them opens a note, though sentences or brackets stand within."""
    if low[0] not in "([" or low[-1] not in ")]" or not _is_enclosed(low):
        return False
    inner = INNER_MARK.sub("", low[1:-1])[:MAX_NOTE_CHARS]
    return phrases().note.match(f"({inner})") is not None


def _is_enclosed(words: str) -> bool:
    """Whether the bracket that opens the words is closed by their last character, and not before."""
    depth = 0
    for mark in BRACKET.finditer(words):
        depth += 1 if mark[0] in "([" else -1
        if depth <= 0:
            return mark.end() == len(words)
    return False


def is_heading(words: str) -> bool:
    """Whether a line is the heading of standing matter: ``About Tallow Creek Foods, Inc.``, no ``About 300 people``."""
    return words[0].isupper() and phrases().heading.fullmatch(words) is not None


def names_contributors(low: str) -> bool:
    """Whether a line in small letters says who contributed to the story."""
    return phrases().contributed.match(low) is not None


@cache
def _slug_pattern() -> re.Pattern[str]:
    """Keywords, routing, or a message number."""
    codes = "|".join(common_lines().slug_codes)
    return re.compile(
        rf"(?:[a-z] [a-z] )?(?:{codes})-{{1,2}}[\w&'’./-]{{2,}}.{{0,80}}"
        r"|(?:[a-z]{1,3}\d{3,4}|[A-Z]{2,4}\d{3,4}|[A-Z]{3,4} ?\d{2,4} \d)\b.{0,60}|(?:ZCZC|NNNN)\b.{0,60}"
        r"|\d{6}[A-Z]? (?:GMT )?[A-Za-z]{3} \d{2,4}|[A-Z]{2}-[A-Z]{2}-\d\d-\d\d-\d\d .{3,20}"
        r"|[A-ZÀ-Þ0-9][\w&'’]{1,24}(?:[-/][\w&'’]{1,24}){1,6}[-/]?(?:,\s?[\w -]{0,40}|\s\([\w ,.]{1,40}\))?"
        r"|[\w&'’-]{2,25}(?:/[\w&'’-]{1,24}(?: [\w&'’-]{1,24}){0,3}){1,6}/"
        r"|[a-zà-þ]{2,8}(?:-[\w&'’]{2,24}){2,6}|[A-ZÀ-Þ][\w&'’-]{1,24}(?: [\w&'’-]{1,24}){0,3}(?:/[\w&'’-]{1,24}(?: [\w&'’-]{1,24}){0,3}){0,6}/"
        r"|(?:[A-ZÀ-Þ][\w&'’-]{1,24}(?: [\w&'’-]{1,24}){0,3}/){2,6}[\w&'’-]{1,24}(?: [\w&'’-]{1,24}){0,3}"
        r"|(?:[A-ZÀ-Þ0-9&]+[-/]){1,5}[A-ZÀ-Þ0-9&]+(?:\s\(.{1,60}\)|, .{1,60})?|[\w-]{3,}(?:[/ -][\w-]+){0,4},\s?0?\d{3}"
    )


def is_slug(words: str) -> bool:
    """Whether a line of the head is keywords, routing or a message number."""
    return len(words) <= 120 and _slug_pattern().fullmatch(words) is not None


def is_pickup(words: str, slug: str) -> bool:
    """Whether a line under the slug line of an add says what it goes on from: a place and the last words before it."""
    match = PICKUP_LINE.match(words.lstrip("^ ")) if ADD_IN_SLUG.search(slug) else None
    return match is not None and match["place"].partition(",")[0].isupper()


def is_agency_tag(words: str) -> bool:
    """Whether a line is nothing but an agency's name, bare or between marks: ``(sda)``, ``/ritzau/``."""
    return len(words) <= 40 and fold_accents(words).strip(" ()[]/=-–—.©") in conventions().agencies


def is_signed(words: str) -> bool:
    """Whether a line is an agency's tag with initials or a word beside it: ``EFE/yv``, ``AAP dm/jrb``, ``(avec AFP)``."""
    if len(words) > 40:
        return False
    if (source := phrases().sourced.fullmatch(words.lower())) and is_agency_tag(source["agency"]):
        return True
    tag, mark, rest = words.partition(" ")
    if not mark:
        tag, mark, rest = words.partition("/")
    if not mark or not (tag.isupper() or len(tag) > 2) or tag.lower() == "dpa":
        return False
    if fold_accents(tag) not in conventions().agencies:
        return False
    return (
        INITIALS.fullmatch(rest) is not None
        if mark == " " and {"/", "-"} & set(rest)
        else (mark == "/" and re.fullmatch(r"[^\W\d_]{2,4}(?:/[^\W\d_]{2,4}){0,3}", rest) is not None)
    )


def is_capitals(words: str) -> bool:
    """Whether a line under a sign-off is the initials of desks: ``SKL RBT``."""
    return len(words) <= 24 and re.fullmatch(r"[A-Z]{2,4}(?: [A-Z]{2,4}){0,3}", words) is not None


def is_initials(words: str) -> bool:
    """Whether a line of the tail is a mark of desk or authors."""
    if len(words) > 40:
        return False
    return INITIALS.fullmatch(words) is not None or conventions().initials.describe(words.lower())


def is_byline(words: str) -> bool:
    """Whether a line names its writers: ``By`` and names, with their function."""
    if len(words) > 160 or (words.endswith(".") and words.count(" ") >= MIN_SENTENCE_BLANKS):
        return False
    opened = phrases().byline.fullmatch(words.rstrip(" ="))
    return opened is not None and (are_names(opened["names"]) or _are_agency_staff(opened["names"]))


def _are_agency_staff(words: str) -> bool:
    """Whether the words name an agency's people at large: ``dpa correspondents``."""
    tag, _, rest = words.partition(" ")
    return (
        is_agency_tag(tag)
        and len(rest.split()) <= MAX_ROLE_WORDS
        and phrases().role.search(rest.lower()) is not None
    )


def are_names(words: str) -> bool:
    """Whether the words are names of people: capitals but for particles, no sentence, functions after a comma."""
    bare = words.rstrip(" .")
    if (
        re.search(r"[.!?:;]\s+\S", re.sub(r"\b[A-ZÀ-Þ]\w{0,2}\.", "", bare))
        or re.search(r"\d{2}", bare)
        or not bare
    ):
        return False
    first, *rest = (
        part.strip() for part in re.split(rf",|\(|/| [–—-] | (?:{phrases().conjunction}) |&", bare)
    )
    names = first.split()
    capitals = [word for word in names if word[:1].isupper()]
    return (
        1 <= len(names) <= 6
        and bool(names[0][:1].isupper())
        and len(capitals) >= max(1, len(names) - 2)
        and len(bare.split()) <= 18
        and (len(names) > 1 or bool(rest) or len(names[0]) > 2)
    )


def is_person(words: str) -> bool:
    """Whether a line is nothing but one or two names of two to four words."""
    names = re.split(rf",? (?:{phrases().conjunction}) |, ", words.rstrip())
    if words.endswith(".") or words.startswith("The "):
        return False
    return len(words) < 60 and all(
        2 <= len(name.split()) <= 4 and all(re.fullmatch(r"[A-ZÀ-Þ][\w'’.-]*", word) for word in name.split())
        for name in names
    )


def is_person_of_agency(words: str) -> bool:
    """Whether a line is a name with the agency behind it: ``Kari Berge, NTB``, ``Ana Ruiz / EFE``."""
    name, _, agency = words.replace("/", ",").rpartition(",")
    return bool(name) and is_agency_tag(agency) and is_person(name)


def is_agency(words: str) -> bool:
    """Whether a line under a byline is an agency's name or a writer's function."""
    if len(words) > 60:
        return False
    if fold_accents(words).strip(" .") in conventions().agencies:
        return True
    return (
        phrases().role.search(words.lower()) is not None and len(words.split()) <= 5 and words[:1].isupper()
    )


def sign_off_at_end(words: str) -> int | None:
    """Where the agency's tag, or the names of contributors, after a paragraph's last full stop begin; or None."""
    ending, offset = conventions().ending, max(0, len(words) - 40)
    for gap in re.finditer(r"(?<=[.!?”\"»’)\]…])\s+(?=\S)", words[offset:]):
        if ending.fullmatch(words, offset + gap.end()):
            return offset + gap.end()
    words = words.rstrip(".") if words.endswith((").", "].")) else words
    if words.endswith((")", "]")) and (at := words.rfind("(", max(0, len(words) - 400))) > 0:
        closed = words[:at].rstrip().endswith((".", "!", "?", "”", '"', "»"))
        low = words[at:].lower()
        if closed and (phrases().signoff.match(low) or names_contributors(low)):
            return at
    return None


def ends_sentence(words: str) -> bool:
    """Whether the words end as a sentence does."""
    return words.rstrip(CLOSING_CHARS)[-1:] in {".", "!", "?", "…", "。", "؟", "！", "？"} or words.endswith(
        ":"
    )


def is_prose(words: str, min_chars: int = 60) -> bool:
    """Whether the words are running text: a sentence's end, and long enough to be no headline.

    The full stop of Chinese and Japanese ends no headline at all.
    """
    if words.rstrip(CLOSING_CHARS)[-1:] == "。":
        return True
    if len(words) < min_chars or not ends_sentence(words) or words.endswith(":"):
        return False
    last = words.rstrip(CLOSING_CHARS)[-1:]
    return last not in {"?", "!"} or len(words) > 140
