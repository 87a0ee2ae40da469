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
from processors.normalise.geometry import point_of_geojson
from processors.normalise.json_documents import Json
from processors.normalise.values import uri_or_none, web_address, whole_number

T = TypeVar("T")
_NUMBERS: Final = (int, float)
_NAMED: Final = (dict, str)


def texts(value: object) -> tuple[Text, ...]:
    """Headlines, descriptions, bodies: a list of objects with ``value``."""
    if not value:
        return ()
    texts_read = []
    for text in _objects(value):
        words = text.get("value")
        if isinstance(words, str) and words.strip():
            texts_read.append(
                Text(words, _word(text.get("role")), _first(text, "contentType", "contenttype"))
            )
    return tuple(texts_read)


def one_text(value: object, role: str) -> tuple[Text, ...]:
    """A text of its own, as a list with its role."""
    return (Text(value, role),) if isinstance(value, str) and value.strip() else ()


def people(value: object) -> tuple[Person, ...]:
    """Persons."""
    return _convert_all(
        value, lambda member: Person(**_concept(member), contact_info=contacts(member.get("contactInfo")))
    )


def organisations(value: object) -> tuple[Organisation, ...]:
    """Organisations with their ticker symbols."""
    return _convert_all(
        value,
        lambda member: Organisation(
            **_concept(member),
            symbols=_symbols(member.get("symbols")),
            contact_info=contacts(member.get("contactInfo")),
        ),
    )


def places(value: object) -> tuple[StoryPlace, ...]:
    """Places; of GeoJSON shapes other than points the middle and the bounds are kept."""
    return _convert_all(
        value,
        lambda member: StoryPlace(
            **_concept(member),
            contact_info=contacts(member.get("contactInfo")),
            geo_json=point_of_geojson(member.get("geoJSON", member.get("geometry_geojson"))),
        ),
    )


def subjects(value: object) -> tuple[Subject, ...]:
    """Subjects; `relevance` and `confidence` are percentages."""
    return _convert_all(
        value,
        lambda member: Subject(
            **_concept(member),
            creator=_word(member.get("creator")),
            relevance=_percentage(member.get("relevance")),
            confidence=_percentage(member.get("confidence")),
        ),
    )


def keyword_subjects(value: object) -> tuple[Subject, ...]:
    """Plain words as subjects: a list of strings."""
    return tuple(
        Subject(word.strip())
        for word in (value if isinstance(value, list) else ())
        if isinstance(word, str) and word.strip()
    )


def news_events(value: object) -> tuple[NewsEvent, ...]:
    """Events that the story is about."""
    return _convert_all(value, lambda member: NewsEvent(id=_word(member.get("id")), **_concept(member)))


def named_objects(value: object) -> tuple[Named, ...]:
    """Objects: things with a name."""
    return _convert_all(
        [value] if isinstance(value, dict) else value, lambda member: Named(**_concept(member))
    )


def genres(value: object) -> tuple[Named, ...]:
    """Genres, which ninjs 3.1 gives no ``rel``."""
    return tuple(Named(genre.name, genre.uri, genre.literal) for genre in named_objects(value))


def info_sources(value: object) -> tuple[InfoSource, ...]:
    """Who supplied the information."""
    return _convert_all(
        value,
        lambda member: InfoSource(
            name=_word(member.get("name")),
            role=_word(member.get("role")),
            uri=uri_or_none(member.get("uri")),
            literal=_literal(member),
            contact_info=contacts(member.get("contactInfo")),
        ),
    )


def alt_ids(value: object) -> tuple[AltId, ...]:
    """Other identifiers: a list of role and value, or an object by role (ninjs 1)."""
    if isinstance(value, dict):
        return tuple(
            AltId(member.strip(), role)
            for role, member in value.items()
            if isinstance(member, str) and member.strip()
        )
    return _convert_all(
        value,
        lambda member: (
            AltId(word, _word(member.get("role"))) if (word := _word(member.get("value"))) else None
        ),
    )


def renditions(value: object) -> tuple[Rendition, ...]:
    """The files of a picture, video or audio: a list, or an object by name (ninjs 1)."""
    if isinstance(value, dict):
        value = [{"name": name, **member} for name, member in value.items() if isinstance(member, dict)]
    return _convert_all(value, _rendition)


def trust_indicators(value: object) -> tuple[TrustIndicator, ...]:
    """Statements of trust."""
    return _convert_all(
        value,
        lambda member: TrustIndicator(
            uri_or_none(member.get("role")), _word(member.get("title")), uri_or_none(member.get("href"))
        ),
    )


