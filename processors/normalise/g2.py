"""NewsML-G2 2.x (https://iptc.org/std/NewsML-G2/): news items alone, in packages and in news messages.

The containers are those of the Guidelines' chapters "Packages" (`packageItem`: `groupSet`, `itemRef`) and "News
Messages" (`newsMessage`: `header`, `itemSet`). Concept, knowledge, planning and catalog items are refused by name. A package only tells which pictures go with which
text; its text items make the events.
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
from processors.normalise.html import html_of, laid_out_html, looks_like_html, of_tree
from processors.normalise.reading import Document, Format, Reading, Readings
from processors.normalise.text import clean, clean_line, with_dateline
from processors.normalise.values import publisher_uri, uri_or_none, web_address, whole_number
from processors.normalise.writer import Picture
from processors.normalise.xml import child, children, descendants, language_of, local, parse, said, words

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
_BESIDE: Final = frozenset({"picture", "graphic", "video", "audio"})


def read_items(document: Document) -> Readings:
    """The news items of a document, in its order.

    Raises:
        Malformed: a message without items.
        Unsupported: a single item that is no news.
    """
    root, damage = parse(document.text)
    item = document.item
    if local(root) != "newsMessage":
        return [_one(root, item, damage)]
    items = (
        [each for each in child(root, "itemSet") if isinstance(each.tag, str)]
        if child(root, "itemSet") is not None
        else []
    )
    if not items:
        raise Malformed("a NewsML-G2 news message without items")
    packages = [each for each in items if local(each) == "packageItem"]
    news = [each for each in items if local(each) == "newsItem"]
    found = [_one(each, item, damage) for each in items if local(each) != "packageItem" or not news]
    return _with_media(found, packages)


def _one(element: Any, item: RawItem, damage: tuple[DamageKind, ...]) -> Reading | Rejected:
    name = local(element)
    if name in _REFUSED:
        why = "names its items and holds none" if name == "packageItem" else "is no story"
        return Unsupported(
            f"a NewsML-G2 {_REFUSED[name]} item {why}: {said(element, 'guid') or 'without guid'}"
        )
    if name != "newsItem":
        return Unsupported(f"a NewsML-G2 {name} is no story")
    try:
        return _news(element, item, damage)
    except Rejected as error:
        return error


def _news(element: Any, item: RawItem, damage: tuple[DamageKind, ...]) -> Reading:
    """A news item.

    Raises:
        Unsupported: it holds events, not news.
    """
    content = child(element, "contentSet")
    if next(descendants(content, "event", "events", "concept", "conceptSet"), None) is not None:
        raise Unsupported(f"a NewsML-G2 news item that holds events: {said(element, 'guid')}")
    metadata = g2_metadata.read(element, item)
    words = _read_content(content, metadata.headline, item)
    guid = said(element, "guid")
    story = structs.replace(
        metadata.story,
        uri=publisher_uri(guid, "guid", item) if guid else "",
        version=said(element, "version") or None,
        language=metadata.story.language or language_of(element) or None,
        bodies=words.others,
        by=metadata.story.by or words.by,
        alt_ids=(*((AltId(guid, "guid"),) if guid else ()), *metadata.story.alt_ids),
        headlines=metadata.story.headlines or words.headlines,
    )
    story = _with_files(story, words, element)
    text = words.text or metadata.caption
    if story.type == "text":
        teasers = tuple(each.value for each in metadata.story.descriptions)
        text = with_dateline(_without_repeats(text, teasers), metadata.dateline)
    headline = metadata.headline or words.headline
    return Reading(_NAME, story, headline, text, damage=damage, markup=words.markup)


def _with_files(story: Story, words: _Content, element: Any) -> Story:
    """Remote content is the item itself where it is a picture or a film, and beside a text an association."""
    linked = (*words.media, *g2_metadata.linked(element))
    if story.type in _BESIDE or not words.renditions:
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


def _with_media(found: list[Reading | Rejected], packages: list[Any]) -> list[Reading | Rejected]:
    """Pictures of a message beside its texts: by the package's groups, or all where there is one text."""
    texts = [each for each in found if isinstance(each, Reading) and each.story.type not in _BESIDE]
    media = {
        each.story.uri: each for each in found if isinstance(each, Reading) and each.story.type in _BESIDE
    }
    if not texts or not media:
        return found
    homes = _homes(texts, media, packages)
    made: list[Reading | Rejected] = []
    for each in found:
        if isinstance(each, Reading) and each.story.uri in homes.values() and each in texts:
            mine = [
                _beside(media[uri], number)
                for number, (uri, home) in enumerate(homes.items(), 1)
                if home == each.story.uri
            ]
            made.append(
                replace(
                    each,
                    story=structs.replace(each.story, associations=_once((*mine, *each.story.associations))),
                )
            )
        elif not (isinstance(each, Reading) and each.story.uri in homes and each not in texts):
            made.append(each)
    return made


def _homes(texts: list[Reading], media: dict[str, Reading], packages: list[Any]) -> dict[str, str]:
    """Which text each picture belongs to, by URI."""
    if len(texts) == 1:
        return dict.fromkeys(media, texts[0].story.uri)
    known = {each.story.uri for each in texts}
    homes: dict[str, str] = {}
    for package in packages:
        for group in descendants(package, "group"):
            members = [said(each, "residref") for each in children(group, "itemRef")]
            home = next((uri for uri in members if uri in known), None)
            if home:
                homes.update({uri: home for uri in members if uri in media})
    for text in texts:
        homes.update({each.uri: text.story.uri for each in text.story.associations if each.uri in media})
    return homes


