"""How fast stories get into Elasticsearch, beside `elasticsearch.helpers.async_bulk` of the same documents.

    python -m tests.benchmarks.elasticsearch [--stories 6000] [--rounds 3] [--latency-s 20]

Starts a real Elasticsearch. The peer is given ready documents, with ids and external versions, in chunks of the same
size; ours makes its documents from events, looks up marks and homes, and judges every story. Both write into the same
mapping, in turns, each round into new indices, after a round that is not counted; wall time, so the server's work counts. Then stories are written at 100
a second in the sink's rhythm, and watched until a search finds them.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import orjson
from elasticsearch import AsyncElasticsearch
from elasticsearch.helpers import async_bulk
from msgspec.structs import replace

from config.settings import Elasticsearch, Settings
from processors.model.event import Event, Lineage, RawItem
from sinks.elasticsearch import ElasticsearchSink, index
from sinks.elasticsearch.client import connect
from sinks.elasticsearch.documents import document, document_id
from streams.process import Input, Pipeline, chosen_steps
from tests.invented import line
from tests.servers.elasticsearch import ElasticsearchServer

MADE: Final = 400  # stories that go through the pipeline; the others are these under other names
RATE: Final = 100  # stories a second while latency is watched


def enriched(count: int) -> list[Event]:
    """Invented stories of 300 words with everything that the steps find in them."""
    pipeline = Pipeline(chosen_steps(("normalise", "segment", "tag")), Settings())
    items = [
        RawItem(line(number, 300), "2026-11-20T12:00:00Z", feed=f"feed-{number % 7}")
        for number in range(MADE)
    ]
    results = pipeline([Input("-", number, item) for number, item in enumerate(items, 1)])
    made = [result.event for result in results if isinstance(result.event, Event)]
    return [_named(made[number % len(made)], number) for number in range(count)]


def _named(event: Event, number: int) -> Event:
    uri = f"{event.story.uri}:{number}"
    return replace(event, story=replace(event.story, uri=uri), lineage=Lineage(uri, "new"))


async def ours(client: AsyncElasticsearch, settings: Elasticsearch, events: Sequence[Event]) -> float:
    """Stories a second."""
    bulk = ElasticsearchSink(settings, client)
    began = time.perf_counter()
    for start in range(0, len(events), settings.batch):
        refused = (await bulk.write(events[start : start + settings.batch])).outcomes
        assert not any(refused), refused
    return len(events) / (time.perf_counter() - began)


async def peer(
    client: AsyncElasticsearch, settings: Elasticsearch, documents: Sequence[dict[str, Any]]
) -> float:
    """Stories a second."""
    name = f"{settings.index}-2000.01-000001"  # a name that the template fits
    await client.indices.create(index=name)
    began = time.perf_counter()
    await async_bulk(client, _actions(name, documents), chunk_size=settings.batch,
                     max_chunk_bytes=settings.batch_bytes)  # fmt: skip
    return len(documents) / (time.perf_counter() - began)


def _actions(name: str, documents: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for each in documents:
        yield {
            "_index": name, "_id": document_id(each["uri"]), "_source": each, "version": each["revision"],
            "version_type": "external_gte",
        }  # fmt: skip


async def latencies(
    client: AsyncElasticsearch, settings: Elasticsearch, events: Sequence[Event]
) -> list[float]:
    """Seconds from the moment in which a story is there to be written until a search finds it."""
    bulk, born = ElasticsearchSink(settings, client), dict[str, float]()
    seen: dict[str, float] = {}

    async def write() -> None:
        waiting: list[Event] = []
        began = flushed = time.perf_counter()
        for number, event in enumerate(events):
            await asyncio.sleep(max(0.0, began + number / RATE - time.perf_counter()))
            born[event.story.uri] = time.perf_counter()
            waiting.append(event)
            if time.perf_counter() - flushed >= settings.flush_s or number + 1 == len(events):
                await bulk.write(waiting)
                waiting, flushed = [], time.perf_counter()

    writing = asyncio.ensure_future(write())
    while len(seen) < len(events):
        missing = [uri for uri in born if uri not in seen][:1000]
        if missing:
            answer = await client.search(
                index=settings.index, query={"terms": {"uri": missing}}, size=1000, source_includes=["uri"]
            )
            now = time.perf_counter()
            seen.update((hit["_source"]["uri"], now) for hit in answer["hits"]["hits"])
        await asyncio.sleep(0.02)
    await writing
    return sorted(seen[uri] - born[uri] for uri in seen)


async def measure(url: str, options: argparse.Namespace) -> None:
    """Measure and print."""
    events = enriched(options.stories)
    documents = [document(event) for event in events]
    names = (f"bench{number}" for number in itertools.count())
    rates: list[tuple[float, float]] = []
    async with connect(Elasticsearch(url)) as client:
        for number in range(options.rounds + 1):
            told = [Elasticsearch(url, next(names)) for _ in range(2)]
            for each in told:
                await index.create(client, each)
            if number % 2:
                mine = await ours(client, told[0], events)
                other = await peer(client, told[1], documents)
            else:
                other = await peer(client, told[1], documents)
                mine = await ours(client, told[0], events)
            if number:  # the server's first round is slow for whoever writes first
                rates.append((mine, other))
                print(
                    f"ours {mine:7.0f} stories/s   async_bulk {other:7.0f}   ratio {mine / other:.2f}",
                    flush=True,
                )
        ratio = statistics.median(mine / other for mine, other in rates)
        print(f"median ratio {ratio:.2f}, {len(documents)} documents of {_size(documents):.1f} kB")
        told_last = Elasticsearch(url, next(names))
        await index.create(client, told_last)
        found = await latencies(client, told_last, events[: int(options.latency_s * RATE)])
        median, p95 = statistics.median(found), found[int(len(found) * 0.95)]
        print(f"event to searchable at {RATE}/s: median {median:.2f} s, p95 {p95:.2f} s")


def _size(documents: Sequence[dict[str, Any]]) -> float:
    return statistics.mean(len(orjson.dumps(each)) for each in documents[:500]) / 1000


def main() -> None:
    """Run against a server of our own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stories", type=int, default=6000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--latency-s", type=float, default=20.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        server = ElasticsearchServer(Path(folder))
        server.start()
        try:
            asyncio.run(measure(server.url, options))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
