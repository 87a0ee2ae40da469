"""A story as an item of NewsML-G2 2.31 (IPTC, https://iptc.org/std/NewsML-G2/), in a news message.

The order of the elements is that of the schema (``NewsML-G2_2.31-spec-NewsItem-Power.xsd`` and its framework): in
``itemMeta`` it is fixed, in ``contentMeta`` the administrative properties come first, then the descriptive ones.
"""

from __future__ import annotations

from typing import Any, Final

from lxml import etree

from processors.media_topics import TOPIC_SCHEME
from processors.model.event import Event
from processors.model.story import Story
from processors.numbers import parse_int64
from processors.times import to_timestamp
from sinks.forms.wording import (
    categories_of,
    creators_of,
    headline_of,
    is_uri,
    legal_text,
    modified_at,
    paragraphs_of,
    received_at,
    summary_of,
)
from sinks.stories import lineage, source_name

G2_NAMESPACE: Final = "http://iptc.org/std/nar/2006-10-01/"
XHTML_NAMESPACE: Final = "http://www.w3.org/1999/xhtml"
XML_NAMESPACE: Final = "http://www.w3.org/XML/1998/namespace"
STANDARD_VERSION: Final = "2.31"
STANDARD_CATALOG: Final = "http://www.iptc.org/std/catalog/catalog.IPTC-G2-Standards_38.xml"
UNKNOWN_PROVIDER: Final = "urn:wiredesk:provider"  # of a story whose source is not known
MESSAGE_TAIL: Final = b"</itemSet>\n</newsMessage>\n"
_DEFAULT_G2: Final[Any] = {None: G2_NAMESPACE}  # lxml takes None for "no prefix", its types do not
_DEFAULT_XHTML: Final[Any] = {None: XHTML_NAMESPACE}
_SIGNALS: Final = {"update": "sig:update", "correction": "sig:correction"}
_CONCEPTS: Final = {
    "PER": "cpnat:person",
    "ORG": "cpnat:organisation",
    "LOC": "cpnat:poi",
    "MISC": "cpnat:object",
}


def write_head(first: Event | None) -> bytes:
    """All before the first item; the message was sent when its first story came."""
    sent = (received_at(first) if first else None) or to_timestamp(0)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<newsMessage xmlns="{G2_NAMESPACE}">\n'
        f"<header><sent>{sent}</sent></header>\n<itemSet>\n"
    ).encode()


def write_item(event: Event) -> bytes:
    """A story as ``newsItem``."""
    story = event.story
    item = etree.Element(
        f"{{{G2_NAMESPACE}}}newsItem",
        nsmap=_DEFAULT_G2,
        guid=story.uri,
        version=str(_revision(event)),
        standard="NewsML-G2",
        standardversion=STANDARD_VERSION,
        conformance="power",
    )
    if language := _language(event):
        item.set(f"{{{XML_NAMESPACE}}}lang", language)
    _add(item, "catalogRef", href=STANDARD_CATALOG)
    _add_rights(item, story)
    _add_item_meta(item, event)
    _add_content_meta(item, event)
    _add_content(item, event)
    return etree.tostring(item, encoding="utf-8") + b"\n"


def _add_rights(item: Any, story: Story) -> None:
    if not (story.copyright_holder or story.copyright_notice or story.usage_terms):
        return
    rights = _add(item, "rightsInfo")
    _add_thing(rights, "copyrightHolder", story.copyright_holder)
    _add_text(rights, "copyrightNotice", story.copyright_notice)
    _add_text(rights, "usageTerms", story.usage_terms)


def _add_item_meta(item: Any, event: Event) -> None:
    story, meta = event.story, _add(item, "itemMeta")
    _add(meta, "itemClass", qcode=f"ninat:{story.type or 'text'}")
    source = source_name(event)
    _add_thing(meta, "provider", source or "unknown", _provider_uri(event))
    _add_text(meta, "versionCreated", modified_at(event) or to_timestamp(0))
    _add_text(meta, "firstCreated", story.first_created)
    _add_text(meta, "embargoed", story.embargoed_until)
    _add(meta, "pubStatus", qcode=f"stat:{story.pub_status or 'usable'}")
    _add_text(meta, "edNote", story.ed_note)
    if signal := _SIGNALS.get(lineage(event).relation):
        _add(meta, "signal", qcode=signal)
    _add_text(meta, "expires", story.expires)


