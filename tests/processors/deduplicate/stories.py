"""Invented stories for the deduplicator: every sentence is made of words drawn by a seed."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from processors.model.event import Event, Language, Provenance
from processors.model.story import AltId, PubStatus, Story, Text

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

_NOUNS = [
    "ferry",
    "harbour",
    "council",
    "bridge",
    "mayor",
    "teacher",
    "orchard",
    "tunnel",
    "railway",
    "clinic",
    "reservoir",
    "shipyard",
    "theatre",
    "market",
    "festival",
    "bakery",
    "quarry",
    "lighthouse",
    "stadium",
    "archive",
    "foundry",
    "nursery",
    "airport",
    "glacier",
    "canal",
    "monastery",
    "library",
    "vineyard",
    "brewery",
    "observatory",
    "cathedral",
    "refinery",
    "sawmill",
    "kindergarten",
    "ministry",
    "tribunal",
    "dockyard",
    "greenhouse",
]
_VERBS = [
    "opened",
    "closed",
    "rebuilt",
    "inspected",
    "sold",
    "defended",
    "flooded",
    "praised",
    "rejected",
    "approved",
    "delayed",
    "expanded",
    "measured",
    "painted",
    "abandoned",
    "restored",
    "debated",
    "visited",
    "audited",
    "renamed",
    "insured",
    "evacuated",
    "photographed",
    "mapped",
]
_NAMES = [
    "Tew",
    "Marchetti",
    "Osei",
    "Lund",
    "Carvalhal",
    "Whitlow",
    "Brun",
    "Quill",
    "Frey",
    "Aubry",
    "Vienne",
    "Halloran",
    "Ibsen",
    "Okafor",
    "Sato",
]
_TIMES = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "yesterday",
    "overnight",
    "again",
    "quietly",
    "early",
    "late",
]


def report(seed: int, sentences: int = 9) -> str:
    """A story of about fourteen words a sentence, in paragraphs; equal seeds give equal stories."""
    own = random.Random(seed)  # noqa: S311 -- an example, not a secret

    def sentence() -> str:
        return (
            f"The {own.choice(_NOUNS)} near the old {own.choice(_NOUNS)} was {own.choice(_VERBS)} "
            f"{own.choice(_TIMES)} after {own.choice(_NAMES)} {own.choice(_VERBS)} {own.randint(12, 9800)} "
            f"{own.choice(_NOUNS)} permits."
        )

    return "\n\n".join(sentence() for _ in range(sentences))


def event(
    uri: str,
    text: str,
    headline: str = "",
    *,
    version: str = "1",
    hours: float = 0.0,
    dated: bool = True,
    language: str = "en",
    status: PubStatus = "usable",
    alt_ids: tuple[AltId, ...] = (),
    slugline: str | None = None,
) -> Event:
    """A normalised event, `hours` after noon."""
    moment = (NOON + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
    story = Story(
        uri,
        version=version,
        version_created=moment if dated else None,
        pub_status=status,
        bodies=(Text(text, role="main"),),
        alt_ids=alt_ids,
        slugline=slugline,
    )
    return Event(
        story,
        headline=headline,
        text=text,
        language=Language(language, 1.0),
        provenance=Provenance(moment if not dated else "2026-03-30T00:00:00Z", "ninjs"),
    )
