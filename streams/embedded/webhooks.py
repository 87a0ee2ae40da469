"""The driver of webhooks in the embedded runtime: each target is a consumer of the log."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Final

from config.settings import Settings
from sinks.routes.router import route_topic
from streams.embedded.log import LogThread
from streams.messages import Message, Record
from streams.topology import WEBHOOKS
from streams.webhooks.courier import Courier, PartitionKey
from streams.webhooks.delivery import TargetClient
from streams.webhooks.targets import Target

WAIT_S: Final = 0.5  # for a commit: shorter wakes an idle courier more often; longer delays what it settles


class LogSource:
    """A target's topics in the log (`streams.webhooks.courier.StorySource`)."""

    def __init__(self, target: Target, log_thread: LogThread) -> None:
        """A new target begins with what comes from now on."""
        self.name = f"webhook:{target.name}"
        self.topics: tuple[str, ...] = (route_topic(target.route), WEBHOOKS.name)
        self._log_thread = log_thread
        self._next_offsets: dict[str, int] = {}

    async def fetch(self, limit: int) -> Sequence[Record]:
        """The next stories, after a moment's wait where there are none."""
        seen = self._log_thread.commit_count
        records = await self._log_thread.run(lambda: self._next_records(limit))
        if not records:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._log_thread.wait_for_commit(seen), WAIT_S)
        return records

    async def commit(self, offsets: Mapping[PartitionKey, int], letters: Sequence[Message]) -> None:
        """Commit offsets and dead letters in one transaction."""
        next_offsets = {topic: offset for (topic, _), offset in offsets.items()}
        await self._log_thread.write(lambda: self._log_thread.log.commit(self.name, next_offsets, letters))

    def _next_records(self, limit: int) -> list[Record]:
        log = self._log_thread.log
        if not self._next_offsets:
            log.start_at_end(self.name, self.topics)
            self._next_offsets = {topic: log.committed_offset(self.name, topic) for topic in self.topics}
        fetched: list[Record] = []
        for topic in self.topics:
            records = log.records(topic, self._next_offsets[topic], limit - len(fetched))
            if records:
                self._next_offsets[topic] = records[-1].offset + 1
            fetched += records
        return fetched


async def deliver_stories(
    settings: Settings, sources: Mapping[Target, LogSource], stop: asyncio.Event
) -> None:
    """Deliver to all targets until `stop`; raises what is our own fault."""
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        for target, source in sources.items():
            client = await stack.enter_async_context(TargetClient(target, settings.webhooks))
            courier = Courier(target.name, client.deliver, source, settings.webhooks.concurrency)
            group.create_task(courier.run(stop), name=source.name)
