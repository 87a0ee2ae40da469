"""What a search of the embedded index costs: p50 and p95 of each kind of query over many stories.

    python -m tests.benchmarks.search [--stories 100000] [--rounds 20] [--file PATH] [--order live|shuffled]

Invented stories of 200 words are written with the index's own writer, then each query is asked as the desk asks it: 50 hits
with their snippets. Words have the frequencies of Zipf's law; "every" stands in every story. ``live``: stories are stored
some minutes after they were written; ``shuffled``: in no order at all, as a back-fill may bring them. With --file they are
kept and used again.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Final

from processors.model.event import Dateline, Entity, Event, Language, Lineage, Place, Provenance, Topic
from processors.model.story import Story
from processors.times import to_timestamp
from sinks.search import Query
from sinks.sqlite.reader import StorySearch
from sinks.sqlite.writer import StoryIndex
from tests import invented
from tests.sinks.events import make_index_tables

WORDS: Final = 30_000
BEGIN_MS: Final = 1_769_000_000_000
SPACING_MS: Final = 26_000  # a story every 26 s: 100,000 in a month
BATCH: Final = 500
TOPICS: Final = (
    "medtop:15000000",
    "medtop:04000000",
    "medtop:11000000",
    "medtop:20000344",
    "medtop:02000000",
)
SYLLABLES: Final = (*invented.SYLLABLES, "ver", "wok", "xim", "yad", "zor", "qui")


def vocabulary(chance: random.Random) -> list[str]:
    return ["".join(chance.choices(SYLLABLES, k=chance.choice((2, 3, 3, 4)))) for _ in range(WORDS)]


def stories(count: int, order: str) -> Iterator[Event]:
    """Stories in the order in which they are stored."""
    chance = random.Random(26)  # noqa: S311 -- the same at each run
    words = vocabulary(chance)
    weights = list(accumulate(1 / (rank + 5) for rank in range(WORDS)))
    for number in range(count):
        received = BEGIN_MS + number * SPACING_MS
        age = (
            chance.randrange(count * SPACING_MS)
            if order == "shuffled"
            else int(chance.expovariate(1 / 600_000))
        )
        drawn = chance.choices(words, cum_weights=weights, k=200)
        name = f"{drawn[0].title()} {drawn[1].title()}"
        place = Place(
            drawn[2].title(),
            chance.choice(("NL", "PT", "NO", "US")),
            chance.uniform(-60, 70),
            chance.uniform(-180, 180),
        )
        yield Event(
            Story(f"urn:bench:{number}", version_created=to_timestamp(received - age), urgency=chance.choice((3, 4, 5, 6)), slugline=f"{drawn[3]}-{drawn[4]}"),
            " ".join(drawn[:8]).capitalize(),
            f"Every story said {' '.join(drawn)}.",
            Language(chance.choice(("en", "en", "en", "es", "de")), 0.9),
            Lineage(f"urn:bench:{number}", chance.choice(("new", "new", "new", "update"))),
            dateline=Dateline(0, 0, (place,), None, "NDA"),
            entities=(Entity("e1", "PER", name, (name.partition(" ")[2],)),),
            topics=(Topic(chance.choice(TOPICS), "topic", 0.9),),
            provenance=Provenance(to_timestamp(received), "plain-text", f"feed-{chance.randrange(50)}"),
        )  # fmt: skip


def fill(path: Path, count: int, order: str) -> float:
    """Write the stories, and return the milliseconds that each took."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=OFF")
    make_index_tables(connection)
    index, batch, spent = StoryIndex(connection), [], 0.0
    for event in stories(count, order):
        batch.append(event)
        if len(batch) == BATCH:
            start = time.perf_counter()
            connection.execute("BEGIN IMMEDIATE")
            index.write(batch)
            connection.execute("COMMIT")
            spent += time.perf_counter() - start
            batch = []
    connection.close()
    return spent / count * 1000


def queries(count: int) -> dict[str, Query]:
    """A query of each kind."""
    words = vocabulary(random.Random(26))  # noqa: S311 -- the same as the stories'
    common, usual, rare = words[0], words[40], words[3000]
    begin = to_timestamp(BEGIN_MS + count * SPACING_MS // 4)
    end = to_timestamp(BEGIN_MS + count * SPACING_MS // 2)
    return {
        "no words": Query(),
        "a word of every story": Query("every"),
        "two words of every story": Query("every said"),
        "a phrase of every story": Query('"every story said"'),
        "a word of every story, best fit": Query("every", order="relevance"),
        "a word of every story, last received": Query("every", order="received"),
        "a word of every story, a week ago": Query(f"every time:{begin}..{end}"),
        "all but a word of every story": Query("-every"),
        "a common word": Query(common),
        "a usual word": Query(usual),
        "a usual word, best fit": Query(usual, order="relevance"),
        "a rare word": Query(rare),
        "a word that nobody wrote": Query("neverwritten"),
        "common and usual": Query(f"{common} {usual}"),
        "common without usual": Query(f"{common} -{usual}"),
        "one of six": Query(" OR ".join(words[n] for n in (0, 40, 400, 900, 3000, 9000))),
        "two letters and more": Query("ba*"),
        "three letters and more": Query("bac*"),
        "headline of a common word": Query(f"headline:{common}"),
        "a feed": Query("feed:feed-7"),
        "language, topic, country": Query("lang:en topic:sport country:NL"),
        "a common word in a language": Query(f"{common} lang:es"),
        "urgent": Query("urgency:..3"),
        "long": Query("words:>200 every"),
        "far too long": Query("words:>5000"),
        "near a point": Query('near:"52,5,300"'),
        "near a point or a common word": Query(f'near:"52,5,300" OR {common}'),
        "the last day": Query(f"{common} after:{to_timestamp(BEGIN_MS + (count * SPACING_MS) - 86_400_000)}"),
        "a hundred words": Query(" OR ".join(words[:100])),
        "latest of each chain": Query("every", collapse=True),
    }


async def measure(path: Path, count: int, rounds: int) -> None:
    search = StorySearch(path, lambda: BEGIN_MS + count * SPACING_MS, timeout_s=60)
    everything: list[tuple[float, float]] = []
    print(
        "| query | stories of the page | p50 ms | p95 ms | CPU p50 ms | CPU p95 ms |\n|---|---|---|---|---|---|"
    )
    for name, query in queries(count).items():
        spent: list[tuple[float, float]] = []
        page = await search.search(query)
        for _ in range(rounds):
            start, start_cpu = time.perf_counter(), time.process_time()
            page = await search.search(query)
            spent.append((time.perf_counter() - start, time.process_time() - start_cpu))
        everything += spent
        print(f"| {name} | {len(page.hits)} | {_describe(spent)} |", flush=True)
    print(f"| all of them | | {_describe(everything)} |")
    search.close()


def _describe(spent: list[tuple[float, float]]) -> str:
    """p50 and p95 by the clock, and of the processor's time, which neighbours on a busy machine do not stretch so much."""
    columns = (sorted(values) for values in zip(*spent, strict=True))
    return " | ".join(
        f"{statistics.median(column) * 1000:.1f} | {column[int(len(column) * 0.95)] * 1000:.1f}"
        for column in columns
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stories", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--order", choices=("live", "shuffled"), default="live")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wiredesk-search-") as folder:
        path = asked.file or Path(folder) / "wire.sqlite"
        if not path.exists():
            print(f"written in {fill(path, asked.stories, asked.order):.2f} ms a story")
        print(f"{path.stat().st_size / 1e6:.0f} MB")
        asyncio.run(measure(path, asked.stories, asked.rounds))


if __name__ == "__main__":
    main()
