"""NewsML 1.0 to 1.2 (https://iptc.org/std/NewsML/1.2/): one event a text component that a NewsItem carries.

By the elements of its document type: `NewsEnvelope`; `Identification` with `NewsIdentifier` (provider, date, item,
revision and its `PreviousRevision`); `NewsManagement` with `Status`, `Urgency` and `Instruction`; `NewsComponent` with
`NewsLines`, `AdministrativeMetadata`, `RightsMetadata` and `DescriptiveMetadata`; `ContentItem`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from msgspec.structs import replace

from processors.errors import Malformed, Rejected, Unsupported
from processors.model.event import DamageKind, RawItem
from processors.model.story import (
    AltId,
    InfoSource,
    ItemType,
    Named,
    PubStatus,
    Story,
    StoryPlace,
    Subject,
    Text,
)
from processors.normalise import nitf
from processors.normalise.html import html_from_tree, looks_like_html, read_tree, read_wire_html
from processors.normalise.newsml1_media import associations, is_medium, renditions
from processors.normalise.reading import Document, Format, Reading, Readings
from processors.normalise.text import clean_line, clean_text, with_dateline, without_byline_word
from processors.normalise.values import language_tag, publisher_uri, timestamp, urgency
from processors.normalise.xml import (
    XML_LANG,
    attribute,
    child,
    child_elements,
    descendant_elements,
    language_of,
    local_name,
    parse_xml,
    words_at,
    words_in,
)

_NAME: Final = "newsml-1"
_STATUS: Final[dict[str, PubStatus]] = {
    "usable": "usable", "embargoed": "withheld", "withheld": "withheld", "canceled": "canceled", "cancelled": "canceled",
    "killed": "canceled", "withdrawn": "canceled", "deleted": "canceled", "retracted": "canceled",
}  # fmt: skip
_TYPES: Final[dict[str, ItemType]] = {
    "photo": "picture",
    "graphic": "graphic",
    "video": "video",
    "audio": "audio",
    "animation": "video",
}
_REVISION: Final = re.compile(r":\d+[NUAnua]?$")


def read_items(document: Document) -> Readings:
    """The stories of a document, in its order.

    Raises:
        Malformed: it holds no news items.
    """
    root, damage = parse_xml(document.text)
    items = [root] if local_name(root) == "NewsItem" else list(child_elements(root, "NewsItem"))
    if not items:
        raise Malformed("a NewsML document without NewsItem")
    return [reading for item in items for reading in _stories(item, document.item, damage)]


def _stories(element: Any, item: RawItem, damage: tuple[DamageKind, ...]) -> Iterator[Reading | Rejected]:
    if child(element, "NewsComponent") is None and child(element, "TopicSet") is not None:
        yield Unsupported("a NewsML topic set is no story")
        return
    frame = _frame(element, item)
    texts = list(_texts(child(element, "NewsComponent")))
    if not texts:
        yield _reading_without_text(element, frame, item, damage)
        return
    for number, component in enumerate(texts, 1):
        story = _with_component(frame, component)
        media = associations(element, item) if number == 1 else ()
        story = replace(story, associations=media)
        if len(texts) > 1:
            part = attribute(component, "Euid") or attribute(component, "Duid") or str(number)
            story = replace(story, uri=publisher_uri(f"{frame.uri}#{part}", "uri", item))
        text = _text(component)
        shown = _markup(component)
        yield Reading(_NAME, story, _line(component, "HeadLine"), text, damage=damage, markup=shown)


def _reading_without_text(
    element: Any, frame: Story, item: RawItem, damage: tuple[DamageKind, ...]
) -> Reading:
    """The reading of an item without text content: a picture with its caption, or a cancellation."""
    component = child(element, "NewsComponent")
    media = next(descendant_elements(component, "ContentItem"), None)
    kind = (
        _TYPES.get(attribute(child(media, "MediaType"), "FormalName").lower()) if media is not None else None
    )
    story = replace(
        _with_component(frame, component), type=kind or "text", renditions=renditions(component, item)
    )
    caption = next((text.value for text in story.descriptions), "")
    return Reading(_NAME, story, _line(component, "HeadLine"), caption, damage=damage)


def _frame(element: Any, item: RawItem) -> Story:
    """What identification and management say of an item (NewsML 1.2, sections 5.3.2 and 5.3.3)."""
    identifier = child(element, "Identification", "NewsIdentifier")
    management = child(element, "NewsManagement")
    public = words_at(identifier, "PublicIdentifier")
    uri = _REVISION.sub("", public) if public else _constructed(identifier)
    revision = words_at(identifier, "RevisionId")
    change = child(management, "StatusWillChange")
    return Story(
        uri=publisher_uri(uri, "newsitemid", item) if uri else "",
        type="text",
        version=revision or None,
        first_created=timestamp(words_at(management, "FirstCreated"), item.timezone),
        version_created=timestamp(words_at(management, "ThisRevisionCreated"), item.timezone),
        pub_status=_STATUS.get(attribute(child(management, "Status"), "FormalName").lower()),
        embargoed_until=_release(management, change, item),
        urgency=urgency(attribute(child(management, "Urgency"), "FormalName")),
        ed_note="\n".join(attribute(each, "FormalName") for each in child_elements(management, "Instruction"))
        or None,
        alt_ids=(*_alt_ids(identifier, public), *_sources_of(management)),
        title=words_at(element, "Identification", "NameLabel") or None,
    )


def _constructed(identifier: Any) -> str:
    """The identifier ``urn:newsml:<provider>:<date>:<item>`` (RFC 3085), without the revision."""
    parts = [words_at(identifier, name) for name in ("ProviderId", "DateId", "NewsItemId")]
    return "urn:newsml:" + ":".join(parts) if all(parts) else parts[2]


def _alt_ids(identifier: Any, public: str) -> tuple[AltId, ...]:
    pairs = ((public, "publicidentifier"), (words_at(identifier, "NewsItemId"), "newsitemid"))
    return tuple(AltId(value, role) for value, role in pairs if value)


def _sources_of(management: Any) -> Iterator[AltId]:
    """The items that this one was made from or goes with."""
    for element in child_elements(management, "DerivedFrom"):
        if uri := attribute(element, "NewsItem"):
            yield AltId(_REVISION.sub("", uri), "derivedFrom")
    for element in child_elements(management, "AssociatedWith"):
        if uri := attribute(element, "NewsItem"):
            yield AltId(_REVISION.sub("", uri), "associatedWith")


def _release(management: Any, change: Any, item: RawItem) -> str | None:
    """When an embargoed item becomes usable; None where that is not said."""
    if attribute(child(management, "Status"), "FormalName").lower() not in {"embargoed", "withheld"}:
        return None
    if attribute(child(change, "FutureStatus"), "FormalName").lower() != "usable":
        return None
    return timestamp(words_at(change, "DateAndTime"), item.timezone)


def _texts(component: Any) -> Iterator[Any]:
    """The components with text of their own: the first of equivalent forms, the longest of those with one headline."""
    components = [part for part in _components(component) if _text(part).strip()]
    best: dict[str, Any] = {}
    for part in components:
        key = _line(part, "HeadLine").casefold()
        if key not in best or len(_text(part)) > len(_text(best[key])):
            best[key] = part
    yield from best.values()


def _components(component: Any) -> Iterator[Any]:
    """The components in document order, without media and their captions."""
    if component is None or is_medium(component):
        return
    yield component
    inner = list(child_elements(component, "NewsComponent"))
    if attribute(component, "EquivalentsList").lower() == "yes":
        inner = [part for part in inner if _text(part).strip()][:1] or inner[:1]
    for part in inner:
        yield from _components(part)


def _text(component: Any) -> str:
    """The text of a component's own content items, the longest form, with its dateline before it."""
    texts = [_content(content) for content in child_elements(component, "ContentItem")]
    text = max(texts, key=len, default="")
    return with_dateline(text, _line(component, "DateLine"))


