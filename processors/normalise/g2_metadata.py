"""The metadata of a NewsML-G2 item: itemMeta, contentMeta and rightsInfo as properties of ninjs.

NewsML-G2 Guidelines, chapters "Generic Metadata" (`guid`, `version`, `pubStatus`, `signal`, `edNote`, `link`) and
"Controlled Vocabularies and QCodes" (`catalogRef`, `scheme`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from processors.model.event import RawItem
from processors.model.story import (
    AltId,
    InfoSource,
    ItemType,
    Named,
    NewsEvent,
    Organisation,
    Person,
    Point,
    PubStatus,
    Rendition,
    Story,
    StoryPlace,
    Subject,
    Text,
)
from processors.normalise.html import read_tree
from processors.normalise.subjects import resolve_qcode
from processors.normalise.text import clean_text
from processors.normalise.values import (
    language_tag,
    timestamp,
    urgency,
    uri_or_none,
    web_address,
    whole_number,
)
from processors.normalise.xml import (
    attribute,
    child,
    child_elements,
    descendant_elements,
    language_of,
    words_at,
    words_in,
)

_TYPES: Final[dict[str, ItemType]] = {
    "text": "text", "picture": "picture", "graphic": "graphic", "video": "video", "audio": "audio", "composite": "composite",
    "component": "component", "animated": "video", "animation": "video",
}  # fmt: skip
_STATUS: Final[dict[str, PubStatus]] = {
    "usable": "usable",
    "withheld": "withheld",
    "canceled": "canceled",
    "cancelled": "canceled",
    "killed": "canceled",
    "withdrawn": "canceled",
    "deleted": "canceled",
}
_PLACES: Final = frozenset({"geoArea", "poi", "geo"})
_CAPTIONS: Final = frozenset({"caption", "summary", "abstract", "teaser", "short", ""})


@dataclass(frozen=True, slots=True)
class Metadata:
    """What stands beside the content. `headline`, `caption` and `dateline` are not in `story`."""

    story: Story
    headline: str = ""
    caption: str = ""
    dateline: str = ""


def read_metadata(element: Any, item: RawItem) -> Metadata:
    """The metadata of a news item (NewsML-G2 Specification, chapters "Item Metadata" and "Content Metadata")."""
    meta, about, rights = (
        child(element, "itemMeta"),
        child(element, "contentMeta"),
        list(child_elements(element, "rightsInfo")),
    )
    aliases = _aliases(element)
    headline, headlines = _headlines(about)
    descriptions = _descriptions(about)
    zone = item.timezone
    story = Story(
        uri="",
        type=_TYPES.get(_code(child(meta, "itemClass")), "text"),
        profile=words_at(meta, "profile") or None,
        first_created=timestamp(words_at(meta, "firstCreated"), zone),
        version_created=timestamp(words_at(meta, "versionCreated"), zone),
        content_created=timestamp(words_at(about, "contentCreated"), zone),
        embargoed_until=timestamp(words_at(meta, "embargoed"), zone),
        expires=timestamp(words_at(meta, "expires") or words_at(about, "expires"), zone),
        pub_status=_pub_status(meta),
        urgency=urgency(words_at(about, "urgency")),
        copyright_holder=_joined_names(
            each for right in rights for each in child_elements(right, "copyrightHolder")
        ),
        copyright_notice=_join_unique(
            words_in(each) for right in rights for each in child_elements(right, "copyrightNotice")
        ),
        usage_terms=_join_unique(
            _block(each) for right in rights for each in child_elements(right, "usageTerms")
        ),
        ed_note=_ed_note(meta),
        language=language_tag(attribute(child(about, "language"), "tag")),
        headlines=headlines,
        descriptions=descriptions,
        title=words_at(meta, "title") or None,
        by=_join_unique((words_in(each) for each in child_elements(about, "by")), ", ") or _creators(about),
        slugline=words_at(about, "slugline") or None,
        located=_located(about),
        info_sources=_sources(meta, about),
        alt_ids=_alt_ids(about),
        genres=_genres(meta, about, aliases),
        **_subjects(element, about, aliases),
    )
    caption = next((each.value for each in descriptions if each.role in _CAPTIONS), "")
    return Metadata(story, headline, caption, words_at(about, "dateline"))


def _pub_status(meta: Any) -> PubStatus | None:
    """The status. An `embargoed` without a time withholds (it is a DateTimeOrNull: empty means an unknown end)."""
    status = _STATUS.get(_code(child(meta, "pubStatus")))
    embargo = child(meta, "embargoed")
    if embargo is not None and status != "canceled" and timestamp(words_in(embargo)) is None:
        return "withheld"
    return status


def linked_stories(element: Any) -> tuple[Story, ...]:
    """The items that an item links to, with their relation: pictures, earlier versions, sources."""
    stories: dict[str, Story] = {}
    for number, link in enumerate(child_elements(child(element, "itemMeta"), "link"), 1):
        href = web_address(attribute(link, "href")) if attribute(link, "href") else None
        uri = uri_or_none(attribute(link, "residref")) or uri_or_none(attribute(link, "guidref")) or href
        if uri is None or uri in stories or uri == attribute(element, "guid"):  # its own earlier version
            continue
        title = words_at(link, "title")
        kind = _TYPES.get(_code(child(link, "itemClass"))) if child(link, "itemClass") is not None else None
        stories[uri] = Story(
            uri,
            type=kind,
            version=attribute(link, "version") or None,
            headlines=(Text(title, "main", "text/plain"),) if title else (),
            renditions=(Rendition("original", href, attribute(link, "contenttype") or None),)
            if href and kind
            else (),
            name=f"{kind or 'link'}-{number}",
            rel=_relation(link),
        )
    return tuple(stories.values())


def _relation(link: Any) -> str | None:
    """The code of a link's relation, by QCode or URI."""
    code = attribute(link, "rel").rpartition(":")[2] or attribute(link, "reluri").rstrip("/")
    return re.split("[/#]", code)[-1] or None


