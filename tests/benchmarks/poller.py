"""How much of a machine 10,000 feeds take: CPU a poll, memory, lateness; and the same feeds updated by `reader`.

    python -m tests.benchmarks.poller [--feeds 10000] [--rate 50] [--seconds 60] [--reader PYTHON]

A server on loopback plays publishers at 250 addresses. Of the polls half are answered with 304, a quarter with the
same bytes again, a quarter with a document of 30 entries of which one is new. The pollers' log is in memory, so that
the figures are the poller's own. ``--reader`` names a Python that has the package `reader`; it updates 300 of the
feeds in the same mix, and its CPU a feed is compared.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import structlog

from config.settings import Poll
from processors.errors import Rejected
from processors.model.event import RawItem
from streams.pollers import poll_feeds
from streams.pollers.feed import Feed
from streams.pollers.fetch import Answer, Fetcher
from streams.pollers.judge import judge_answer
from streams.pollers.ports import PollResult
from streams.pollers.state import FeedState, pack_state, unpack_header

ENTRIES: Final = 30
PORT: Final = 8765
WORDS_PER_ENTRY: Final = (
    "The harbour authority said on Monday that the ferry would run every hour until the wind drops. "
)
READER: Final = """
import json, resource, sys
from reader import make_reader
path, *urls = sys.stdin.read().split()
reader = make_reader(path)
for url in urls:
    reader.add_feed(url)

def updated():
    results = [result.value for result in reader.update_feeds_iter(scheduled=False)]
    failed = [value for value in results if isinstance(value, Exception)]
    if failed or len(results) != len(urls):
        raise SystemExit(f"reader updated {len(results)} of {len(urls)} feeds, {len(failed)} failed: {failed[:1]}")

updated()
used = lambda: sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
start = used()
for _ in range(4):
    updated()
