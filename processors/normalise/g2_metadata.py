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
from processors.normalise.html import of_tree
from processors.normalise.subjects import resolved
from processors.normalise.text import clean
from processors.normalise.values import (
    language_tag,
    timestamp,
    urgency,
    uri_or_none,
    web_address,
    whole_number,
)
from processors.normalise.xml import child, children, descendants, language_of, said, words, words_of

_TYPES: Final[dict[str, ItemType]] = {
    "text": "text", "picture": "picture", "graphic": "graphic", "video": "video", "audio": "audio", "composite": "composite",
    "component": "component", "animated": "video", "animation": "video",
}  # fmt: skip
_STATUS: Final[dict[str, PubStatus]] = {
    "usable": "usable",
    "withheld": "withheld",
    "canceled": "canceled",
    "cancelled": "canceled",
}
_PLACES: Final = frozenset({"geoArea", "poi", "geo"})
_CAPTIONS: Final = frozenset({"caption", "summary", "abstract", "teaser", "short", ""})


@dataclass(frozen=True, slots=True)
class Metadata:
    """What stands beside the content; the headline and caption are not in the story."""

    story: Story
    headline: str = ""
    caption: str = ""
    dateline: str = ""


def read(element: Any, item: RawItem) -> Metadata:
    """The metadata of a news item (NewsML-G2 Specification, chapters "Item Metadata" and "Content Metadata")."""
    meta, about, rights = (
        child(element, "itemMeta"),
        child(element, "contentMeta"),
        list(children(element, "rightsInfo")),
    )
    aliases = _aliases(element)
    headline, headlines = _headlines(about)
    descriptions = _descriptions(about)
    zone = item.timezone
    story = Story(
        uri="",
        type=_TYPES.get(_code(child(meta, "itemClass")), "text"),
        profile=words_of(meta, "profile") or None,
        first_created=timestamp(words_of(meta, "firstCreated"), zone),
        version_created=timestamp(words_of(meta, "versionCreated"), zone),
        content_created=timestamp(words_of(about, "contentCreated"), zone),
        embargoed_until=timestamp(words_of(meta, "embargoed"), zone),
        expires=timestamp(words_of(meta, "expires") or words_of(about, "expires"), zone),
        pub_status=_STATUS.get(_code(child(meta, "pubStatus"))),
        urgency=urgency(words_of(about, "urgency")),
        copyright_holder=_names(each for one in rights for each in children(one, "copyrightHolder")),
        copyright_notice=_joined(words(each) for one in rights for each in children(one, "copyrightNotice")),
        usage_terms=_joined(_block(each) for one in rights for each in children(one, "usageTerms")),
        ed_note=_ed_note(meta),
        language=language_tag(said(child(about, "language"), "tag")),
        headlines=headlines,
        descriptions=descriptions,
        title=words_of(meta, "title") or None,
        by=_joined((words(each) for each in children(about, "by")), ", ") or _creators(about),
        slugline=words_of(about, "slugline") or None,
        located=_located(about),
        info_sources=_sources(meta, about),
        alt_ids=_alt_ids(about),
        genres=_genres(meta, about, aliases),
        **_subjects(element, about, aliases),
    )
    caption = next((each.value for each in descriptions if each.role in _CAPTIONS), "")
    return Metadata(story, headline, caption, words_of(about, "dateline"))


def linked(element: Any) -> tuple[Story, ...]:
    """Items that the item links to, with their relation: pictures, earlier versions, sources."""
    found: dict[str, Story] = {}
    for number, link in enumerate(children(child(element, "itemMeta"), "link"), 1):
        href = web_address(said(link, "href")) if said(link, "href") else None
        uri = uri_or_none(said(link, "residref")) or uri_or_none(said(link, "guidref")) or href
        if uri is None or uri in found or uri == said(element, "guid"):  # its own earlier version
            continue
        title = words_of(link, "title")
        kind = _TYPES.get(_code(child(link, "itemClass"))) if child(link, "itemClass") is not None else None
        found[uri] = Story(
            uri,
            type=kind,
            version=said(link, "version") or None,
            headlines=(Text(title, "main", "text/plain"),) if title else (),
            renditions=(Rendition("original", href, said(link, "contenttype") or None),)
            if href and kind
            else (),
            name=f"{kind or 'link'}-{number}",
            rel=said(link, "rel").rpartition(":")[2] or None,
        )
    return tuple(found.values())


