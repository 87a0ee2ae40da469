"""dpa's digitalwires JSON (github.com/dpa-newslab/dpa-digitalwires-model): what its NewsML-G2 says, in JSON."""

from __future__ import annotations

from typing import Any, Final

from processors.model.event import RawItem
from processors.model.story import (
    AltId,
    InfoSource,
    ItemType,
    Named,
    PubStatus,
    Rendition,
    Story,
    StoryPlace,
    Subject,
    Text,
)
from processors.normalise.html import read_html, read_html_line
from processors.normalise.json_documents import Json, read_json
from processors.normalise.members import one_text
from processors.normalise.reading import Document, Format, Reading, Readings
from processors.normalise.subjects import resolve_qcode
from processors.normalise.text import clean_line, clean_text, with_dateline
from processors.normalise.values import (
    language_tag,
    publisher_uri,
    timestamp,
    urgency,
    uri_or_none,
    web_address,
    whole_number,
)

_NAME: Final = "digitalwires"
_TYPES: Final[dict[str, ItemType]] = {"article": "text", "composite": "text", "text": "text", "image": "picture", "picture": "picture", "audio": "audio", "video": "video", "graphic": "graphic"}  # fmt: skip
_STATUS: Final[dict[str, PubStatus]] = {"usable": "usable", "withheld": "withheld", "canceled": "canceled"}
_TOPICS: Final = frozenset({"dnltype:dpasubject", "dnltype:keyword", "dnltype:desk", "dnltype:subject"})


def is_item(value: object) -> bool:
    """Whether a JSON value is an entry of digitalwires."""
    return isinstance(value, dict) and str(value.get("format", "")).startswith(_NAME) and "urn" in value


def read_entry(entry: Json, document: Document) -> Readings:
    """The reading of one entry."""
    return [_reading(entry, document.item)]


def _reading(entry: Json, item: RawItem) -> Reading:
    urn, headline = _word(entry, "urn"), _word(entry, "headline")
    own_file = _own_file(entry)
    categories = [category for category in _list(entry, "categories") if isinstance(category, dict)]
    version = entry.get("version")
    story = Story(
        uri=publisher_uri(urn, "guid", item) if urn else "",
        type=_TYPES.get(_word(own_file, "type") or _word(entry, "type"), "text"),
        version=str(version) if isinstance(version, int | str) else None,
        version_created=timestamp(entry.get("version_created"), item.timezone),
        content_created=timestamp(entry.get("content_created"), item.timezone),
        embargoed_until=timestamp(entry.get("embargoed"), item.timezone),
        pub_status=_STATUS.get(_word(entry, "pubstatus").lower()),
        urgency=urgency(entry.get("urgency")),
        copyright_notice=_word(entry, "copyrightnotice") or None,
        usage_terms=_word(entry, "usageterms") or None,
        ed_note=_ed_note(entry),
        language=language_tag(entry.get("language")),
        headlines=(*one_text(entry.get("subhead"), "subheadline"), *one_text(entry.get("kicker"), "kicker")),
        descriptions=_descriptions(entry),
        by=clean_line(_word(entry, "byline")) or None,
        info_sources=(InfoSource(_word(entry, "creditline"), "credit"),)
        if _word(entry, "creditline")
        else (),
        alt_ids=(*((AltId(urn, "guid"),) if urn else ()), *_entry_id(entry)),
        subjects=_subjects(categories),
        places=_places(categories),
        genres=_genres(entry, categories),
        renditions=_renditions(own_file),
        associations=() if own_file else _associations(entry, item),
    )
    return Reading(_NAME, story, read_html_line(headline), _text(entry), markup=_word(entry, "article_html"))


def _own_file(entry: Json) -> Json:
    """The association that is the entry itself: its picture or recording. Empty for articles."""
    if _word(entry, "article_html"):
        return {}
    associations = (
        association for association in _list(entry, "associations") if isinstance(association, dict)
    )
    return next(
        (association for association in associations if _word(association, "urn") == _word(entry, "urn")), {}
    )


def _text(entry: Json) -> str:
    """The article with its dateline, then its box of facts; the teaser where there is no article."""
    parts = [read_html(_word(entry, name)).text for name in ("article_html", "infobox_html")]
    text = with_dateline("\n\n".join(part for part in parts if part), clean_line(_word(entry, "dateline")))
    return text or _word(entry, "teaser") or next((text.value for text in _descriptions(entry)), "")


