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
from processors.normalise.html import html_from_tree, read_tree
from processors.normalise.reading import Document, Format, Reading, Readings
from processors.normalise.text import clean_text, with_dateline, without_byline_word
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
    attribute,
    child,
    child_elements,
    descendant_elements,
    parse_xml,
    spaced_words_in,
    words_at,
    words_in,
)

_NAME: Final = "nitf"
_BEFORE_MARK: Final = re.compile(r"\s+(?=[,;.:)])")
# Where agencies put their slug line. Others write the headline into ``keyword``.
_SLUG_METAS: Final = ("anpa-keyword", "slugline", "slug", "ntbstikkord")
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
    "killed": "canceled", "withdrawn": "canceled", "deleted": "canceled", "retracted": "canceled",
}  # fmt: skip
_KILL_MESSAGES: Final = (
    "kill",
    "withdraw",
    "cancel",
    "delet",
    "retract",
    "takedown",
)  # how `msg-type` begins
_MEDIA: Final[dict[str, ItemType]] = {"image": "picture", "photo": "picture", "picture": "picture", "graphic": "graphic", "audio": "audio", "video": "video"}  # fmt: skip


def read_nitf(document: Document) -> Readings:
    """The story of a document whose root is ``nitf``."""
    root, damage = parse_xml(document.text)
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
        version=attribute(child(data, "du-key"), "version")
        or attribute(child(data, "du-key"), "generation")
        or None,
        first_created=issued,
        version_created=issued,
        embargoed_until=_embargo(data, item),
        expires=timestamp(_date(data, "date.expire"), item.timezone),
        pub_status=_pub_status(data),
        urgency=urgency(attribute(child(data, "urgency"), "ed-urg")),
        copyright_holder=attribute(child(data, "doc.copyright"), "holder") or None,
        copyright_notice=_copyright(root, data),
        usage_terms=attribute(child(data, "doc.rights"), "owner") or None,
        ed_note=_ed_note(data),
        language=language_tag(
            root.get(XML_LANG) or attribute(child(root, "body"), XML_LANG) or attribute(root, "baselang")
        ),
        headlines=others,
        descriptions=tuple(
            Text(text, "summary", "text/plain")
            for text in [clean_text(_block(child(top, "abstract")))]
            if text
        ),
        slugline=_keywords(data) or _meta(head, _SLUG_METAS) or None,
        by=byline(root),
        located=words_in(next(descendant_elements(child(top, "dateline"), "location"), None)) or None,
        title=words_at(head, "title") or None,
        info_sources=_sources(data, top),
        alt_ids=_alt_ids(root, data),
        associations=media(root, item),
        genres=_genres(head),
        **_identified(data),
        subjects=_subjects(head, data),
    )
    return Reading(
        _NAME, story, headline, body(root), damage=damage, markup=markup(root),
        publisher=attribute(child(data, "doc-id"), "regsrc"),
    )  # fmt: skip


def headlines(root: Any) -> tuple[str, tuple[Text, ...]]:
    """The main headline (``hl1``, else the document's title), and those under it (``hl2``)."""
    head = child(root, "body", "body.head")
    hedline = child(head, "hedline")
    if hedline is None:
        hedline = child(head, "headline")
    main = _line_in(child(hedline, "hl1")) or (
        words_in(hedline) if hedline is not None and len(hedline) == 0 else ""
    )
    main = main or words_at(root, "head", "title")
    below = [text for element in child_elements(hedline, "hl2") if (text := words_in(element))]
    if not main and below:
        main = below.pop(0)
    return main, tuple(Text(text, "subheadline", "text/plain") for text in below)


def body(root: Any, dateline: str = "") -> str:
    """The running text: dateline, ``body.content`` (or the abstract where nothing else was sent) and tagline.

    `dateline` is that of a document around this one, which then counts.
    """
    content, top = child(root, "body", "body.content"), child(root, "body", "body.head")
    text = _block(content) or _block(child(top, "abstract"))
    text = with_dateline(text, dateline or _dateline(top))
    tagline = _block(child(root, "body", "body.end"))
    return f"{text}\n\n{tagline}" if tagline else text