def _aliases(element: Any) -> dict[str, str]:
    """The schemes that the document's own catalogs declare (chapter "QCodes and catalogs")."""
    root = element.getroottree().getroot()
    return {
        said(each, "alias"): said(each, "uri") for each in descendants(root, "scheme") if said(each, "uri")
    }


def _code(element: Any) -> str:
    """The code of a QCode or of a URI, without its scheme."""
    return said(element, "qcode").rpartition(":")[2] or said(element, "uri").rstrip("/").rpartition("/")[2]


def _concept(element: Any, aliases: dict[str, str]) -> tuple[str | None, str | None, str | None]:
    """Name, URI and literal: a QCode of no known catalog stays as it is."""
    qcode, told = said(element, "qcode"), uri_or_none(said(element, "uri"))
    uri = told or (resolved(qcode, aliases) if qcode else None)
    literal = said(element, "literal") or (qcode if uri is None else "")
    return _name(element), uri, literal or None


def _name(element: Any) -> str | None:
    """The name in the item's language, else the first."""
    names = list(children(element, "name"))
    wanted = language_of(element).partition("-")[0]
    chosen = next(
        (each for each in names if language_of(each).partition("-")[0] == wanted), names[0] if names else None
    )
    return words(chosen) or None


def _names(elements: Iterator[Any]) -> str | None:
    return _joined((_name(each) or said(each, "literal") for each in elements), ", ")


def _joined(found: Iterator[str], mark: str = "\n") -> str | None:
    return mark.join(dict.fromkeys(each for each in found if each)) or None


def _block(element: Any) -> str:
    """Words that may be marked up; plain ones keep their lines."""
    return clean(of_tree(element).text if len(element) else _unwrapped(element.text or ""))


def _unwrapped(text: str) -> str:
    return "\n".join(" ".join(line.split()) for line in text.split("\n"))


def _headlines(about: Any) -> tuple[str, tuple[Text, ...]]:
    """The main headline: of role main, or the first by rank; the others with their role."""
    found = [
        (said(each, "role").rpartition(":")[2], said(each, "rank"), words(each))
        for each in children(about, "headline")
    ]
    found = sorted(
        (one for one in found if one[2]),
        key=lambda one: (
            one[0] not in {"", "main", "hldrole"},
            1 if (rank := whole_number(one[1])) is None else rank,
        ),
    )
    if not found:
        return "", ()
    return found[0][2], tuple(Text(text, role or "subheadline", "text/plain") for role, _, text in found[1:])


def _descriptions(about: Any) -> tuple[Text, ...]:
    found = (
        (said(each, "role").rpartition(":")[2] or "summary", _description(each))
        for each in children(about, "description")
    )
    return tuple(Text(text, role, "text/plain") for role, text in found if text)


def _description(element: Any) -> str:
    """A description; lines that are indented were broken for the reader of the XML only."""
    if len(element):
        return clean(of_tree(element).text)
    return clean(re.sub(r"\n[ \t]+", " ", element.text or ""))


def _ed_note(meta: Any) -> str | None:
    """The editors' notes; a marked-up one that only gathers the plain ones is left out."""
    notes = list(children(meta, "edNote"))
    plain = [each for each in notes if len(each) == 0]
    return _joined((_block(each) for each in plain or notes), "\n")


def _creators(about: Any) -> str | None:
    """The creators who have a name, and not only the account of an editing system."""
    names = (_name(each) for each in children(about, "creator"))
    return _joined((name for name in names if name and " " in name), ", ")


def _located(about: Any) -> str | None:
    place = child(about, "located")
    if place is None:
        return None
    return _name(place) or said(place, "literal") or said(place, "qcode").rpartition(":")[2] or None