def _add_content_meta(item: Any, event: Event) -> None:
    story, meta = event.story, _add(item, "contentMeta")
    if story.urgency is not None and 1 <= story.urgency <= 9:
        _add_text(meta, "urgency", str(story.urgency))
    _add_text(meta, "contentCreated", story.content_created)
    _add_thing(meta, "located", story.located)
    for source in story.info_sources:
        _add_thing(meta, "infoSource", source.name, source.uri)
    for name in creators_of(event):
        _add_thing(meta, "creator", name)
    for identifier in story.alt_ids:
        _add_text(meta, "altId", identifier.value)
    if language := _language(event):
        _add(meta, "language", tag=language)
    for genre in story.genres:
        _add_thing(meta, "genre", genre.name, genre.uri)
    _add_subjects(meta, event)
    _add_text(meta, "slugline", story.slugline)
    _add_text(meta, "headline", headline_of(event))
    if event.dateline and event.dateline.inside == "text":
        _add_text(meta, "dateline", event.text[event.dateline.start : event.dateline.end])
    _add_text(meta, "by", story.by)
    if summary := summary_of(event):
        _add(meta, "description", role="drol:summary").text = legal_text(summary)


def _add_subjects(meta: Any, event: Event) -> None:
    for uri, name in categories_of(event):
        code = uri.removeprefix(TOPIC_SCHEME)
        _add_text(_add(meta, "subject", type="cpnat:abstract", qcode=f"medtop:{code}"), "name", name)
    for entity in event.entities or ():
        rated = {} if entity.relevance is None else {"relevance": str(entity.relevance)}
        _add_thing(meta, "subject", entity.name, entity.uri, type=_CONCEPTS[entity.label], **rated)


def _add_content(item: Any, event: Event) -> None:
    """The text as XHTML, the form in which most systems take it, and as it stands."""
    if not event.text:
        return
    content = _add(item, "contentSet")
    page = etree.SubElement(
        _add(content, "inlineXML", contenttype="application/xhtml+xml"),
        f"{{{XHTML_NAMESPACE}}}html",
        nsmap=_DEFAULT_XHTML,
    )
    etree.SubElement(
        etree.SubElement(page, f"{{{XHTML_NAMESPACE}}}head"), f"{{{XHTML_NAMESPACE}}}title"
    ).text = legal_text(headline_of(event))
    body = f'<body xmlns="{XHTML_NAMESPACE}">{paragraphs_of(legal_text(event.text))}</body>'
    page.append(etree.fromstring(body, etree.XMLParser(resolve_entities=False, huge_tree=True)))


def _add(parent: Any, name: str, **attributes: str) -> Any:
    added = etree.SubElement(parent, f"{{{G2_NAMESPACE}}}{name}")
    for key, text in attributes.items():
        added.set(key, legal_text(text))
    return added


def _add_text(parent: Any, name: str, text: str | None) -> None:
    if text:
        _add(parent, name).text = legal_text(text)


def _add_thing(parent: Any, kind: str, name: str | None, uri: str | None = None, **attributes: str) -> None:
    """Somebody or something with its name: by its URI where it has one, else by its name as a literal."""
    if name:
        known = {"uri": uri} if uri and is_uri(uri) else {"literal": _literal(name)}
        _add_text(_add(parent, kind, **known, **attributes), "name", name)


def _literal(name: str) -> str:
    """The name as a literal, in which blanks have no place."""
    return "-".join(name.split())


def _provider_uri(event: Event) -> str:
    feed = event.provenance.feed if event.provenance else None
    return f"urn:wiredesk:feed:{feed}" if feed and is_uri(f"urn:wiredesk:feed:{feed}") else UNKNOWN_PROVIDER


def _revision(event: Event) -> int:
    """The publisher's number where it is one, else the story's place in its chain."""
    number = parse_int64(event.story.version or "")
    return number or lineage(event).sequence


def _language(event: Event) -> str | None:
    return event.language.tag if event.language else event.story.language
