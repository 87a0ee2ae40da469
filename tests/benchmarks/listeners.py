"""Many live listeners with different queries: what each missed, what it got wrongly, and how late stories came.

    python -m tests.benchmarks.listeners [--listeners 200] [--rate 20] [--seconds 20]

A desk over an embedded index in this process, with clients on its real port. Stories are written at a rate; each listener's
stream of ``/api/stream?q=…`` is compared with what the predicate says of each story. Every tenth listener is cut off in the
middle and goes on with ``Last-Event-ID``.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp
import orjson
from aiohttp import web
from msgspec.structs import replace

from config.settings import Desk
from processors.model.event import Event
from processors.times import to_timestamp
from sinks.desk.app import make_app
from sinks.query import StoryFacts, is_listed
from sinks.search import Query
from sinks.sqlite.packing import add_functions
from sinks.sqlite.reader import StorySearch
from sinks.sqlite.writer import StoryIndex
from sinks.stories import now_ms
from tests.benchmarks.search import TOPICS, stories
from tests.sinks.events import make_index_tables

RETRY_S: Final = 1.0  # browsers wait three times as long
PATIENCE_S: Final = 60.0


class NoFeeds:
    """A desk without feeds."""

    async def list(self) -> tuple[()]:
        return ()


@dataclass
class Listener:
    """One stream, and what came on it: when, by uri."""

    query: str
    came: dict[str, float] = field(default_factory=dict)
    twice: int = 0
    refused: int = 0
    cursor: str = ""

    async def listen(self, session: aiohttp.ClientSession, url: str, begin: str, cuts: bool) -> None:
        self.cursor = begin
        while True:
            headers = {"Last-Event-ID": self.cursor}
            async with session.get(url, params={"q": self.query}, headers=headers) as answer:
                if answer.status == 503:  # too many for a moment, since those that left are not noticed yet
                    self.refused += 1
                    await asyncio.sleep(RETRY_S)
                    continue
                assert answer.status == 200, await answer.text()
                waiting: list[str] = []
                async for line in answer.content:
                    if line.startswith(b"id: "):
                        self.cursor = line[4:].decode().strip()
                    elif line.startswith(b"data: "):
                        waiting.append(orjson.loads(line[6:])["uri"])
                        self._note(waiting[-1])
                    if cuts and len(self.came) > 3:
                        cuts = False
                        break
            await asyncio.sleep(RETRY_S)

    def _note(self, uri: str) -> None:
        self.twice += uri in self.came
        self.came.setdefault(uri, time.time())


def query_of(number: int, words: list[str]) -> str:
    """A different query for each listener."""
    forms = (
        "{word}",
        "{word} OR {other}",
        "headline:{word}",
        "feed:feed-{feed}",
        "topic:{topic} -{word}",
        "lang:es {word}",
        "near:{near}",
        "{beginning}*",
    )
    return forms[number % len(forms)].format(
        word=words[number % len(words)], other=words[(number * 7) % len(words)], feed=number % 50,
        topic=TOPICS[number % len(TOPICS)], near=f"{number % 120 - 60},{number % 300 - 150},3000", beginning=words[number % len(words)][:3],
    )  # fmt: skip


async def run(folder: Path, count: int, rate: int, seconds: int) -> None:
    path = folder / "wire.sqlite"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    make_index_tables(connection)
    drawn = list(stories(rate * seconds + 1, "live"))
    index = StoryIndex(connection)
    index.write(drawn[:1])
    search = StorySearch(path)
    app = make_app(search, NoFeeds(), Desk())
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/api/stream"  # type: ignore[union-attr]
    words = sorted({word for event in drawn for word in event.text.split()[3:40] if word.isalpha()})
    listeners = [Listener(query_of(number, words[:: max(1, len(words) // count)])) for number in range(count)]
    written: dict[str, tuple[Event, float]] = {}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=None)) as session:  # fmt: skip
        tasks = [
            asyncio.create_task(one.listen(session, url, "1", number % 10 == 0))
            for number, one in enumerate(listeners)
        ]
        await asyncio.sleep(2)
        begin = time.time()
        for number, event in enumerate(drawn[1:]):
            await asyncio.sleep(max(0.0, begin + number / rate - time.time()))
            now = to_timestamp(now_ms())
            assert event.provenance
            fresh = replace(event, story=replace(event.story, version_created=now), provenance=replace(event.provenance, received=now))  # fmt: skip
            await asyncio.to_thread(_write, path, fresh)
            written[fresh.story.uri] = fresh, time.time()
        wanted = await asyncio.to_thread(_expected, listeners, written)
        end = time.time() + PATIENCE_S
        while time.time() < end and any(wanted[id(one)] - one.came.keys() for one in listeners):
            await asyncio.sleep(0.2)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await runner.cleanup()
    search.close()
    connection.close()
    _report(listeners, wanted, written)


def _write(path: Path, event: Event) -> None:
    connection = sqlite3.connect(path, isolation_level=None, timeout=30)
    add_functions(connection)
    connection.execute("BEGIN IMMEDIATE")
    StoryIndex(connection).write([event])
    connection.execute("COMMIT")
    connection.close()


def _expected(listeners: list[Listener], written: dict[str, tuple[Event, float]]) -> dict[int, set[str]]:
    facts = {uri: StoryFacts(event) for uri, (event, _) in written.items()}
    return {
        id(one): {uri for uri, story in facts.items() if is_listed(Query(one.query), story, now_ms())}
        for one in listeners
    }


def _report(
    listeners: list[Listener], wanted: dict[int, set[str]], written: dict[str, tuple[Event, float]]
) -> None:
    missed = sum(len(wanted[id(one)] - one.came.keys()) for one in listeners)
    wrong = sum(len(one.came.keys() - wanted[id(one)]) for one in listeners)
    late = sorted(came - written[uri][1] for one in listeners for uri, came in one.came.items())
    print(
        f"{len(listeners)} listeners, {len(written)} stories, {len(late)} deliveries: {missed} missed, {wrong} wrong,"
        f" {sum(one.twice for one in listeners)} twice, {sum(one.refused for one in listeners)} times refused; from the write to the listener p50 {statistics.median(late):.2f} s,"
        f" p95 {late[int(len(late) * 0.95)]:.2f} s, at most {late[-1]:.2f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listeners", type=int, default=200)
    parser.add_argument("--rate", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=20)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wiredesk-listeners-") as folder:
        asyncio.run(run(Path(folder), asked.listeners, asked.rate, asked.seconds))


if __name__ == "__main__":
    main()
