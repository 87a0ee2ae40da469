"""What is asked of an index and what it answers: values between the indices that find stories and who shows them.

A column of the desk's list is a member of `Hit`, which `make_hit` fills, and its place in the desk's templates.
Timestamps are RFC 3339 strings in UTC that end in ``Z``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from msgspec.structs import replace

from processors.errors import Transient
from processors.model import Model
from processors.model.event import ClusterStanding, Event, Relation
from processors.model.story import PubStatus
from processors.times import to_timestamp
from sinks.rising import Activity, ActivitySpan
from sinks.search_words import EXCERPT_CHARS, SearchTerm, excerpt, first_place, word_spans
from sinks.stories import HiddenReason, is_unreached_kill, lineage, source_name, story_time

Order = Literal["newest", "received", "relevance"]
# Characters of a story's beginning in a list: shorter says too little to choose by, longer shows fewer stories a page.
MAX_LEAD_CHARS: Final = 280
# Characters of a sentence that serves as headline; whole paragraphs would come with longer ones.
MAX_TITLE_CHARS: Final = 200
LEAD_PARAGRAPHS: Final = 4  # that a lead is made of, where the first ones are single lines
# Pages that are counted end here: further ones cost as much as all before them, and nobody reads so far.
MAX_OFFSET: Final = 1000
# Characters of a text in which the words of a query are marked. Words behind are found and not shown; more make a page
# of long documents slow.
MAX_MARKED_CHARS: Final = 20_000
# Characters behind the first word that fits, in which others are looked for: more than the excerpt around it shows.
MAX_SHOWN_CHARS: Final = 4 * EXCERPT_CHARS
_SENTENCE: Final = re.compile(r"(?<=\w{3}[.!?])[\"”»’]?\s|(?<=[。！？])")


@dataclass(frozen=True, slots=True)
class Query:
    """What a reader looks for.

    `words` is what was typed: all words must occur, ``"a phrase"`` as it stands, ``-word`` must not occur, ``word*``
    begins like this. `language` matches its regional variants as well, `topic` is a Media Topic code with what lies
    below it, `entity` a name or alias in any case. `since` and `until` are timestamps. `after` is `Page.after` of the page before.
    Without `duplicates`, repeats are left out unless `relation` asks for them; with `collapse`, only the latest member
    of each chain is shown; with `grouped`, only the latest report of each cluster; with `versions`, replaced versions of stories are found as well. Killed, corrected and still embargoed stories never are.
    """

    words: str = ""
    language: str | None = None
    feed: str | None = None
    relation: Relation | None = None
    entity: str | None = None
    topic: str | None = None
    since: str | None = None
    until: str | None = None
    order: Order = "newest"
    duplicates: bool = False
    collapse: bool = False
    versions: bool = False
    grouped: bool = False
    cluster: str | None = None
    limit: int = 50
    after: str | None = None


class Hit(Model, frozen=True):
    """A story in a list. `snippet` is the part of the text that fits the query, or its beginning.

    `marks` are the places of the query's words in `snippet`, as code points, `headline_marks` those in `headline`.
    `time` is the story's own time, at the latest when it was received; `duplicates` counts repeats of the chain;
    `backfill` marks old news that was sent in later, `unreached` a kill whose story is not known, `superseded` a
    version that a later one of the same uri has replaced. `first_source` is who had the first report of the cluster, in answers
    to searches, where that is another story that may be seen.
    """

    uri: str
    headline: str
    snippet: str
    time: str
    received: str
    chain: str
    relation: Relation
    sequence: int = 1
    version: str | None = None
    language: str | None = None
    feed: str | None = None
    source: str | None = None
    status: PubStatus = "usable"
    urgency: int | None = None
    places: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    duplicates: int = 0
    damaged: bool = False
    backfill: bool = False
    unreached: bool = False
    superseded: bool = False
    cluster: ClusterStanding | None = None
    first_source: str | None = None
    marks: tuple[tuple[int, int], ...] = ()
    headline_marks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """Some hits, and where the next page goes on: None where nothing follows."""

    hits: tuple[Hit, ...]
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What was stored since a cursor, oldest first, and the cursor to go on from."""

    hits: tuple[Hit, ...]
    cursor: str


@dataclass(frozen=True, slots=True)
class StoredStory:
    """One story in its stored version; `hidden` says why search leaves it out, `by` the uri that caused that."""

    event: Event
    hidden: HiddenReason | None = None
    by: str | None = None


class BadCursor(ValueError):
    """A cursor that no answer of this store has given, or that is damaged; the message says so."""

    def __init__(self) -> None:
        """Say what is known of cursors."""
        super().__init__(
            "after is no cursor of this search: give it as an answer's `after` or an event's `id` says, or leave it out"
        )


class SearchTooSlow(Transient):
    """A search that was given up at its deadline, so that others have their turn."""


