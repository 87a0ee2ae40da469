"""Read wiredesk's stories from Kafka, from a desk's stream or from a file, typed, and go on where you stopped.

    from wiredesk.client import Query, stories

    async for event in stories("wire.out.urgent.v1", Query(language="en"), servers="127.0.0.1:9092", group="desk-app"):
        print(event.lineage.relation, event.headline)

An event counts as read once the next one is asked for: whoever stops or crashes in the middle of one gets it again, and
none is lost. Members and values are those of ``config/schemas/event.v1.json``; unknown members are passed over.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import quote, urlsplit

from processors.media_topics import with_ancestors
from processors.model.codec import decode
from processors.model.event import Event

__all__ = ["Event", "Query", "StreamRefused", "stories"]

Begin = Literal["start", "now"]
# Before a broken stream is taken up again, where the server does not say: shorter asks a server in trouble again and again.
RETRY_S: Final = 3.0
# A stream without a sign of life for so long is dead: desks send one every 15 s.
SILENCE_S: Final = 60.0
FILE_INTERVAL_S: Final = 0.5  # between two looks at a file that is followed
# Of a partition in one answer of the broker: topics take records of 25 MB, more than aiokafka asks for by itself.
MAX_FETCH_BYTES: Final = 32 * 1024 * 1024
MAX_LINE_BYTES: Final = 64 * 1024 * 1024  # of a stream's event


class StreamRefused(Exception):
    """A server that refuses the stream for good: an unknown route, a wrong token, a damaged bookmark."""


@dataclass(frozen=True, slots=True)
class Query:
    """Which stories come: all conditions that are set must hold.

    `language` has its regional variants as well, `topic` is a Media Topic (``medtop:04000000``) with what lies below it,
    `entity` a name or alias in any case. Kills and corrections always come, unless `relations` leaves them out: they
    concern what came before.
    """

    language: str | None = None
    feed: str | None = None
    topic: str | None = None
    entity: str | None = None
    relations: frozenset[str] | None = None

    def fits(self, event: Event) -> bool:
        """Whether an event is asked for."""
        relation = event.lineage.relation if event.lineage else "new"
        if self.relations is not None and relation not in self.relations:
            return False
        return relation in {"kill", "correction"} or all(
            (
                self.language is None or _fits_language(event, self.language.lower()),
                self.feed is None or (event.provenance is not None and event.provenance.feed == self.feed),
                self.topic is None
                or self.topic in with_ancestors(topic.code for topic in event.topics or ()),
                self.entity is None or self.entity.casefold() in _names(event),
            )
        )


async def stories(
    source: str | Path,
    query: Query | None = None,
    *,
    begin: Begin = "start",
    bookmark: str | Path | None = None,
    group: str | None = None,
    servers: str = "127.0.0.1:9092",
    options: Mapping[str, Any] | None = None,
    token: str | None = None,
    follow: bool = False,
) -> AsyncGenerator[Event]:
    """The events of a source that fit a query, one after the other.

    Args:
        source: a topic of Kafka (``wire.stories.enriched.v1``), the address of a stream
            (``http://127.0.0.1:8080/api/routes/urgent/stream``, ``…/api/stream``), or a path of JSON Lines.
        query: which events; all without it.
        begin: where a reader begins that has not read before.
        bookmark: file that keeps the place in a stream or file; without it each reading begins anew.
        group: consumer group, in which Kafka keeps the place; without it each reading begins anew.
        servers: of Kafka.
        options: further ones of aiokafka's consumer (``security_protocol`` …).
        token: of the desk.
        follow: whether a file is read on as it grows; else the reading ends with it.

    Raises:
        StreamRefused: the server refuses the stream for good. What passes is waited for.
        Malformed: something is no event of this version or an earlier one.
    """
    place = _Bookmark(Path(bookmark)) if bookmark else _Bookmark(None)
    wanted = query or Query()
    if str(source).startswith(("http://", "https://")):
        reading = _read_stream(str(source), place, begin, token)
    elif _is_path(source):
        reading = _read_file(Path(source), place, begin, follow=follow)
    else:
        reading = _read_topic(str(source), group, begin, {"bootstrap_servers": servers, **(options or {})})
    async with aclosing(reading):
        async for event in reading:
            if event is not None and wanted.fits(event):
                yield event


def _is_path(source: str | Path) -> bool:
    """Whether a source is a file; a topic's name has no slash."""
    return isinstance(source, Path) or "/" in source or Path(source).exists()


class _Bookmark:
    """The place in a stream or file, in a file of the reader's."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.place = path.read_text("utf-8").strip() if path and path.exists() else ""

    def move(self, place: str) -> None:
        """Keep a place, so that a crash leaves the old one or this."""
        self.place = place
        if self._path:
            part = self._path.with_name(f".{self._path.name}.part")
            part.write_text(place, "utf-8")
            part.replace(self._path)


async def _read_topic(
    topic: str, group: str | None, begin: Begin, options: Mapping[str, Any]
) -> AsyncGenerator[Event | None]:
    from aiokafka import AIOKafkaConsumer, TopicPartition

    consumer = AIOKafkaConsumer(
        topic,
        **{
            "group_id": group,
            "isolation_level": "read_committed",
            "enable_auto_commit": False,
            "auto_offset_reset": "earliest" if begin == "start" else "latest",
            "max_partition_fetch_bytes": MAX_FETCH_BYTES,
        }
        | dict(options),
    )
    read: dict[TopicPartition, int] = {}

    async def commit() -> None:
        if group and read:
            offsets, kept = dict(read), {tp for tp in read if tp in consumer.assignment()}
            read.clear()
            await consumer.commit({tp: offset for tp, offset in offsets.items() if tp in kept})

    await consumer.start()
    try:
        while True:
            batch = await consumer.getmany(timeout_ms=1000)
            for partition, messages in batch.items():
                for message in messages:
                    yield (
                        decode(message.value, Event) if message.value else None
                    )  # a tombstone tells nothing new
                    read[partition] = message.offset + 1
            await commit()
    finally:
        try:
            await commit()
        finally:
            await consumer.stop()


async def _read_stream(
    address: str, bookmark: _Bookmark, begin: Begin, token: str | None
) -> AsyncGenerator[Event | None]:
    import aiohttp

    headers = {"Accept": "text/event-stream"} | ({"Authorization": f"Bearer {token}"} if token else {})
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=SILENCE_S)
    retry_s = RETRY_S
    is_route = "/api/routes/" in address
    async with aiohttp.ClientSession(
        headers=headers, timeout=timeout, read_bufsize=MAX_LINE_BYTES // 2
    ) as session:
        while True:
            place = bookmark.place
            asked = {"Last-Event-ID": place} if place else {}
            first = {"after": "start"} if not place and begin == "start" and is_route else {}
            try:
                async with session.get(address, headers=asked, params=first) as answer:
                    if 400 <= answer.status < 500 and answer.status != 429:
                        raise StreamRefused(
                            f"{address}: {answer.status} {(await answer.text())[:300].strip()}"
                        )
                    answer.raise_for_status()
                    async for identity, data, wait_s in _server_events(answer.content):
                        retry_s = wait_s or retry_s
                        if data:
                            yield await _event_of(session, address, data)
                        if identity:
                            bookmark.move(identity)
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(retry_s)


async def _server_events(content: Any) -> AsyncIterator[tuple[str, str, float | None]]:
    """Id, data and time to wait of each server-sent event (WHATWG HTML, 9.2.6)."""
    identity, data, wait_s = "", [], None
    while line := await content.readuntil(b"\n"):
        if not line.endswith(b"\n"):
            return  # cut off
        name, _, value = line.decode("utf-8").rstrip("\r\n").partition(":")
        value = value.removeprefix(" ")
        if name == "id":
            identity = value
        elif name == "data":
            data.append(value)
        elif name == "retry" and value.isdecimal():
            wait_s = int(value) / 1000
        elif not name and not value and line.strip() == b"":
            yield identity, "\n".join(data), wait_s
            identity, data, wait_s = "", [], None


async def _event_of(session: Any, address: str, data: str) -> Event | None:
    """The event; for a card of ``/api/stream`` the desk is asked, and None is what has gone meanwhile."""
    card = json.loads(data)
    if "story" in card:
        return decode(data, Event)
    parts = urlsplit(address)
    url = f"{parts.scheme}://{parts.netloc}/api/stories/{quote(card['uri'], safe='')}"
    from yarl import URL

    async with session.get(URL(url, encoded=True)) as answer:
        if answer.status == 404:
            return None
        answer.raise_for_status()
        return decode(await answer.read(), Event)


async def _read_file(
    path: Path, bookmark: _Bookmark, begin: Begin, *, follow: bool
) -> AsyncGenerator[Event | None]:
    with path.open("rb") as lines:
        lines.seek(int(bookmark.place or 0))
        if not bookmark.place and begin == "now":
            lines.seek(0, os.SEEK_END)
        while True:
            line = await asyncio.to_thread(lines.readline)
            if not line.endswith(b"\n") and follow:
                lines.seek(-len(line), os.SEEK_CUR)  # not yet whole
                await asyncio.sleep(FILE_INTERVAL_S)
                continue
            if not line:
                return
            if line.strip() and not line.startswith(b'{"gap"'):
                yield decode(line, Event)
            bookmark.move(str(lines.tell()))


def _fits_language(event: Event, wanted: str) -> bool:
    tag = (event.language.tag if event.language else event.story.language or "").lower()
    return tag == wanted or tag.startswith(f"{wanted}-")


def _names(event: Event) -> set[str]:
    return {name.casefold() for entity in event.entities or () for name in (entity.name, *entity.aliases)}
