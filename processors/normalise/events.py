"""From a reading to an event: what all formats share (clean text, identity, language, layout, signals)."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from msgspec.structs import replace

from config.settings import Normalise
from processors.errors import MissingContent
from processors.layout import lay_out
from processors.layout.printed import match_dateline
from processors.model.event import Damage, Event, Language, OffsetText, Provenance, RawItem, Segment
from processors.model.story import AltId, InfoSource, PubStatus, Standard, Story, Text
from processors.normalise.formats import FEED_NAMES
from processors.normalise.html import sanitise_story
from processors.normalise.language import identify_language
from processors.normalise.reading import Reading, Readings
from processors.normalise.subjects import with_media_topics
from processors.normalise.text import clean_line, clean_text, repair_mojibake, without_byline_word
from processors.normalise.values import language_tag, source_of, uri_or_none
from processors.signals import Signals, read_signals, source_names
from processors.sources import content_hash, made_uri, short_uri, source_of_item

_STANDARD: Final = Standard()
# Headline, slug line, byline and notes stand above the copy. A shorter head can end before the copy begins, and then the
# whole text is laid out as well; a longer one takes time on every dispatch.
_HEAD_CHARS: Final = 900
# Formats whose alerts are sent before there is a headline. An alert is one sentence; a higher figure takes the lead of a
# brief for a headline, a lower one leaves alerts of long names without one.
_ALERT_FORMATS: Final = frozenset({"nitf", "newsml-1", "newsml-g2"})
_WIRES: Final = frozenset(
    {"anpa-1312", "iptc-7901"}
)  # whose briefs have none either, and are told apart by their priority
MAX_ALERT_CHARS: Final = 240
MAX_ALERT_PARAGRAPHS: Final = 2  # an urgent has a second one; with more, the first is the lead of a story
MAX_URGENT_URGENCY: Final = 3  # of flashes, bulletins and urgents, whatever their length
_COPY: Final = frozenset({"dateline", "paragraph"})
_PROSE: Final = frozenset(
    {"paragraph", "headline", "subhead", "list"}
)  # what an alert's sentence may be taken for
_REPLACEMENT: Final = "\ufffd"  # stands where bytes were no character
_REPLACED: Final = re.compile(f"{_REPLACEMENT}+")
# How a sentence or a salutation ends, and no headline. A headline may end in a question or an exclamation.
_ENDS_SENTENCE: Final = re.compile(r"[.,:;。…][\"'”’»)]*\Z")
# A run is looked at from its first mark only: from each, a headline of nothing but marks takes the square of its length.
_HEADLINE_MARKS: Final = re.compile(r"\A[\s^]++(?:[\s^=]++\Z)?|(?<![\s^=])[\s^=]++\Z")


def event_of(reading: Reading, item: RawItem, settings: Normalise, *, single: bool) -> Event:
    """The event of a reading.

    Args:
        reading: One story of the item.
        item: The raw item, whose envelope gives what the story lacks.
        settings: Those of the step.
        single: Whether the raw item holds no other story, so that its uri and version are this story's.

    Raises:
        MissingContent: the reading has neither title nor text, and cancels nothing.
    """
    text, damage = _text_and_damage(reading)
    headline = repair_mojibake(clean_line(reading.headline))[0]
    story = reading.story
    if (
        not headline
        and not text
        and story.pub_status != "canceled"
        and not story.associations
        and not story.renditions
    ):
        raise MissingContent("an item with neither title nor text; ask the publisher what it is")
    story = with_identity(reading, item, text, single)
    language = identify_language(text or headline, story.language or item.language, settings.languages)
    if reading.laid_out and story.title and text and "\n" not in text.strip():
        headline = headline or clean_line(story.title)  # one paragraph is copy: its headline is the subject
    if text and (reading.laid_out or not headline):
        story, headline = with_layout(story, text, headline, language.tag)
        if reading.laid_out and story.title and (not headline or _ENDS_SENTENCE.search(headline)):
            headline = clean_line(story.title)  # the first paragraph is copy as well
    is_urgent = story.urgency is not None and story.urgency <= MAX_URGENT_URGENCY
    if not headline and (reading.format in _ALERT_FORMATS or (is_urgent and reading.format in _WIRES)):
        headline = read_alert(text, story.slugline or "", is_urgent=is_urgent)
    damage = (*damage, *_lost_characters(headline, "headline"))
    keeps_markup = reading.markup and (settings.feed_markup or reading.format not in FEED_NAMES)
    markup = reading.markup if keeps_markup and "<" in reading.markup else ""
    story = sanitise_story(_completed(story, item, language, headline, text, markup))
    return Event(
        story=story,
        headline=headline,
        text=text,
        language=language,
        damage=damage or None,
        provenance=Provenance(
            item.received,
            reading.format,
            item.feed,
            item.url,
            item.input,
            backfill=item.backfill,
            rerun=item.rerun,
            source=source_of_item(item, reading.publisher or _first_source(reading.story), story.uri),
        ),
    )


def read_alert(text: str, slugline: str = "", *, is_urgent: bool = False) -> str:
    """The sentence of an alert, without its dateline, which stands for the headline that nobody has written yet.

    Empty for a longer text, which has a lead and no headline.
    """
    segments = lay_out(_beginning(text) if len(text) > _HEAD_CHARS else text, slugline=slugline)
    prose = [part for part in segments if part.kind in _PROSE]
    if not prose or (len(prose) > MAX_ALERT_PARAGRAPHS and not is_urgent):
        return ""
    start, end = prose[0].start, prose[0].end
    dateline = match_dateline(text, start, end)
    words = clean_line(text[dateline.end if dateline else start : end]).strip("^<= ")
    return words.removesuffix(".") if len(words) <= MAX_ALERT_CHARS else ""


def _first_source(story: Story) -> str:
    """The name or uri of the first source that a story names."""
    return next((source.name or source.uri or "" for source in story.info_sources), "")


def _text_and_damage(reading: Reading) -> tuple[str, tuple[Damage, ...]]:
    """The clean text with its mojibake repaired, and where it was damaged."""
    text, spans = repair_mojibake(reading.text if reading.is_clean else clean_text(reading.text))
    if not spans and not reading.damage and _REPLACEMENT not in text:
        return text, ()
    if spans and text != (cleaned := clean_text(text)):  # repaired words may need cleaning again
        text, spans = cleaned, ((0, 0),)
    damage = [Damage(start, end, "mojibake") for start, end in spans]
    damage += _lost_characters(text)
    damage += [Damage(len(text), len(text), kind) for kind in reading.damage]
    return text, tuple(damage)


def _lost_characters(words: str, inside: OffsetText = "text") -> list[Damage]:
    """Where bytes were no character: at the end the words were cut in the middle of one."""
    return [
        Damage(match.start(), match.end(), "truncated" if match.end() == len(words) else "mojibake", inside)
        for match in (_REPLACED.finditer(words) if _REPLACEMENT in words else ())
    ]


def _completed(
    story: Story, item: RawItem, language: Language, headline: str, text: str, markup: str
) -> Story:
    """The story with its main headline and bodies. Signals in the words fill in what the metadata leave out."""
    signals = read_signals(
        headline=headline,
        slugline=story.slugline or "",
        ed_note=story.ed_note or "",
        text=text,
        language=language.tag,
        reference=story.version_created or story.first_created or item.received,
        sources=source_names(story) or tuple(filter(None, (item.source,))),
    )
    properties: dict[str, Any] = {"standard": _STANDARD, "type": story.type or "text"}
    if story.subjects:
        properties["subjects"] = with_media_topics(story.subjects)
    if headline:
        properties["headlines"] = (Text(headline, "main", "text/plain"), *story.headlines)
    bodies = (Text(text, "main", "text/plain"),) if text else ()
    if markup:
        bodies = (*bodies, Text(markup, "main", "text/html"))
    if bodies:
        properties["bodies"] = (*bodies, *story.bodies)
    if language.tag != "und":
        properties["language"] = language.tag
    elif declared := language_tag(story.language or item.language):
        properties["language"] = declared
    if story.urgency is None and signals.urgency:
        properties["urgency"] = signals.urgency
    if story.embargoed_until is None and signals.embargoed_until:
        properties["embargoed_until"] = signals.embargoed_until
    if item.source and not story.info_sources:
        properties["info_sources"] = (InfoSource(item.source),)
    until = story.embargoed_until or signals.embargoed_until
    properties["pub_status"] = _status(story.pub_status, signals, until, item.received)
    return replace(story, **properties)


def _status(declared: PubStatus | None, signals: Signals, until: str | None, received: str) -> PubStatus:
    """The status of a story: `declared` is the publisher's, `until` the end of an embargo.

    Canceled stays; an embargo that has not passed withholds; then the declared status counts, else the words.
    """
    if declared == "canceled":
        return declared
    if until is not None:
        if _moment(until) > _moment(received):
            return "withheld"
        return "usable"
    if declared is not None:
        return declared
    if signals.relation == "kill":
        return "canceled"
    return "withheld" if signals.embargoed else "usable"


def _moment(timestamp: str) -> datetime:
    moment = datetime.fromisoformat(timestamp)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def with_identity(reading: Reading, item: RawItem, text: str, single: bool) -> Story:
    """The story with its URI and version: those of a poller for the only story of an item, a hash where there are none."""
    story = reading.story
    if single and item.uri and (uri := uri_or_none(item.uri) or made_uri("uri", source_of(item), item.uri)):
        alt_ids = story.alt_ids
        if story.uri and story.uri != uri and all(alt_id.value != story.uri for alt_id in alt_ids):
            alt_ids = (*alt_ids, AltId(story.uri, "uri"))
        story = replace(story, uri=uri, alt_ids=alt_ids)
    if single and item.version:
        story = replace(story, version=item.version)
    if not story.uri:
        scheme = "dispatch" if reading.laid_out else "content"
        story = replace(story, uri=made_uri(scheme, source_of(item), content_hash(reading.headline, text)))
    if (uri := short_uri(story.uri)) != story.uri:
        story = replace(story, uri=uri, alt_ids=(*story.alt_ids, AltId(story.uri, "uri")))
    return story


def without_shared_uris(readings: Readings) -> Readings:
    """The readings of a feed, without the uris that several entries have which say different things.

    A guid that names every entry names none: such an entry is known by its own link, else by its words. Entries of Atom
    with one id and different times are versions of one (RFC 4287, section 4.1.1), unless all entries have that id.
    """
    entries = [
        reading for reading in readings if isinstance(reading, Reading) and reading.format in FEED_NAMES
    ]
    uris = Counter(reading.story.uri for reading in entries)
    if len(uris) == len(entries):
        return readings
    shared = {
        uri
        for uri, count in uris.items()
        if uri
        and count > 1
        and not _are_one([entry for entry in entries if entry.story.uri == uri], len(entries))
    }
    links = Counter(link for reading in entries for link in {_link(reading.story)})
    return [
        _without_uri(reading, links)
        if isinstance(reading, Reading) and reading.format in FEED_NAMES and reading.story.uri in shared
        else reading
        for reading in readings
    ]


def _are_one(entries: Sequence[Reading], count: int) -> bool:
    """Whether the entries that share a uri, of so many, are one entry: the same words, or versions of it."""
    if len({(entry.headline, entry.text) for entry in entries}) == 1:
        return True
    times = {entry.story.version_created for entry in entries} - {None}
    return entries[0].format == "atom" and len(times) == len(entries) < count


def _link(story: Story) -> str:
    return next((other.value for other in story.alt_ids if other.role == "link"), "")


def _without_uri(reading: Reading, links: Mapping[str, int]) -> Reading:
    link = _link(reading.story)
    uri = link if link and links[link] == 1 and link != reading.story.uri else ""
    return dataclasses.replace(reading, story=replace(reading.story, uri=uri))


def with_layout(story: Story, text: str, headline: str, language: str) -> tuple[Story, str]:
    """The story and its headline. The layout of the text fills in what the metadata leave out."""
    segments = _head(text, language, headline, story.slugline or "")
    if not headline:
        headline = _HEADLINE_MARKS.sub("", clean_line(" ".join(_words(text, segments, "headline")[:1])))
    properties: dict[str, Any] = {}
    if story.slugline is None and (slugs := _words(text, segments, "slug")):
        properties["slugline"] = clean_line(slugs[0])
    if story.by is None and (bylines := _words(text, segments, "byline")):
        properties["by"] = without_byline_word(clean_line(bylines[0]))
    if story.ed_note is None and (notes := _words(text, segments, "note")):
        properties["ed_note"] = "\n".join(clean_line(note) for note in notes)
    return (replace(story, **properties) if properties else story), headline


def _head(text: str, language: str, headline: str, slugline: str) -> tuple[Segment, ...]:
    """The segments of a dispatch's beginning, or of the whole where its copy begins later."""
    if len(text) > _HEAD_CHARS:
        segments = lay_out(_beginning(text), language, headline, slugline)
        if any(part.kind in _COPY for part in segments):
            return segments
    return lay_out(text, language, headline, slugline)


def _beginning(text: str) -> str:
    """The first `_HEAD_CHARS` and what follows up to the end of a paragraph, else of a line or sentence."""
    for mark in ("\n\n", "\n", ". "):
        if (end := text.find(mark, _HEAD_CHARS, 2 * _HEAD_CHARS)) >= 0:
            return text[: end + 1].rstrip()
    return text[: 2 * _HEAD_CHARS]


def _words(text: str, segments: tuple[Segment, ...], kind: str) -> list[str]:
    return [text[part.start : part.end] for part in segments if part.kind == kind and part.inside == "text"]