def _ed_note(entry: Json) -> str | None:
    """The notes for editors that are not contacts."""
    notes = [_word(each, "ednote") for each in _list(entry, "ednotes") if isinstance(each, dict)]
    return "\n".join(dict.fromkeys(note for note in notes if note)) or None


def _descriptions(entry: Json) -> tuple[Text, ...]:
    texts = list(one_text(entry.get("teaser"), "teaser"))
    for description in _list(entry, "descriptions"):
        if isinstance(description, dict):
            words = clean_text(
                read_html(
                    _word(description, "text")
                    or _word(description, "value")
                    or _word(description, "description")
                ).text
            )
            if words:
                texts.append(
                    Text(words, _word(description, "role").rpartition(":")[2] or "caption", "text/plain")
                )
    return tuple(texts)


def _entry_id(entry: Json) -> tuple[AltId, ...]:
    return (AltId(_word(entry, "entry_id"), "entry-id"),) if _word(entry, "entry_id") else ()


def _concept(category: Json) -> tuple[str | None, str | None, str | None]:
    """The name, URI and literal of a category."""
    code = _word(category, "qcode")
    uri = resolve_qcode(code) if code else None
    return _word(category, "name") or None, uri, code if code and uri is None else None


def _subjects(categories: list[Json]) -> tuple[Subject, ...]:
    concepts = [_concept(category) for category in categories if _word(category, "type") in _TOPICS]
    return tuple(dict.fromkeys(Subject(name, uri=uri, literal=literal) for name, uri, literal in concepts))


def _places(categories: list[Json]) -> tuple[StoryPlace, ...]:
    concepts = [
        _concept(category)
        for category in categories
        if _word(category, "type") in {"dnltype:geosubject", "dnltype:poi"}
    ]
    return tuple(dict.fromkeys(StoryPlace(name, uri=uri, literal=literal) for name, uri, literal in concepts))


def _genres(entry: Json, categories: list[Json]) -> tuple[Named, ...]:
    concepts = [_concept(concept) for concept in categories if _word(concept, "type") == "dnltype:genre"]
    if signal := _word(entry, "signal"):
        concepts.append((signal.rpartition(":")[2], resolve_qcode(signal), None))
    return tuple(dict.fromkeys(Named(*concept) for concept in concepts))


def _renditions(entry: Json) -> tuple[Rendition, ...]:
    renditions = []
    for number, rendition in enumerate(_list(entry, "renditions"), 1):
        address = (
            web_address(_word(rendition, "url"))
            if isinstance(rendition, dict) and _word(rendition, "url")
            else None
        )
        if address:
            renditions.append(
                Rendition(
                    f"rendition-{number}",
                    address,
                    _word(rendition, "mimetype") or None,
                    width=whole_number(rendition.get("width")),
                    height=whole_number(rendition.get("height")),
                )
            )
    return tuple(renditions)


def _associations(entry: Json, item: RawItem) -> tuple[Story, ...]:
    """The pictures and recordings beside an entry."""
    stories: dict[str, Story] = {}
    for association in _list(entry, "associations"):
        if not isinstance(association, dict):
            continue
        urn = _word(association, "urn")
        uri = (
            (uri_or_none(urn) or publisher_uri(urn, "guid", item))
            if urn
            else next((rendition.href for rendition in _renditions(association) if rendition.href), None)
        )
        if uri and uri not in stories:
            kind = _TYPES.get(_word(association, "type"), "component")
            stories[uri] = Story(
                uri,
                type=kind,
                headlines=one_text(association.get("headline"), "main"),
                descriptions=tuple(
                    Text(text, "caption", "text/plain")
                    for text in [clean_text(_word(association, "caption"))]
                    if text
                ),
                by=_word(association, "creator") or None,
                renditions=_renditions(association),
                name=f"{kind}-{len(stories) + 1}",
            )
    return tuple(stories.values())


def _word(mapping: Json, name: str) -> str:
    value = mapping.get(name)
    return value.strip() if isinstance(value, str) else ""


def _list(mapping: Json, name: str) -> list[Any]:
    value = mapping.get(name)
    return value if isinstance(value, list) else []


FORMAT: Final = Format(name=_NAME, read=read_json, is_json=is_item, read_json=read_entry)
