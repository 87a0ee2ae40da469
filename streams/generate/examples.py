"""Example events of the contract, made with the model: an invented report and what becomes of it.

Offsets are computed from the words, so an example can't disagree with its own text.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from processors.model.event import (
    DateExpression,
    Dateline,
    Entity,
    Event,
    Feature,
    Language,
    Lineage,
    Mention,
    Place,
    Provenance,
    Quote,
    RawItem,
    Segment,
    SegmentKind,
    Span,
    StepTrace,
    Topic,
)
from processors.model.story import InfoSource, Standard, Story, StoryPlace, Subject, Text

RECEIVED_AT: Final = "2026-03-02T09:15:04.120Z"
URI: Final = "urn:newsml:nda.example:20260302:harbour-veldhaven"
HEADLINE: Final = "Harbour of Veldhaven opens after the ice"
BODY: Final = (
    "VELDHAVEN, March 2 (NDA) - The harbour of Veldhaven opened on Monday for the first time since January.\n\n"
    '"The last ice left at dawn," harbour master Mila Brandsma told reporters.\n\n'
    "(Reporting by Otto Vreed)"
)


def examples() -> dict[str, Event | RawItem]:
    """Every example by the name of its file."""
    first = _new()
    raw = RawItem(
        BODY.encode(), RECEIVED_AT, feed="nda-world", url="https://nda.example/feed", format="plain-text"
    )
    return {
        "raw-item": raw,
        "event-new": first,
        "event-update": _version(first, "update", "3", f"{HEADLINE}; first ship in"),
        "event-correction": _version(first, "correction", "4", "Harbour of Veldhaven opens on Monday"),
        "event-kill": _kill(first),
        "event-duplicate": _duplicate(first),
        "event-embargoed": replace(
            first, story=replace(first.story, pub_status="withheld", embargoed_until="2026-03-02T12:00:00Z")
        ),
    }


def _new() -> Event:
    story = Story(
        URI, type="text", version="2", first_created="2026-03-02T09:10:00Z", version_created="2026-03-02T09:15:00Z",
        pub_status="usable", urgency=4, language="en",
        bodies=(Text(BODY, "main", "text/plain"),), headlines=(Text(HEADLINE, "main", "text/plain"),),
        places=(StoryPlace("Veldhaven", "located"),),
        subjects=(Subject("waterway and maritime transport", None, "medtop:20000343", creator="wiredesk"),),
        info_sources=(InfoSource("NDA"),), located="Veldhaven", standard=Standard(),
    )  # fmt: skip
    quote = "The last ice left at dawn,"
    return Event(
        story, HEADLINE, BODY, Language("en", 0.99, "en"), Lineage(URI, "new"),
        segments=(
            _segment("VELDHAVEN, March 2 (NDA) -", "dateline"),
            _segment("The harbour of Veldhaven opened on Monday for the first time since January.", "paragraph"),
            _segment(f'"{quote}" harbour master Mila Brandsma told reporters.', "paragraph"),
            _segment("(Reporting by Otto Vreed)", "signoff"),
        ),
        dateline=Dateline(
            *_at("VELDHAVEN, March 2 (NDA) -"), (Place("Veldhaven", "NL", 51.42, 5.4),), "2026-03-02", "NDA"
        ),
        quotes=(
            Quote(*_at(quote), "direct", Span(*_at("Mila Brandsma"), "Mila Brandsma", "e2"), Span(*_at("told"), "told")),
        ),
        damage=(),
        mentions=(
            Mention(*_at("Veldhaven"), "Veldhaven", "LOC", "e1"),
            Mention(*_at("Mila Brandsma"), "Mila Brandsma", "PER", "e2"),
        ),
        entities=(
            Entity("e1", "LOC", "Veldhaven", place=Place("Veldhaven", "NL", 51.42, 5.4)),
            Entity("e2", "PER", "Mila Brandsma", roles=("harbour master",)),
        ),
        dates=(DateExpression(*_at("Monday"), "Monday", "2026-03-02"),),
        topics=(Topic("medtop:20000343", "waterway and maritime transport", 0.83),),
        provenance=_provenance(RECEIVED_AT),
    )  # fmt: skip


def _version(first: Event, relation: str, version: str, headline: str) -> Event:
    """A later version of the first event, by the same publisher."""
    story = replace(
        first.story, version=version, version_created=f"2026-03-02T1{version}:00:00Z",
        headlines=(Text(headline, "main", "text/plain"),),
    )  # fmt: skip
    lineage = Lineage(URI, relation, URI, 0.97, int(version) - 1)  # type: ignore[arg-type]
    return replace(
        first, story=story, headline=headline, lineage=lineage,
        provenance=_provenance(f"2026-03-02T1{version}:00:02.500Z"),
    )  # fmt: skip


def _kill(first: Event) -> Event:
    text = "Kill the story slugged HARBOUR-VELDHAVEN. The harbour is closed. A substitute will follow."
    return Event(
        Story(f"{URI}-kill", type="text", version_created="2026-03-02T15:00:00Z", pub_status="canceled", language="en"),
        "KILL: Harbour of Veldhaven", text, first.language, Lineage(URI, "kill", URI, None, 4),
        segments=(Segment(0, len(text), "note"),), quotes=(), damage=(), mentions=(), entities=(), dates=(), topics=(),
        provenance=_provenance("2026-03-02T15:00:03Z"),
    )  # fmt: skip


def _duplicate(first: Event) -> Event:
    """The same report from another feed: neither segmented nor tagged."""
    return Event(
        replace(first.story, uri="https://harbour-times.example/2026/03/ice", version=None, urgency=None),
        HEADLINE, BODY, first.language, Lineage(URI, "duplicate", URI, 0.99, 1),
        provenance=replace(
            _provenance("2026-03-02T09:20:11Z"), feed="harbour-times", steps=_steps("normalise", "deduplicate")
        ),
    )  # fmt: skip


def _provenance(received: str) -> Provenance:
    return Provenance(
        received, "plain-text", "nda-world", "https://nda.example/feed",
        steps=_steps("normalise", "deduplicate", "segment", "tag"),
    )  # fmt: skip


def _steps(*names: str) -> tuple[StepTrace, ...]:
    features = {"deduplicate": (Feature("resemblance", 0.97),)}
    return tuple(StepTrace(name, "1", features.get(name, ())) for name in names)


def _at(words: str) -> tuple[int, int]:
    start = BODY.index(words)
    return start, start + len(words)


def _segment(words: str, kind: SegmentKind) -> Segment:
    return Segment(*_at(words), kind)
