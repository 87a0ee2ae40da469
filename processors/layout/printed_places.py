"""The places of a printed dateline: what stands before its date, name by name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from processors.places import gazetteer

PARTS: Final = re.compile(r"\s*/\s*|\s+(?:and|y|et|und|e|en|och|og)\s+(?=[A-ZÀ-Þ])|\s+[-–]\s+")
NAME: Final = re.compile(r"['’]?[^\W\d_][\w'’.&-]*")
PARTICLES: Final = frozenset({
    "a", "al", "am", "an", "auf", "aan", "bei", "by", "ca", "chez", "cum", "da", "das", "de", "del",
    "della", "dell", "der", "des", "di", "do", "dos", "du", "e", "el", "en", "et", "i", "im", "in", "la",
    "las", "le", "les", "lez", "lo", "los", "of", "on", "op", "près", "ob", "sous", "sul", "sull", "sur",
    "sobre", "the", "und", "unter", "upon", "van", "von", "vor", "y", "zu", "near", "aboard", "off", "aux",
    "à", "d", "l", "s", "and", "og", "och",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class PrintedPlace:
    """A place's name as printed, and the state or country beside it."""

    name: str
    region: str | None = None


def is_known(place: PrintedPlace) -> bool:
    """Whether the place, or the state or country beside it, is known."""
    areas = (
        gazetteer().areas(region.strip()) for region in (place.region or "").split(",") if region.strip()
    )
    return bool(gazetteer().candidates(place.name)) or any(areas)


def places_of(line: str, *, lenient: bool) -> tuple[PrintedPlace, ...] | None:
    """The places of a line that holds nothing else; None where it holds something else.

    `lenient`: a date vouches for the line, so known names may stand in small letters.
    """
    line = line.strip().rstrip(" .,(-–—:").strip()
    if not line:
        return ()
    if len(line) > 90 or re.search(r"[\"“”«»!?;]|\d{3}", line):
        return None
    first = line.partition(",")[0]
    whole = len(first.split()) > 2 and bool(gazetteer().candidates(first))
    made = []
    for part in [line] if whole or PARTS.search(first) is None else PARTS.split(line):
        names = [name.strip() for name in re.split(r"[,(\[]", part.replace(")", "").replace("]", ""))]
        names = [name for name in names if name.strip(".")]
        if not 1 <= len(names) <= 4 or not all(_is_name(name, lenient=lenient) for name in names):
            return None
        made.append(_place(names))
    return tuple(made)


def _place(names: list[str]) -> PrintedPlace:
    """Name and region; a state's abbreviation may follow without a comma (``FARMINGTON Conn.``)."""
    name = names[0].rstrip(".")
    head, _, last = names[0].rpartition(" ")
    alone = bool(head) and len(names) == 1 and not gazetteer().candidates(name)
    if alone and any(area.country == "US" for area in gazetteer().areas(last)):
        return PrintedPlace(head, last)
    return PrintedPlace(name, ", ".join(names[1:]) or None)


def _is_name(name: str, *, lenient: bool) -> bool:
    """Whether the words could name a place: capitals but for particles, seven words at the most."""
    words = name.split()
    if (
        not words
        or len(words) > 7
        or not words[0].lstrip("'’")[:1].isalpha()
        or not all(map(NAME.fullmatch, words))
    ):
        return False
    if len(words[-1]) > 1 and words[-1] in PARTICLES:
        return False
    if all(word[0].isupper() or not word[0].isascii() or _particle(word) for word in words):
        return any(
            word.lstrip("'’S-")[:1].isupper() or word[0].isupper() or not word[0].isascii() for word in words
        )
    return lenient and len(words) <= 4 and bool(gazetteer().candidates(name))


def _particle(word: str) -> bool:
    return word.casefold() in PARTICLES or word[:2].casefold() in {
        "'s",
        "’s",
        "d'",
        "l'",
        "d’",
        "l’",
        "s-",
        "d-",
    }
