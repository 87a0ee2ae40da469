"""Events that the tests of the sinks store: invented people, places and agencies."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from processors.model.event import (
    ClusterStanding,
    Damage,
    DateExpression,
    Dateline,
    Entity,
    Event,
    Language,
    Lineage,
    Mention,
    Place,
    Provenance,
    Quote,
    Relation,
    Segment,
    Span,
    Topic,
)
from processors.model.story import PubStatus, Story
from sinks.sqlite.packing import DICTIONARY_TABLE, add_dictionary, add_functions
from sinks.sqlite.writer import STORY_TABLES

START = datetime(2026, 1, 31, 12, tzinfo=UTC)


def at(minutes: float) -> str:
    """A timestamp some minutes after the tests' noon."""
    return (START + timedelta(minutes=minutes)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def event(
    uri: str,
    *,
    headline: str = "Harbour of Veldhaven opens again",
    text: str = "Ships came back to Veldhaven on Friday.",
    version: str | None = None,
    minute: float = 0,
    created: str | None = None,
    relation: Relation = "new",
    chain: str | None = None,
    of: str | None = None,
    sequence: int = 1,
    language: str = "en",
    feed: str = "nda",
    status: PubStatus = "usable",
    embargo: str | None = None,
    names: tuple[str, ...] = (),
    topics: tuple[str, ...] = (),
) -> Event:
    """An event that came at a minute."""
    return Event(
        Story(
            uri,
            version=version,
            pub_status=status,
            embargoed_until=embargo,
            version_created=created or at(minute),
        ),
        headline,
        text,
        Language(language, 0.99),
        Lineage(chain or uri, relation, of, None, sequence),
        entities=tuple(Entity(f"e{n}", "PER", name) for n, name in enumerate(names, 1)),
        topics=tuple(Topic(code, f"topic {code[-4:]}", 0.9) for code in topics),
        provenance=Provenance(at(minute), "plain-text", feed),
    )


def sent_by(source: str | None, event_: Event, owner: str | None = None) -> Event:
    """An event of a source; `owner` is the source of its chain where that is another."""
    assert event_.provenance
    assert event_.lineage
    provenance = replace(event_.provenance, source=source)
    return replace(event_, provenance=provenance, lineage=replace(event_.lineage, source=owner))


def backfilled(made: Event) -> Event:
    """The event as a back-fill brings it."""
    assert made.provenance
    return replace(made, provenance=replace(made.provenance, backfill=True))


COPY = (
    "Veldhaven, Jan 30 (NDA).- Mayor Ines Okafor said on Friday that the harbour <would> open & stay open.\n\n"
    '"We will not wait another winter," she told .\n\n'
    "xx/yy"
)


def dispatch(uri: str = "urn:nda:1") -> Event:
    """A dispatch with every kind of annotation, and characters that HTML must not see."""
    return Event(
        Story(uri, version="2", version_created=at(0), slugline="HARBOUR-VELDHAVEN", by="By Tomas Lind"),
        "Okafor: <b>harbour</b> opens & stays open",
        COPY,
        Language("en", 0.98),
        Lineage(uri, "new"),
        segments=tuple(
            Segment(COPY.index(words), COPY.index(words) + len(words), kind)  # type: ignore[arg-type]
            for words, kind in (
                ("Veldhaven, Jan 30 (NDA).-", "dateline"),
                ("Mayor Ines Okafor said on Friday that the harbour <would> open & stay open.", "paragraph"),
                ('"We will not wait another winter," she told .', "paragraph"),
                ("xx/yy", "initials"),
            )
        ),
        dateline=Dateline(0, 25, (Place("Veldhaven", "NL", 51.4, 5.4),), "2026-01-30", "NDA"),
        quotes=(
            Quote(
                COPY.index("We will"),
                COPY.index(',"') + 1,
                "direct",
                Span(COPY.index("she"), COPY.index("she") + 3, "she", "e1"),
                Span(COPY.index("told"), COPY.index("told") + 4, "told"),
            ),
        ),
        damage=(Damage(COPY.index("told .") + 5, COPY.index("told .") + 5, "missing-words"),),
        mentions=(
            Mention(COPY.index("Ines"), COPY.index("Ines") + 11, "Ines Okafor", "PER", "e1"),
            Mention(0, 9, "Veldhaven", "LOC", "e2"),
            Mention(0, 6, "Okafor", "PER", "e1", "headline"),
        ),
        entities=(
            Entity("e1", "PER", "Ines Okafor", ("Okafor",), ("mayor",)),
            Entity("e2", "LOC", "Veldhaven"),
        ),
        dates=(DateExpression(COPY.index("Friday"), COPY.index("Friday") + 6, "Friday", "2026-01-30"),),
        topics=(Topic("medtop:04000000", "economy, business and finance", 0.83),),
        provenance=Provenance(at(1), "plain-text", "nda"),
    )


def reports() -> list[Event]:
    """Three reports of one happening by two sources in two languages, one of them killed since, and another story."""
    standings = [
        ClusterStanding("urn:ferry", 1, 1, ("en",), at(0), None, 1.0),
        ClusterStanding("urn:ferry", 2, 2, ("en", "es"), at(0), 0.9, 0.4),
        ClusterStanding("urn:ferry", 3, 2, ("en", "es"), at(0), 0.8, 0.7),
    ]
    made = [
        replace(event(uri, minute=number, language=language, feed=feed), cluster=standings[number])
        for number, (uri, language, feed) in enumerate(
            (("urn:ferry", "en", "nda"), ("urn:transbordador", "es", "sur"), ("urn:ferry-two", "en", "nda"))
        )
    ]
    kill = event(
        "urn:kill",
        relation="kill",
        chain="urn:ferry-two",
        of="urn:ferry-two",
        sequence=2,
        minute=3,
        status="canceled",
    )
    return [*made, kill, event("urn:other", minute=4)]


def make_index_tables(connection: sqlite3.Connection) -> None:
    """Make what the index needs, as the migrations of the data file do."""
    connection.executescript(STORY_TABLES + DICTIONARY_TABLE)
    add_dictionary(connection)
    add_functions(connection)
