"""IPTC ninjs 1.x, 2.x and 3.x (https://iptc.org/std/ninjs/), and the dialects that say ``guid`` for ``uri``.

ninjs 1 spells headline and body as ``headline``, ``body_text``, ``body_xhtml`` and ``body_<name>``, people as
``person``; 2 and 3 have lists with roles. Members that ninjs 3.1 has no place for are dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from processors.errors import MissingIdentity, Unsupported
from processors.normalise import members
from processors.normalise.html import looks_like_html, readable, readable_line
from processors.normalise.reading import Reading
from processors.normalise.values import language_tag, made_uri, timestamp, urgency, uri_or_none
from processors.story import AltId, InfoSource, Named, Story, Text

Json = dict[str, Any]
_TYPES: Final = {"text", "audio", "video", "picture", "graphic", "composite", "component"}
_STATUS: Final = {
    "usable": "usable", "withheld": "withheld", "canceled": "canceled", "cancelled": "canceled", "killed": "canceled",
    "withdrawn": "canceled",
}  # fmt: skip
_PLAIN: Final = {
    "profile": "profile", "copyrightHolder": "copyright_holder", "copyrightNotice": "copyright_notice",
    "usageTerms": "usage_terms", "edNote": "ed_note", "title": "title", "by": "by", "slugline": "slugline",
    "located": "located", "copyrightholder": "copyright_holder", "copyrightnotice": "copyright_notice",
    "usageterms": "usage_terms", "ednote": "ed_note", "byline": "by",
}  # fmt: skip
_DATES: Final = {
    "firstCreated": "first_created", "versionCreated": "version_created", "contentCreated": "content_created",
    "embargoedUntil": "embargoed_until", "expires": "expires", "firstcreated": "first_created",
    "versioncreated": "version_created", "contentcreated": "content_created", "embargoed": "embargoed_until",
}  # fmt: skip
_LISTS: Final[dict[str, tuple[str, Callable[[Any], tuple[Any, ...]]]]] = {
    "people": ("people", members.people), "person": ("people", members.people),
    "organisations": ("organisations", members.organisations), "organisation": ("organisations", members.organisations),
    "places": ("places", members.places), "place": ("places", members.places),
    "subjects": ("subjects", members.subjects), "subject": ("subjects", members.subjects),
    "events": ("events", members.news_events), "event": ("events", members.news_events),
    "objects": ("objects", members.named), "object": ("objects", members.named),
    "genres": ("genres", members.genres), "genre": ("genres", members.genres),
    "infoSources": ("info_sources", members.info_sources), "infosource": ("info_sources", members.info_sources),
    "renditions": ("renditions", members.renditions),
    "altIds": ("alt_ids", members.alt_ids), "altids": ("alt_ids", members.alt_ids),
    "trustIndicators": ("trust_indicators", members.trust_indicators),
    "trustindicator": ("trust_indicators", members.trust_indicators),
}  # fmt: skip
_ITEM_MEMBERS: Final = {
    "uri", "versionCreated", "versioncreated", "bodies", "headlines", "body_text", "body_html", "body_xhtml", "pubStatus",
    "pubstatus", "representationType", "representationtype", "descriptions", "renditions", "infoSources",
}  # fmt: skip


def is_item(value: object) -> bool:
    """Whether a JSON value is a ninjs item: an identifier or two, and a member that no other format has."""
    if not isinstance(value, dict):
        return False
    known = _ITEM_MEMBERS.intersection(value)
    return (
        ("uri" in known and ("type" in value or len(known) > 1))
        or ("guid" in value and bool(known))
        or len(known) > 1
    )


def read(item: Json, source: str | None = None, zone: str | None = None) -> Reading:
    """One item.

    Raises:
        MissingIdentity: it has no ``uri``.
        Unsupported: it is an event or planning item.
    """
    kind = item.get("type")
    if kind in ("event", "planning"):  # not a set: a list may be sent
        raise Unsupported(f"a ninjs {kind} item is no story; route it to a calendar")
    sent = item.get("uri") or item.get("guid")
    if not isinstance(sent, str) or not sent.strip():
        raise MissingIdentity("a ninjs item without uri; ask the publisher to send one")
    made = _members(item, zone)
    uri, made["alt_ids"] = _identity(sent, item, made.get("alt_ids", ()), source)
    headline, made["headlines"] = _headline(item)
    text, made["bodies"] = _body(item)
    made["descriptions"] = _descriptions(item)
    if associations := _associations(item, source, zone):
        made["associations"] = associations
    return Reading("ninjs", Story(uri, **made), headline, text)


def _members(item: Json, zone: str | None) -> dict[str, Any]:
    """The properties that need no more than their own value."""
    made: dict[str, Any] = {}
    for name, value in item.items():
        if value is None:
            continue
        if name in _PLAIN:
            if isinstance(value, list):  # AP's usage terms
                value = "\n".join(each for each in value if isinstance(each, str))  # noqa: PLW2901 -- one shape for both
            if isinstance(value, str) and value.strip():
                made[_PLAIN[name]] = value.strip()
        elif name in _DATES:
            if (moment := timestamp(value, zone)) is not None:
                made[_DATES[name]] = moment
        elif name in _LISTS:
            member, convert = _LISTS[name]
            if found := convert(value):
                made[member] = found
    made["language"] = language_tag(item.get("language"))
    made["urgency"] = urgency(item.get("urgency", item.get("priority")))
    made["type"] = kind if isinstance(kind := item.get("type"), str) and kind in _TYPES else None
    version = item.get("version")
    made["version"] = str(version) if isinstance(version, int | str) and str(version).strip() else None
    status = item.get("pubStatus", item.get("pubstatus"))
    made["pub_status"] = _STATUS.get(str(status).strip().lower().removeprefix("stat:")) if status else None
    part = item.get("representationType", item.get("representationtype"))
    made["representation_type"] = {
        "complete": "full",
        "full": "full",
        "incomplete": "partial",
        "partial": "partial",
    }.get(str(part))
    _older_members(item, made)
    return made


def _older_members(item: Json, made: dict[str, Any]) -> None:
    """What ninjs 1 and Superdesk's dialect spell otherwise, and members with a shape of their own."""
    if (rights := members.rights(item.get("rightsInfo", item.get("rightsinfo")))) is not None:
        made["rights_info"] = rights
    if kind := members.named(item.get("digitalSourceType")):
        made["digital_source_type"] = Named(kind[0].name, kind[0].uri, kind[0].literal)
    source = item.get("source") or item.get("provider")
    if "info_sources" not in made and isinstance(source, str) and source.strip():
        made["info_sources"] = (InfoSource(source.strip()),)
    if more := (*members.subjects(item.get("service")), *members.keywords(item.get("keywords"))):
        made["subjects"] = tuple(dict.fromkeys((*made.get("subjects", ()), *more)))
    if "by" not in made and (
        names := [each.name for each in members.people(item.get("authors")) if each.name]
    ):
        made["by"] = ", ".join(names)


