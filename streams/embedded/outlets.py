"""The pollers' side of the embedded log: where raw items go, and what is remembered of each feed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from processors.errors import Rejected
from processors.model.event import Event, RawItem
from sinks.stories import now_ms
from streams.embedded.log import LogThread
from streams.messages import Message, event_message, raw_message, rejected_message
from streams.pollers.ports import PollResult
from streams.topology import RAW, STEPS, WEBHOOKS
from streams.webhooks.courier import TARGET_HEADER

# Raw items that no step has read, beyond which pollers wait. Fewer make pollers wait at every burst; more are documents
# on the disk that come late anyway.
MAX_UNREAD_ITEMS: Final = 5000


class RawOutlet:
    """The pollers' way into the log (`streams.pollers.ports.RawItemOutlet`).

    Whoever dies between writing an item and noting that it is written (a dropped file that is still to be moved away)
    comes with the very same item again. So the last item of each feed is remembered in its own transaction, and a
    repeat of it is written no second time.
    """

    def __init__(self, log_thread: LogThread) -> None:
        """Writes to the raw topic."""
        self._log_thread = log_thread

    async def publish(self, items: Sequence[RawItem], written_ms: int | None = None) -> None:
        """Return once the items are committed; waits while the log holds too much unread.

        `written_ms` is the records' time where they are not written when they are received.
        """
        await wait_for_room(self._log_thread)
        messages = [raw_message(item, RAW.name) for item in items]
        if written_ms is not None:
            messages = [replace(message, timestamp=written_ms) for message in messages]
        await self._append(messages)

    async def reject(self, item: RawItem, error: Rejected) -> None:
        """Write the dead letter of a document that could not be read; it never had an offset, so -1."""
        await self._append([rejected_message(item, error)])

    async def _append(self, messages: list[Message]) -> None:
        await self._log_thread.write(lambda: self._write(messages))

    def _write(self, messages: list[Message]) -> None:
        log = self._log_thread.log
        with log.transaction():
            if not messages or (
                len(messages) == 1 and log.last_item(*_feed_of(messages[0])) == _identity(messages[0])
            ):
                return
            log.append(messages)
            log.save_last_item(*_feed_of(messages[-1]), _identity(messages[-1]))


def _feed_of(message: Message) -> tuple[str, str]:
    """The topic and key under which the last item of a feed is remembered."""
    return message.topic, message.key.decode()


def _identity(message: Message) -> int:
    """63 bits of the event's id, which is a hash of the raw item and its topic."""
    return int((message.header("ce_id") or b"0").decode()[:15], 16)


class FeedStates:
    """What pollers remember (`streams.pollers.ports.FeedLedger`), in a table beside the log."""

    def __init__(self, log_thread: LogThread) -> None:
        """Results that wait at the same moment are written in one transaction."""
        self._log_thread = log_thread
        self._waiting: deque[tuple[list[Message], str, bytes]] = deque()

    async def load(self) -> Mapping[str, bytes]:
        """The last saved state of every feed."""
        return await self._log_thread.run(self._log_thread.log.feeds)

    async def save(self, feed: str, state: bytes) -> None:
        """Return once the state is safe."""
        await self._log_thread.write(lambda: self._log_thread.log.save_feed(feed, state))

    async def commit(self, result: PollResult) -> None:
        """Return once all of a result is committed; waits while the log holds too much unread."""
        if result.items:
            await wait_for_room(self._log_thread)
        self._waiting.append((result.messages(), result.feed, result.state))
        await self._log_thread.write(self._write)

    def _write(self) -> None:
        """Write what waits; nothing is taken off before it is committed."""
        written = list(self._waiting)
        if not written:
            return
        with self._log_thread.log.transaction():
            self._log_thread.log.append([message for messages, _, _ in written for message in messages])
            for _, feed, state in written:
                self._log_thread.log.save_feed(feed, state)
        for _ in written:
            self._waiting.popleft()


async def wait_for_room(log_thread: LogThread) -> None:
    """Return once the log holds little enough that no step has read."""
    while True:
        seen = log_thread.commit_count
        if await log_thread.run(lambda: log_thread.log.lag(STEPS[0].name, [RAW.name])) < MAX_UNREAD_ITEMS:
            return
        await log_thread.wait_for_commit(seen)


class HandOnOutlet:
    """Stories that editors hand on to webhooks (`sinks.desk.ports.HandOn`), through the topic of single deliveries."""

    def __init__(self, log_thread: LogThread, list_targets: Callable[[], Sequence[str]]) -> None:
        """`list_targets` gives the names of the webhooks of this moment."""
        self._log_thread, self._list_targets = log_thread, list_targets

    @property
    def targets(self) -> Sequence[str]:
        """The names of the webhooks."""
        return self._list_targets()

    async def hand_on(self, target: str, event: Event) -> None:
        """Write the story for one target; it is delivered, tried again and set aside as those of its route are."""
        chain = event.lineage.story if event.lineage else event.story.uri
        written = event_message(WEBHOOKS.name, chain, event, now_ms(), source="desk")
        headers = (*written.headers, (TARGET_HEADER, target.encode()))
        message = replace(written, headers=headers)
        await self._log_thread.write(lambda: self._log_thread.log.append([message]))