def _content(element: Any) -> str:
    """The words of a ContentItem in NITF, XHTML or plain characters (NewsML 1.2, section 5.5.5)."""
    if attribute(child(element, "MediaType"), "FormalName").lower() not in {"", "text", "complextext"}:
        return ""
    data = child(element, "DataContent")
    if data is None:
        data = next(descendant_elements(element, "DataContent"), None)
    if data is None:
        return ""
    inner = next((child_element for child_element in data if isinstance(child_element.tag, str)), None)
    if inner is None:
        media_types = [
            attribute(child(element, name), "FormalName").lower() for name in ("MimeType", "Format")
        ]
        text = data.text or ""
        return read_wire_html(text).text if "html" in " ".join(media_types) or looks_like_html(text) else text
    if local_name(inner).lower() == "nitf":
        return nitf.body(inner)
    body = next(
        (
            child_element
            for child_element in inner.iter()
            if local_name(child_element).lower() in {"body", "body.content"}
        ),
        data,
    )
    return read_tree(body).text


def _markup(component: Any) -> str:
    """The markup of the longest of a component's own content items."""
    longest = max(
        child_elements(component, "ContentItem"), key=lambda element: len(_content(element)), default=None
    )
    data = next(descendant_elements(longest, "DataContent"), None)
    if data is None:
        return ""
    inner = next((element for element in data if isinstance(element.tag, str)), None)
    if inner is None:
        return data.text if looks_like_html(data.text or "") else ""
    if local_name(inner).lower() == "nitf":
        return nitf.markup(inner)
    longest = next(
        (element for element in inner.iter() if local_name(element).lower() in {"body", "body.content"}), data
    )
    return html_from_tree(longest, {"body": "div", "body.content": "div", "datacontent": "div"})


