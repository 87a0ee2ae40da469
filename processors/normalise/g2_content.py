"""The content set of a NewsML-G2 news item: inline XHTML, NITF and plain data, and remote files.

`contentSet` with `inlineXML`, `inlineData` and `remoteContent`: NewsML-G2 Guidelines, chapters "Text" and "Pictures and
Graphics".
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, replace
from typing import Any, Final

from processors.model.event import RawItem
from processors.model.story import ItemType, Rendition, Story, Text
from processors.normalise import nitf
from processors.normalise.html import laid_out_html, looks_like_html, of_tree
from processors.normalise.markup import Picture
from processors.normalise.sanitised import html_of
from processors.normalise.text import clean_line
from processors.normalise.tree import children, descendants, said, words
from processors.normalise.values import uri_or_none, web_address, whole_number
from processors.normalise.xml import local

_HEADERS: Final = {"header": "dropped"}
_NOT_SHOWN: Final = {"header": "", "body": "div"}
_TYPES: Final[dict[str, ItemType]] = {"image": "picture", "video": "video", "audio": "audio", "text": "text"}


@dataclass(frozen=True, slots=True)
class Content:
    """The words of a news item, and the files that are its content."""

    text: str = ""
    headline: str = ""
    headlines: tuple[Text, ...] = ()
    by: str | None = None
    others: tuple[Text, ...] = ()
    media: tuple[Story, ...] = ()
    renditions: tuple[Rendition, ...] = ()
    markup: str = ""


def read(content: Any, headline: str, item: RawItem) -> Content:
    """The content of an item; of several inline forms of one text the longest counts."""
    found = [
        made
        for each in children(content, "inlineXML", "inlineData")
        if (made := _inline(each, headline, item))
    ]
    renditions = tuple(
        _remote(each, number, item) for number, each in enumerate(children(content, "remoteContent"), 1)
    )
    best = max(found, key=lambda one: len(one.text), default=Content())
    return replace(best, renditions=renditions)


def without_repeats(text: str, told: tuple[str, ...]) -> str:
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


def type_of(media_type: str | None) -> ItemType:
    """The item type of a file."""
    return _TYPES.get((media_type or "").partition("/")[0].lower(), "component")


def _inline(element: Any, headline: str, item: RawItem) -> Content | None:
    """One form of the content; None for what is no text."""
    kind = said(element, "contenttype").lower()
    inner = next((each for each in element if isinstance(each.tag, str)), None)
    if inner is None:
        return _data(element, kind)
    name = local(inner).lower()
    if name == "nitf":
        main, others = nitf.headlines(inner)
        return Content(
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
    return Content(of_tree(element).text)


def _xhtml(root: Any, headline: str) -> Content:
    """XHTML without the header that repeats headline, date and keywords."""
    body = next((each for each in root.iter() if local(each).lower() == "body"), root)
    found = of_tree(body, _HEADERS)
    text = without_repeats(found.text, (headline,))
    title = words(next(descendants(root, "h1"), None)) or words(next(descendants(root, "title"), None))
    return Content(text, title, media=_pictures(found.pictures), markup=html_of(body, _NOT_SHOWN))


def _data(element: Any, kind: str) -> Content | None:
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
        return Content(found.text, media=_pictures(found.pictures), markup=said_here)
    return Content(said_here)


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
