"""A target's stories: those of one chain one after the other, others beside them, and the offsets to commit.

A story that its target refuses for long holds back later versions of itself, nothing else. What is committed ends
before the oldest unfinished story; after a restart what was delivered beyond it is delivered again, with the same
``webhook-id``, so that a target can drop it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

import structlog

from processors.errors import Rejected
from sinks.metrics import WAITING_DELIVERIES
from streams.messages import Message, Record, dead_letter
from streams.topology import WEBHOOKS

# Unfinished stories of a target. With fewer, one slow chain soon keeps all others from being fetched; with more, a
# restart delivers more of them again, and a target that is down takes more memory.
MAX_UNFINISHED: Final = 1000
STEP_NAME: Final = "webhooks"  # in dead letters and figures
TARGET_HEADER: Final = "webhook"  # names the one target of a delivery to try again
log = structlog.get_logger("wiredesk.webhooks")

PartitionKey = tuple[str, int]  # topic and number


class StorySource(Protocol):
    """Where a target's stories come from."""

    async def fetch(self, limit: int) -> Sequence[Record]:
        """The next stories, after a moment's wait where there are none."""

    async def commit(self, offsets: Mapping[PartitionKey, int], letters: Sequence[Message]) -> None:
        """Commit the next offset of each partition, and the dead letters of stories before it."""


@dataclass(slots=True)
class _Story:
    """A story that was fetched; `letter` is set where it was set aside."""

    record: Record
    is_finished: bool = False
    letter: Message | None = None


class Courier:
    """Delivers what a source has until it is told to stop."""

    def __init__(
        self,
        name: str,
        deliver: Callable[[Record], Coroutine[Any, Any, Rejected | None]],
        source: StorySource,
        concurrency: int,
    ) -> None:
        """`name` is the target's; the stories of `concurrency` chains are delivered at once."""
        self.name = name
        self._deliver, self._source = deliver, source
        self._slots = asyncio.Semaphore(concurrency)
        self._unfinished: dict[PartitionKey, list[_Story]] = {}
        self._chains: dict[bytes, deque[_Story]] = {}  # what waits of each chain, the one in delivery first
        self._tasks: dict[bytes, asyncio.Task[None]] = {}
        self._finished = asyncio.Event()
        self._failure: BaseException | None = None
        self._last_ms: int | None = None

    @property
    def unfinished_count(self) -> int:
        """How many stories were fetched and are not committed."""
        return sum(len(stories) for stories in self._unfinished.values())

    @property
    def oldest_ms(self) -> int | None:
        """The timestamp (ms) of the oldest story that is not committed, or of the last one that was; None before any."""
        waiting = [
            story.record.timestamp
            for stories in self._unfinished.values()
            for story in stories
            if not story.is_finished
        ]
        return min(waiting, default=self._last_ms)

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop`; what is unfinished then is delivered after the next start."""
        try:
            while not stop.is_set():
                limit = MAX_UNFINISHED - self.unfinished_count
                if limit > 0:
                    self._add(await self._source.fetch(limit))
                else:
                    await self._wait_for_one()
                await self._commit()
                if self._failure:
                    raise self._failure
        finally:
            await self.drop_partitions(list(self._unfinished))

    async def drop_partitions(self, partitions: Sequence[PartitionKey]) -> None:
        """Let go of partitions: commit what is finished there, and deliver nothing more of them."""
        await self._commit()
        dropped = {id(story) for key in partitions for story in self._unfinished.pop(key, [])}
        cancelled = []
        for key, waiting in list(self._chains.items()):
            kept = deque(story for story in waiting if id(story) not in dropped)
            if len(kept) == len(waiting):
                continue
            task = self._tasks.pop(key)
            task.cancel()
            cancelled.append(task)
            del self._chains[key]
            self._enqueue(key, kept)
        await asyncio.gather(*cancelled, return_exceptions=True)

    def _add(self, records: Sequence[Record]) -> None:
        for record in records:
            story = _Story(record)
            self._unfinished.setdefault((record.topic, record.partition), []).append(story)
            if not record.value or record.header(TARGET_HEADER) not in {None, self.name.encode()}:
                story.is_finished = True  # a tombstone, whose kill was delivered; or somebody else's
            else:
                self._enqueue(record.key, [story])
            self._last_ms = record.timestamp
        WAITING_DELIVERIES.labels(self.name).set(self.unfinished_count)

    def _enqueue(self, key: bytes, stories: Iterable[_Story]) -> None:
        """Add stories to the queue of their chain."""
        waiting = self._chains.setdefault(key, deque())
        waiting.extend(stories)
        if not waiting:
            del self._chains[key]
        elif key not in self._tasks:
            task = asyncio.create_task(self._run_chain(key, waiting), name=f"webhook {self.name}")
            self._tasks[key] = task
            task.add_done_callback(self._note_failure)

    async def _run_chain(self, key: bytes, waiting: deque[_Story]) -> None:
        while waiting:
            story = waiting[0]
            async with self._slots:
                refusal = await self._deliver(story.record)
            if refusal:
                log.warning("a delivery was set aside", webhook=self.name, reason=str(refusal))
                story.letter = delivery_letter(story.record, self.name, refusal)
            story.is_finished = True
            waiting.popleft()
            self._finished.set()
        del self._chains[key]
        del self._tasks[key]

    def _note_failure(self, task: asyncio.Task[None]) -> None:
        """A failure of a chain's task is a bug of ours, which ends the run."""
        if not task.cancelled() and task.exception():
            self._failure = task.exception()
            self._finished.set()

    async def _commit(self) -> None:
        """Commit each partition up to its oldest unfinished story."""
        offsets: dict[PartitionKey, int] = {}
        letters: list[Message] = []
        for key, stories in self._unfinished.items():
            count = next((n for n, story in enumerate(stories) if not story.is_finished), len(stories))
            if count:
                offsets[key] = stories[count - 1].record.offset + 1
                letters += [story.letter for story in stories[:count] if story.letter]
                del stories[:count]
        if offsets:
            WAITING_DELIVERIES.labels(self.name).set(self.unfinished_count)
            await self._source.commit(offsets, letters)

    async def _wait_for_one(self) -> None:
        self._finished.clear()
        await self._finished.wait()


def delivery_letter(record: Record, name: str, error: Rejected) -> Message:
    """The dead letter of a delivery. Replayed, it goes to its one target, through a topic of the webhooks' own."""
    headers = tuple(pair for pair in record.headers if pair[0] != TARGET_HEADER)
    own = replace(record, topic=WEBHOOKS.name, headers=(*headers, (TARGET_HEADER, name.encode())))
    return dead_letter(own, STEP_NAME, error)