def _sources(meta: Any, about: Any) -> tuple[InfoSource, ...]:
    """Who supplied it: the information sources, the credit line, the provider."""
    found: dict[str, InfoSource] = {}
    for each in (*children(about, "infoSource"), *children(about, "creditline"), *children(meta, "provider")):
        name = (
            _name(each)
            or said(each, "literal")
            or said(each, "qcode").rpartition(":")[2]
            or (words(each) if len(each) == 0 else "")
        )
        if name and name not in found:
            role = {"creditline": "credit", "provider": "provider"}.get(
                each.tag.rpartition("}")[2], said(each, "role").rpartition(":")[2]
            )
            found[name] = InfoSource(name, role or None, uri_or_none(said(each, "uri")))
    return tuple(found.values())


def _genres(meta: Any, about: Any, aliases: dict[str, str]) -> tuple[Named, ...]:
    """The genres, and the signals to the editor ("update", "correction"), which ninjs has no other place for."""
    found = [Named(*_concept(each, aliases)) for each in children(about, "genre")]
    for each in children(meta, "signal"):
        name, uri, literal = _concept(each, aliases)
        found.append(Named(name or said(each, "qcode").rpartition(":")[2] or None, uri, literal))
    return tuple(each for each in dict.fromkeys(found) if each != Named())


def _alt_ids(about: Any) -> tuple[AltId, ...]:
    found = (
        (words(each) or said(each, "id"), said(each, "type") or said(each, "role"))
        for each in children(about, "altId")
    )
    return tuple(AltId(value, role or None) for value, role in found if value)


def _subjects(element: Any, about: Any, aliases: dict[str, str]) -> dict[str, Any]:
    """Subjects by their kind (scheme ``cpnat``): people, organisations, places, events, and topics."""
    points = _points(element)
    made: dict[str, list[Any]] = {
        "people": [],
        "organisations": [],
        "places": [],
        "events": [],
        "subjects": [],
    }
    for each in children(about, "subject"):
        name, uri, literal = _concept(each, aliases)
        if not (name or uri or literal):
            continue
        kind = said(each, "type").rpartition(":")[2] or said(each, "typeuri").rpartition("/")[2]
        if kind == "person":
            made["people"].append(Person(name, uri=uri, literal=literal))
        elif kind == "organisation":
            made["organisations"].append(Organisation(name, uri=uri, literal=literal))
        elif kind in _PLACES:
            made["places"].append(
                StoryPlace(name, uri=uri, literal=literal, geo_json=points.get(literal or ""))
            )
        elif kind == "event":
            made["events"].append(NewsEvent(name=name, uri=uri, literal=literal))
        else:
            made["subjects"] += _topics(each, name, uri, literal, aliases)
    made["subjects"] += [Subject(word) for each in children(about, "keyword") if (word := words(each))]
    return {kind: tuple(dict.fromkeys(found)) for kind, found in made.items()}


def _topics(
    element: Any, name: str | None, uri: str | None, literal: str | None, aliases: dict[str, str]
) -> list[Subject]:
    """A topic, and the IPTC's topics that it is said to be the same as."""
    found = [
        Subject(
            name,
            uri=uri,
            literal=literal,
            relevance=_percentage(element, "relevance"),
            confidence=_percentage(element, "confidence"),
        )
    ]
    found += [
        Subject(_name(same) or name, uri=resolved(said(same, "qcode"), aliases))
        for same in children(element, "sameAs")
        if said(same, "qcode").startswith(("medtop:", "subj:"))
    ]
    return found


def _percentage(element: Any, name: str) -> int | None:
    number = whole_number(said(element, name))
    return number if number is not None and 0 <= number <= 100 else None


def _points(element: Any) -> dict[str, Point]:
    """The positions that the item's assertions tell, by the literal they are about."""
    found = {}
    for each in children(element, "assert"):
        position = next(descendants(each, "position"), None)
        try:
            latitude, longitude = float(said(position, "latitude")), float(said(position, "longitude"))
        except ValueError:
            continue
        if abs(latitude) <= 90 and abs(longitude) <= 180:
            found[said(each, "literal") or said(each, "qcode")] = Point((longitude, latitude))
    return found
