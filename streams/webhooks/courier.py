"""A target's stories: those of one chain one after the other, others beside them, and the place in the topics.

A story that its target refuses for long holds back later versions of itself, nothing else. The place that is settled
is before the oldest story that is still on its way; after a restart what was delivered beyond it is delivered again,
with the same ``webhook-id``, so that a target can drop it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

import structlog

from processors.errors import Rejected
from streams.messages import Message, Record, dead_letter
from streams.topology import WEBHOOKS

MOST: Final = 1000  # stories of a target on their way
STEP: Final = "webhooks"  # in dead letters and figures
TO: Final = "webhook"  # the header that names the one target of a delivery to try again
log = structlog.get_logger("wiredesk.webhooks")

Place = tuple[str, int]  # topic and partition


class Source(Protocol):
    """Where a target's stories come from."""

    async def fetch(self, most: int) -> Sequence[Record]:
        """The next stories, after a moment's wait where there are none."""

    async def settle(self, offsets: Mapping[Place, int], letters: Sequence[Message]) -> None:
        """Keep the place, and the dead letters of stories before it."""


@dataclass(slots=True)
class _Story:
    """A story on its way; `letter` is set where it was set aside."""

    record: Record
    done: bool = False
    letter: Message | None = None


class Courier:
    """Delivers what a source has until it is told to stop."""

    def __init__(
        self,
        name: str,
        deliver: Callable[[Record], Coroutine[Any, Any, Rejected | None]],
        source: Source,
        concurrency: int,
    ) -> None:
        """`name` is the target's; `concurrency` chains are in hand at once."""
        self.name = name
        self._deliver, self._source = deliver, source
        self._hands = asyncio.Semaphore(concurrency)
        self._way: dict[Place, list[_Story]] = {}
        self._chains: dict[bytes, deque[_Story]] = {}  # what waits of each chain, the one in hand first
        self._tasks: dict[bytes, asyncio.Task[None]] = {}
        self._done = asyncio.Event()
        self._failure: BaseException | None = None

    @property
    def outstanding(self) -> int:
        """How many stories are on their way."""
        return sum(len(stories) for stories in self._way.values())

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop`; what is on its way then is delivered after the next start."""
        try:
            while not stop.is_set():
                room = MOST - self.outstanding
                if room > 0:
                    self._take(await self._source.fetch(room))
                else:
                    await self._one_done()
                await self._settle()
                if self._failure:
                    raise self._failure
        finally:
            await self.drop(list(self._way))

    async def drop(self, places: Sequence[Place]) -> None:
        """Let go of partitions: settle what is done there, and deliver nothing more of it."""
        await self._settle()
        gone = {id(story) for place in places for story in self._way.pop(place, [])}
        cancelled = []
        for key, waiting in list(self._chains.items()):
            left = deque(story for story in waiting if id(story) not in gone)
            if len(left) == len(waiting):
                continue
            task = self._tasks.pop(key)
            task.cancel()
            cancelled.append(task)
            del self._chains[key]
            self._put(key, left)
        await asyncio.gather(*cancelled, return_exceptions=True)

    def _take(self, records: Sequence[Record]) -> None:
        for record in records:
            story = _Story(record)
            self._way.setdefault((record.topic, record.partition), []).append(story)
            if not record.value or record.header(TO) not in {None, self.name.encode()}:
                story.done = True  # a tombstone, whose kill was delivered; or somebody else's
            else:
                self._put(record.key, [story])

    def _put(self, key: bytes, stories: Iterable[_Story]) -> None:
        """Let stories wait for their turn in their chain."""
        waiting = self._chains.setdefault(key, deque())
        waiting.extend(stories)
        if not waiting:
            del self._chains[key]
        elif key not in self._tasks:
            task = asyncio.create_task(self._run_chain(key, waiting), name=f"webhook {self.name}")
            self._tasks[key] = task
            task.add_done_callback(self._ended)

    async def _run_chain(self, key: bytes, waiting: deque[_Story]) -> None:
        while waiting:
            story = waiting[0]
            async with self._hands:
                refused = await self._deliver(story.record)
            if refused:
                log.warning("a delivery was set aside", webhook=self.name, reason=str(refused))
                story.letter = letter(story.record, self.name, refused)
            story.done = True
            waiting.popleft()
            self._done.set()
        del self._chains[key]
        del self._tasks[key]

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A failure here is a bug of ours, which ends the run."""
        if not task.cancelled() and task.exception():
            self._failure = task.exception()
            self._done.set()

    async def _settle(self) -> None:
        """Keep the place before the oldest story on its way in each partition."""
        offsets: dict[Place, int] = {}
        letters: list[Message] = []
        for place, stories in self._way.items():
            number = next((n for n, story in enumerate(stories) if not story.done), len(stories))
            if number:
                offsets[place] = stories[number - 1].record.offset + 1
                letters += [story.letter for story in stories[:number] if story.letter]
                del stories[:number]
        if offsets:
            await self._source.settle(offsets, letters)

    async def _one_done(self) -> None:
        self._done.clear()
        await self._done.wait()


def letter(record: Record, name: str, error: Rejected) -> Message:
    """The dead letter of a delivery. Replayed, it goes to its one target, through a topic of the webhooks' own."""
    headers = tuple(pair for pair in record.headers if pair[0] != TO)
    own = replace(record, topic=WEBHOOKS.name, headers=(*headers, (TO, name.encode())))
    return dead_letter(own, STEP, error)