def contacts(value: object) -> tuple[Contact, ...]:
    """Ways to reach somebody: each has a value or an address, not both."""
    return _convert_all(value, _contact)


def rights(value: object) -> Rights | None:
    """A rights expression: linked or encoded."""
    if not isinstance(value, dict):
        return None
    linked, encoded = uri_or_none(value.get("linkedRights")), _word(value.get("encodedRights"))
    if (linked is None) == (encoded is None):
        return None
    return Rights(uri_or_none(value.get("langId")), linked, encoded)


def _concept(member: Json) -> dict[str, Any]:
    """Name, rel, uri and literal; an identifier that is no URI stands as literal."""
    uri = uri_or_none(member.get("uri")) or _coded(member)
    return {
        "name": _word(member.get("name")),
        "rel": _word(member.get("rel")),
        "uri": uri,
        "literal": _literal(member),
    }


def _coded(member: Json) -> str | None:
    """The URI of a code in a scheme that is an address (AP's ``http://cv.ap.org/id/``)."""
    scheme, code = _word(member.get("scheme")), _word(member.get("code"))
    return uri_or_none(scheme + code) if scheme and code and scheme.startswith("http") else None


def _literal(member: Json) -> str | None:
    literal = _first(member, "literal", "code", "qcode")
    if literal is None and uri_or_none(member.get("uri")) is None:
        literal = _word(member.get("uri"))
    return literal


def _rendition(member: Json) -> Rendition | None:
    name = _word(member.get("name")) or _word(member.get("role")) or "original"
    href = member.get("href")
    scan = member.get("scanType")
    return Rendition(
        name=name,
        href=web_address(href) if isinstance(href, str) else None,
        content_type=_first(member, "contentType", "mimetype", "contenttype"),
        title=_word(member.get("title")),
        width=whole_number(member.get("width")),
        height=whole_number(member.get("height")),
        size_in_bytes=whole_number(member.get("sizeInBytes", member.get("sizeinbytes"))),
        duration=_number(member.get("duration")),
        format=_word(member.get("format")),
        aspect_ratio=_word(member.get("aspectRatio")),
        video_codec=_first(member, "videoCodec", "videocodec"),
        frame_rate=_number(member.get("frameRate")),
        poi=_poi(member.get("poi")),
        transport_protocol=_word(member.get("transportProtocol")),
        scan_type=cast("Literal['progressive', 'interlaced']", scan)
        if scan in ("progressive", "interlaced")
        else None,
        bitrate=_word(member.get("bitrate")),
    )


def _contact(member: Json) -> Contact | None:
    address_sent = member.get("address")
    address = _address(address_sent) if isinstance(address_sent, dict) else None
    value = None if address else _word(member.get("value"))
    if address is None and value is None:
        return None
    return Contact(
        _word(member.get("type")),
        _word(member.get("role")),
        _word(member.get("lang")),
        _word(member.get("name")),
        value,
        address,
    )


def _address(member: Json) -> Address | None:
    lines = member.get("lines")
    address = Address(
        tuple(line for line in lines if isinstance(line, str)) if isinstance(lines, list) else (),
        _word(member.get("locality")),
        _word(member.get("area")),
        _first(member, "postalCode", "postalcode"),
        _word(member.get("country")),
    )
    return None if address == Address() else address


def _symbols(value: object) -> tuple[Symbol, ...]:
    return _convert_all(
        value,
        lambda member: Symbol(
            _word(member.get("exchange")),
            uri_or_none(member.get("symbolType", member.get("symboltype"))),
            _first(member, "symbol", "ticker"),
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


def _first(member: Json, *names: str) -> str | None:
    """The first of some members that is a word."""
    for name in names:
        if (word := _word(member.get(name))) is not None:
            return word
    return None


def _objects(value: object) -> Iterable[Json]:
    """The objects of a list, in which a string is a name, or of an object that holds nothing else; else itself."""
    if isinstance(value, dict):
        value = (
            list(value.values()) if all(isinstance(member, dict) for member in value.values()) else [value]
        )
    if not isinstance(value, list):
        return ()
    return [
        {"name": member} if isinstance(member, str) else member
        for member in value
        if isinstance(member, _NAMED)
    ]


def _convert_all(value: object, make: Callable[[Json], T | None]) -> tuple[T, ...]:
    """The members of a list of objects that could be made; empty ones are left out."""
    if not value:
        return ()
    return tuple([  # a list, which takes half of a generator's time
        converted for member in _objects(value) if any(member.values()) and (converted := make(member)) is not None
    ])  # fmt: skip