def _dateline(top: Any) -> str:
    """The words of the dateline without its ``story.date``, which is for machines."""
    element = child(top, "dateline")
    if element is None:
        return ""
    dates = [words_in(date_element) for date_element in child_elements(element, "story.date")]
    dateline = _BEFORE_MARK.sub("", spaced_words_in(element))
    for date in dates:
        dateline = dateline.replace(date, "", 1) if timestamp(date) else dateline
    return dateline.strip()


def markup(root: Any) -> str:
    """The markup of ``body.content`` as HTML, without its media, which are associations."""
    return html_from_tree(child(root, "body", "body.content"), _AS_HTML)


def byline(root: Any) -> str | None:
    """The names in the bylines, without "By"; None where there is none."""
    names = (
        without_byline_word(_name_in(element), of_element=True)
        for element in child_elements(child(root, "body", "body.head"), "byline")
    )
    return ", ".join(name for name in names if name) or None


def _name_in(byline: Any) -> str:
    """The words of a byline without the title of whoever wrote it (``byttl``), unless they are all there is."""
    words = spaced_words_in(byline)
    for title in child_elements(byline, "byttl"):
        words = words.removesuffix(spaced_words_in(title)).rstrip(" ,")
    return words or spaced_words_in(byline)


def media(root: Any, item: RawItem) -> tuple[Story, ...]:
    """The pictures and other media of the body, with captions and credits (element ``media``)."""
    stories: dict[str, Story] = {}
    for medium in descendant_elements(child(root, "body"), "media"):
        reference = next(
            (
                element
                for element in child_elements(medium, "media-reference")
                if attribute(element, "source")
            ),
            None,
        )
        if reference is None:
            continue
        uri, address = file_uri(attribute(reference, "source"), item)
        if uri in stories:
            continue
        kind = _MEDIA.get(attribute(medium, "media-type").lower(), "component")
        captions = [clean_text(_block(element)) for element in child_elements(medium, "media-caption")]
        stories[uri] = Story(
            uri,
            type=kind,
            descriptions=tuple(Text(caption, "caption", "text/plain") for caption in captions if caption),
            by=words_at(medium, "media-producer") or None,
            renditions=(
                Rendition(
                    attribute(reference, "name") or attribute(reference, "source").rpartition("/")[2],
                    address,
                    attribute(reference, "mime-type") or None,
                    width=whole_number(attribute(reference, "width")),
                    height=whole_number(attribute(reference, "height")),
                ),
            ),
            name=f"{kind}-{len(stories) + 1}",
        )
    return tuple(stories.values())


def _line_in(element: Any) -> str:
    """The words of a headline on one line; a line break in it is a blank."""
    if element is None or next(descendant_elements(element, "br"), None) is None:
        return words_in(element)
    return " ".join(read_tree(element).text.split())


def _block(element: Any) -> str:
    return "" if element is None else read_tree(element, _BLOCKS).text


def _identifier(root: Any, data: Any) -> tuple[str, str]:
    """The identifier and its role in altIds: ``doc-id``, else ``du-key``, else ``ed-url`` of the publication data."""
    if identifier := attribute(child(data, "doc-id"), "id-string"):
        return identifier, "doc-id"
    if identifier := attribute(child(data, "du-key"), "key"):
        return identifier, "du-key"
    pubdata = child(root, "head", "pubdata")
    return attribute(pubdata, "ex-ref") or attribute(pubdata, "ed-url"), "ed-url"


def _alt_ids(root: Any, data: Any) -> tuple[AltId, ...]:
    pubdata = child(root, "head", "pubdata")
    pairs = (
        (attribute(child(data, "doc-id"), "id-string"), "doc-id"),
        (attribute(child(data, "du-key"), "key"), "du-key"),
        (attribute(pubdata, "ex-ref"), "ex-ref"),
        (attribute(data, "management-doc-idref"), "previous"),
        (attribute(pubdata, "ed-url"), "ed-url"),
    )
    corrected = [
        (attribute(element, "id-string"), "corrects") for element in child_elements(data, "correction")
    ]
    return tuple(AltId(value, role) for value, role in (*pairs, *corrected) if value)


def _date(data: Any, name: str) -> str:
    return attribute(child(data, name), "norm")


