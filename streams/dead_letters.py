"""Dead letters: read from either runtime's log, filtered, shown, and written back to the topic they came from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from processors.codec import decode
from processors.errors import Rejected
from processors.event import RawItem
from streams.log import Log
from streams.messages import Message, Record, rfc3339
from streams.topology import DEAD_LETTERS, RAW

REASON: Final = "x-"  # headers that a dead letter adds begin so
REPLAYED: Final = "x-replays"  # how often it was replayed, kept so that a replay can't loop unseen


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A rejected item with the reason. `id` is ``<topic>/<partition>/<offset>`` of the dead letter itself."""

    record: Record

    @property
    def id(self) -> str:
        """What ``wiredesk dlq show`` takes."""
        return f"{self.record.topic}/{self.record.partition}/{self.record.offset}"

    @property
    def step(self) -> str:
        """The step that rejected it."""
        return self._told("x-error-step")

    @property
    def error(self) -> str:
        """The error's type."""
        return self._told("x-error-type")

    @property
    def message(self) -> str:
        """What was wrong, and what to do."""
        return self._told("x-error-message")

    @property
    def origin(self) -> str:
        """Where it stood: topic/partition/offset."""
        return "/".join(self._told(f"x-original-{part}") for part in ("topic", "partition", "offset"))

    @property
    def time(self) -> str:
        """When the item was received, RFC 3339."""
        return rfc3339(self.record.timestamp)

    @property
    def feed(self) -> str:
        """The feed of a raw item, which is its key; empty for what comes later in the pipeline."""
        raw = self.record.topic == RAW.dead_letters.name
        return self.record.key.decode("utf-8", "replace") if raw else ""

    @property
    def payload(self) -> bytes:
        """The bytes that were rejected: the publisher's own where the dead letter is a raw item."""
        try:
            return decode(self.record.value, RawItem).payload
        except Rejected:
            return self.record.value

    def replayed(self) -> Message:
        """The message that puts the item back where it was read."""
        kept = tuple(pair for pair in self.record.headers if not pair[0].startswith(REASON))
        times = int(self.record.header(REPLAYED) or b"0") + 1
        headers = (*kept, (REPLAYED, str(times).encode()))
        topic = self._told("x-original-topic")
        return Message(topic, self.record.key, self.record.value, self.record.timestamp, headers)

    def _told(self, name: str) -> str:
        return (self.record.header(name) or b"").decode("utf-8", "replace")


class Source(Protocol):
    """A log that holds dead letters."""

    def read(self, topics: Iterable[str]) -> Iterator[Record]:
        """All records of these topics."""

    def replay(self, letters: Iterable[DeadLetter]) -> int:
        """Write letters back to where they came from, in their order, and drop them here; how many."""

    def drop(self, letters: Iterable[DeadLetter]) -> int:
        """Forget letters; how many."""


class Embedded:
    """The dead letters of the embedded log, which may be in use by a running pipeline."""

    def __init__(self, path: Path) -> None:
        """The log's file."""
        self._log = Log(path)

    def read(self, topics: Iterable[str]) -> Iterator[Record]:
        """All records of these topics."""
        for topic in topics:
            yield from self._log.records(topic)

    def replay(self, letters: Iterable[DeadLetter]) -> int:
        """Back to the topic and out of the dead letters, in one transaction."""
        chosen = list(letters)
        with self._log.transaction():
            self._log.append([letter.replayed() for letter in chosen])
            self.drop(chosen)
        return len(chosen)

    def drop(self, letters: Iterable[DeadLetter]) -> int:
        """Delete letters."""
        chosen = list(letters)
        with self._log.transaction():
            for letter in chosen:
                self._log.drop(letter.record.topic, [letter.record.offset])
        return len(chosen)


@dataclass(frozen=True, slots=True)
class Filter:
    """What to show; None is everything. `since` is in milliseconds."""

    step: str | None = None
    error: str | None = None
    feed: str | None = None
    since: int | None = None

    def passes(self, letter: DeadLetter) -> bool:
        """Whether a letter is asked for."""
        return (
            (self.step is None or letter.step == self.step)
            and (self.error is None or letter.error.casefold() == self.error.casefold())
            and (self.feed is None or letter.feed == self.feed)
            and (self.since is None or letter.record.timestamp >= self.since)
        )


def dead_letters(source: Source, wanted: Filter) -> Iterator[DeadLetter]:
    """The dead letters that pass, topic by topic, oldest first."""
    for record in source.read(topic.name for topic in DEAD_LETTERS):
        letter = DeadLetter(record)
        if wanted.passes(letter):
            yield letter
