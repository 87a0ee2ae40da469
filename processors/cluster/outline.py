"""The outline of a story: what it tells, in some hundred bytes that can be laid beside those of stories in other languages.

Its headline and lead count: what happened stands there, and a long story beside a bulletin is read as short as that one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

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
from processors.model.event import Event, Mention, OffsetText
from processors.places import country_of
from processors.times import read_milliseconds

# Of the body: fewer miss who and where of a story with a slow lead, more are background that other events share.
LEAD_CHARS: Final = 500
LEAD_KINDS: Final = frozenset({"paragraph", "subhead", "list", "caption"})
# Of those that tell most. More cost time by the square, fewer miss what two reports have in common.
MAX_WORDS: Final = 24
MAX_NAMES: Final = 16
MAX_NUMBERS: Final = 8
MAX_TOWNS: Final = 6
MAX_COUNTRIES: Final = 6
MAX_TOPICS: Final = 4
MAX_OWN_WORDS: Final = 24
MAX_DAYS: Final = 4
# Two consonants are shared by chance ("Rome", "Iran" and "Roman" are told by the table and by places).
MIN_NAME_CONSONANTS: Final = 3
MIN_OWN_LETTERS: Final = 3
# A capital makes a name of a word of the table only where the word weighs so much: lighter ones open sentences ("Police"),
# heavier ones are mostly names.
MIN_NAME_WEIGHT: Final = 12
UNKNOWN_WEIGHT: Final = 16  # of a word that the table lacks: rarer than any in it
# What kind of name a word belongs to, for the labels of mentions; 0 is a word that may be one.
PERSON: Final = 1
_NAME_KINDS: Final = {"PER": PERSON, "ORG": 2, "MISC": 2, "LOC": 3}
# Kinds of figures: two scores differ where the matches do, two percentages where the months do.
SCORE, PERCENT, FRACTION, AMOUNT, DIGIT = range(5)
_KIND_BITS: Final = 7  # of a figure's hash
_GLOBE_RADIUS: Final = 32_767  # the earth's radius, in the numbers of `where`
_OPENERS: Final = frozenset(".!?:\n。！？")
_SCORE: Final = re.compile(
    r"(?<![\d.,:-])([0-9]|1[0-9])\s?(?:[-:–]|\s(?:a|to)\s)\s?([0-9]|1[0-9])(?![\d.,:]\d|\d|-\d)"
)
_PERCENT: Final = re.compile(
    r"\s?(?:%|٪|per ?cent|prozent|por cient?o|pour cent|procent|prosent|процент|بالمئة)", re.IGNORECASE
)
_FRACTION: Final = re.compile(r"\d{1,2}[.,]\d{1,2}")
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

    `words` are places in the table of words that are no names, the most telling first; `vector` is the sum of all in
    `VECTOR_BYTES` bytes. `names` are hashes of consonants, `name_words` their places in the table (from 1; 0: not there),
    `name_kinds` a byte each. `own_words` are hashes of the words as they stand, `numbers` of figures, with their kind in
    the low bits. `things` are `towns` and `countries` by GeoNames id; `where` has three numbers of 16 bits a town, a point
    of the globe (zeros: not known). `days` are dates in the copy as days since the epoch, `topics` numbers of Media
    Topics. `at_ms` is the time of the story in milliseconds.
    """

    at_ms: int
    language: str
    source: str
    vector: bytes
    words: bytes
    names: bytes
    name_words: bytes
    name_kinds: bytes
    own_words: bytes
    numbers: bytes
    towns: bytes
    countries: bytes
    where: bytes
    days: bytes
    topics: bytes

    @property
    def word_places(self) -> NDArray[np.uint32]:
        """`words` as an array."""
        return np.frombuffer(self.words, np.uint32)

    @property
    def things(self) -> bytes:
        """The ids of its towns and countries."""
        return self.towns + self.countries


class _LeadWord(NamedTuple):
    """A word of the lead, what kind of name it is part of (-1: none), and whether it opens a sentence."""

    word: StoryWord
    kind: int
    is_opening: bool


