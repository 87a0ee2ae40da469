"""The raw item that an event was made of: found in a log again, and read for the stories that it holds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from config.settings import Settings
from processors.errors import Rejected
from processors.model.codec import decode
from processors.model.event import Event, RawItem
from processors.times import to_milliseconds
from streams.deadline import OverDeadline, run_in_thread

# Of a raw topic, from an item's reception on, among which it is sought: a poll of the largest feeds writes some hundred
# records at once. More hold up the log; with fewer an item behind others of its second is not found.
MAX_SCANNED_RECORDS: Final = 2000
# Items of the same moment and feed that are read to see whose story it is: each costs what the step normalise costs.
MAX_CANDIDATES: Final = 200
READ_STEP: Final = "raw item"  # in figures and logs

ReadItem = Callable[
    [str, int, int], Awaitable[bytes | None]
]  # topic, partition and offset; None: not there any more
ScanItems = Callable[
    [int, bytes, int], Awaitable[Sequence[bytes]]
]  # from a time in milliseconds on, records with some bytes, so many


class RawArchive:
    """Raw items of a log (`sinks.desk.raw_items.ItemLog`)."""

    def __init__(self, settings: Settings, read: ReadItem, scan: ScanItems) -> None:
        """`read` and `scan` are the log's; they raise `Transient` where it does not answer."""
        self._settings, self._read, self._scan = settings, read, scan

    async def find_item(self, event: Event) -> bytes | None:
        """The record of the raw item that an event was made of; None where it is not there any more."""
        origin = event.provenance
        if origin is None:
            return None
        whole = origin.whole
        if whole and whole.topic is not None and whole.partition is not None and whole.offset is not None:
            return await self._read(whole.topic, whole.partition, whole.offset)
        mark = f'"{origin.received}"'.encode()
        candidates = await self._scan(to_milliseconds(origin.received), mark, MAX_CANDIDATES)
        for item in candidates:
            if any(_is_same_story(story, event) for story in await self.list_stories(item) or ()):
                return item
        return None

    async def list_stories(self, item: bytes) -> Sequence[Event] | None:
        """The stories of a record as they were sent; None where a part of it can't be read."""
        try:
            return await run_in_thread(
                READ_STEP, lambda: read_stories(item, self._settings), self._settings.steps.deadline_s
            )
        except OverDeadline:
            return None


def read_stories(item: bytes, settings: Settings) -> Sequence[Event] | None:
    """The stories of a record as they were sent; None where a part of it can't be read."""
    from processors.normalise import normalise

    try:
        results = normalise(decode(item, RawItem), settings.normalise)
    except Rejected:
        return None
    events = [result for result in results if isinstance(result, Event)]
    return events if len(events) == len(results) else None


def _is_same_story(sent: Event, event: Event) -> bool:
    """Whether a story as it was sent became an event: it may have another uri since, and the end of a long text missing."""
    is_named_alike = (sent.story.uri, sent.story.version) == (event.story.uri, event.story.version)
    return is_named_alike or (sent.headline, sent.text) == (event.headline, event.text)