def _beside(reading: Reading, number: int) -> Story:
    """A picture item as an association."""
    headline, caption = clean_line(reading.headline), clean(reading.text)
    return structs.replace(
        reading.story,
        headlines=(Text(headline, "main", "text/plain"),) if headline else (),
        descriptions=(Text(caption, "caption", "text/plain"),) if caption else reading.story.descriptions,
        name=f"{reading.story.type}-{number}",
    )


def _once(associations: tuple[Story, ...]) -> tuple[Story, ...]:
    """Each URI once, the fuller one first, and each name once."""
    found: dict[str, Story] = {}
    for each in associations:
        found.setdefault(each.uri, each)
    return tuple(found.values())


@dataclass(frozen=True, slots=True)
class _Content:
    """The words of a news item, and the files that are its content."""

    text: str = ""
    headline: str = ""
    headlines: tuple[Text, ...] = ()
    by: str | None = None
    others: tuple[Text, ...] = ()
    media: tuple[Story, ...] = ()
    renditions: tuple[Rendition, ...] = ()
    markup: str = ""


def _read_content(content: Any, headline: str, item: RawItem) -> _Content:
    """The content of an item; of several inline forms of one text the longest counts."""
    found = [
        made
        for each in children(content, "inlineXML", "inlineData")
        if (made := _inline(each, headline, item))
    ]
    renditions = tuple(
        _remote(each, number, item) for number, each in enumerate(children(content, "remoteContent"), 1)
    )
    best = max(found, key=lambda one: len(one.text), default=_Content())
    return replace(best, renditions=renditions)


def _without_repeats(text: str, told: tuple[str, ...]) -> str:
    """The text without the paragraphs at its start that say only what headline or teaser say already."""
    known = {_plain(each) for each in told if each}
    rest = text.lstrip()
    while known:
        first, _, after = rest.partition("\n")
        if not after.strip() or _plain(first) not in known:
            break
        rest = after.lstrip()
    return rest


def _plain(words_: str) -> str:
    return clean_line(words_).casefold()


def _type_of(media_type: str | None) -> ItemType:
    """The item type of a file."""
    return _FILE_TYPES.get((media_type or "").partition("/")[0].lower(), "component")


def _inline(element: Any, headline: str, item: RawItem) -> _Content | None:
    """One form of the content; None for what is no text."""
    kind = said(element, "contenttype").lower()
    inner = next((each for each in element if isinstance(each.tag, str)), None)
    if inner is None:
        return _data(element, kind)
    name = local(inner).lower()
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
        return _xhtml(inner, headline)
    if name == "sports-content":
        return None
    return _Content(of_tree(element).text)


def _xhtml(root: Any, headline: str) -> _Content:
    """XHTML without the header that repeats headline, date and keywords."""
    body = next((each for each in root.iter() if local(each).lower() == "body"), root)
    found = of_tree(body, _HEADERS)
    text = _without_repeats(found.text, (headline,))
    title = words(next(descendants(root, "h1"), None)) or words(next(descendants(root, "title"), None))
    return _Content(text, title, media=_pictures(found.pictures), markup=html_of(body, _NOT_SHOWN))


def _data(element: Any, kind: str) -> _Content | None:
    """Plain or escaped characters, or base64 of a text."""
    said_here = element.text or ""
    if said(element, "encoding").rpartition(":")[2].lower() == "base64":
        if not kind.startswith("text/"):
            return None
        try:
            said_here = base64.b64decode(said_here).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            return None
    if "html" in kind or "xml" in kind or looks_like_html(said_here):
        found = laid_out_html(said_here)
        return _Content(found.text, media=_pictures(found.pictures), markup=said_here)
    return _Content(said_here)


def _pictures(found: tuple[Picture, ...]) -> tuple[Story, ...]:
    made: dict[str, Story] = {}
    for picture in found:
        address = web_address(picture.address)
        if address and address not in made:
            caption = (Text(picture.caption, "caption", "text/plain"),) if picture.caption else ()
            made[address] = Story(
                address,
                type="picture",
                descriptions=caption,
                renditions=(Rendition("original", address),),
                name=f"picture-{len(made) + 1}",
            )
    return tuple(made.values())


def _remote(element: Any, number: int, item: RawItem) -> Rendition:
    """A file of the content (section "Remote Content"); sizes in pixels and bytes, duration in seconds."""
    href = said(element, "href")
    residref = said(element, "residref")
    seconds = said(element, "duration")
    timed = said(element, "durationunit").rpartition(":")[2] in {"", "seconds"} and re.fullmatch(
        r"\d{1,7}(\.\d{1,6})?", seconds
    )
    return Rendition(
        name=said(element, "rendition").rpartition(":")[2]
        or said(element, "renditionuri").rpartition("/")[2]
        or f"content-{number}",
        href=(web_address(href, item.url) if href else None) or uri_or_none(residref),
        content_type=said(element, "contenttype") or None,
        title=words(next(children(element, "altText", "title"), None)) or None,
        width=whole_number(said(element, "width")),
        height=whole_number(said(element, "height")),
        size_in_bytes=whole_number(said(element, "size")),
        duration=float(seconds) if timed else None,
        format=said(element, "format").rpartition(":")[2] or None,
        video_codec=said(element, "videocodec").rpartition(":")[2] or None,
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
