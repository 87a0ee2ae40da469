"""A story as ninjs 3.1, 2.2 or 1.6 (IPTC, https://iptc.org/std/ninjs/), whole: with its headline and its text.

Version 2 has the names of version 3 in small letters, and fewer of them. Version 1 has singular names, one property a
text (``headline``, ``body_text``, ``body_html``), objects where the later versions have lists, and codes with their
scheme where they have URIs. Its times have no fractions of a second, which readers of its age refuse.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

import orjson
from msgspec.structs import replace

from processors.model.codec import encode, to_builtins
from processors.model.event import Event
from processors.model.story import Rendition, Standard, Story, Text
from sinks.forms.wording import (
    HTML_TYPE,
    PLAIN_TYPE,
    bodies_of,
    headlines_of,
    is_main,
    is_plain,
    is_uri,
    paragraphs_of,
    whole_seconds,
)

NinjsVersion = Literal["3.1", "2.2", "1.6"]
JsonObject = dict[str, Any]
_SCHEMA: Final = "http://www.iptc.org/std/ninjs/ninjs-schema_{}.json"
_TYPES: Final = frozenset({"text", "audio", "video", "picture", "graphic", "composite", "component"})
# Members that version 2.2 has not, or not in this object; what it does not know, it forbids.
_NEW_IN_3: Final[Mapping[str, frozenset[str]]] = {
    "renditions": frozenset(
        {"aspectRatio", "videoCodec", "frameRate", "poi", "transportProtocol", "scanType", "bitrate"}
    ),
    "headlines": frozenset({"charCount", "wordCount"}),
    "descriptions": frozenset({"charCount", "wordCount"}),
    "genres": frozenset({"rel"}),
    "digitalSourceType": frozenset({"rel"}),
    "events": frozenset({"id"}),
}
_REPRESENTATIONS: Final = {"full": "complete", "partial": "incomplete"}
_NOT_A_NAME: Final = re.compile(r"[^a-zA-Z0-9_]+")
# Where version 3 has a URI, version 1 has its scheme and its code: what stands behind the last of these.
_WEB_ENDS: Final = "#/"
_RENAMED_IN_2: Final = {"embargoedUntil": "embargoed"}


def make_ninjs(event: Event, version: NinjsVersion) -> JsonObject:
    """The event's story as an item of a version of ninjs."""
    story = replace(event.story, headlines=headlines_of(event), bodies=bodies_of(event))
    if version == "1.6":
        return _make_1(story)
    story = replace(story, standard=Standard(version=version, schema=_SCHEMA.format(version)))
    item: JsonObject = orjson.loads(encode(story))
    return _make_2(item) if version == "2.2" else item


def _make_2(item: JsonObject) -> JsonObject:
    """An item of version 3 in the words of version 2."""
    kept = {}
    for name, value in item.items():
        unknown = _NEW_IN_3.get(name, frozenset())
        if (name == "type" and value not in _TYPES) or name == "rel":
            continue
        if name == "associations":
            # an association needs name and uri
            kept[name] = [
                _make_2({"name": f"association{number}"} | part) for number, part in enumerate(value, 1)
            ]
        elif isinstance(value, list):
            kept[name.lower()] = [_in_small_letters(part, unknown) for part in value]
        elif name == "trustIndicators":
            kept[name.lower()] = value
        else:
            kept[_RENAMED_IN_2.get(name, name.lower())] = _in_small_letters(value, unknown)
    return kept


def _in_small_letters(value: Any, unknown: frozenset[str] = frozenset()) -> Any:
    """JSON with its names in small letters, without those that are unknown."""
    if isinstance(value, dict):
        return {
            name.lower(): _in_small_letters(part, frozenset())
            for name, part in value.items()
            if name not in unknown
        }
    return [_in_small_letters(part) for part in value] if isinstance(value, list) else value


def _make_1(story: Story) -> JsonObject:
    plain = next((body for body in story.bodies if is_plain(body) and is_main(body)), None)
    item: JsonObject = {
        "uri": story.uri,
        "type": story.type if story.type in _TYPES else None,
        "representationtype": _REPRESENTATIONS.get(story.representation_type or ""),
        "profile": story.profile,
        "version": story.version,
        "firstcreated": whole_seconds(story.first_created),
        "versioncreated": whole_seconds(story.version_created),
        "contentcreated": whole_seconds(story.content_created),
        "embargoed": whole_seconds(story.embargoed_until),
        "expires": whole_seconds(story.expires),
        "pubstatus": story.pub_status,
        "urgency": story.urgency,
        "copyrightholder": story.copyright_holder,
        "copyrightnotice": story.copyright_notice,
        "usageterms": story.usage_terms,
        "ednote": story.ed_note,
        "language": story.language,
        "title": story.title,
        "byline": story.by,
        "slugline": story.slugline,
        "located": story.located,
        "charcount": len(plain.value) if plain else None,
        "wordcount": len(plain.value.split()) if plain else None,
        **_texts(story),
        **_codes(story),
        "renditions": _renditions(story.renditions),
        "associations": _named(
            (part.name, "association", _make_1(replace(part, standard=None))) for part in story.associations
        ),
        "altids": _named((part.role, "id", part.value) for part in story.alt_ids),
        "$standard": {"name": "ninjs", "version": "1.6", "schema": _SCHEMA.format("1.6")},
    }
    if story.rights_info:
        item["rightsinfo"] = _in_small_letters(to_builtins(story.rights_info))
    if story.digital_source_type:
        item["digitalsourcetype"] = _in_small_letters(
            to_builtins(story.digital_source_type), _NEW_IN_3["digitalSourceType"]
        )
    return _present(item)