def _embargo(data: Any, item: RawItem) -> str | None:
    """The end of an embargo: ``date.release`` where it comes after the issue, or where the management status says so."""
    release = timestamp(_date(data, "date.release"), item.timezone)
    issue = timestamp(_date(data, "date.issue"), item.timezone)
    if release is None or (
        attribute(data, "management-status").lower() != "embargoed" and (issue is None or release <= issue)
    ):
        return None
    return release


def _pub_status(data: Any) -> PubStatus | None:
    """The status: canceled also where a message to editors kills, or where the item manages another one as canceled."""
    kinds = [attribute(message, "msg-type").lower() for message in child_elements(data, "ed-msg")]
    managed = _STATUS.get(attribute(data, "management-idref-status").lower())
    if managed == "canceled" or any(
        kind.removeprefix("mandatory").strip(" -").startswith(_KILL_MESSAGES) for kind in kinds
    ):
        return "canceled"
    return _STATUS.get(attribute(data, "management-status").lower())


def _copyright(root: Any, data: Any) -> str | None:
    notice = words_at(root, "body", "body.head", "rights")
    owner, year = (
        attribute(child(data, "doc.copyright"), "holder"),
        attribute(child(data, "doc.copyright"), "year"),
    )
    return notice or (f"Copyright {year} {owner}".replace("  ", " ") if owner else None)


def _ed_note(data: Any) -> str | None:
    notes = [attribute(each, "info") for each in child_elements(data, "ed-msg", "correction")]
    return "\n".join(note for note in notes if note) or None


def _keywords(data: Any) -> str:
    fixture = attribute(child(data, "fixture"), "fix-id")
    keywords = [attribute(keyword, "key") for keyword in child_elements(child(data, "key-list"), "keyword")]
    return fixture or "-".join(word for word in keywords if word)


def _meta(head: Any, names: tuple[str, ...]) -> str:
    """The content of the first of some ``meta`` elements."""
    contents = {
        attribute(element, "name").lower(): attribute(element, "content")
        for element in child_elements(head, "meta")
    }
    return next((contents[name] for name in names if contents.get(name)), "")


def _sources(data: Any, top: Any) -> tuple[InfoSource, ...]:
    name = words_at(top, "distributor") or attribute(child(data, "doc-id"), "regsrc")
    return (InfoSource(name),) if name else ()


def _identified(data: Any) -> dict[str, Any]:
    """The people, organisations, places and events of ``identified-content``, as properties of a story."""
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
    for element in child_elements(content, kind):
        if name := words_in(element) or attribute(element, "value"):
            yield name


def _locations(data: Any) -> Iterator[str]:
    for location in child_elements(data, "evloc"):
        parts = [attribute(location, name) for name in ("city", "county-dist", "state-prov", "iso-cc")]
        if name := words_in(location) or ", ".join(part for part in parts if part):
            yield name


def _genres(head: Any) -> tuple[Named, ...]:
    """The genres: the kind of the document (``tobject``) and its properties ("Feature", "Analysis")."""
    names = [attribute(element, "tobject.type") for element in descendant_elements(head, "tobject")]
    names += [
        attribute(element, "tobject.property.type")
        for element in descendant_elements(head, "tobject.property")
    ]
    return tuple(Named(name) for name in dict.fromkeys(names) if name)


def _subjects(head: Any, data: Any) -> tuple[Subject, ...]:
    """The subjects: ``tobject.subject`` (IPTC Subject Codes), and classifiers of the identified content."""
    subjects = []
    for element in descendant_elements(head, "tobject.subject"):
        name = (
            attribute(element, "tobject.subject.detail")
            or attribute(element, "tobject.subject.matter")
            or attribute(element, "tobject.subject.type")
        )
        code = attribute(element, "tobject.subject.refnum")
        if name or code:
            subjects.append(Subject(name or None, literal=code or None))
    for element in child_elements(child(data, "identified-content"), "classifier"):
        name, code = attribute(element, "value") or words_in(element), attribute(element, "idsrc")
        if name:
            subjects.append(
                Subject(
                    name,
                    literal=f"{code or attribute(element, 'type')}:{name}"
                    if code or attribute(element, "type")
                    else None,
                )
            )
    return tuple(dict.fromkeys(subjects))


FORMAT: Final = Format(name=_NAME, read=read_nitf, roots={"nitf": ()}, media_types=("text/vnd.iptc.nitf",))