class Stories(Protocol):
    """A searchable store of stories.

    Every method raises `Transient` where the store does not answer, and `SearchTooSlow` past its deadline; those that take
    a cursor raise `BadCursor` for one that is none of theirs.
    """

    async def latest(self, query: Query) -> Page:
        """The newest stories that pass the query's filters; its words do not matter."""

    async def search(self, query: Query) -> Page:
        """The stories that fit the query's words and filters."""

    async def get(self, uri: str) -> StoredStory | None:
        """One story, killed or not; None where it is unknown or still under embargo."""

    async def withheld(self, uris: Sequence[str]) -> bool:
        """Whether a story of these uris is under embargo."""

    async def events(self, uris: Sequence[str]) -> Sequence[Event]:
        """Several stories in the order asked for, without unknown and embargoed ones."""

    async def versions(self, chain: str) -> Sequence[Hit]:
        """Every member of a chain, repeats and hidden ones as well, in the order of the log."""

    async def cluster(self, cluster: str) -> Sequence[Hit]:
        """The reports of one happening in the order of the log, without hidden ones."""

    async def kept_versions(self, uri: str) -> Sequence[StoredStory]:
        """The versions of a story, the current one first, then the newest; empty where `get` gives none."""

    async def arrivals(self, cursor: str | None, limit: int = 100) -> Arrivals:
        """What came since a cursor; from None, nothing but the cursor of this moment."""

    async def languages(self) -> Sequence[str]:
        """The languages of the stories that are stored, as tags without region."""

    async def activity(self, span: ActivitySpan) -> Activity:
        """The stories of a span by hour, for what is rising."""

    async def faults(self) -> Sequence[str]:
        """What keeps parts of the store from being read or written, a line each."""


def make_hit(event: Event) -> Hit:
    """The hit of an event, with its lead as snippet."""
    place, story, origin = lineage(event), event.story, event.provenance
    return Hit(
        uri=story.uri,
        headline=shown_headline(event),
        snippet=lead_text(event),
        time=to_timestamp(story_time(event)),
        received=origin.received if origin else to_timestamp(0),
        chain=place.story,
        relation=place.relation,
        sequence=place.sequence,
        version=story.version,
        language=event.language.tag if event.language else story.language,
        feed=origin.feed if origin else None,
        source=source_name(event),
        status=story.pub_status or "usable",
        urgency=story.urgency,
        places=tuple(place.name for place in (event.dateline.places if event.dateline else ()) if place.name),
        topics=tuple(topic.name for topic in event.topics or ()),
        damaged=bool(event.damage),
        backfill=bool(origin and origin.backfill),
        unreached=is_unreached_kill(event),
        cluster=event.cluster,
    )


def find_openings(hits: Iterable[Hit]) -> set[str]:
    """The uris of the first reports of happenings that several sources tell of, where the hits are others."""
    return {
        hit.cluster.id
        for hit in hits
        if hit.cluster and hit.cluster.sources > 1 and hit.cluster.id != hit.uri
    }


def name_first_sources(hits: Iterable[Hit], sources: Mapping[str, str | None]) -> tuple[Hit, ...]:
    """The hits with who had the first report of their cluster, by its uri."""
    return tuple(
        replace(hit, first_source=source)
        if hit.cluster and (source := sources.get(hit.cluster.id)) and hit.cluster.id != hit.uri
        else hit
        for hit in hits
    )


def highlight_words(hit: Hit, text: str, wanted: Sequence[SearchTerm]) -> Hit:
    """The hit with the part of its text that fits a query as snippet, and the query's words marked."""
    hit = replace(hit, headline_marks=word_spans(hit.headline, wanted))
    spans = word_spans(hit.snippet, wanted)
    if spans:
        return replace(hit, marks=spans)
    text = text[:MAX_MARKED_CHARS]
    begin = first_place(text, wanted)
    if begin is None:
        return hit
    spans = tuple(
        (begin + first, begin + last)
        for first, last in word_spans(text[begin : begin + MAX_SHOWN_CHARS], wanted)
    )
    start, end = excerpt(text, spans or ((begin, begin),))
    snippet = "".join(" " if character.isspace() else character for character in text[start:end])
    marks = tuple((first - start, last - start) for first, last in spans if start <= first and last <= end)
    return replace(hit, snippet=snippet, marks=marks)


def shown_headline(event: Event) -> str:
    """The headline; where a story has none, the first sentence of its first paragraph."""
    headline = event.headline.strip()
    return headline or _first_sentence(_opening(event)) or event.story.title or event.story.slugline or ""


def lead_text(event: Event) -> str:
    """The beginning of the story's paragraphs, in one line, after the sentence that serves as its headline."""
    text = _opening(event)
    if not event.headline.strip():
        text = text.removeprefix(_first_sentence(text).removesuffix("…")).lstrip()
    if len(text) <= MAX_LEAD_CHARS:
        return text
    blank = text.rfind(" ", MAX_LEAD_CHARS // 2, MAX_LEAD_CHARS)
    return f"{text[: blank if blank > 0 else MAX_LEAD_CHARS].rstrip()} …"


def _opening(event: Event) -> str:
    """The first paragraphs in one line; of all the text where it was not segmented or holds no paragraph."""
    paragraphs = [
        event.text[segment.start : segment.end]
        for segment in event.segments or ()
        if segment.kind == "paragraph"
    ]
    text = (
        " ".join(paragraphs[:LEAD_PARAGRAPHS])
        or event.text
        or " ".join(description.value for description in event.story.descriptions)
    )
    return " ".join(text[: 8 * MAX_LEAD_CHARS].split())


def _first_sentence(text: str) -> str:
    """Up to the end of the first sentence that is no abbreviation's, or to a word's end where it is long."""
    end = _SENTENCE.search(text)
    sentence = text[: end.end()].rstrip() if end else text
    if len(sentence) <= MAX_TITLE_CHARS:
        return sentence
    blank = sentence.rfind(" ", MAX_TITLE_CHARS // 2, MAX_TITLE_CHARS)
    return f"{sentence[: blank if blank > 0 else MAX_TITLE_CHARS]}…"
