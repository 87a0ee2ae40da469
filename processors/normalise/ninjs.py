"""IPTC ninjs 1.x, 2.x and 3.x (https://iptc.org/std/ninjs/), and the dialects that say ``guid`` for ``uri``.

ninjs 1 spells headline and body as ``headline``, ``body_text``, ``body_xhtml`` and ``body_<name>``, people as
``person``; 2 and 3 have lists with roles. Members that ninjs 3.1 has no place for are dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from msgspec import structs

from processors.errors import MissingIdentity, Rejected, Unsupported
from processors.model.story import AltId, InfoSource, Named, Story, Text
from processors.normalise import members
from processors.normalise.html import looks_like_html, read_html, read_html_line
from processors.normalise.json_documents import Json, read_json
from processors.normalise.reading import Document, Format, Reading, Readings
from processors.normalise.values import language_tag, timestamp, urgency, uri_or_none
from processors.sources import made_uri

_NAME: Final = "ninjs"
_TYPES: Final = {"text", "audio", "video", "picture", "graphic", "composite", "component"}
_STATUS: Final = {
    "usable": "usable", "withheld": "withheld", "canceled": "canceled", "cancelled": "canceled", "killed": "canceled",
    "withdrawn": "canceled", "recalled": "canceled", "unpublished": "canceled", "deleted": "canceled",
    "retracted": "canceled", "embargoed": "withheld",
}  # fmt: skip
# Members of dialects that name the item which this one was made from, letters only.
_LINKS: Final = {
    "evolvedfrom": "evolvedFrom", "rewriteof": "rewriteOf", "supersedes": "supersedes", "replaces": "replaces",
    "corrects": "corrects", "kills": "kills", "withdraws": "withdraws",
}  # fmt: skip
_PARTS: Final = {"complete": "full", "full": "full", "incomplete": "partial", "partial": "partial"}


def _text_or_lines(value: object) -> str:
    if isinstance(value, list):  # AP's usage terms
        value = "\n".join(line for line in value if isinstance(line, str))
    return value.strip() if isinstance(value, str) else ""


def _item_type(value: object) -> str | None:
    return value if isinstance(value, str) and value in _TYPES else None


def _version(value: object) -> str | None:
    return str(value) if isinstance(value, (int, str)) and str(value).strip() else None


def _pub_status(value: object) -> str | None:
    return _STATUS.get(str(value).strip().lower().removeprefix("stat:"))


def _representation_type(value: object) -> str | None:
    return _PARTS.get(str(value))


def _source_type(value: object) -> Named | None:
    kind = members.named_objects(value)
    return Named(kind[0].name, kind[0].uri, kind[0].literal) if kind else None


# Members that need no more than their own value: what they are called in a story, and what reads them.
_VALUES: Final[dict[str, tuple[str, Callable[[Any], object]]]] = {
    "profile": ("profile", _text_or_lines), "title": ("title", _text_or_lines), "slugline": ("slugline", _text_or_lines), "located": ("located", _text_or_lines),
    "copyrightHolder": ("copyright_holder", _text_or_lines), "copyrightholder": ("copyright_holder", _text_or_lines),
    "copyrightNotice": ("copyright_notice", _text_or_lines), "copyrightnotice": ("copyright_notice", _text_or_lines),
    "usageTerms": ("usage_terms", _text_or_lines), "usageterms": ("usage_terms", _text_or_lines),
    "edNote": ("ed_note", _text_or_lines), "ednote": ("ed_note", _text_or_lines),
    "by": ("by", _text_or_lines), "byline": ("by", _text_or_lines),
    "type": ("type", _item_type), "version": ("version", _version), "language": ("language", language_tag),
    "pubStatus": ("pub_status", _pub_status), "pubstatus": ("pub_status", _pub_status), "urgency": ("urgency", urgency),
    "representationType": ("representation_type", _representation_type), "representationtype": ("representation_type", _representation_type),
    "people": ("people", members.people), "person": ("people", members.people),
    "organisations": ("organisations", members.organisations), "organisation": ("organisations", members.organisations),
    "places": ("places", members.places), "place": ("places", members.places),
    "subjects": ("subjects", members.subjects), "subject": ("subjects", members.subjects),
    "events": ("events", members.news_events), "event": ("events", members.news_events),
    "objects": ("objects", members.named_objects), "object": ("objects", members.named_objects),
    "genres": ("genres", members.genres), "genre": ("genres", members.genres),
    "infoSources": ("info_sources", members.info_sources), "infosource": ("info_sources", members.info_sources),
    "renditions": ("renditions", members.renditions),
    "altIds": ("alt_ids", members.alt_ids), "altids": ("alt_ids", members.alt_ids),
    "trustIndicators": ("trust_indicators", members.trust_indicators),
    "trustindicator": ("trust_indicators", members.trust_indicators),
    "rightsInfo": ("rights_info", members.rights), "rightsinfo": ("rights_info", members.rights),
    "digitalSourceType": ("digital_source_type", _source_type),
}  # fmt: skip
_DATES: Final = {
    "firstCreated": "first_created", "versionCreated": "version_created", "contentCreated": "content_created",
    "embargoedUntil": "embargoed_until", "expires": "expires", "firstcreated": "first_created",
    "versioncreated": "version_created", "contentcreated": "content_created", "embargoed": "embargoed_until",
}  # fmt: skip
# Members that stand in for others, or are added to them.
_FALLBACKS: Final = frozenset({"priority", "source", "provider", "service", "keywords", "authors"})
_SUMMARIES: Final = {
    "description_text": "text/plain", "description_html": "text/html", "description_xhtml": "text/html",
}  # fmt: skip
_BODIES: Final = {"body_text": "text/plain", "body_xhtml": "application/xhtml+xml", "body_html": "text/html"}
_COPY_ROLES: Final = ("main", "text", "body", "html", "richtext", "article")
_ASIDE_ROLES: Final = frozenset({
    "caption", "script", "shotlist", "storyline", "summary", "abstract", "teaser", "lead", "intro", "kicker", "note", "alt", "title",
    "headline",
})  # fmt: skip
_ITEM_MEMBERS: Final = {
    "uri", "versionCreated", "versioncreated", "bodies", "headlines", "body_text", "body_html", "body_xhtml", "pubStatus",
    "pubstatus", "representationType", "representationtype", "descriptions", "renditions", "infoSources",
}  # fmt: skip


def is_item(value: object) -> bool:
    """Whether a JSON value is a ninjs item: an identifier or two, and a member that no other format has."""
    if not isinstance(value, dict):
        return False
    item_members = _ITEM_MEMBERS.intersection(value)
    return (
        ("uri" in item_members and ("type" in value or len(item_members) > 1))
        or ("guid" in value and bool(item_members))
        or len(item_members) > 1
    )


def read_item(item: Json, document: Document) -> Readings:
    """The reading of one item.

    Raises:
        MissingIdentity: it has no ``uri``.
        Unsupported: it is an event or planning item.
    """
    kind = item.get("type")
    if kind in ("event", "planning"):  # not a set: a list may be sent
        raise Unsupported(f"a ninjs {kind} item is no story; route it to a calendar")
    identifier = item.get("uri") or item.get("guid")
    if not isinstance(identifier, str) or not identifier.strip():
        raise MissingIdentity("a ninjs item without uri; ask the publisher to send one")
    source, zone = document.item.source or document.item.feed, document.item.timezone
    properties = _properties(item, zone)
    uri, properties["alt_ids"] = _identity(identifier, item, properties.get("alt_ids", ()), source)
    properties["alt_ids"] += _links(item)
    headline, properties["headlines"] = _headline(item)
    text, properties["bodies"] = _body(item)
    properties["descriptions"] = _descriptions(item)
    associations = _associations(item, source, zone)
    if associations:
        properties["associations"] = associations
    if kind == "composite" and not text and (parts := _text_parts(item, document)):
        media = tuple(story for story in associations if story.type != "text")
        return _with_media(parts, headline, media)
    text = text or _longest_description(properties["descriptions"])
    return [Reading(_NAME, Story(uri, **properties), headline, text)]


def _text_parts(item: Json, document: Document) -> Readings:
    """The readings of the texts that a package carries with their bodies, and why one can't be read."""
    associations = item.get("associations")
    parts = associations.values() if isinstance(associations, dict) else associations
    readings: Readings = []
    for part in parts if isinstance(parts, Iterable) else ():
        if isinstance(part, dict) and part.get("type", "text") == "text" and _body(part)[0].strip():
            try:
                readings += read_item(part, document)
            except Rejected as error:
                readings.append(error)
    return readings


