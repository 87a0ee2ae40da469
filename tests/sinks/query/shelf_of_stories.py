"""Invented stories and queries for the property that predicate, SQLite and Elasticsearch answer alike."""

from __future__ import annotations

import random
from typing import Any, Final

from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from processors.model.event import ClusterStanding, Damage, Dateline, Entity, Event, Place
from processors.model.story import InfoSource
from sinks.query import check_query
from tests.sinks.events import at, backfilled, event

COUNT: Final = 60
WORDS: Final = ("ferry", "fern", "Harbour", "copper", "Kupfer", "Café", "ice-cold", "日本", "дом", "x", "3.5")
NAMES: Final = ("Ines Okafor", "Okafor", "Tomas Lind", "Harbour Board", "Veldhaven", "Café Réunion")
PLACES: Final = (
    Place("Veldhaven", "NL", 51.4, 5.4, 27001), Place("Porto Novo", "PT", 38.7, -9.1, None, "https://www.wikidata.org/entity/Q7002"),
    Place("Kaap", "FJ", -17.0, 179.9), Place("Nord", "NO", 89.2, 20.0), Place("Nowhere"),
)  # fmt: skip
TOPICS: Final = ("medtop:04000000", "medtop:20000344", "medtop:15000000")
FEEDS: Final = ("nda", "NDA-sport", "sur", "a:b/c d")


def stories() -> list[Event]:
    """The stories, the same at each call; none hides another."""
    chance = random.Random(26)  # noqa: S311 -- the same at each run
    return [_story(number, chance) for number in range(COUNT)]


def _story(number: int, chance: random.Random) -> Event:
    def some(values: tuple[Any, ...], most: int) -> tuple[Any, ...]:
        return tuple(chance.sample(values, chance.randint(0, most)))

    made = event(
        f"urn:made:{number}",
        headline=" ".join(chance.choices(WORDS, k=chance.randint(0, 4))),
        text=" ".join(chance.choices(WORDS, k=chance.randint(0, 30))),
        minute=chance.randint(-3000, 0),
        created=chance.choice((None, at(-5000), at(-1440), at(-60))),
        relation=chance.choice(("new", "new", "duplicate", "update")),
        language=chance.choice(("en", "pt-BR", "zh-Hant-TW")),
        feed=chance.choice(FEEDS),
        topics=some(TOPICS, 2),
        embargo=chance.choice((None, None, at(-9000))),
    )
    labels = ("PER", "ORG", "LOC", "MISC")
    entities = tuple(
        Entity(
            f"e{n}", chance.choice(labels), name, some(NAMES, 1),  # type: ignore[arg-type]
            watchlists=some(("Board", "mayors"), 1), place=chance.choice((None, chance.choice(PLACES))),
            uri=chance.choice((None, f"https://www.wikidata.org/entity/Q{chance.randint(1, 3)}")),
        )
        for n, name in enumerate(some(NAMES, 3), 1)
    )  # fmt: skip
    story = replace(
        made.story, urgency=chance.choice((None, 1, 4, 9)), slugline=chance.choice((None, "FERRY-ICE", "Harbour/copper")),
        by=chance.choice((None, "By Tomas Lind")), info_sources=chance.choice(((), (InfoSource(name="Nord Wire"),))),
    )  # fmt: skip
    dateline = Dateline(0, 0, some(PLACES, 2), None, chance.choice((None, "NDA", "Efé")))
    cluster = (
        ClusterStanding("urn:made:0", 1, chance.randint(1, 5), ("en",), at(0))
        if chance.random() < 0.5
        else None
    )
    damage = (Damage(0, 0, "truncated"),) if chance.random() < 0.3 else ()
    made = replace(made, story=story, entities=entities, dateline=dateline, cluster=cluster, damage=damage)
    return backfilled(made) if chance.random() < 0.2 else made


def draw_queries(count: int) -> list[str]:
    """Queries that mean something, the same at each call."""
    drawn: list[str] = []

    @seed(26)
    @settings(max_examples=count, database=None, deadline=None, phases=[Phase.generate])
    @given(QUERIES)
    def draw(text: str) -> None:
        if check_query(text) is None:
            drawn.append(text)

    draw()
    return drawn


def _quoted(values: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.sampled_from(values).map(lambda value: f'"{value}"')


WORD_QUERIES: Final = st.one_of(
    st.sampled_from(WORDS),
    st.lists(st.sampled_from(WORDS), min_size=2, max_size=3).map(lambda words: f'"{" ".join(words)}"'),
    st.sampled_from(("fe*", "har*", "ко*", "до*", '"ferry fe"*', '"日本 har"*', "ice-co*")),
)
LEAVES: Final = st.one_of(
    WORD_QUERIES,
    st.tuples(st.sampled_from(("headline:", "text:", "slug:")), WORD_QUERIES).map("".join),
    st.tuples(st.sampled_from(("person:", "org:", "place:", "entity:", "source:")), _quoted((*NAMES, "Q1", "Q7002", "27001", "NDA", "efe", "nord wire"))).map("".join),
    st.tuples(st.sampled_from(("person:", "entity:", "source:")), st.sampled_from(("ok*", "har*", "no*"))).map("".join),
    _quoted(FEEDS).map("feed:{}".format),
    st.sampled_from(("feed:nd*", "watchlist:board", "watchlist:MAYORS", "cluster:urn:made:0", "country:NL", "country:Fiji", "country:PT", "topic:sport", "topic:04000000", "topic:medtop:20000344", "lang:pt", "lang:pt-BR", "lang:zh-Hant", "lang:en")),
    st.sampled_from(("new", "update", "duplicate", "embargoed", "damaged", "backfill", "correction")).map("is:{}".format),
    st.sampled_from(("urgency:1..4", "urgency:>4", "urgency:4", "urgency:<1", "words:>10", "words:0", "words:5..20", "sources:2..", "sources:..3", "sources:9")),
    st.sampled_from(("after:24h", "after:1d", "before:2026-01-31T11:00Z", "time:2026-01-30", "received:30h", "received:>2026-01-31", "received:..2026-01-30", "time:<2026-01-29")),
    st.sampled_from(("51.4,5.4,1", "51,5,100", "-17,-179.9,60", "-17,179,150", "89.9,-160,200", "0,0,20040", "38.7,-9.1,0.5")).map('near:"{}"'.format),
)  # fmt: skip
QUERIES: Final = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map("-({})".format),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"({' OR '.join(parts)})"),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"({' '.join(parts)})"),
    ),
    max_leaves=6,
)
