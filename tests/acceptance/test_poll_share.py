"""Two real pollers on a real Kafka: they share the feeds by host, and one goes on where the other was killed."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pytest

from config.settings import Kafka, Settings
from processors.model.codec import decode
from processors.model.event import RawItem
from streams.kafka.poll import load_states
from streams.topology import RAW
from tests.conftest import KafkaForTest
from tests.servers.fleet import COMMAND, Read, Worker, make_topics, read
from tests.servers.http import Asked, Told, publishing

pytestmark = [pytest.mark.kafka, pytest.mark.acceptance, pytest.mark.timeout(400)]
POLL: Final = (*COMMAND[:-1], "poll")
HOSTS: Final = tuple(f"127.0.0.{n}" for n in range(1, 9))
FEEDS: Final = tuple((f"wire{n}-{host[-1]}", host) for host in HOSTS for n in range(2))
ETAG: Final = '"whole"'


class Publisher:
    """Feeds at eight addresses of loopback; each poller is known by its user agent."""

    def __init__(self) -> None:
        self.entries = 2
        self.asked: list[tuple[str, str, bool]] = []  # poller, feed, whether with the validator

    def document(self, feed: str) -> bytes:
        items = "".join(
            f"<item><guid isPermaLink='false'>{feed}-{n}</guid><title>Tide table {n} of {feed}</title></item>"
            for n in reversed(range(self.entries))
        )
        return f"<rss version='2.0'><channel><title>{feed}</title>{items}</channel></rss>".encode()

    def pollers(self, since: int) -> dict[str, set[str]]:
        """Who asked for each feed since so many requests."""
        found: dict[str, set[str]] = defaultdict(set)
        for poller, feed, _ in list(self.asked)[since:]:
            found[feed].add(poller)
        return found

    def answer(self, asked: Asked) -> Told:
        feed, headers = asked
        self.asked.append((headers["User-Agent"], feed, headers.get("If-None-Match") == ETAG))
        return self.document(feed), {"ETag": ETAG}

    async def until(self, seconds: float, what: Callable[[], bool]) -> None:
        async with asyncio.timeout(seconds):
            while not what():
                await asyncio.sleep(0.05)

    async def seen_by(self, name: str, seconds: float = 120) -> None:
        """Return when a poller has asked from now on."""
        start = len(self.asked)
        await self.until(seconds, lambda: any(each == name for each, _, _ in self.asked[start:]))

    async def all_asked(self, seconds: float = 120) -> int:
        """Return when every feed was asked for from now on; how many requests there were before."""
        start = len(self.asked)
        await self.until(seconds, lambda: self.pollers(start).keys() == {feed for feed, _ in FEEDS})
        return start


class Fleet:
    """Pollers of one list on one broker, each by the name of its user agent."""

    def __init__(self, told: Kafka, folder: Path, port: int) -> None:
        self.told, self.folder, self.port = told, folder, port
        self.feeds = folder / "feeds.toml"
        self.feeds.write_text(
            "".join(
                f'[[feeds]]\nid = "{feed}"\nurl = "http://{host}:{port}/{feed}"\ninterval = 0.3\n'
                for feed, host in FEEDS
            )
        )

    def poller(self, name: str) -> Worker:
        return Worker(
            self.told, self.folder / f"{name}.log", *POLL, "--feeds", str(self.feeds),
            WIREDESK_POLL_USER_AGENT=name, WIREDESK_POLL_HOST_DELAY_S="0.01", WIREDESK_KAFKA_WORKER=name,
            WIREDESK_POLL_ALLOWED_ADDRESSES=f'["127.0.0.0/8:{self.port}"]',
        )  # fmt: skip


async def test_pollers_share_the_feeds_by_host_and_one_goes_on_where_the_other_was_killed(
    kafka: KafkaForTest, tmp_path: Path
) -> None:
    told, publisher = kafka.settings(partitions=8), Publisher()
    await make_topics(told)
    with publishing(publisher.answer, host="") as port:
        fleet = Fleet(told, tmp_path, port)
        with fleet.poller("one") as first, fleet.poller("two") as second:
            await publisher.until(120, lambda: {name for name, _, _ in publisher.asked} == {"one", "two"})
            first.wait_for("state restored", 60)
            second.wait_for("state restored", 60)
            publisher.entries += 1
            shared = publisher.pollers(await publisher.all_asked())
            by_host: dict[str, set[str]] = defaultdict(set)
            for feed, host in FEEDS:
                by_host[host] |= shared[feed]
            assert {name for names in shared.values() for name in names} == {"one", "two"}
            assert all(len(names) == 1 for names in by_host.values()), by_host
            await read(told, [RAW.name], len(FEEDS) * publisher.entries, 30)  # and every state with them

            first.kill()
            killed = len(publisher.asked)
            publisher.entries += 2
            await publisher.all_asked()
            publisher.entries += 1
            records = await read(told, [RAW.name], len(FEEDS) * publisher.entries, 30)
            taken = dict(reversed([(feed, known) for _, feed, known in publisher.asked[killed:]]))
            orphans = {feed for feed, names in shared.items() if names == {"one"}}
            assert all(taken[feed] for feed in orphans), "the first request has the validators"
            assert second.stop() == 0, second.log()
    once_each(records, publisher.entries)
    assert (await load_states(Settings(kafka=told))).keys() == {feed for feed, _ in FEEDS}


@pytest.mark.skipif("WIRETEST_CHAOS" not in os.environ, reason="takes a minute; set WIRETEST_CHAOS")
async def test_a_poller_that_slept_while_another_took_over_does_no_harm(
    kafka: KafkaForTest, tmp_path: Path
) -> None:
    told, publisher = kafka.settings(partitions=8), Publisher()
    await make_topics(told)
    with publishing(publisher.answer, host="") as port:
        fleet = Fleet(told, tmp_path, port)
        with fleet.poller("one") as first, fleet.poller("two") as second:
            await publisher.until(120, lambda: {name for name, _, _ in publisher.asked} == {"one", "two"})
            for _ in range(3):
                first.process.send_signal(signal.SIGSTOP)
                publisher.entries += 1
                await publisher.all_asked()
                publisher.entries += 1
                await publisher.all_asked()
                first.process.send_signal(signal.SIGCONT)
                await publisher.seen_by("one")
                publisher.entries += 1
                await publisher.all_asked()
            records = await read(told, [RAW.name], len(FEEDS) * publisher.entries, 30)
            assert second.stop() == 0, second.log()
            first.stop()  # its status is what the moment makes it: who was fenced starts anew, in its place
    once_each(records, publisher.entries)


def once_each(records: Sequence[Read], entries: int) -> None:
    """Every entry of every feed stands there once, in its first version."""
    versions = Counter((item.uri, item.version) for item in map(raw, records))
    assert len(versions) == len(FEEDS) * entries
    assert set(versions.values()) == {1}, "nothing is new twice"
    assert {version for _, version in versions} == {"1"}


def raw(record: Read) -> RawItem:
    return decode(record.value or b"", RawItem)