class _Name(NamedTuple):
    """The sound of a name, its place in the table, and its kind."""

    sound: str
    place: int
    kind: int


def read_outline(event: Event, table: VectorTable) -> Outline:
    """The outline of a tagged event."""
    parts = list(_lead_parts(event))
    text = "\n".join(passage for _, _, passage in parts)
    mentions: list[Mention] = []
    words: list[_LeadWord] = []
    for inside, start, passage in parts:
        end = start + len(passage)
        here = [
            mention
            for mention in event.mentions or ()
            if mention.inside == inside and mention.start < end and mention.end > start
        ]
        mentions += here
        words += _read_lead_words(passage, start, here, table)
    language = (event.language.tag if event.language else "").partition("-")[0]
    common, names = _tell_names(words, table, language)
    towns, countries = _places(event, text, mentions)
    ids = list(towns)[:MAX_TOWNS]
    return Outline(
        at_ms=_time_ms(event),
        language=language,
        source=source_of(event),
        vector=_sum_vectors(_telling([word.word for word in words], table), table).tobytes(),
        words=_pack(_telling(common, table)),
        names=_pack(_hash(name.sound) for name in names),
        name_words=_pack(name.place + 1 for name in names),
        name_kinds=bytes(name.kind for name in names),
        own_words=_pack(_own_words(common, table)),
        numbers=_pack(_numbers(event, text)),
        towns=_pack(ids),
        countries=_pack(countries[:MAX_COUNTRIES]),
        where=np.array([towns[town] for town in ids], np.int16).tobytes(),
        days=_pack(_days(event)),
        topics=_pack(_topics(event)),
    )


def _read_lead_words(
    passage: str, start: int, mentions: Sequence[Mention], table: VectorTable
) -> list[_LeadWord]:
    """The words of a passage that begins at an offset, with the mentions in it."""
    kinds: dict[int, int] = {}
    for mention in mentions:
        kinds |= dict.fromkeys(range(mention.start - start, mention.end - start), _NAME_KINDS[mention.label])
    return [
        _LeadWord(
            word,
            kinds.get(word.start, -1),
            word.start == 0 or not _OPENERS.isdisjoint(passage[max(0, word.start - 2) : word.start]),
        )
        for word in read_words(passage, table)
    ]


def _tell_names(
    words: Sequence[_LeadWord], table: VectorTable, language: str
) -> tuple[list[StoryWord], list[_Name]]:
    """The words that are no names, and the names, sure ones first.

    What may be a name besides (a German noun, any word of a script without capitals) stands in both.
    """
    common: list[StoryWord] = []
    names: dict[str, _Name] = {}
    for word, kind, is_opening in words:
        is_capital = word.written[0].isupper()
        weight = int(table.weights[word.place]) if word.place >= 0 else UNKNOWN_WEIGHT
        is_name = kind >= 0 or (
            is_capital and (weight >= MIN_NAME_WEIGHT or not (is_opening or language == "de"))
        )
        if not is_name:
            common.append(word)
        if not (is_name or is_capital or _UNCASED.match(word.written)):
            continue
        sound = sound_of(word.written)
        if len(sound) < MIN_NAME_CONSONANTS:
            if not is_name or (word.place < 0 and len(sound) < MIN_NAME_CONSONANTS - 1):
                continue
            sound = word.folded
        sure = max(kind, 0) or (2 if is_capital and word.place < 0 and not is_opening else 0)
        if sound not in names or names[sound].kind < sure:
            names[sound] = _Name(sound, word.place, sure)
    return common, sorted(names.values(), key=lambda name: not name.kind)[:MAX_NAMES]


def source_of(event: Event) -> str:
    """Who tells the story, in small letters: the agency of its dateline, the source that it names, else the feed.

    The dateline comes first: a feed that carries the copy of several agencies has one name set for all of it.
    """
    agency = event.dateline and event.dateline.agency
    named = agency or next((origin.name for origin in event.story.info_sources if origin.name), None)
    provenance = event.provenance
    return (named or (provenance and (provenance.source or provenance.feed)) or "").casefold()


