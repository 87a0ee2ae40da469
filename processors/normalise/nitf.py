"""NITF 3.x (https://iptc.org/std/NITF/), alone or inline in NewsML.

By the elements of its document type: `head` with `docdata` (`doc-id`, `date.issue`, `urgency`, `du-key`, `ed-msg`,
`doc.rights`) and `pubdata`; `body` with `body.head` (`hedline`, `byline`, `distributor`, `dateline`, `abstract`),
`body.content` and `body.end`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from processors.model.event import DamageKind, RawItem
from processors.model.story import (
    AltId,
    InfoSource,
    ItemType,
    Named,
    NewsEvent,
    Organisation,
    Person,
    PubStatus,
    Rendition,
    Story,
    StoryPlace,
    Subject,
    Text,
)
from processors.normalise.html import html_of, of_tree
from processors.normalise.reading import Document, Format, Reading, Readings
from processors.normalise.text import clean, with_dateline
from processors.normalise.values import (
    file_uri,
    language_tag,
    publisher_uri,
    timestamp,
    urgency,
    whole_number,
)
from processors.normalise.xml import (
    XML_LANG,
    apart,
    child,
    children,
    descendants,
    parse,
    said,
    words,
    words_of,
)

_NAME: Final = "nitf"
_BLOCKS: Final = {
    **dict.fromkeys(("hl1", "hl2", "bq", "block", "credit", "tagline", "note", "fn", "nitf-table", "custom-table", "abstract"), "paragraph"),
    **dict.fromkeys(("media", "nitf-table-metadata", "media-metadata"), "dropped"),
}  # fmt: skip
_AS_HTML: Final = {
    "body.content": "div", "hl1": "h1", "hl2": "h2", "bq": "blockquote", "block": "div", "nitf-table": "div", "fn": "p",
    "custom-table": "div", "media": "", "nitf-table-metadata": "", "media-metadata": "",
}  # fmt: skip
_STATUS: Final[dict[str, PubStatus]] = {
    "usable": "usable", "embargoed": "withheld", "withheld": "withheld", "canceled": "canceled", "cancelled": "canceled",
    "killed": "canceled",
}  # fmt: skip
_MEDIA: Final[dict[str, ItemType]] = {"image": "picture", "photo": "picture", "picture": "picture", "graphic": "graphic", "audio": "audio", "video": "video"}  # fmt: skip
_BY: Final = re.compile(r"^(?:by|von|par|por)\s+", re.IGNORECASE)


def read_nitf(document: Document) -> Readings:
    """The story of a document whose root is ``nitf``."""
    root, damage = parse(document.text)
    return [_reading(root, document.item, damage)]


def _reading(root: Any, item: RawItem, damage: tuple[DamageKind, ...]) -> Reading:
    head, data = child(root, "head"), child(root, "head", "docdata")
    top = child(root, "body", "body.head")
    headline, others = headlines(root)
    identifier, role = _identifier(root, data)
    issued = timestamp(_date(data, "date.issue"), item.timezone)
    story = Story(
        uri=publisher_uri(identifier, role, item) if identifier else "",
        type="text",
        version=said(child(data, "du-key"), "version") or said(child(data, "du-key"), "generation") or None,
        first_created=issued,
        version_created=issued,
        embargoed_until=_embargo(data, item),
        expires=timestamp(_date(data, "date.expire"), item.timezone),
        pub_status=_STATUS.get(said(data, "management-status").lower()),
        urgency=urgency(said(child(data, "urgency"), "ed-urg")),
        copyright_holder=said(child(data, "doc.copyright"), "holder") or None,
        copyright_notice=_copyright(root, data),
        usage_terms=said(child(data, "doc.rights"), "owner") or None,
        ed_note=_ed_note(data),
        language=language_tag(
            root.get(XML_LANG) or said(child(root, "body"), XML_LANG) or said(root, "baselang")
        ),
        headlines=others,
        descriptions=tuple(
            Text(text, "summary", "text/plain") for text in [clean(_block(child(top, "abstract")))] if text
        ),
        slugline=_keywords(data) or None,
        by=byline(root),
        located=words(next(descendants(child(top, "dateline"), "location"), None)) or None,
        title=words_of(head, "title") or None,
        info_sources=_sources(data, top),
        alt_ids=_alt_ids(root, data),
        associations=media(root, item),
        genres=_genres(head),
        **_identified(data),
        subjects=_subjects(head, data),
    )
    return Reading(_NAME, story, headline, body(root), damage=damage, markup=markup(root))


def headlines(root: Any) -> tuple[str, tuple[Text, ...]]:
    """``hl1`` (else the document's title), and the ``hl2`` under it."""
    head = child(root, "body", "body.head")
    hedline = child(head, "hedline")
    if hedline is None:
        hedline = child(head, "headline")
    main = words_of(hedline, "hl1") or (words(hedline) if hedline is not None and len(hedline) == 0 else "")
    others = tuple(
        Text(text, "subheadline", "text/plain") for each in children(hedline, "hl2") if (text := words(each))
    )
    return main or words_of(root, "head", "title"), others


def body(root: Any) -> str:
    """The running text: the dateline, ``body.content`` and the tagline."""
    content, top = child(root, "body", "body.content"), child(root, "body", "body.head")
    text = _block(content)
    text = with_dateline(text, _dateline(top))
    tagline = _block(child(root, "body", "body.end"))
    return f"{text}\n\n{tagline}" if tagline else text


def _dateline(top: Any) -> str:
    """The words of the dateline without its ``story.date``, which is for machines."""
    element = child(top, "dateline")
    if element is None:
        return ""
    dates = [words(each) for each in children(element, "story.date")]
    told = words(element)
    for date in dates:
        told = told.replace(date, "", 1) if timestamp(date) else told
    return told.strip()


def markup(root: Any) -> str:
    """``body.content`` as HTML; its media are associations."""
    return html_of(child(root, "body", "body.content"), _AS_HTML)


def byline(root: Any) -> str | None:
    """The names of the bylines, without "By"."""
    found = (_BY.sub("", apart(each)) for each in children(child(root, "body", "body.head"), "byline"))
    return ", ".join(name for name in found if name) or None


def media(root: Any, item: RawItem) -> tuple[Story, ...]:
    """Pictures and other media of the body with their captions and credits (element ``media``)."""
    found: dict[str, Story] = {}
    for each in descendants(child(root, "body"), "media"):
        reference = next((one for one in children(each, "media-reference") if said(one, "source")), None)
        if reference is None:
            continue
        uri, address = file_uri(said(reference, "source"), item)
        if uri in found:
            continue
        kind = _MEDIA.get(said(each, "media-type").lower(), "component")
        captions = [clean(_block(one)) for one in children(each, "media-caption")]
        found[uri] = Story(
            uri,
            type=kind,
            descriptions=tuple(Text(caption, "caption", "text/plain") for caption in captions if caption),
            by=words_of(each, "media-producer") or None,
            renditions=(
                Rendition(
                    said(reference, "name") or said(reference, "source").rpartition("/")[2],
                    address,
                    said(reference, "mime-type") or None,
                    width=whole_number(said(reference, "width")),
                    height=whole_number(said(reference, "height")),
                ),
            ),
            name=f"{kind}-{len(found) + 1}",
        )
    return tuple(found.values())


def _block(element: Any) -> str:
    return "" if element is None else of_tree(element, _BLOCKS).text


def _identifier(root: Any, data: Any) -> tuple[str, str]:
    """``doc-id``, else ``du-key``, else ``ed-url`` of the publication data; with the role it has in altIds."""
    if identifier := said(child(data, "doc-id"), "id-string"):
        return identifier, "doc-id"
    if identifier := said(child(data, "du-key"), "key"):
        return identifier, "du-key"
    pubdata = child(root, "head", "pubdata")
    return said(pubdata, "ex-ref") or said(pubdata, "ed-url"), "ed-url"


def _alt_ids(root: Any, data: Any) -> tuple[AltId, ...]:
    pubdata = child(root, "head", "pubdata")
    told = (
        (said(child(data, "doc-id"), "id-string"), "doc-id"),
        (said(child(data, "du-key"), "key"), "du-key"),
        (said(pubdata, "ex-ref"), "ex-ref"),
        (said(pubdata, "ed-url"), "ed-url"),
    )
    return tuple(AltId(value, role) for value, role in told if value)


def _date(data: Any, name: str) -> str:
    return said(child(data, name), "norm")


def _embargo(data: Any, item: RawItem) -> str | None:
    """``date.release`` holds copy back where it comes after the issue, or the management status says so."""
    release = timestamp(_date(data, "date.release"), item.timezone)
    issue = timestamp(_date(data, "date.issue"), item.timezone)
    if release is None or (
        said(data, "management-status").lower() != "embargoed" and (issue is None or release <= issue)
    ):
        return None
    return release


def _copyright(root: Any, data: Any) -> str | None:
    told = words_of(root, "body", "body.head", "rights")
    owner, year = said(child(data, "doc.copyright"), "holder"), said(child(data, "doc.copyright"), "year")
    return told or (f"Copyright {year} {owner}".replace("  ", " ") if owner else None)


def _ed_note(data: Any) -> str | None:
    notes = [said(each, "info") for each in children(data, "ed-msg", "correction")]
    return "\n".join(note for note in notes if note) or None


def _keywords(data: Any) -> str:
    fixture = said(child(data, "fixture"), "fix-id")
    found = [said(each, "key") for each in children(child(data, "key-list"), "keyword")]
    return fixture or "-".join(word for word in found if word)


def _sources(data: Any, top: Any) -> tuple[InfoSource, ...]:
    name = words_of(top, "distributor") or said(child(data, "doc-id"), "regsrc")
    return (InfoSource(name),) if name else ()


def _identified(data: Any) -> dict[str, Any]:
    """People, organisations, places and events of ``identified-content``."""
    content = child(data, "identified-content")
    return {
        "people": tuple(dict.fromkeys(Person(name) for name in _names(content, "person"))),
        "organisations": tuple(dict.fromkeys(Organisation(name) for name in _names(content, "org"))),
        "places": tuple(
            dict.fromkeys(StoryPlace(name) for name in (*_names(content, "location"), *_locations(data)))
        ),
        "events": tuple(dict.fromkeys(NewsEvent(name=name) for name in _names(content, "event"))),
    }


def _names(content: Any, kind: str) -> Iterator[str]:
    for each in children(content, kind):
        if name := words(each) or said(each, "value"):
            yield name


def _locations(data: Any) -> Iterator[str]:
    for each in children(data, "evloc"):
        told = [said(each, name) for name in ("city", "county-dist", "state-prov", "iso-cc")]
        if name := words(each) or ", ".join(part for part in told if part):
            yield name


def _genres(head: Any) -> tuple[Named, ...]:
    """The kind of the document (``tobject``) and its properties: "Feature", "Analysis"."""
    told = [said(each, "tobject.type") for each in descendants(head, "tobject")]
    told += [said(each, "tobject.property.type") for each in descendants(head, "tobject.property")]
    return tuple(Named(name) for name in dict.fromkeys(told) if name)


def _subjects(head: Any, data: Any) -> tuple[Subject, ...]:
    """``tobject.subject`` (IPTC Subject Codes) and classifiers of the identified content."""
    found = []
    for each in descendants(head, "tobject.subject"):
        name = (
            said(each, "tobject.subject.detail")
            or said(each, "tobject.subject.matter")
            or said(each, "tobject.subject.type")
        )
        code = said(each, "tobject.subject.refnum")
        if name or code:
            found.append(Subject(name or None, literal=code or None))
    for each in children(child(data, "identified-content"), "classifier"):
        name, code = said(each, "value") or words(each), said(each, "idsrc")
        if name:
            found.append(
                Subject(
                    name,
                    literal=f"{code or said(each, 'type')}:{name}" if code or said(each, "type") else None,
                )
            )
    return tuple(dict.fromkeys(found))


FORMAT: Final = Format(name=_NAME, read=read_nitf, roots={"nitf": ()}, media_types=("text/vnd.iptc.nitf",))