def _line(component: Any, name: str) -> str:
    """A news line of the component, or of the nearest one around it (NewsML 1.2, section 5.5.2)."""
    while component is not None and local_name(component) == "NewsComponent":
        if line := words_at(component, "NewsLines", name):
            return line
        component = component.getparent()
    return ""


def _around(component: Any, *path: str) -> Any:
    """An element of the component, or of the nearest one around it."""
    while component is not None and local_name(component) == "NewsComponent":
        if (element := child(component, *path)) is not None:
            return element
        component = component.getparent()
    return None


def _with_component(frame: Story, component: Any) -> Story:
    """The frame with what a component's lines and metadata say."""
    about = _around(component, "DescriptiveMetadata")
    subheads = (clean_line(_line(component, "SubHeadLine")),)
    return replace(
        frame,
        language=language_tag(attribute(child(about, "Language"), "FormalName"))
        or language_tag(language_of(component)),
        headlines=tuple(Text(line, "subheadline", "text/plain") for line in subheads if line),
        descriptions=tuple(Text(text, "caption", "text/plain") for text in _captions(component)),
        by=without_byline_word(_line(component, "ByLine"), of_element=True) or None,
        slugline=_line(component, "SlugLine") or None,
        located=_located(about),
        copyright_notice=_line(component, "CopyrightLine")
        or words_in(_around(component, "RightsMetadata", "Copyright"))
        or None,
        copyright_holder=words_in(_around(component, "RightsMetadata", "Copyright", "CopyrightHolder"))
        or None,
        usage_terms=_line(component, "RightsLine")
        or words_in(_around(component, "RightsMetadata", "UsageRights"))
        or None,
        info_sources=_info_sources(component),
        subjects=_subjects(component, about),
        genres=tuple(
            Named(name)
            for name in dict.fromkeys(
                attribute(genre, "FormalName") for genre in child_elements(about, "Genre")
            )
            if name
        ),
        places=_places(about),
    )


def _captions(component: Any) -> Iterator[str]:
    for part in descendant_elements(component, "NewsComponent"):
        if attribute(child(part, "Role"), "FormalName").lower() == "caption":
            for content in descendant_elements(part, "ContentItem"):
                if text := clean_text(_content(content)):
                    yield text