def _identity(
    sent: str, item: Json, known: tuple[AltId, ...], source: str | None
) -> tuple[str, tuple[AltId, ...]]:
    uri = uri_or_none(sent)
    if uri is not None:
        return uri, known
    role = "uri" if item.get("uri") else "guid"
    return made_uri(role, source, sent.strip()), (*known, AltId(sent.strip(), role))


def _headline(item: Json) -> tuple[str, tuple[Text, ...]]:
    """The main headline, and the others as they were sent."""
    found = members.texts(item.get("headlines"))
    main = _chosen(found, ("main", "headline", "simple", "title", None))
    if main is None:
        plain = item.get("headline") or item.get("headline_text")
        markup = item.get("headline_xhtml") or item.get("headline_html")
        if isinstance(plain, str) and plain.strip():
            return readable_line(plain), ()
        return (readable(markup).text, ()) if isinstance(markup, str) else ("", ())
    value = readable(main.value).text if _is_markup(main) else readable_line(main.value)
    return value, tuple(text for text in found if text is not main)


def _body(item: Json) -> tuple[str, tuple[Text, ...]]:
    """The main body as text, and the others as they were sent."""
    found = members.texts(item.get("bodies")) or _bodies_of_ninjs_1(item)
    plain = [text for text in found if not _is_markup(text)]
    main = _chosen(plain, ("main", "text", "body", None)) or _chosen(
        found, ("main", "html", "richtext", None)
    )
    if main is None:
        return "", ()
    if not _is_markup(main):
        return main.value, tuple(text for text in found if text is not main)
    return readable(main.value).text, found


