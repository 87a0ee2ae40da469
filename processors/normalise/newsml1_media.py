"""Pictures and other media of a NewsML 1 item, with their captions and credits."""

from __future__ import annotations

from typing import Any, Final

from processors.model.event import RawItem
from processors.model.story import ItemType, Rendition, Story, Text
from processors.normalise.html import of_tree
from processors.normalise.text import clean
from processors.normalise.values import file_uri, web_address, whole_number
from processors.normalise.xml import child, children, descendants, said, words_of

_TYPES: Final[dict[str, ItemType]] = {
    "photo": "picture", "picture": "picture", "graphic": "graphic", "video": "video", "audio": "audio", "animation": "video",
}  # fmt: skip
_ROLES: Final = frozenset(
    {"caption", "thumbnail", "preview", "quicklook", "photo", "picture", "graphic", "video", "audio"}
)


def is_medium(component: Any) -> bool:
    """Whether a component is a picture or film, or a part of one, by its role or its content."""
    if said(child(component, "Role"), "FormalName").lower() in _ROLES:
        return True
    own = [
        said(child(each, "MediaType"), "FormalName").lower() for each in children(component, "ContentItem")
    ]
    return bool(own) and all(kind in _TYPES for kind in own)


def associations(element: Any, item: RawItem) -> tuple[Story, ...]:
    """The media of a news item, each a story of its type; the components that hold the same picture are one."""
    found: dict[str, Story] = {}
    for component in descendants(element, "NewsComponent"):
        if _holds_media(component) and not any(
            _holds_media(each) for each in component.iterancestors("{*}NewsComponent")
        ):
            files = renditions(component, item)
            sent = next(
                (said(each, "Href") for each in descendants(component, "ContentItem") if said(each, "Href")),
                "",
            )
            uri = file_uri(sent, item)[0]
            if files and uri not in found:
                found[uri] = _medium(component, uri, files, len(found) + 1)
    return tuple(found.values())


def renditions(component: Any, item: RawItem) -> tuple[Rendition, ...]:
    """The files of a component (NewsML 1.2, section 5.5.5)."""
    found = []
    for number, content in enumerate(descendants(component, "ContentItem"), 1):
        if said(content, "Href") and said(child(content, "MediaType"), "FormalName").lower() in {*_TYPES, ""}:
            found.append(_rendition(content, number, item))
    return tuple(found)


def _holds_media(component: Any) -> bool:
    """Whether it is a medium, or only holds forms of one: a picture with its caption and thumbnail."""
    if is_medium(component):
        return True
    inner = list(children(component, "NewsComponent"))
    return (
        bool(inner)
        and child(component, "ContentItem") is None
        and all(is_medium(each) for each in inner)
        and any(said(child(each, "Role"), "FormalName").lower() == "caption" for each in inner)
    )


def _rendition(content: Any, number: int, item: RawItem) -> Rendition:
    traits = child(content, "Characteristics")
    told = {said(each, "FormalName").lower(): said(each, "Value") for each in children(traits, "Property")}
    role = said(child(content.getparent(), "Role"), "FormalName").lower()
    return Rendition(
        name=role or f"content-{number}",
        href=web_address(said(content, "Href"), item.url),
        content_type=said(child(content, "MimeType"), "FormalName") or None,
        width=whole_number(told.get("width") or told.get("pixelwidth")),
        height=whole_number(told.get("height") or told.get("pixelheight")),
        size_in_bytes=whole_number(words_of(traits, "SizeInBytes")),
        format=said(child(content, "Format"), "FormalName") or None,
    )


def _medium(component: Any, uri: str, files: tuple[Rendition, ...], number: int) -> Story:
    media = next(descendants(component, "ContentItem"), None)
    kind = _TYPES.get(said(child(media, "MediaType"), "FormalName").lower(), "picture")
    headline = next(
        (
            words_of(each, "HeadLine")
            for each in descendants(component, "NewsLines")
            if words_of(each, "HeadLine")
        ),
        "",
    )
    return Story(
        uri,
        type=kind,
        headlines=(Text(headline, "main", "text/plain"),) if headline else (),
        descriptions=tuple(Text(caption, "caption", "text/plain") for caption in _captions(component)),
        by=next(
            (
                words_of(each, "ByLine")
                for each in descendants(component, "NewsLines")
                if words_of(each, "ByLine")
            ),
            None,
        ),
        copyright_notice=next(
            (
                words_of(each, "CopyrightLine")
                for each in descendants(component, "NewsLines")
                if words_of(each, "CopyrightLine")
            ),
            None,
        ),
        renditions=files,
        name=f"{kind}-{number}",
    )


def _captions(component: Any) -> list[str]:
    found = []
    for each in (component, *descendants(component, "NewsComponent")):
        if said(child(each, "Role"), "FormalName").lower() == "caption":
            found += [clean(of_tree(data).text) for data in descendants(each, "DataContent")]
    return [caption for caption in dict.fromkeys(found) if caption]
