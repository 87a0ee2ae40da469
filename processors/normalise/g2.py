"""NewsML-G2 2.x (https://iptc.org/std/NewsML-G2/): news items alone, in packages and in news messages.

The containers are those of the Guidelines' chapters "Packages" (`packageItem`: `groupSet`, `itemRef`) and "News
Messages" (`newsMessage`: `header`, `itemSet`). Concept, knowledge, planning and catalog items are refused by name. A package only tells which pictures go with which
text; its text items make the events.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from msgspec import structs

from processors.errors import Malformed, Rejected, Unsupported
from processors.model.event import DamageKind, RawItem
from processors.model.story import AltId, Story, Text
from processors.normalise import g2_content, g2_metadata
from processors.normalise.datelines import with_dateline
from processors.normalise.identity import publisher_uri
from processors.normalise.reading import Document, Format, Reading, Readings
from processors.normalise.text import clean, clean_line
from processors.normalise.tree import child, children, descendants, language_of, said
from processors.normalise.xml import local, parse

_NAME: Final = "newsml-g2"
_REFUSED: Final = {
    "conceptItem": "concept", "knowledgeItem": "knowledge", "planningItem": "planning", "catalogItem": "catalog",
    "packageItem": "package",
}  # fmt: skip
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
    words = g2_content.read(content, metadata.headline, item)
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
        text = with_dateline(g2_content.without_repeats(text, teasers), metadata.dateline)
    headline = metadata.headline or words.headline
    return Reading(_NAME, story, headline, text, damage=damage, markup=words.markup)


def _with_files(story: Story, words: g2_content.Content, element: Any) -> Story:
    """Remote content is the item itself where it is a picture or a film, and beside a text an association."""
    linked = (*words.media, *g2_metadata.linked(element))
    if story.type in _BESIDE or not words.renditions:
        return structs.replace(story, renditions=words.renditions, associations=linked)
    beside = tuple(
        Story(
            rendition.href,
            type=g2_content.type_of(rendition.content_type),
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


FORMAT: Final = Format(
    name=_NAME,
    read=read_items,
    roots={
        "newsmessage": ("newsItem", "packageItem", "conceptItem"),
        **dict.fromkeys(("newsitem", "packageitem", *map(str.lower, _REFUSED)), ()),
    },
    media_types=("application/vnd.iptc.g2.newsitem+xml", "application/vnd.iptc.g2.newsmessage+xml"),
)
