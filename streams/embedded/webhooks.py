"""Webhooks in the embedded runtime: the place of each is its offsets in the log."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Final

from config.files import find_file
from config.settings import Settings
from sinks.routes.router import Rule
from sinks.webhooks import Target, load
from streams.embedded.consumer import Access
from streams.messages import Message, Record
from streams.topology import WEBHOOKS
from streams.webhooks.courier import Courier, Place
from streams.webhooks.delivery import Delivery

WAIT_S: Final = 0.5


def targets(settings: Settings, rules: Sequence[Rule]) -> tuple[Target, ...]:
    """The operator's targets; none where the setting ``webhooks.file`` is empty. Misconfigured where one is wrong."""
    name = settings.webhooks.file
    return load(find_file(name), {rule.name for rule in rules}) if name else ()


def consumer(target: Target) -> str:
    """The name that owns a target's offsets."""
    return f"webhook:{target.name}"


class LogSource:
    """A target's topics in the log (`streams.webhooks.courier.Source`)."""

    def __init__(self, target: Target, access: Access) -> None:
        """A new target begins with what comes from now on."""
        self.name = consumer(target)
        self.topics: tuple[str, ...] = (Rule(target.route, {}).topic, WEBHOOKS.name)
        self._access = access
        self._next: dict[str, int] = {}

    async def fetch(self, most: int) -> Sequence[Record]:
        """The next stories, after a moment's wait where there are none."""
        seen = self._access.commits
        records = await self._access.read(lambda: self._read(most))
        if not records:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._access.changed(seen), WAIT_S)
        return records

    async def settle(self, offsets: Mapping[Place, int], letters: Sequence[Message]) -> None:
        """In one transaction."""
        read = {topic: offset for (topic, _), offset in offsets.items()}
        await self._access.write(lambda: self._access.log.commit(self.name, read, letters))

    def _read(self, most: int) -> list[Record]:
        log = self._access.log
        if not self._next:
            if log.marked(self.name) is None:
                ends = {topic: log.end(topic) for topic in self.topics}
                log.commit(self.name, ends, in_transaction=lambda: log.mark(self.name, 1))
            self._next = {topic: log.position(self.name, topic) for topic in self.topics}
        found: list[Record] = []
        for topic in self.topics:
            records = log.records(topic, self._next[topic], most - len(found))
            if records:
                self._next[topic] = records[-1].offset + 1
            found += records
        return found


async def deliver(settings: Settings, told: Mapping[Target, LogSource], stop: asyncio.Event) -> None:
    """Deliver to all targets until `stop`; raises what is our own fault."""
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        for target, source in told.items():
            delivery = await stack.enter_async_context(Delivery(target, settings.webhooks))
            courier = Courier(target.name, delivery.deliver, source, settings.webhooks.concurrency)
            group.create_task(courier.run(stop), name=source.name)