def _texts(story: Story) -> JsonObject:
    """Headlines, descriptions and bodies: a property each, named by role and form."""
    texts: JsonObject = {}

    def add(name: str, value: str) -> None:
        free, number = name, 2
        while free in texts:
            free, number = f"{name}_{number}", number + 1
        texts[free] = value

    for headline in story.headlines:
        add(
            "headline" if headline.role in {"main", None} else f"headline_{_name(headline.role)}",
            headline.value,
        )
    for description in story.descriptions:
        role = description.role
        add(
            "description_text" if role in {"summary", "main", None} else f"description_{_name(role)}",
            description.value,
        )
    for body in story.bodies:
        add(_body_name(body), body.value)
    if "body_html" not in texts and "body_text" in texts:
        texts["body_html"] = paragraphs_of(texts["body_text"])  # the only body that many systems read
    return texts


def _body_name(body: Text) -> str:
    form = {PLAIN_TYPE: "text", HTML_TYPE: "html", "application/xhtml+xml": "xhtml"}.get(
        body.content_type or PLAIN_TYPE
    )
    form = form or _name((body.content_type or "").rpartition("/")[2])
    return f"body_{form}" if body.role in {"main", None} else f"body_{_name(body.role)}_{form}"


def _codes(story: Story) -> JsonObject:
    """What version 3 has as URI or literal, with scheme and code."""
    return {
        "person": [_coded(part) for part in story.people],
        "organisation": [
            _coded(part)
            | _present({
                "symbols": [
                    _present({
                        "exchange": symbol.exchange,
                        "symbol": symbol.symbol,
                        "symboltype": symbol.symbol_type if is_uri(symbol.symbol_type) else None,
                    })
                    for symbol in part.symbols
                ]
            })
            for part in story.organisations
        ],
        "place": [_coded(part) for part in story.places],
        "subject": [
            _coded(part)
            | _present({"creator": part.creator, "relevance": part.relevance, "confidence": part.confidence})
            for part in story.subjects
        ],
        "event": [_coded(part) for part in story.events],
        "object": [_coded(part) for part in story.objects],
        "infosource": [_coded(part) | _present({"rel": part.role}) for part in story.info_sources],
        "genre": [_coded(part, has_relation=False) for part in story.genres],
        "trustindicator": [
            _scheme_and_code(part.role) | _present({"title": part.title, "href": part.href})
            for part in story.trust_indicators
        ],
    }  # fmt: skip


def _coded(part: Any, *, has_relation: bool = True) -> JsonObject:
    """Name, scheme and code of a person, place, subject …; a literal is a code without scheme."""
    members = {"name": part.name, "rel": getattr(part, "rel", None) if has_relation else None}
    return _present(members | (_scheme_and_code(part.uri) or {"code": part.literal}))


def _scheme_and_code(uri: str | None) -> JsonObject:
    """``http://a/b/7`` as ``http://a/b/`` and ``7``, ``urn:a:7`` as ``urn:a`` and ``7``; all as code where that is no way."""
    if not uri:
        return {}
    path = uri.rstrip("/")
    is_web = "//" in path
    head, mark, code = max(
        (path.rpartition(end) for end in (_WEB_ENDS if is_web else ":")), key=lambda part: len(part[0])
    )
    scheme = f"{head}{mark}" if is_web else head
    if not code or head.endswith("/") or not is_uri(scheme):
        return {"code": uri}
    return {"scheme": scheme, "code": code}


def _renditions(renditions: Iterable[Rendition]) -> JsonObject:
    return _named(
        (
            rendition.name,
            "rendition",
            _present({
                "href": rendition.href,
                "mimetype": rendition.content_type,
                "title": rendition.title,
                "height": rendition.height,
                "width": rendition.width,
                "sizeinbytes": rendition.size_in_bytes,
                "duration": rendition.duration,
                "format": rendition.format,
            }),
        )
        for rendition in renditions
    )  # fmt: skip


def _named(parts: Iterable[tuple[str | None, str, Any]]) -> JsonObject:
    """An object of what later versions have as a list: by name, where it has one that is not taken."""
    named: JsonObject = {}
    for number, (name, kind, value) in enumerate(parts, 1):
        key = _name(name) if name else f"{kind}{number}"
        named[f"{key}_{number}" if key in named else key] = value
    return named


def _name(text: str | None) -> str:
    """A name of letters, digits and lines, as version 1 wants its properties."""
    return _NOT_A_NAME.sub("_", text or "").strip("_") or "other"


def _present(members: JsonObject) -> JsonObject:
    return {name: value for name, value in members.items() if value not in (None, [], {})}
