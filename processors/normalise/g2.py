"""NewsML-G2 2.x (https://iptc.org/std/NewsML-G2/): news items alone, in packages and in news messages.

The containers are those of the Guidelines' chapters "Packages" (`packageItem`: `groupSet`, `itemRef`) and "News
Messages" (`newsMessage`: `header`, `itemSet`); the content set (`inlineXML`, `inlineData`, `remoteContent`) is that of
"Text" and "Pictures and Graphics". Concept, knowledge, planning and catalog items are refused by name. A package only
says which pictures go with which text; its text items make the events.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, replace
from typing import Any, Final

from msgspec import structs

from processors.errors import Malformed, Rejected, Unsupported
from processors.model.event import DamageKind, RawItem
from processors.model.story import AltId, ItemType, Rendition, Story, Text
from processors.normalise import g2_metadata, nitf
from processors.normalise.html import html_from_tree, looks_like_html, read_tree, read_wire_html
from processors.normalise.reading import Document, Format, Reading, Readings
from processors.normalise.text import clean_line, clean_text, with_dateline
from processors.normalise.values import publisher_uri, uri_or_none, web_address, whole_number
from processors.normalise.writer import Picture
from processors.normalise.xml import (
    attribute,
    child,
    child_elements,
    descendant_elements,
    language_of,
    local_name,
    parse_xml,
    words_in,
)

_NAME: Final = "newsml-g2"
_REFUSED: Final = {
    "conceptItem": "concept", "knowledgeItem": "knowledge", "planningItem": "planning", "catalogItem": "catalog",
    "packageItem": "package",
}  # fmt: skip
_HEADERS: Final = {"header": "dropped"}
_NOT_SHOWN: Final = {"header": "", "body": "div"}
_FILE_TYPES: Final[dict[str, ItemType]] = {
    "image": "picture",
    "video": "video",
    "audio": "audio",
    "text": "text",
}
_MEDIA_TYPES: Final = frozenset({"picture", "graphic", "video", "audio"})


def read_items(document: Document) -> Readings:
    """The news items of a document, in its order.

    Raises:
        Malformed: a message without items.
        Unsupported: a single item that is no news.
    """
    root, damage = parse_xml(document.text)
    item = document.item
    if local_name(root) != "newsMessage":
        return [_reading(root, item, damage)]
    items = (
        [element for element in child(root, "itemSet") if isinstance(element.tag, str)]
        if child(root, "itemSet") is not None
        else []
    )
    if not items:
        raise Malformed("a NewsML-G2 news message without items")
    packages = [element for element in items if local_name(element) == "packageItem"]
    news = [element for element in items if local_name(element) == "newsItem"]
    readings = [
        _reading(element, item, damage)
        for element in items
        if local_name(element) != "packageItem" or not news
    ]
    return _with_media(readings, packages)


def _reading(element: Any, item: RawItem, damage: tuple[DamageKind, ...]) -> Reading | Rejected:
    """The reading of an item, or the error of one that is no news item."""
    name = local_name(element)
    if name in _REFUSED:
        why = "names its items and holds none" if name == "packageItem" else "is no story"
        return Unsupported(
            f"a NewsML-G2 {_REFUSED[name]} item {why}: {attribute(element, 'guid') or 'without guid'}"
        )
    if name != "newsItem":
        return Unsupported(f"a NewsML-G2 {name} is no story")
    try:
        return _news(element, item, damage)
    except Rejected as error:
        return error


def _news(element: Any, item: RawItem, damage: tuple[DamageKind, ...]) -> Reading:
    """The reading of a news item.

    Raises:
        Unsupported: it holds events, not news.
    """
    content = child(element, "contentSet")
    if next(descendant_elements(content, "event", "events", "concept", "conceptSet"), None) is not None:
        raise Unsupported(f"a NewsML-G2 news item that holds events: {attribute(element, 'guid')}")
    metadata = g2_metadata.read_metadata(element, item)
    words = _read_content(content, metadata.headline, item)
    guid = attribute(element, "guid")
    story = structs.replace(
        metadata.story,
        uri=publisher_uri(guid, "guid", item) if guid else "",
        version=attribute(element, "version") or None,
        language=metadata.story.language or language_of(element) or None,
        by=metadata.story.by or words.by,
        alt_ids=(*((AltId(guid, "guid"),) if guid else ()), *metadata.story.alt_ids),
        headlines=metadata.story.headlines or words.headlines,
    )
    story = _with_files(story, words, element)
    text = words.text or metadata.caption
    if story.type == "text":
        teasers = tuple(description.value for description in metadata.story.descriptions)
        text = with_dateline(_without_repeats(text, teasers), metadata.dateline)
    headline = metadata.headline or words.headline
    return Reading(_NAME, story, headline, text, damage=damage, markup=words.markup)


def _with_files(story: Story, words: _Content, element: Any) -> Story:
    """The story with its remote content: its own renditions where it is a picture or film, else associations."""
    linked = (*words.media, *g2_metadata.linked_stories(element))
    if story.type in _MEDIA_TYPES or not words.renditions:
        return structs.replace(story, renditions=words.renditions, associations=linked)
    beside = tuple(
        Story(
            rendition.href,
            type=_type_of(rendition.content_type),
            renditions=(rendition,),
            name=f"remote-content-{number}",
        )
        for number, rendition in enumerate(words.renditions, 1)
        if rendition.href
    )
    return structs.replace(story, associations=(*linked, *beside))


def _with_media(readings: list[Reading | Rejected], packages: list[Any]) -> list[Reading | Rejected]:
    """The readings of a message with its pictures beside the texts: by the package's groups, or all beside the only text."""
    texts = [
        reading
        for reading in readings
        if isinstance(reading, Reading) and reading.story.type not in _MEDIA_TYPES
    ]
    media = {
        reading.story.uri: reading
        for reading in readings
        if isinstance(reading, Reading) and reading.story.type in _MEDIA_TYPES
    }
    if not texts or not media:
        return readings
    homes = _homes(texts, media, packages)
    result: list[Reading | Rejected] = []
    for reading in readings:
        if isinstance(reading, Reading) and reading.story.uri in homes.values() and reading in texts:
            mine = [
                _association(media[uri], number)
                for number, (uri, home) in enumerate(homes.items(), 1)
                if home == reading.story.uri
            ]
            result.append(
                replace(
                    reading,
                    story=structs.replace(
                        reading.story, associations=_unique_associations((*mine, *reading.story.associations))
                    ),
                )
            )
        elif not (isinstance(reading, Reading) and reading.story.uri in homes and reading not in texts):
            result.append(reading)
    return result