def _aliases(element: Any) -> dict[str, str]:
    """The schemes that the document's own catalogs declare (chapter "QCodes and catalogs")."""
    root = element.getroottree().getroot()
    return {
        attribute(scheme, "alias"): attribute(scheme, "uri")
        for scheme in descendant_elements(root, "scheme")
        if attribute(scheme, "uri")
    }


def _code(element: Any) -> str:
    """The code of a QCode or of a URI, without its scheme."""
    return (
        attribute(element, "qcode").rpartition(":")[2]
        or attribute(element, "uri").rstrip("/").rpartition("/")[2]
    )


def _concept(element: Any, aliases: dict[str, str]) -> tuple[str | None, str | None, str | None]:
    """The name, URI and literal of a concept; a QCode of an unknown catalog is the literal."""
    qcode, declared_uri = attribute(element, "qcode"), uri_or_none(attribute(element, "uri"))
    uri = declared_uri or (resolve_qcode(qcode, aliases) if qcode else None)
    literal = attribute(element, "literal") or (qcode if uri is None else "")
    return _name(element), uri, literal or None


def _name(element: Any) -> str | None:
    """The name in the item's language, else the first."""
    names = list(child_elements(element, "name"))
    wanted = language_of(element).partition("-")[0]
    chosen = next(
        (name for name in names if language_of(name).partition("-")[0] == wanted), names[0] if names else None
    )
    return words_in(chosen) or None


def _joined_names(elements: Iterator[Any]) -> str | None:
    return _join_unique((_name(element) or attribute(element, "literal") for element in elements), ", ")


def _join_unique(texts: Iterator[str], mark: str = "\n") -> str | None:
    return mark.join(dict.fromkeys(words for words in texts if words)) or None


def _block(element: Any) -> str:
    """The words of an element that may hold markup; plain ones keep their lines."""
    return clean_text(read_tree(element).text if len(element) else _unwrapped(element.text or ""))


def _unwrapped(text: str) -> str:
    return "\n".join(" ".join(line.split()) for line in text.split("\n"))


def _headlines(about: Any) -> tuple[str, tuple[Text, ...]]:
    """The main headline (of role main, else the first by rank), and the others with their roles."""
    headlines = [
        (attribute(element, "role").rpartition(":")[2], attribute(element, "rank"), words_in(element))
        for element in child_elements(about, "headline")
    ]
    headlines = sorted(
        (headline for headline in headlines if headline[2]),
        key=lambda headline: (
            headline[0] not in {"", "main", "hldrole"},
            1 if (rank := whole_number(headline[1])) is None else rank,
        ),
    )
    if not headlines:
        return "", ()
    return headlines[0][2], tuple(
        Text(text, role or "subheadline", "text/plain") for role, _, text in headlines[1:]
    )


def _descriptions(about: Any) -> tuple[Text, ...]:
    descriptions = (
        (attribute(element, "role").rpartition(":")[2] or "summary", _description(element))
        for element in child_elements(about, "description")
    )
    return tuple(Text(text, role, "text/plain") for role, text in descriptions if text)


def _description(element: Any) -> str:
    """The words of a description; indented lines were broken only for readers of the XML."""
    if len(element):
        return clean_text(read_tree(element).text)
    return clean_text(re.sub(r"\n[ \t]+", " ", element.text or ""))


def _ed_note(meta: Any) -> str | None:
    """The editors' notes. A marked-up note is left out where there are plain ones, which it gathers."""
    notes = list(child_elements(meta, "edNote"))
    plain = [note for note in notes if len(note) == 0]
    return _join_unique((_block(note) for note in plain or notes), "\n")


