"""Dead letters: read from either runtime's log, filtered, shown, and written back to the topic they came from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import orjson

from processors.errors import Rejected
from processors.model.codec import decode
from processors.model.event import RawItem
from processors.numbers import parse_int64
from processors.times import to_timestamp
from streams.messages import Message, Record
from streams.topology import BACKFILL, DEAD_LETTERS, RAW, TOPICS

REASON_PREFIX: Final = "x-"  # headers that a dead letter adds begin so
REPLAYS_HEADER: Final = "x-replays"  # how often it was replayed; a dead letter that comes of it has it too
# A letter that came back so often is replayed only by force: fewer give up before two faults are mended; more let a
# broad `wiredesk dlq replay` run in circles.
MAX_REPLAYS: Final = 3
ITEM_LETTER_TOPICS: Final = frozenset(topic.dead_letters.name for topic in (RAW, BACKFILL))
TOPIC_NAMES: Final = frozenset(topic.name for topic in TOPICS)


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
        return self._header_text("x-error-step")

    @property
    def error(self) -> str:
        """The error's type."""
        return self._header_text("x-error-type")

    @property
    def message(self) -> str:
        """What was wrong, and what to do."""
        return self._header_text("x-error-message")

    @property
    def origin(self) -> str:
        """Where it stood: topic/partition/offset."""
        return "/".join(self._header_text(f"x-original-{part}") for part in ("topic", "partition", "offset"))

    @property
    def time(self) -> str:
        """When the item was received, RFC 3339."""
        return to_timestamp(self.record.timestamp)

    @property
    def feed(self) -> str:
        """The feed: of a raw item its key, of an event what its provenance tells; empty where neither does."""
        if self.record.topic in ITEM_LETTER_TOPICS:
            return self.record.key.decode("utf-8", "replace")
        try:
            feed = orjson.loads(self.record.value)["provenance"]["feed"]
        except (orjson.JSONDecodeError, LookupError, TypeError):
            return ""
        return feed if isinstance(feed, str) else ""

    @property
    def replays(self) -> int:
        """How often it was replayed before it came here again."""
        return parse_int64(self._header_text(REPLAYS_HEADER)) or 0

    @property
    def payload(self) -> bytes:
        """The bytes that were rejected: the publisher's own where the dead letter is a raw item."""
        try:
            return decode(self.record.value, RawItem).payload
        except Rejected:
            return self.record.value

    @property
    def is_empty(self) -> bool:
        """Whether it holds no bytes (they were left out, as no topic would take them): there is nothing to replay."""
        return not self.payload

    def as_replayed(self) -> Message:
        """The message that puts the item back where it was read."""
        kept = tuple(pair for pair in self.record.headers if not pair[0].startswith(REASON_PREFIX))
        headers = (*kept, (REPLAYS_HEADER, str(self.replays + 1).encode()))
        origin = self._header_text("x-original-topic")
        topic = origin if origin in TOPIC_NAMES else self.record.topic.removesuffix(".dlq")
        return Message(topic, self.record.key, self.record.value, self.record.timestamp, headers)

    def _header_text(self, name: str) -> str:
        return (self.record.header(name) or b"").decode("utf-8", "replace")


class DeadLetterSource(Protocol):
    """A log that holds dead letters."""

    def read(self, topics: Sequence[str]) -> Iterator[Record]:
        """The letters of these topics that were neither replayed nor dropped, oldest first."""

    def find(self, topic: str, partition: int, offset: int) -> Record | None:
        """One of them."""

    def replay(self, letters: Sequence[DeadLetter]) -> int:
        """Write letters back to where they came from, in their order, and forget them here; how many."""

    def drop(self, letters: Sequence[DeadLetter]) -> int:
        """Forget letters; how many."""

    def close(self) -> None:
        """Hang up."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What to show; None is everything. `since`, and `until` (not included), are in milliseconds."""

    step: str | None = None
    error: str | None = None
    feed: str | None = None
    since: int | None = None
    until: int | None = None

    def passes(self, letter: DeadLetter) -> bool:
        """Whether a letter is asked for."""
        return (
            (self.step is None or letter.step == self.step)
            and (self.error is None or letter.error.casefold() == self.error.casefold())
            and (self.feed is None or letter.feed == self.feed)
            and (self.since is None or letter.record.timestamp >= self.since)
            and (self.until is None or letter.record.timestamp < self.until)
        )


def filter_letters(source: DeadLetterSource, wanted: Filter) -> Iterator[DeadLetter]:
    """The dead letters that pass, topic by topic, oldest first."""
    for record in source.read([topic.name for topic in DEAD_LETTERS]):
        letter = DeadLetter(record)
        if wanted.passes(letter):
            yield letter


@dataclass(frozen=True, slots=True)
class ReplayOutcome:
    """How many letters went back, and those that stay: replayed too often, or without bytes."""

    count: int
    worn_out: Sequence[DeadLetter]
    empty: Sequence[DeadLetter]


def replay_letters(
    source: DeadLetterSource, letters: Sequence[DeadLetter], *, force: bool = False
) -> ReplayOutcome:
    """Put letters back to where they were read; those that came back `MAX_REPLAYS` times only by force."""
    empty = [letter for letter in letters if letter.is_empty]
    worn_out = [one for one in letters if not (force or one.is_empty or one.replays < MAX_REPLAYS)]
    staying = {letter.id for letter in (*empty, *worn_out)}
    count = source.replay([letter for letter in letters if letter.id not in staying])
    return ReplayOutcome(count, worn_out, empty)


def parse_letter_id(identity: str) -> tuple[str, int, int] | None:
    """Topic, partition and offset of an id; None where it is none."""
    topic, _, place = identity.partition("/")
    partition, _, offset = place.partition("/")
    number, at = parse_int64(partition), parse_int64(offset)
    if not any(topic == letters.name for letters in DEAD_LETTERS) or number is None or at is None:
        return None
    return topic, number, at


def find_letter(source: DeadLetterSource, identity: str) -> DeadLetter | None:
    """The letter of an id; None where there is none."""
    place = parse_letter_id(identity)
    record = source.find(*place) if place else None
    return DeadLetter(record) if record else None