def _homes(texts: list[Reading], media: dict[str, Reading], packages: list[Any]) -> dict[str, str]:
    """The URI of the text that each picture belongs to, by the picture's URI."""
    if len(texts) == 1:
        return dict.fromkeys(media, texts[0].story.uri)
    uris = {story.story.uri for story in texts}
    homes: dict[str, str] = {}
    for package in packages:
        for group in descendant_elements(package, "group"):
            members = [attribute(story, "residref") for story in child_elements(group, "itemRef")]
            home = next((uri for uri in members if uri in uris), None)
            if home:
                homes.update({uri: home for uri in members if uri in media})
    for text in texts:
        homes.update({story.uri: text.story.uri for story in text.story.associations if story.uri in media})
    return homes


def _association(reading: Reading, number: int) -> Story:
    """The association that a picture item makes beside a text."""
    headline, caption = clean_line(reading.headline), clean_text(reading.text)
    return structs.replace(
        reading.story,
        headlines=(Text(headline, "main", "text/plain"),) if headline else (),
        descriptions=(Text(caption, "caption", "text/plain"),) if caption else reading.story.descriptions,
        name=f"{reading.story.type}-{number}",
    )


def _unique_associations(associations: tuple[Story, ...]) -> tuple[Story, ...]:
    """The associations, each URI once: the first counts, which is the fuller one."""
    stories: dict[str, Story] = {}
    for story in associations:
        stories.setdefault(story.uri, story)
    return tuple(stories.values())


@dataclass(frozen=True, slots=True)
class _Content:
    """The words of a news item, and the files that are its content."""

    text: str = ""
    headline: str = ""
    headlines: tuple[Text, ...] = ()
    by: str | None = None
    media: tuple[Story, ...] = ()
    renditions: tuple[Rendition, ...] = ()
    markup: str = ""


def _read_content(content: Any, headline: str, item: RawItem) -> _Content:
    """The content of an item; of several inline forms of one text the longest counts."""
    contents = [
        form
        for element in child_elements(content, "inlineXML", "inlineData")
        if (form := _read_inline(element, headline, item))
    ]
    renditions = tuple(
        _remote_rendition(element, number, item)
        for number, element in enumerate(child_elements(content, "remoteContent"), 1)
    )
    best = max(contents, key=lambda content: len(content.text), default=_Content())
    return replace(best, renditions=renditions)