def _with_media(parts: Readings, headline: str, media: tuple[Story, ...]) -> Readings:
    """The readings of a package's texts; the longest has its pictures, and its headline where it has none itself."""
    texts = [part for part in parts if isinstance(part, Reading)]
    longest = max(texts, key=lambda reading: len(reading.text), default=None)
    return [
        replace(
            part,
            headline=part.headline or headline,
            story=structs.replace(part.story, associations=(*part.story.associations, *media)),
        )
        if isinstance(part, Reading) and part is longest
        else part
        for part in parts
    ]


def _longest_description(descriptions: tuple[Text, ...]) -> str:
    """The longest description as text, which is all that was sent of an item without a body."""
    return max((read_html(text.value).text for text in descriptions), key=len, default="")


def _properties(item: Json, zone: str | None) -> dict[str, Any]:
    """The properties of an item beside headline, text and identifier. Of one that is sent twice the last counts."""
    properties: dict[str, Any] = {}
    for name, value in item.items():
        if name in _VALUES:
            member, read_value = _VALUES[name]
            property_value = read_value(value) if value is not None else None
        elif name in _DATES:
            member, property_value = _DATES[name], timestamp(value, zone)
        else:
            continue
        if property_value:
            properties[member] = property_value
    if not _FALLBACKS.isdisjoint(item):
        _add_fallbacks(item, properties)
    return properties


