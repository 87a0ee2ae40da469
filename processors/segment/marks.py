"""What kind a line is by its own words, before its place in the dispatch is looked at.

Patterns come from `config/lexicon/segment-phrases.toml` and `agencies.toml`; none is tried on more than
`LONGEST` characters, so no text makes them slow.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from config.settings import HERE
from processors.segment.calendar import folded
from processors.segment.conventions import conventions
from processors.story import SegmentKind

LONGEST: Final = 500
INITIALS: Final = re.compile(
    r"[^\W\d_]{2,4}(?:\s?[-/]{1,2}\s?[^\W\d_]{2,4}){1,5}|\(?[a-zà-þ]{2,3}\)?|dpa(?: [a-z0-9]{2,4}){2,5}|[a-z]{2,4}/"
)
SLUG: Final = re.compile(
    r"(?:[abcdefghijnprstuvwx] [abcdefhijknoprsuvwx] )?(?:AM|BC|PM|AP|BBN|BKN|FBN|HKN|GLF|TEN|SOC|US|EU|AS|ML|AF|CN|LT)-{1,2}[\w&'’./-]{2,}.{0,80}"
    r"|[a-z]\d{4}[ -].{0,80}|(?:ZCZC|NNNN)\b.{0,60}|[A-Z]{3}\d{3,4}\b.{0,60}"
    r"|[A-ZÀ-Þ][\wÀ-ÿ&’']{1,24}(?:[-/][\wÀ-ÿ&’']{1,24}){1,6}[-/]?(?:,.{0,40}|\s\(?[\w ]{0,24}\)?)?"
    r"|[A-Z][\w-]+(?:[/ -]\w+){0,4},\s*\d{2,4}"
)
BULLET: Final = re.compile(r"(?:[•*·▪◦‣●■►▶→✓–—-]|(?:\d{1,2}|[a-z])[.)])\s+\S")
COLUMNS: Final = re.compile(r"\S(?: {2,}| ?\t+ ?| ?\.{4,} ?| +\| +)\S")


@dataclass(frozen=True, slots=True)
class Phrases:
    """The compiled lexicon."""

    note: re.Pattern[str]
    signoff: re.Pattern[str]
    boilerplate: re.Pattern[str]
    heading: re.Pattern[str]
    byline: re.Pattern[str]
    role: re.Pattern[str]
    caption: re.Pattern[str]
    credit: re.Pattern[str]
    credit_tail: re.Pattern[str]


@cache
def phrases() -> Phrases:
    """The phrases of lines of every kind."""
    with (HERE / "lexicon" / "segment-phrases.toml").open("rb") as file:
        told: dict[str, Any] = tomllib.load(file)

    def any_of(name: str) -> re.Pattern[str]:
        return re.compile("|".join(f"(?:{one})" for one in told[name]), re.IGNORECASE)

    desks = "|".join(sorted(map(re.escape, told["desks"]), key=len, reverse=True))
    person = r"[^\W\d_][\w.'’-]*(?:[ _-][\w.'’-]+){0,4}"
    slash = rf"(?:{desks}|EFE|AFP|AP|dpa|PA)(?: FILE| File| Archivo| PHOTO| HANDOUT)?\s?/\s?{person}(?:/{person}){{0,2}}|{person}\s?/\s?(?:{desks}|EFE|AFP|AP|dpa|PA)(?:/{person})?|{person} (?:via|-) (?:{desks}|AP|EFE)"
    words = r"(?i:photo|foto|picture|fotos|photos|image|crédit photo|credit|crédito|bild)(?: (?i:by|credit|de|von|par|av|di))?\s?[:/©]\s?[^.()]{2,60}"
    tail = rf"(?:\((?:{slash}|{words}|(?:{desks})|[^().]{{0,30}}\bPhoto/[^().]{{2,50}}|AP Photo[^()]{{0,60}})\)|{slash}|{words}|©\s?[^.]{{2,50}}|(?:{desks}))\.?"
    return Phrases(
        any_of("note"), any_of("signoff"), any_of("boilerplate"), any_of("heading"),
        re.compile(rf"(?:{told['byline']})\b[:]?\s+(?P<names>\S.*)", re.IGNORECASE),
        re.compile(rf"\b(?:{told['role']})", re.IGNORECASE), any_of("caption"), any_of("credit"),
        re.compile(rf"(?:(?<=[.!?”\"»)\]])|(?<=\d)|(?<=\w))\s+(?P<credit>{tail})$"),
    )  # fmt: skip


def kind_of(words: str) -> SegmentKind | None:
    """The kind that a line tells by itself; None where it may be anything."""
    if len(words) > LONGEST:
        return None
    known, said = conventions(), phrases()
    if known.initials.fullmatch(words):
        return "initials"
    if said.note.match(words) or (len(words) < 250 and known.note.fullmatch(words.strip("()"))):
        return "note"
    if said.signoff.match(words) or known.signoff.fullmatch(words):
        return "signoff"
    if said.boilerplate.match(words) or said.heading.fullmatch(words) or known.boilerplate.fullmatch(words):
        return "boilerplate"
    if is_credit(words):
        return "credit"
    return None


def is_credit(words: str) -> bool:
    """Whether a line is nothing but a picture's credit."""
    if len(words) > 120:
        return False
    bare = words.strip("()[] .")
    tail = phrases().credit_tail.match("x. " + words, 2)
    whole = tail is not None and "/" in words
    return (
        whole
        or conventions().credit.fullmatch(bare) is not None
        or phrases().credit.fullmatch(words) is not None
    )


