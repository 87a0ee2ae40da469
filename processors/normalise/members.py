"""The members of ninjs 3.1 from JSON of any ninjs version: what has the wrong type is absent, not an error."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, Literal, TypeVar, cast

from processors.model.story import (
    Address,
    AltId,
    Contact,
    InfoSource,
    Named,
    NewsEvent,
    Organisation,
    Person,
    Poi,
    Rendition,
    Rights,
    StoryPlace,
    Subject,
    Symbol,
    Text,
    TrustIndicator,
)
from processors.normalise.geometry import of_geojson
from processors.normalise.values import uri_or_none, web_address, whole_number

Json = dict[str, Any]
T = TypeVar("T")
_NUMBERS: Final = (int, float)
_NAMED: Final = (dict, str)


def texts(value: object) -> tuple[Text, ...]:
    """Headlines, descriptions, bodies: a list of objects with ``value``."""
    if not value:
        return ()
    found = []
    for each in _objects(value):
        words = each.get("value")
        if isinstance(words, str) and words.strip():
            found.append(Text(words, _word(each.get("role")), _first(each, "contentType", "contenttype")))
    return tuple(found)


def one_text(value: object, role: str) -> tuple[Text, ...]:
    """A text of its own, as a list with its role."""
    return (Text(value, role),) if isinstance(value, str) and value.strip() else ()


def people(value: object) -> tuple[Person, ...]:
    """Persons."""
    return _each(value, lambda one: Person(**_concept(one), contact_info=contacts(one.get("contactInfo"))))


def organisations(value: object) -> tuple[Organisation, ...]:
    """Organisations with their ticker symbols."""
    return _each(
        value,
        lambda one: Organisation(
            **_concept(one),
            symbols=_symbols(one.get("symbols")),
            contact_info=contacts(one.get("contactInfo")),
        ),
    )


def places(value: object) -> tuple[StoryPlace, ...]:
    """Places; of GeoJSON shapes other than points the middle and the bounds are kept."""
    return _each(
        value,
        lambda one: StoryPlace(
            **_concept(one),
            contact_info=contacts(one.get("contactInfo")),
            geo_json=of_geojson(one.get("geoJSON", one.get("geometry_geojson"))),
        ),
    )


def subjects(value: object) -> tuple[Subject, ...]:
    """Subjects; `relevance` and `confidence` are percentages."""
    return _each(
        value,
        lambda one: Subject(
            **_concept(one),
            creator=_word(one.get("creator")),
            relevance=_percentage(one.get("relevance")),
            confidence=_percentage(one.get("confidence")),
        ),
    )


def keywords(value: object) -> tuple[Subject, ...]:
    """Plain words as subjects: a list of strings."""
    return tuple(
        Subject(word.strip())
        for word in (value if isinstance(value, list) else ())
        if isinstance(word, str) and word.strip()
    )


def news_events(value: object) -> tuple[NewsEvent, ...]:
    """Events that the story is about."""
    return _each(value, lambda one: NewsEvent(id=_word(one.get("id")), **_concept(one)))


def named(value: object) -> tuple[Named, ...]:
    """Objects: things with a name."""
    return _each([value] if isinstance(value, dict) else value, lambda one: Named(**_concept(one)))


def genres(value: object) -> tuple[Named, ...]:
    """Genres, which ninjs 3.1 gives no ``rel``."""
    return tuple(Named(each.name, each.uri, each.literal) for each in named(value))


def info_sources(value: object) -> tuple[InfoSource, ...]:
    """Who supplied the information."""
    return _each(
        value,
        lambda one: InfoSource(
            name=_word(one.get("name")),
            role=_word(one.get("role")),
            uri=uri_or_none(one.get("uri")),
            literal=_literal(one),
            contact_info=contacts(one.get("contactInfo")),
        ),
    )


def alt_ids(value: object) -> tuple[AltId, ...]:
    """Other identifiers: a list of role and value, or an object by role (ninjs 1)."""
    if isinstance(value, dict):
        return tuple(
            AltId(one.strip(), role) for role, one in value.items() if isinstance(one, str) and one.strip()
        )
    return _each(
        value, lambda one: AltId(word, _word(one.get("role"))) if (word := _word(one.get("value"))) else None
    )


def renditions(value: object) -> tuple[Rendition, ...]:
    """The files of a picture, video or audio: a list, or an object by name (ninjs 1)."""
    if isinstance(value, dict):
        value = [{"name": name, **one} for name, one in value.items() if isinstance(one, dict)]
    return _each(value, _rendition)


def trust_indicators(value: object) -> tuple[TrustIndicator, ...]:
    """Statements of trust."""
    return _each(
        value,
        lambda one: TrustIndicator(
            uri_or_none(one.get("role")), _word(one.get("title")), uri_or_none(one.get("href"))
        ),
    )


def contacts(value: object) -> tuple[Contact, ...]:
    """Ways to reach somebody: each has a value or an address, not both."""
    return _each(value, _contact)


def rights(value: object) -> Rights | None:
    """A rights expression: linked or encoded."""
    if not isinstance(value, dict):
        return None
    linked, encoded = uri_or_none(value.get("linkedRights")), _word(value.get("encodedRights"))
    if (linked is None) == (encoded is None):
        return None
    return Rights(uri_or_none(value.get("langId")), linked, encoded)


def _concept(one: Json) -> dict[str, Any]:
    """Name, rel, uri and literal; an identifier that is no URI stands as literal."""
    uri = uri_or_none(one.get("uri")) or _coded(one)
    return {
        "name": _word(one.get("name")),
        "rel": _word(one.get("rel")),
        "uri": uri,
        "literal": _literal(one),
    }


def _coded(one: Json) -> str | None:
    """The URI of a code in a scheme that is an address (AP's ``http://cv.ap.org/id/``)."""
    scheme, code = _word(one.get("scheme")), _word(one.get("code"))
    return uri_or_none(scheme + code) if scheme and code and scheme.startswith("http") else None


def _literal(one: Json) -> str | None:
    told = _first(one, "literal", "code", "qcode")
    if told is None and uri_or_none(one.get("uri")) is None:
        told = _word(one.get("uri"))
    return told


def _rendition(one: Json) -> Rendition | None:
    name = _word(one.get("name")) or _word(one.get("role")) or "original"
    href = one.get("href")
    scan = one.get("scanType")
    return Rendition(
        name=name,
        href=web_address(href) if isinstance(href, str) else None,
        content_type=_first(one, "contentType", "mimetype", "contenttype"),
        title=_word(one.get("title")),
        width=whole_number(one.get("width")),
        height=whole_number(one.get("height")),
        size_in_bytes=whole_number(one.get("sizeInBytes", one.get("sizeinbytes"))),
        duration=_number(one.get("duration")),
        format=_word(one.get("format")),
        aspect_ratio=_word(one.get("aspectRatio")),
        video_codec=_first(one, "videoCodec", "videocodec"),
        frame_rate=_number(one.get("frameRate")),
        poi=_poi(one.get("poi")),
        transport_protocol=_word(one.get("transportProtocol")),
        scan_type=cast("Literal['progressive', 'interlaced']", scan)
        if scan in ("progressive", "interlaced")
        else None,
        bitrate=_word(one.get("bitrate")),
    )


def _contact(one: Json) -> Contact | None:
    sent = one.get("address")
    address = _address(sent) if isinstance(sent, dict) else None
    value = None if address else _word(one.get("value"))
    if address is None and value is None:
        return None
    return Contact(
        _word(one.get("type")),
        _word(one.get("role")),
        _word(one.get("lang")),
        _word(one.get("name")),
        value,
        address,
    )


def _address(one: Json) -> Address | None:
    lines = one.get("lines")
    made = Address(
        tuple(line for line in lines if isinstance(line, str)) if isinstance(lines, list) else (),
        _word(one.get("locality")),
        _word(one.get("area")),
        _first(one, "postalCode", "postalcode"),
        _word(one.get("country")),
    )
    return None if made == Address() else made


def _symbols(value: object) -> tuple[Symbol, ...]:
    return _each(
        value,
        lambda one: Symbol(
            _word(one.get("exchange")),
            uri_or_none(one.get("symbolType", one.get("symboltype"))),
            _first(one, "symbol", "ticker"),
        ),
    )


def _poi(value: object) -> Poi | None:
    if not isinstance(value, dict):
        return None
    x, y = whole_number(value.get("x")), whole_number(value.get("y"))
    return None if x is None or y is None else Poi(x, y)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _percentage(value: object) -> int | None:
    number = whole_number(value)
    return number if number is not None and 0 <= number <= 100 else None


def _word(value: object) -> str | None:
    """A string with something in it, blanks around it cut, or a number as a string."""
    if value is None:
        return None
    if isinstance(value, str):
        return value.strip() or None
    return str(value) if isinstance(value, _NUMBERS) and not isinstance(value, bool) else None


def _first(one: Json, *names: str) -> str | None:
    """The first of some members that is a word."""
    for name in names:
        if (word := _word(one.get(name))) is not None:
            return word
    return None


def _objects(value: object) -> Iterable[Json]:
    """The objects of a list, in which a string is a name, or of an object that holds nothing else; else itself."""
    if isinstance(value, dict):
        value = list(value.values()) if all(isinstance(one, dict) for one in value.values()) else [value]
    if not isinstance(value, list):
        return ()
    return [{"name": one} if isinstance(one, str) else one for one in value if isinstance(one, _NAMED)]


def _each(value: object, make: Callable[[Json], T | None]) -> tuple[T, ...]:
    """The members of a list of objects that could be made; empty ones are left out."""
    if not value:
        return ()
    return tuple([  # a list, which takes half of a generator's time
        made for one in _objects(value) if any(one.values()) and (made := make(one)) is not None
    ])  # fmt: skip