def _add_fallbacks(item: Json, properties: dict[str, Any]) -> None:
    """Add to `properties` what ninjs 1 and the dialects of AP and Superdesk have other members for."""
    if "urgency" not in item:
        properties["urgency"] = urgency(item.get("priority"))
    source = item.get("source") or item.get("provider")
    if "info_sources" not in properties and isinstance(source, str) and source.strip():
        properties["info_sources"] = (InfoSource(source.strip()),)
    if more := (*members.subjects(item.get("service")), *members.keyword_subjects(item.get("keywords"))):
        properties["subjects"] = tuple(dict.fromkeys((*properties.get("subjects", ()), *more)))
    if "by" not in properties and (
        names := [author.name for author in members.people(item.get("authors")) if author.name]
    ):
        properties["by"] = ", ".join(names)


def _identity(
    identifier: str, item: Json, alt_ids: tuple[AltId, ...], source: str | None
) -> tuple[str, tuple[AltId, ...]]:
    uri = uri_or_none(identifier)
    if uri is not None:
        return uri, alt_ids
    role = "uri" if item.get("uri") else "guid"
    return made_uri(role, source, identifier.strip()), (*alt_ids, AltId(identifier.strip(), role))


def _links(item: Json) -> tuple[AltId, ...]:
    """The items that this one was made from, as the dialect of Superdesk names them."""
    links = []
    for name, value in item.items():
        role = _LINKS.get(name.replace("_", "").lower())
        targets = value if isinstance(value, list) else [value]
        for target in targets if role else ():
            identifier = (target.get("uri") or target.get("guid")) if isinstance(target, dict) else target
            if isinstance(identifier, str) and identifier.strip():
                links.append(AltId(identifier.strip(), role))
    return tuple(links)


def _headline(item: Json) -> tuple[str, tuple[Text, ...]]:
    """The main headline, and the others as they were sent."""
    texts = members.texts(item.get("headlines"))
    if not texts:
        return _headline_of_ninjs_1(item), ()
    main = _choose_text(texts, ("main", "headline", "simple", "title", None))
    value = read_html(main.value).text if _is_markup(main) else read_html_line(main.value)
    return value, _without(texts, main)


def _headline_of_ninjs_1(item: Json) -> str:
    plain = item.get("headline") or item.get("headline_text")
    if isinstance(plain, str) and plain.strip():
        return read_html_line(plain)
    markup = item.get("headline_xhtml") or item.get("headline_html")
    return read_html(markup).text if isinstance(markup, str) else ""


