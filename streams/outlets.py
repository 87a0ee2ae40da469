"""The pollers' side of the embedded log: where raw items go, and what is remembered of each feed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import orjson

from processors.errors import Rejected
from processors.event import RawItem
from streams.consumer import Access
from streams.messages import Message, Record, dead_letter, message, milliseconds, raw_message
from streams.topology import GAPS, RAW, STEPS

UNREAD_LIMIT: Final = 5000  # raw items; pollers wait beyond that


class RawOutlet:
    """The pollers' way into the log (`streams.pollers.ports.Outlet`)."""

    def __init__(self, access: Access) -> None:
        """Writes to the raw topic."""
        self._access = access

    async def publish(self, items: Sequence[RawItem]) -> None:
        """Return once the items are committed; waits while the log holds too much unread."""
        while True:
            seen = self._access.commits
            if (
                await self._access.read(lambda: self._access.log.lag(STEPS[0].name, [RAW.name]))
                < UNREAD_LIMIT
            ):
                break
            await self._access.changed(seen)
        await self._append([raw_message(item, RAW.name) for item in items])

    async def reject(self, item: RawItem, error: Rejected) -> None:
        """Write the dead letter of a document that could not be read; it never had an offset, so -1."""
        made = raw_message(item, RAW.name)
        record = Record(RAW.name, 0, -1, made.key, made.value, made.timestamp, made.headers)
        await self._append([dead_letter(record, "poll", error)])

    async def gap(self, feed: str, at: str) -> None:
        """Write that stories of a feed may have been missed."""
        await self._append([gap_message(feed, at)])

    async def _append(self, messages: list[Message]) -> None:
        await self._access.write(lambda: self._access.log.append(messages))


class FeedStates:
    """What pollers remember (`streams.pollers.ports.StateStore`)."""

    def __init__(self, access: Access) -> None:
        """A table beside the log."""
        self._access = access

    async def load(self) -> Mapping[str, bytes]:
        """The last saved state of every feed."""
        return await self._access.read(self._access.log.feeds)

    async def save(self, feed: str, state: bytes) -> None:
        """Return once the state is safe."""
        await self._access.write(lambda: self._access.log.save_feed(feed, state))


def gap_message(feed: str, at: str) -> Message:
    """The message that stories of a feed may have been missed, as ``--events`` writes it."""
    value = orjson.dumps({"gap": {"feed": feed, "at": at}})
    return message(GAPS.name, feed, value, milliseconds(at), source=feed)
