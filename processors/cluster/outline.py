"""The outline of a story: what it tells, in some hundred bytes that can be laid beside those of stories in other languages.

Its headline and lead count: what happened stands there, and a long story beside a bulletin is read as short as that one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
import numpy as np
import xxhash
from anyascii import anyascii
from numpy.typing import NDArray

from processors.cluster.words import (
    VECTOR_BYTES,
    StoryWord,
    VectorTable,
    fold_word,
    load_places,
    read_place_names,
    read_words,
)
from processors.model.event import Event
from processors.times import read_milliseconds

# Of the body: fewer miss who and where of a story with a slow lead, more are background that other events share.
LEAD_CHARS: Final = 500
LEAD_KINDS: Final = frozenset({"paragraph", "subhead", "list", "caption"})
# Of those that tell most. More cost time by the square, fewer miss what two reports have in common.
MAX_WORDS: Final = 24
MAX_NAMES: Final = 16
MAX_NUMBERS: Final = 8
MAX_THINGS: Final = 8
MAX_OWN_WORDS: Final = 24
MAX_DAYS: Final = 4
# Two consonants are shared by chance ("Rome", "Iran" and "Roman" are told by the table and by places).
MIN_NAME_CONSONANTS: Final = 3
MIN_OWN_LETTERS: Final = 3
MIN_PLACE_RELEVANCE: Final = 30  # below it a place is only mentioned
_UNCASED: Final = re.compile("[\u0590-\u06ff\uac00-\ud7af\u30a0-\u30ff]")  # Hebrew, Arabic, Hangul, katakana
_NUMBER: Final = re.compile(r"\d+(?:[.,\u00a0\u202f ]\d{3})*(?:[.,:]\d+)?")
_DIGITS: Final = re.compile(r"\d+")
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_MARKS: Final = re.compile(r"[.,:\u00a0\u202f ]")
# Letters that other scripts write otherwise: sounds of one place in the mouth become one, vowels go.
_SOUNDS: Final = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        ("[^a-z]", ""), ("sch|sh|ch|zh|ts|tz|dj|dzh", "s"), ("ph", "f"), ("th", "t"), ("[kg]h", "k"),
    )
)  # fmt: skip
_LETTERS: Final = str.maketrans(
    {"q": "k", "c": "k", "x": "k", "g": "k", "z": "s", "j": "s", "v": "f", "l": "r", "b": "p", "d": "t"}
    | dict.fromkeys("aeiouwyh")
)
_DOUBLES: Final = re.compile(r"(.)\1+")


class Outline(msgspec.Struct, array_like=True, frozen=True):
    """What is remembered of a story. Bytes hold flat arrays of 32-bit numbers, in the machine's order (little-endian).

    `words` are places in the table, the most telling first, `vector` their sum in `VECTOR_BYTES` bytes. `names` are hashes of
    consonants, `own_words` of the words as they stand, `numbers` of figures, `things` of what entities are (GeoNames,
    Wikidata); `days` are dates in the copy as days since the epoch. `at_ms` is the time of the story in milliseconds.
    """

    at_ms: int
    language: str
    source: str
    vector: bytes
    words: bytes
    names: bytes
    own_words: bytes
    numbers: bytes
    things: bytes
    days: bytes

    @property
    def word_places(self) -> NDArray[np.uint32]:
        """`words` as an array."""
        return np.frombuffer(self.words, np.uint32)


def read_outline(event: Event, table: VectorTable) -> Outline:
    """The outline of a tagged event."""
    text = _lead(event)
    words = read_words(text, table)
    places = _telling(words, table)
    return Outline(
        at_ms=_time_ms(event),
        language=(event.language.tag if event.language else "").partition("-")[0],
        source=source_of(event),
        vector=_sum_vectors(places, table).tobytes(),
        words=_pack(places),
        names=_pack(_names(words)),
        own_words=_pack(_own_words(words, table)),
        numbers=_pack(_numbers(event, text)),
        things=_pack(_things(event, text)),
        days=_pack(_days(event)),
    )


def source_of(event: Event) -> str:
    """Who tells the story: the agency or site that it names, that of its dateline, else the feed."""
    for origin in event.story.info_sources or ():
        if origin.name:
            return origin.name
    if event.dateline and event.dateline.agency:
        return event.dateline.agency
    provenance = event.provenance
    return (provenance and (provenance.source or provenance.feed)) or ""


def sound_of(name: str) -> str:
    """The consonants of a name in any script, alike where only spelling differs: Мелони, Meloni, 멜로니 are ``mrn``."""
    sound = anyascii(name).lower()
    for pattern, replacement in _SOUNDS:
        sound = pattern.sub(replacement, sound)
    return _DOUBLES.sub(r"\1", sound.translate(_LETTERS))


def _lead(event: Event) -> str:
    """The headline and the first passages of the body."""
    parts = [event.headline] if event.headline else []
    left = LEAD_CHARS
    for segment in event.segments or ():
        if segment.kind in LEAD_KINDS and segment.inside == "text" and left > 0:
            passage = event.text[segment.start : min(segment.end, segment.start + left)]
            parts.append(passage)
            left -= len(passage)
    if left == LEAD_CHARS and event.segments is None:
        parts.append(event.text[:LEAD_CHARS])
    return "\n".join(parts)


def _time_ms(event: Event) -> int:
    """When the story was made, as its publisher says; when it came where that lies ahead or is not said."""
    provenance = event.provenance
    received = read_milliseconds(provenance.received) if provenance else None
    for told in (event.story.version_created, event.story.first_created):
        made = read_milliseconds(told) if told else None
        if made is not None and (received is None or made <= received):
            return made
    return received or 0


def _telling(words: Sequence[StoryWord], table: VectorTable) -> list[int]:
    """The places of the words that tell most; of equals those that come first."""
    places = list(dict.fromkeys(word.place for word in words if word.place >= 0))
    weights = table.weights
    places.sort(key=lambda place: -int(weights[place]))
    return places[:MAX_WORDS]


def _sum_vectors(places: Sequence[int], table: VectorTable) -> NDArray[np.int8]:
    """The weighted sum of words, its longest member 127. Whole numbers throughout."""
    if not places:
        return np.zeros(VECTOR_BYTES, np.int8)
    chosen = np.array(places)
    lengths = np.maximum(table.lengths[chosen].astype(np.int64), 1)
    shares = table.weights[chosen].astype(np.int64) * 1024 // lengths
    total = (table.vectors[chosen].astype(np.int64) * shares[:, None]).sum(axis=0)
    longest = max(int(np.abs(total).max()), 1)
    summed: NDArray[np.int8] = (total * 127 // longest).astype(np.int8)
    return summed


def _names(words: Sequence[StoryWord]) -> list[int]:
    """Hashes of how names sound: words with a capital, or any of a script without capitals."""
    names: dict[str, None] = {}
    for word in words:
        if word.written[0].isupper() or _UNCASED.match(word.written):
            sound = sound_of(word.written)
            if len(sound) >= MIN_NAME_CONSONANTS:
                names[sound] = None
    return [_hash(name) for name in list(names)[:MAX_NAMES]]


def _own_words(words: Sequence[StoryWord], table: VectorTable) -> list[int]:
    """Hashes of the words as they stand, rare ones first: what two reports in one language share."""
    weights = table.weights
    seen: dict[str, int] = {}
    for word in words:
        if len(word.folded) >= MIN_OWN_LETTERS or not word.written.isascii():
            seen.setdefault(word.folded, int(weights[word.place]) if word.place >= 0 else 16)
    chosen = sorted(seen, key=lambda word: -seen[word])[:MAX_OWN_WORDS]
    return [_hash(word) for word in chosen]


def _numbers(event: Event, text: str) -> list[int]:
    """Hashes of figures of two digits and more, without the marks of their thousands; those of dates tell when, not what."""
    dated = {figure for date in event.dates or () for figure in _DIGITS.findall(date.text)}
    figures = dict.fromkeys(_MARKS.sub("", match.group()) for match in _NUMBER.finditer(text))
    told = [
        figure
        for figure in figures
        if len(figure) > 1 and figure not in dated and not _YEAR.fullmatch(figure)
    ]
    return [_hash(figure) for figure in told[:MAX_NUMBERS]]


def _things(event: Event, text: str) -> list[int]:
    """GeoNames ids of the places that the lead names, and of their countries."""
    things: dict[int, None] = {}
    for entity in sorted(event.entities or (), key=lambda entity: -(entity.relevance or 0)):
        if entity.place and entity.place.geoname_id and (entity.relevance or 0) >= MIN_PLACE_RELEVANCE:
            things[entity.place.geoname_id] = None
    for place, country in load_places().find(read_place_names(text)):
        things[place] = None
        if country:
            things[country] = None
    return list(things)[:MAX_THINGS]


def _days(event: Event) -> list[int]:
    """The days that the copy names."""
    days: dict[int, None] = {}
    for expression in event.dates or ():
        if len(expression.value) == len("YYYY-MM-DD") and (at := read_milliseconds(expression.value)):
            days[at // 86_400_000] = None
    return [day for day in days if day >= 0][:MAX_DAYS]


def _hash(text: str) -> int:
    return xxhash.xxh32_intdigest(fold_word(text).encode("utf-8", "surrogatepass"))


def _pack(numbers: Iterable[int]) -> bytes:
    return np.fromiter(numbers, np.uint32).tobytes()