def _body(item: Json) -> tuple[str, tuple[Text, ...]]:
    """The main body as text, and the others as they were sent."""
    texts = members.texts(item.get("bodies")) or _bodies_of_ninjs_1(item)
    if not texts:
        return "", ()
    copies = _copies(texts)
    if plain := [text for text in copies if not _is_markup(text)]:
        main = _choose_text(plain, _COPY_ROLES)
        return main.value, _without(texts, main)
    return read_html(_choose_text(copies, _COPY_ROLES).value).text, texts


def _copies(texts: Sequence[Text]) -> Sequence[Text]:
    """The texts that are the copy in some form, the longest first where none is called so: not captions, scripts, summaries."""
    if len(texts) == 1:
        return texts
    roles = [(text.role or "").lower() for text in texts]
    called = [text for text, role in zip(texts, roles, strict=True) if role in _COPY_ROLES]
    others = [text for text, role in zip(texts, roles, strict=True) if role not in _ASIDE_ROLES]
    return called or sorted(others or texts, key=lambda text: -len(text.value))


def _bodies_of_ninjs_1(item: Json) -> tuple[Text, ...]:
    """The bodies in ``body_text``, ``body_xhtml``, ``body_html`` … (ninjs 1.x, patternProperties ``^body_``)."""
    return tuple(
        Text(value, "main" if name in _BODIES else name[5:], _BODIES.get(name) or _media_type(value))
        for name, value in item.items()
        if name.startswith("body_") and isinstance(value, str) and value.strip()
    )


def _media_type(value: str) -> str:
    return "text/html" if looks_like_html(value) else "text/plain"


def _descriptions(item: Json) -> tuple[Text, ...]:
    return members.texts(item.get("descriptions")) or tuple(
        [
            Text(value, "summary", media_type)
            for name, media_type in _SUMMARIES.items()
            if isinstance(value := item.get(name), str) and value.strip()
        ]
    )


def _associations(item: Json, source: str | None, zone: str | None) -> tuple[Story, ...]:
    """The pictures and other items that belong to a story: an object by name in ninjs 1, a list in 2 and 3."""
    associations = item.get("associations")
    if not associations:
        return ()
    pairs: Iterable[tuple[Any, Any]] = ()
    if isinstance(associations, dict):
        pairs = associations.items()
    elif isinstance(associations, list):
        pairs = [
            (association.get("name") if isinstance(association, dict) else None, association)
            for association in associations
        ]
    stories = []
    for number, (name, association) in enumerate(pairs, 1):
        if isinstance(association, dict):
            stories.append(_association(str(name or f"association-{number}"), association, source, zone))
    return tuple(association for association in stories if association is not None)


def _association(name: str, item: Json, source: str | None, zone: str | None) -> Story | None:
    identifier = item.get("uri") or item.get("guid")
    if not isinstance(identifier, str) or not identifier.strip():
        return None
    properties = _properties(item, zone)
    uri, properties["alt_ids"] = _identity(identifier, item, properties.get("alt_ids", ()), source)
    properties["headlines"] = members.texts(item.get("headlines")) or members.one_text(
        item.get("headline"), "main"
    )
    properties["bodies"] = members.texts(item.get("bodies")) or _bodies_of_ninjs_1(item)
    properties["descriptions"] = _descriptions(item)
    rel = item.get("rel")
    return Story(uri, **properties, name=name, rel=rel if isinstance(rel, str) and rel else None)


def _choose_text(texts: Sequence[Text], roles: tuple[str | None, ...]) -> Text:
    """The text whose role comes first in `roles`, else the first of all."""
    if len(texts) > 1:
        for role in roles:
            for text in texts:
                if text.role == role:
                    return text
    return texts[0]


def _without(texts: tuple[Text, ...], main: Text) -> tuple[Text, ...]:
    return tuple([text for text in texts if text is not main]) if len(texts) > 1 else ()


def _is_markup(text: Text) -> bool:
    kind = (text.content_type or "").lower()
    if "html" in kind or "xml" in kind or kind.startswith("text/plain"):
        return not kind.startswith("text/plain")
    return (text.role or "").lower() in {"html", "xhtml", "richtext"} or looks_like_html(text.value)


FORMAT: Final = Format(
    name=_NAME, read=read_json, is_json=is_item, read_json=read_item, media_types=("application/ninjs+json",)
)