def _creators(about: Any) -> str | None:
    """The creators who have a name, and not only the account of an editing system."""
    names = (_name(creator) for creator in child_elements(about, "creator"))
    return _join_unique((name for name in names if name and " " in name), ", ")


def _located(about: Any) -> str | None:
    place = child(about, "located")
    if place is None:
        return None
    return _name(place) or attribute(place, "literal") or attribute(place, "qcode").rpartition(":")[2] or None


def _sources(meta: Any, about: Any) -> tuple[InfoSource, ...]:
    """Who supplied the item: information sources, credit line, provider."""
    sources: dict[str, InfoSource] = {}
    for element in (
        *child_elements(about, "infoSource"),
        *child_elements(about, "creditline"),
        *child_elements(meta, "provider"),
    ):
        name = (
            _name(element)
            or attribute(element, "literal")
            or attribute(element, "qcode").rpartition(":")[2]
            or (words_in(element) if len(element) == 0 else "")
        )
        if name and name not in sources:
            role = {"creditline": "credit", "provider": "provider"}.get(
                element.tag.rpartition("}")[2], attribute(element, "role").rpartition(":")[2]
            )
            sources[name] = InfoSource(name, role or None, uri_or_none(attribute(element, "uri")))
    return tuple(sources.values())


def _genres(meta: Any, about: Any, aliases: dict[str, str]) -> tuple[Named, ...]:
    """The genres, and the signals to the editor ("update", "correction"), which ninjs has no other place for."""
    genres = [Named(*_concept(element, aliases)) for element in child_elements(about, "genre")]
    for element in child_elements(meta, "signal"):
        name, uri, literal = _concept(element, aliases)
        genres.append(Named(name or attribute(element, "qcode").rpartition(":")[2] or None, uri, literal))
    return tuple(element for element in dict.fromkeys(genres) if element != Named())


def _alt_ids(about: Any) -> tuple[AltId, ...]:
    alt_ids = (
        (
            words_in(element) or attribute(element, "id"),
            attribute(element, "type") or attribute(element, "role"),
        )
        for element in child_elements(about, "altId")
    )
    return tuple(AltId(value, role or None) for value, role in alt_ids if value)


def _subjects(element: Any, about: Any, aliases: dict[str, str]) -> dict[str, Any]:
    """The subjects by their kind (scheme ``cpnat``), as properties of a story: people, organisations, places, events, topics."""
    points = _points(element)
    members: dict[str, list[Any]] = {
        "people": [],
        "organisations": [],
        "places": [],
        "events": [],
        "subjects": [],
    }
    for each in child_elements(about, "subject"):
        name, uri, literal = _concept(each, aliases)
        if not (name or uri or literal):
            continue
        kind = attribute(each, "type").rpartition(":")[2] or attribute(each, "typeuri").rpartition("/")[2]
        if kind == "person":
            members["people"].append(Person(name, uri=uri, literal=literal))
        elif kind == "organisation":
            members["organisations"].append(Organisation(name, uri=uri, literal=literal))
        elif kind in _PLACES:
            members["places"].append(
                StoryPlace(name, uri=uri, literal=literal, geo_json=points.get(literal or ""))
            )
        elif kind == "event":
            members["events"].append(NewsEvent(name=name, uri=uri, literal=literal))
        else:
            members["subjects"] += _topics(each, name, uri, literal, aliases)
    members["subjects"] += [
        Subject(word) for each in child_elements(about, "keyword") if (word := words_in(each))
    ]
    return {kind: tuple(dict.fromkeys(concepts)) for kind, concepts in members.items()}


def _topics(
    element: Any, name: str | None, uri: str | None, literal: str | None, aliases: dict[str, str]
) -> list[Subject]:
    """A topic, and the topics of the IPTC that it is the same as (`sameAs`)."""
    topics = [
        Subject(
            name,
            uri=uri,
            literal=literal,
            relevance=_percentage(element, "relevance"),
            confidence=_percentage(element, "confidence"),
        )
    ]
    topics += [
        Subject(_name(same) or name, uri=resolve_qcode(attribute(same, "qcode"), aliases))
        for same in child_elements(element, "sameAs")
        if attribute(same, "qcode").startswith(("medtop:", "subj:"))
    ]
    return topics


def _percentage(element: Any, name: str) -> int | None:
    number = whole_number(attribute(element, name))
    return number if number is not None and 0 <= number <= 100 else None


def _points(element: Any) -> dict[str, Point]:
    """The points of an item's assertions, by the literal or QCode that they are about."""
    points = {}
    for each in child_elements(element, "assert"):
        position = next(descendant_elements(each, "position"), None)
        try:
            latitude, longitude = (
                float(attribute(position, "latitude")),
                float(attribute(position, "longitude")),
            )
        except ValueError:
            continue
        if abs(latitude) <= 90 and abs(longitude) <= 180:
            points[attribute(each, "literal") or attribute(each, "qcode")] = Point((longitude, latitude))
    return points
