"""Pictures and other media of a NewsML 1 item, with their captions and credits."""

from __future__ import annotations

from typing import Any, Final

from processors.model.event import RawItem
from processors.model.story import ItemType, Rendition, Story, Text
from processors.normalise.html import read_tree
from processors.normalise.text import clean_text
from processors.normalise.values import file_uri, web_address, whole_number
from processors.normalise.xml import attribute, child, child_elements, descendant_elements, words_at

_TYPES: Final[dict[str, ItemType]] = {
    "photo": "picture", "picture": "picture", "graphic": "graphic", "video": "video", "audio": "audio", "animation": "video",
}  # fmt: skip
_MIME_TYPES: Final[dict[str, ItemType]] = {"image": "picture", "video": "video", "audio": "audio"}
_ROLES: Final = frozenset({
    "caption", "thumbnail", "preview", "quicklook", "photo", "picture", "image", "graphic", "video", "sound", "soundbite",
})  # fmt: skip
# Roles of a component that is a film or recording, unless it has words: a bulletin with its text.
_SPOKEN: Final = frozenset({"audio"})


def role_of(component: Any) -> str:
    """The role of a component in small letters; empty where it has none."""
    return attribute(child(component, "Role"), "FormalName").lower()


def media_kind(content: Any) -> ItemType | None:
    """The type of a content item that is a picture, film or recording: by its media type, else its MIME type."""
    kind = attribute(child(content, "MediaType"), "FormalName").lower()
    if kind:
        return _TYPES.get(kind)
    return _MIME_TYPES.get(attribute(child(content, "MimeType"), "FormalName").lower().partition("/")[0])


def is_medium(component: Any) -> bool:
    """Whether a component is a picture or film, or a part of one, by its role or its content."""
    role = role_of(component)
    if role in _ROLES or (
        role in _SPOKEN and next(descendant_elements(component, "DataContent"), None) is None
    ):
        return True
    own = [media_kind(content) for content in child_elements(component, "ContentItem")]
    return bool(own) and all(own)


def associations(element: Any, item: RawItem) -> tuple[Story, ...]:
    """The media of a news item, each a story of its type; the components that hold the same picture are one."""
    stories: dict[str, Story] = {}
    for component in descendant_elements(element, "NewsComponent"):
        if _holds_media(component) and not any(
            _holds_media(each) for each in component.iterancestors("{*}NewsComponent")
        ):
            files = renditions(component, item)
            href = next(
                (
                    attribute(each, "Href")
                    for each in descendant_elements(component, "ContentItem")
                    if attribute(each, "Href")
                ),
                "",
            )
            uri = file_uri(href, item)[0]
            if files and uri not in stories:
                stories[uri] = _medium(component, uri, files, len(stories) + 1)
    return tuple(stories.values())


def renditions(component: Any, item: RawItem) -> tuple[Rendition, ...]:
    """The files of a component (NewsML 1.2, section 5.5.5)."""
    files = []
    for number, content in enumerate(descendant_elements(component, "ContentItem"), 1):
        if attribute(content, "Href") and attribute(child(content, "MediaType"), "FormalName").lower() in {
            *_TYPES,
            "",
        }:
            files.append(_rendition(content, number, item))
    return tuple(files)


def _holds_media(component: Any) -> bool:
    """Whether it is a medium, or only holds forms of one: a picture with its caption and thumbnail."""
    if is_medium(component):
        return True
    inner = list(child_elements(component, "NewsComponent"))
    return (
        bool(inner)
        and child(component, "ContentItem") is None
        and all(is_medium(part) for part in inner)
        and any(role_of(part) == "caption" for part in inner)
    )


def _rendition(content: Any, number: int, item: RawItem) -> Rendition:
    traits = child(content, "Characteristics")
    values = {
        attribute(element, "FormalName").lower(): attribute(element, "Value")
        for element in child_elements(traits, "Property")
    }
    role = role_of(content.getparent())
    return Rendition(
        name=role or f"content-{number}",
        href=web_address(attribute(content, "Href"), item.url),
        content_type=attribute(child(content, "MimeType"), "FormalName") or None,
        width=whole_number(values.get("width") or values.get("pixelwidth")),
        height=whole_number(values.get("height") or values.get("pixelheight")),
        size_in_bytes=whole_number(words_at(traits, "SizeInBytes")),
        format=attribute(child(content, "Format"), "FormalName") or None,
    )


def _medium(component: Any, uri: str, files: tuple[Rendition, ...], number: int) -> Story:
    media = next(descendant_elements(component, "ContentItem"), None)
    kind = media_kind(media) or "picture"
    headline = next(
        (
            words_at(lines, "HeadLine")
            for lines in descendant_elements(component, "NewsLines")
            if words_at(lines, "HeadLine")
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
                words_at(lines, "ByLine")
                for lines in descendant_elements(component, "NewsLines")
                if words_at(lines, "ByLine")
            ),
            None,
        ),
        copyright_notice=next(
            (
                words_at(lines, "CopyrightLine")
                for lines in descendant_elements(component, "NewsLines")
                if words_at(lines, "CopyrightLine")
            ),
            None,
        ),
        renditions=files,
        name=f"{kind}-{number}",
    )


def _captions(component: Any) -> list[str]:
    captions = []
    for part in (component, *descendant_elements(component, "NewsComponent")):
        if role_of(part) == "caption":
            captions += [
                clean_text(read_tree(data).text) for data in descendant_elements(part, "DataContent")
            ]
    return [caption for caption in dict.fromkeys(captions) if caption]
