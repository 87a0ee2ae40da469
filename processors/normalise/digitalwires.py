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
from processors.normalise.html import readable, readable_line
from processors.normalise.json_documents import read_json
from processors.normalise.members import one_text
from processors.normalise.reading import Document, Format, Reading, Readings
from processors.normalise.subjects import resolved
from processors.normalise.text import clean, clean_line, with_dateline
from processors.normalise.values import (
    language_tag,
    publisher_uri,
    timestamp,
    urgency,
    uri_or_none,
    web_address,
    whole_number,
)

Json = dict[str, Any]
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
    sent, headline = _word(entry, "urn"), _word(entry, "headline")
    itself = _itself(entry)
    categories = [each for each in _list(entry, "categories") if isinstance(each, dict)]
    version = entry.get("version")
    story = Story(
        uri=publisher_uri(sent, "guid", item) if sent else "",
        type=_TYPES.get(_word(itself, "type") or _word(entry, "type"), "text"),
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
        alt_ids=(*((AltId(sent, "guid"),) if sent else ()), *_entry_id(entry)),
        subjects=_subjects(categories),
        places=_places(categories),
        genres=_genres(entry, categories),
        renditions=_renditions(itself),
        associations=() if itself else _associations(entry, item),
    )
    return Reading(_NAME, story, readable_line(headline), _text(entry), markup=_word(entry, "article_html"))


def _itself(entry: Json) -> Json:
    """The file that an entry without an article is: a picture or a recording; empty for articles."""
    if _word(entry, "article_html"):
        return {}
    found = (each for each in _list(entry, "associations") if isinstance(each, dict))
    return next((each for each in found if _word(each, "urn") == _word(entry, "urn")), {})


def _text(entry: Json) -> str:
    """Article with its dateline, then its box of facts; the teaser where there is no article."""
    parts = [readable(_word(entry, name)).text for name in ("article_html", "infobox_html")]
    text = with_dateline("\n\n".join(part for part in parts if part), clean_line(_word(entry, "dateline")))
    return text or _word(entry, "teaser") or next((text.value for text in _descriptions(entry)), "")


def _ed_note(entry: Json) -> str | None:
    """The notes for editors that are not contacts."""
    notes = [_word(each, "ednote") for each in _list(entry, "ednotes") if isinstance(each, dict)]
    return "\n".join(dict.fromkeys(note for note in notes if note)) or None


def _descriptions(entry: Json) -> tuple[Text, ...]:
    found = list(one_text(entry.get("teaser"), "teaser"))
    for each in _list(entry, "descriptions"):
        if isinstance(each, dict):
            words = clean(
                readable(_word(each, "text") or _word(each, "value") or _word(each, "description")).text
            )
            if words:
                found.append(Text(words, _word(each, "role").rpartition(":")[2] or "caption", "text/plain"))
    return tuple(found)


def _entry_id(entry: Json) -> tuple[AltId, ...]:
    return (AltId(_word(entry, "entry_id"), "entry-id"),) if _word(entry, "entry_id") else ()


def _concept(category: Json) -> tuple[str | None, str | None, str | None]:
    """Name, URI, literal."""
    code = _word(category, "qcode")
    uri = resolved(code) if code else None
    return _word(category, "name") or None, uri, code if code and uri is None else None


def _subjects(categories: list[Json]) -> tuple[Subject, ...]:
    found = [_concept(each) for each in categories if _word(each, "type") in _TOPICS]
    return tuple(dict.fromkeys(Subject(name, uri=uri, literal=literal) for name, uri, literal in found))


def _places(categories: list[Json]) -> tuple[StoryPlace, ...]:
    found = [
        _concept(each) for each in categories if _word(each, "type") in {"dnltype:geosubject", "dnltype:poi"}
    ]
    return tuple(dict.fromkeys(StoryPlace(name, uri=uri, literal=literal) for name, uri, literal in found))


def _genres(entry: Json, categories: list[Json]) -> tuple[Named, ...]:
    found = [_concept(each) for each in categories if _word(each, "type") == "dnltype:genre"]
    if signal := _word(entry, "signal"):
        found.append((signal.rpartition(":")[2], resolved(signal), None))
    return tuple(dict.fromkeys(Named(*each) for each in found))


def _renditions(entry: Json) -> tuple[Rendition, ...]:
    found = []
    for number, each in enumerate(_list(entry, "renditions"), 1):
        address = web_address(_word(each, "url")) if isinstance(each, dict) and _word(each, "url") else None
        if address:
            found.append(
                Rendition(
                    f"rendition-{number}",
                    address,
                    _word(each, "mimetype") or None,
                    width=whole_number(each.get("width")),
                    height=whole_number(each.get("height")),
                )
            )
    return tuple(found)


def _associations(entry: Json, item: RawItem) -> tuple[Story, ...]:
    """Pictures and recordings of the entry."""
    found: dict[str, Story] = {}
    for each in _list(entry, "associations"):
        if not isinstance(each, dict):
            continue
        sent = _word(each, "urn")
        uri = (
            (uri_or_none(sent) or publisher_uri(sent, "guid", item))
            if sent
            else next((one.href for one in _renditions(each) if one.href), None)
        )
        if uri and uri not in found:
            kind = _TYPES.get(_word(each, "type"), "component")
            found[uri] = Story(
                uri,
                type=kind,
                headlines=one_text(each.get("headline"), "main"),
                descriptions=tuple(
                    Text(text, "caption", "text/plain") for text in [clean(_word(each, "caption"))] if text
                ),
                by=_word(each, "creator") or None,
                renditions=_renditions(each),
                name=f"{kind}-{len(found) + 1}",
            )
    return tuple(found.values())


def _word(one: Json, name: str) -> str:
    value = one.get(name)
    return value.strip() if isinstance(value, str) else ""


def _list(one: Json, name: str) -> list[Any]:
    value = one.get(name)
    return value if isinstance(value, list) else []


FORMAT: Final = Format(name=_NAME, read=read_json, is_json=is_item, read_json=read_entry)