def _without_repeats(text: str, lines: tuple[str, ...]) -> str:
    """The text without the paragraphs at its start that only repeat one of `lines` (headline, teasers)."""
    repeats = {_folded(line) for line in lines if line}
    rest = text.lstrip()
    while repeats:
        first, _, after = rest.partition("\n")
        if not after.strip() or _folded(first) not in repeats:
            break
        rest = after.lstrip()
    return rest


def _folded(line: str) -> str:
    return clean_line(line).casefold()


def _type_of(media_type: str | None) -> ItemType:
    """The item type of a file."""
    return _FILE_TYPES.get((media_type or "").partition("/")[0].lower(), "component")


def _read_inline(element: Any, headline: str, item: RawItem) -> _Content | None:
    """The content of one inline form; None for what is no text."""
    kind = attribute(element, "contenttype").lower()
    inner = next((element_below for element_below in element if isinstance(element_below.tag, str)), None)
    if inner is None:
        return _read_data(element, kind)
    name = local_name(inner).lower()
    if name == "nitf":
        main, others = nitf.headlines(inner)
        return _Content(
            nitf.body(inner),
            main,
            others,
            nitf.byline(inner),
            media=nitf.media(inner, item),
            markup=nitf.markup(inner),
        )
    if name in {"html", "body", "div", "article", "section", "p"}:
        return _read_xhtml(inner, headline)
    if name == "sports-content":
        return None
    return _Content(read_tree(element).text)


def _read_xhtml(root: Any, headline: str) -> _Content:
    """The content of XHTML, without the header that repeats headline, date and keywords."""
    body = next((element for element in root.iter() if local_name(element).lower() == "body"), root)
    readable = read_tree(body, _HEADERS)
    text = _without_repeats(readable.text, (headline,))
    title = words_in(next(descendant_elements(root, "h1"), None)) or words_in(
        next(descendant_elements(root, "title"), None)
    )
    return _Content(text, title, media=_pictures(readable.pictures), markup=html_from_tree(body, _NOT_SHOWN))


def _read_data(element: Any, kind: str) -> _Content | None:
    """The content of plain or escaped characters, or of a text in base64; None for other base64."""
    text = element.text or ""
    if attribute(element, "encoding").rpartition(":")[2].lower() == "base64":
        if not kind.startswith("text/"):
            return None
        try:
            text = base64.b64decode(text).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            return None
    if "html" in kind or "xml" in kind or looks_like_html(text):
        readable = read_wire_html(text)
        return _Content(readable.text, media=_pictures(readable.pictures), markup=text)
    return _Content(text)


def _pictures(pictures: tuple[Picture, ...]) -> tuple[Story, ...]:
    stories: dict[str, Story] = {}
    for picture in pictures:
        address = web_address(picture.address)
        if address and address not in stories:
            caption = (Text(picture.caption, "caption", "text/plain"),) if picture.caption else ()
            stories[address] = Story(
                address,
                type="picture",
                descriptions=caption,
                renditions=(Rendition("original", address),),
                name=f"picture-{len(stories) + 1}",
            )
    return tuple(stories.values())


def _remote_rendition(element: Any, number: int, item: RawItem) -> Rendition:
    """The rendition of a file of the content (section "Remote Content"): sizes in pixels and bytes, duration in seconds."""
    href = attribute(element, "href")
    residref = attribute(element, "residref")
    seconds = attribute(element, "duration")
    timed = attribute(element, "durationunit").rpartition(":")[2] in {"", "seconds"} and re.fullmatch(
        r"\d{1,7}(\.\d{1,6})?", seconds
    )
    return Rendition(
        name=attribute(element, "rendition").rpartition(":")[2]
        or attribute(element, "renditionuri").rpartition("/")[2]
        or f"content-{number}",
        href=(web_address(href, item.url) if href else None) or uri_or_none(residref),
        content_type=attribute(element, "contenttype") or None,
        title=words_in(next(child_elements(element, "altText", "title"), None)) or None,
        width=whole_number(attribute(element, "width")),
        height=whole_number(attribute(element, "height")),
        size_in_bytes=whole_number(attribute(element, "size")),
        duration=float(seconds) if timed else None,
        format=attribute(element, "format").rpartition(":")[2] or None,
        video_codec=attribute(element, "videocodec").rpartition(":")[2] or None,
    )


FORMAT: Final = Format(
    name=_NAME,
    read=read_items,
    roots={
        "newsmessage": ("newsItem", "packageItem", "conceptItem"),
        **dict.fromkeys(("newsitem", "packageitem", *map(str.lower, _REFUSED)), ()),
    },
    media_types=("application/vnd.iptc.g2.newsitem+xml", "application/vnd.iptc.g2.newsmessage+xml"),
)