def credit_at_end(words: str) -> int | None:
    """Where the credit at the end of a caption begins, or None."""
    offset = max(0, len(words) - 140)
    found = phrases().credit_tail.search(words, offset)
    return found.start("credit") if found else None


def sign_off_at_end(words: str) -> int | None:
    """Where the agency's tag after a paragraph's last full stop begins, or None."""
    ending = conventions().ending
    for gap in re.finditer(r"(?<=[.!?”\"»’)\]…])\s+(?=\S)", words[-60:]):
        at = max(0, len(words) - 60) + gap.end()
        if ending.fullmatch(words, at):
            return at
    return None


def is_byline(words: str) -> bool:
    """Whether a line names its writers: ``By`` and names, or names and an agency."""
    if len(words) > 160 or "\n" in words:
        return False
    opened = phrases().byline.match(words)
    names = opened["names"] if opened else ""
    return bool(opened) and _are_names(names)


def _are_names(words: str) -> bool:
    """Two words and more in capitals, small ones between them, or one name and its role."""
    bare = words.rstrip(" .")
    if re.search(r"[.!?:;]\s+\S", re.sub(r"\b[A-Z]\w?\.", "", bare)) or re.search(r"\d{2}", bare):
        return False
    parts = [part for part in re.split(r",| and | y | et | und | e | en | och | og |&", bare) if part.strip()]
    first = parts[0].split() if parts else []
    capitals = [word for word in first if word[:1].isupper()]
    return 1 <= len(first) <= 6 and len(capitals) >= max(1, len(first) - 2) and len(bare.split()) <= 18


def is_agency(words: str) -> bool:
    """Whether a line is an agency's name or a writer's function."""
    return len(words) < 60 and (
        folded(words).strip(" .") in conventions().agencies
        or bool(phrases().role.search(words))
        and len(words.split()) <= 5
        and words[:1].isupper()
    )


def is_caption(words: str) -> bool:
    """Whether a sentence speaks of a picture."""
    return len(words) <= 900 and phrases().caption.search(words[:LONGEST]) is not None


def ends_sentence(words: str) -> bool:
    """Whether the words end as a sentence does."""
    return words.rstrip("\"”’»')] ")[-1:] in {".", "!", "?", "…", "。", "。"} or words.endswith(":")