def _located(about: Any) -> str | None:
    return _place(child(about, "Location")) or _place(about)


def _places(about: Any) -> tuple[StoryPlace, ...]:
    names = (_place(location) for location in child_elements(about, "Location"))
    return tuple(dict.fromkeys(StoryPlace(name) for name in names if name))


def _place(location: Any) -> str | None:
    """The name of a place: city, area and country."""
    if location is None:
        return None
    values = {
        attribute(element, "FormalName").lower(): attribute(element, "Value")
        for element in child_elements(location, "Property")
    }
    levels = ("city", "countryarea", "country", "countryname")
    names = [values[name] for name in levels if values.get(name)]
    if not names and local_name(location) == "Location":
        names = [value for value in values.values() if value]
    return ", ".join(names) or None


def _info_sources(component: Any) -> tuple[InfoSource, ...]:
    """Who supplied the item: credit line, provider, source."""
    meta = _around(component, "AdministrativeMetadata")
    names = [(_line(component, "CreditLine"), "credit")]
    for name in ("Provider", "Source"):
        names += [
            (attribute(party, "FormalName") or words_in(party), name.lower())
            for element in child_elements(meta, name)
            for party in child_elements(element, "Party")
        ]
    sources: dict[str, InfoSource] = {}
    for name, role in names:
        if name:
            sources.setdefault(name, InfoSource(name, role))
    return tuple(sources.values())


def _subjects(component: Any, about: Any) -> tuple[Subject, ...]:
    """The subjects: the most detailed of each group of codes, and the words of keyword lines."""
    subjects = []
    names = _names(component)
    for code in child_elements(about, "SubjectCode"):
        parts = [
            element for element in code if isinstance(element.tag, str) and attribute(element, "FormalName")
        ]
        subjects += [_subject(element, names) for element in _most_detailed(parts)]
    lines = child(_around(component, "NewsLines"), "KeywordLine")
    subjects += [Subject(word.strip()) for word in re.split(r"[,;/]", words_in(lines)) if word.strip()]
    return tuple(dict.fromkeys(subjects))


def _most_detailed(parts: list[Any]) -> list[Any]:
    """The codes with no more detailed one in the list: of 11000000 and 11006005 the second."""
    codes = [attribute(part, "FormalName") for part in parts]
    stems = [re.sub(r"(?:000000|000)$", "", code) for code in codes]
    return [
        part
        for number, part in enumerate(parts)
        if not any(
            other.startswith(stems[number]) and other != codes[number]
            for at, other in enumerate(codes)
            if at != number
        )
        or not codes[number].isdigit()
    ]


def _names(component: Any) -> dict[str, str]:
    """The names of codes in a component's topic sets, in its language if they have it (section 5.6)."""
    wanted = attribute(child(_around(component, "DescriptiveMetadata"), "Language"), "FormalName").lower()
    names: dict[str, str] = {}
    for topic in descendant_elements(_around(component, "TopicSet"), "Topic"):
        names_by_language = {
            (description.get(XML_LANG) or "").lower(): words_in(description)
            for description in child_elements(topic, "Description")
            if attribute(description, "Variant") in {"", "Name"}
        }
        if name := names_by_language.get(wanted) or next(iter(names_by_language.values()), ""):
            names[words_at(topic, "FormalName")] = name
    return names


def _subject(element: Any, names: dict[str, str]) -> Subject:
    code, scheme = (
        attribute(element, "FormalName"),
        attribute(element, "Scheme") or attribute(element, "Vocabulary"),
    )
    if re.fullmatch(r"\d{8}", code):
        return Subject(names.get(code), literal=code)
    return Subject(code, literal=f"{scheme}:{code}" if scheme else None)


FORMAT: Final = Format(
    name=_NAME, read=read_items, roots={"newsml": ("NewsItem",)}, media_types=("text/vnd.iptc.newsml",)
)