def _bodies_of_ninjs_1(item: Json) -> tuple[Text, ...]:
    """``body_text``, ``body_xhtml``, ``body_html`` … (ninjs 1.x, patternProperties ``^body_``)."""
    found = []
    for name, value in item.items():
        if name.startswith("body_") and isinstance(value, str) and value.strip():
            kind = {"text": "text/plain", "xhtml": "application/xhtml+xml", "html": "text/html"}.get(
                name[5:], "text/html" if looks_like_html(value) else "text/plain"
            )
            found.append(
                Text(value, "main" if name in {"body_text", "body_html", "body_xhtml"} else name[5:], kind)
            )
    return tuple(found)


def _descriptions(item: Json) -> tuple[Text, ...]:
    found = members.texts(item.get("descriptions"))
    if found:
        return found
    return tuple(
        Text(value, "summary", "text/plain" if name.endswith("text") else "text/html")
        for name in ("description_text", "description_html", "description_xhtml")
        if isinstance(value := item.get(name), str) and value.strip()
    )


def _associations(item: Json, source: str | None, zone: str | None) -> tuple[Story, ...]:
    """Pictures and other items that belong to the story: an object by name in ninjs 1, a list in 2 and 3."""
    sent = item.get("associations")
    pairs: Iterable[tuple[Any, Any]] = ()
    if isinstance(sent, dict):
        pairs = sent.items()
    elif isinstance(sent, list):
        pairs = [(each.get("name") if isinstance(each, dict) else None, each) for each in sent]
    found = []
    for number, (name, each) in enumerate(pairs, 1):
        if isinstance(each, dict):
            found.append(_association(str(name or f"association-{number}"), each, source, zone))
    return tuple(each for each in found if each is not None)


def _association(name: str, item: Json, source: str | None, zone: str | None) -> Story | None:
    sent = item.get("uri") or item.get("guid")
    if not isinstance(sent, str) or not sent.strip():
        return None
    made = _members(item, zone)
    uri, made["alt_ids"] = _identity(sent, item, made.get("alt_ids", ()), source)
    made["headlines"] = members.texts(item.get("headlines")) or members.one_text(item.get("headline"), "main")
    made["bodies"] = members.texts(item.get("bodies")) or _bodies_of_ninjs_1(item)
    made["descriptions"] = _descriptions(item)
    rel = item.get("rel")
    return Story(uri, **made, name=name, rel=rel if isinstance(rel, str) and rel else None)


def _chosen(found: Iterable[Text], roles: tuple[str | None, ...]) -> Text | None:
    """The first text with the first of the roles that any has, else the first of all."""
    texts = list(found)
    for role in roles:
        for text in texts:
            if text.role == role:
                return text
    return texts[0] if texts else None


def _is_markup(text: Text) -> bool:
    kind = (text.content_type or "").lower()
    if kind:
        return "html" in kind or "xml" in kind
    return (text.role or "").lower() in {"html", "xhtml", "richtext"} or looks_like_html(text.value)