def sound_of(name: str) -> str:
    """The consonants of a name in any script, alike where only spelling differs: Мелони, Meloni, 멜로니 are ``mrn``."""
    sound = anyascii(name).lower()
    for pattern, replacement in _SOUNDS:
        sound = pattern.sub(replacement, sound)
    return _DOUBLES.sub(r"\1", sound.translate(_LETTERS))


def _lead_parts(event: Event) -> Iterator[tuple[OffsetText, int, str]]:
    """The headline and the first passages of the body, each with the string that it is part of and where it begins."""
    if event.headline:
        yield "headline", 0, event.headline
    left = LEAD_CHARS
    for segment in event.segments or ():
        if segment.kind in LEAD_KINDS and segment.inside == "text" and left > 0:
            end = min(segment.end, segment.start + left)
            yield "text", segment.start, event.text[segment.start : end]
            left -= end - segment.start
    if left == LEAD_CHARS and event.segments is None:
        yield "text", 0, event.text[:LEAD_CHARS]


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
    """Hashes of figures without the marks of their thousands; those of dates tell when, not what."""
    dated = {figure for date in event.dates or () for figure in _DIGITS.findall(date.text)}
    told: dict[tuple[int, str], None] = {}
    taken: set[int] = set()
    for match in _SCORE.finditer(text):
        lesser, greater = sorted((int(match[1]), int(match[2])))
        told[SCORE, f"{lesser}-{greater}"] = None
        taken.update((match.start(1), match.start(2)))
    for match in _NUMBER.finditer(text):
        written = match.group()
        figure = _MARKS.sub("", written)
        if match.start() in taken or _YEAR.fullmatch(figure) or figure in dated:
            continue
        if _PERCENT.match(text, match.end()):
            told[PERCENT, written.replace(",", ".")] = None
        elif _FRACTION.fullmatch(written):
            told[FRACTION, figure] = None
        else:
            told[AMOUNT if len(figure) > 1 else DIGIT, figure] = None
    return [_hash(f"{kind}:{figure}") & ~_KIND_BITS | kind for kind, figure in list(told)[:MAX_NUMBERS]]


def _places(
    event: Event, text: str, mentions: Sequence[Mention]
) -> tuple[dict[int, tuple[int, int, int]], list[int]]:
    """GeoNames ids of the towns that the lead names, each with its point of the globe, and of the countries."""
    named = {mention.entity for mention in mentions}
    towns: dict[int, tuple[int, int, int]] = {}
    countries: dict[int, None] = {}
    for entity in event.entities or ():
        place = entity.place
        if place is None or entity.id not in named:
            continue
        country = country_of(place.country) if place.country else None
        if place.geoname_id and (country is None or place.geoname_id != country.geoname_id):
            towns[place.geoname_id] = _point_of(place.latitude, place.longitude)
        if country is not None and country.geoname_id:
            countries[country.geoname_id] = None
    for town, country_id in load_places().find(read_place_names(text)):
        if country_id:
            towns.setdefault(town, (0, 0, 0))
        countries[country_id or town] = None
    return towns, list(countries)


def _point_of(latitude: float | None, longitude: float | None) -> tuple[int, int, int]:
    """Where degrees lie on a globe around (0, 0, 0), which itself says that they are not known."""
    if latitude is None or longitude is None:
        return 0, 0, 0
    north, east = math.radians(latitude), math.radians(longitude)
    flat = math.cos(north) * _GLOBE_RADIUS
    return round(flat * math.cos(east)), round(flat * math.sin(east)), round(math.sin(north) * _GLOBE_RADIUS)


def _topics(event: Event) -> list[int]:
    """The numbers of its Media Topics."""
    codes = [topic.code.rpartition(":")[2] for topic in (event.topics or ())[:MAX_TOPICS]]
    return [int(code) for code in codes if code.isdecimal() and len(code) == len("01000000")]


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