print(json.dumps({"cpu_ms": (used() - start) * 1000 / len(urls) / 4}))
"""


def document(feed: int, newest: int) -> bytes:
    """A feed document whose latest entry has the number `newest`."""
    items = "".join(
        f"<item><title>Report {n} of wire {feed}</title><link>https://wire{feed}.example/{n}</link>"
        f"<guid isPermaLink='false'>wire{feed}-{n}</guid><pubDate>Mon, 02 Feb 2026 10:{n % 60:02}:00 GMT</pubDate>"
        f"<description><![CDATA[<p>{n}. {WORDS_PER_ENTRY * 6}</p><p>{WORDS_PER_ENTRY * 4}</p>]]></description></item>"
        for n in range(newest, newest - ENTRIES, -1)
    )
    return f"<?xml version='1.0' encoding='utf-8'?><rss version='2.0'><channel><title>W</title>{items}</channel></rss>".encode()


def publishers(port: int) -> None:
    """Serve every feed: ``/<feed>`` cycles through new, 304, the same bytes, 304 with each request."""
    turns: dict[int, int] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                feed = int(head.split(b" ", 2)[1][1:])
                turn = turns[feed] = turns.get(feed, feed) + 1
                known = b"if-none-match" in head.lower()
                body = b"" if known and turn % 2 else document(feed, 100 + turn // 4)
                status = "200 OK" if body else "304 Not Modified"
                told = f'HTTP/1.1 {status}\r\nETag: "e"\r\nContent-Type: application/rss+xml\r\nContent-Length: {len(body)}\r\n\r\n'
                writer.write(told.encode() + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def main() -> None:
        async with await asyncio.start_server(serve, "0.0.0.0", port, backlog=1000) as server:
            await server.serve_forever()

    asyncio.run(main())


class Log:
    """The in-memory log: counts, and notes how late each poll was."""

    def __init__(self, states: dict[str, bytes]) -> None:
        self.states = states
        self.due = {feed: unpack_header(state).next_poll for feed, state in states.items()}
        self.late: list[float] = []
        self.outcomes: dict[str, int] = {}
        self.items = self.polls = 0

    async def publish(self, items: Sequence[RawItem]) -> None:
        """Count items."""
        self.items += len(items)

    async def reject(self, _item: RawItem, error: Rejected) -> None:
        """No document here is to be rejected."""
        raise error

    async def load(self) -> Mapping[str, bytes]:
        """The primed states."""
        return self.states

    async def commit(self, result: PollResult) -> None:
        """Count items, and note how late the poll ended."""
        if result.rejected:
            raise result.rejected[1]
        self.items += len(result.items)
        told = unpack_header(result.state)
        self.late.append(told.polled - self.due[result.feed])
        self.due[result.feed] = told.next_poll
        self.outcomes[told.outcome] = self.outcomes.get(told.outcome, 0) + 1
        self.polls += 1


def primed(count: int, rate: float, port: int) -> tuple[list[Feed], dict[str, bytes]]:
    """Feeds that were read before, their next polls spread so that `rate` are due a second."""
    feeds, read = [], {}
    settings, now = Poll(), time.time()
    for number in range(count):
        url = f"http://127.0.{number % 250}.1:{port}/{number}"
        feed = Feed(f"wire-{number}", url, interval=count / rate)
        answer = Answer(url, 200, {"ETag": '"e"'}, document(number, 100 + number // 4))
        state = judge_answer(feed, FeedState(), answer, settings, now, 0.0).state
        feeds.append(feed)
        read[feed.id] = state
    start = time.time() + 10
    return feeds, {
        feed: pack_state(replace(state, next_poll=start + number / rate))
        for number, (feed, state) in enumerate(read.items())
    }


async def measured(count: int, rate: float, seconds: float, port: int) -> dict[str, float]:
    """Poll for some seconds and tell the figures."""
    feeds, states = primed(count, rate, port)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    sizes = sorted(map(len, states.values()))
    log, stop = Log(states), asyncio.Event()
    settings = Poll(allowed_addresses=("127.0.0.0/8",), host_delay_s=0.0)
    async with Fetcher(settings):  # loads what the first poll would
        import streams.pollers.poller  # noqa: F401
    before = resource.getrusage(resource.RUSAGE_SELF)
    await asyncio.sleep(max(0.0, min(log.due.values()) - time.time()))
    running = asyncio.create_task(poll_feeds(feeds, settings, log, log, stop))
    await asyncio.sleep(seconds)
    stop.set()
    await running
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    late = sorted(log.late)
    print("outcomes", log.outcomes, file=sys.stderr)
    return {
        "feeds": count,
        "polls": log.polls,
        "items": log.items,
        "polls_per_s": log.polls / seconds,
        "cpu_ms_per_poll": cpu * 1000 / max(1, log.polls),
        "late_p50_s": late[len(late) // 2],
        "late_p99_s": late[len(late) * 99 // 100],
        "peak_memory_mb": after.ru_maxrss / 1024,
        "state_bytes_median": sizes[len(sizes) // 2],
    }


def compared(python: str, port: int) -> float:
    """CPU of `reader` a feed and update, in milliseconds."""
    urls = [f"http://127.0.{number % 250}.1:{port}/{number}" for number in range(100_000, 100_300)]
    with tempfile.TemporaryDirectory() as folder:
        told = subprocess.run(
            [python, "-c", READER],
            input="\n".join([str(Path(folder) / "reader.sqlite"), *urls]).encode(),
            stdout=subprocess.PIPE,
            check=True,
        )
    return float(json.loads(told.stdout)["cpu_ms"])


def main() -> None:
    """Run and print a table."""
    top = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("--feeds", type=int, default=10_000)
    top.add_argument("--rate", type=float, default=50.0, help="polls a second")
    top.add_argument("--seconds", type=float, default=60.0)
    top.add_argument("--port", type=int, default=PORT)
    top.add_argument("--reader", help="a Python that has the package reader")
    args = top.parse_args()
    server = multiprocessing.Process(target=publishers, args=(args.port,), daemon=True)
    server.start()
    try:
        figures = asyncio.run(measured(args.feeds, args.rate, args.seconds, args.port))
        if args.reader:
            figures["reader_cpu_ms_per_feed"] = compared(args.reader, args.port)
            figures["times_less_cpu"] = figures["reader_cpu_ms_per_feed"] / figures["cpu_ms_per_poll"]
    finally:
        server.terminate()
    for name, value in figures.items():
        print(f"{name:24} {value:12,.2f}")
    print(f"{'cores':24} {os.cpu_count() or 0:12}")


if __name__ == "__main__":
    main()
