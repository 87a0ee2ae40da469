"""Blocked partitions: those that can't be read on, each for itself, while all others go on.

A batch is damaged on the broker's disk, or we may not read a topic any more. By itself aiokafka raises in both cases for
all partitions at once, drops what it had in hand of others, and does not say at which offset. Here what stands before a
damaged batch is read, its partition alone is held, told with its offset and the command that passes it, and tried again
now and then: another replica may have it whole, or somebody gives the right back.

Beside `streams.kafka.faust_internals` this is the one file that knows private names of aiokafka: those of its fetcher.
"""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass
from typing import Any, Final, Literal

import aiokafka.consumer.fetcher
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.errors import CorruptRecordException, TopicAuthorizationFailedError, UnsupportedCodecError
from aiokafka.record.memory_records import MemoryRecords

from config import Misconfigured, install_hint
from sinks.metrics import BLOCKED_PARTITIONS
from streams.kafka.security import denied_names, describe_denial

# Between two tries of a blocked partition. Shorter reads a damaged batch again and again; longer is how late it goes on
# once another replica leads, or the right is given.
RETRY_INTERVAL_S: Final = 10.0
PROBE_S: Final = 5.0  # for the broker's answer on one offset; one that takes longer counts as unreadable
PROBE_POLL_MS: Final = 100
LOOK_INTERVAL_S: Final = 1.0  # between two looks whether something comes of each partition
# For something to come of a partition in which more stands. Shorter than a broker's quota may delay an answer, and a
# healthy partition is held; longer is how late it is told that the broker does not find what it has.
SILENT_S: Final = 20.0
BlockKind = Literal["damaged", "denied"]
log = structlog.get_logger("wiredesk.kafka")


@dataclass(slots=True)
class BlockedPlace:
    """Where a partition waits, and why. Times are monotonic seconds."""

    offset: int
    kind: BlockKind
    reason: str
    retry_at: float


class BlockBook:
    """All blocked partitions of the process, whose consumers run in several threads."""

    def __init__(self) -> None:
        """Nothing is blocked."""
        self._reasons: dict[tuple[int, TopicPartition], tuple[BlockKind, str]] = {}

    def note(self, consumer: int, partition: TopicPartition, kind: BlockKind, reason: str) -> None:
        """Note that a consumer can't read on in a partition."""
        self._reasons[consumer, partition] = kind, reason
        self._measure(partition.topic)

    def clear(self, consumer: int, partition: TopicPartition) -> None:
        """Note that it can, or that the partition is not its own any more."""
        if self._reasons.pop((consumer, partition), None):
            self._measure(partition.topic)

    async def check(self) -> str | None:
        """Which partitions wait, and for what, for ``/readyz``."""
        return "; ".join(sorted({reason for _, reason in list(self._reasons.values())})) or None

    def _measure(self, topic: str) -> None:
        kinds = {
            partition: kind
            for (_, partition), (kind, _) in list(self._reasons.items())
            if partition.topic == topic
        }
        for kind in ("damaged", "denied"):
            BLOCKED_PARTITIONS.labels(topic, kind).set(list(kinds.values()).count(kind))


BLOCK_BOOK: Final = BlockBook()


class BlockedPartitions:
    """The blocked partitions of one consumer. Call `retry` before a fetch and `collect` after it."""

    def __init__(self, consumer: AIOKafkaConsumer, user: str) -> None:
        """`user` is who reads, in what is told of rights."""
        self._consumer, self._user = consumer, user
        self._blocks: dict[TopicPartition, BlockedPlace] = {}
        self._positions: dict[TopicPartition, tuple[int, float]] = {}  # and since when
        self._looked_at = 0.0

    def __contains__(self, partition: object) -> bool:
        """Whether a partition is blocked."""
        return partition in self._blocks

    def is_damaged(self, partition: TopicPartition) -> bool:
        """Whether a partition is blocked by a damaged batch."""
        return partition in self._blocks and self._blocks[partition].kind == "damaged"

    def retry(self) -> None:
        """Forget the blocks of partitions that went on or went away, and let the others be fetched when it is time."""
        now = time.monotonic()
        for partition, block in list(self._blocks.items()):
            state = _state_of(self._consumer, partition)
            if state is None:
                self._unblock(partition)
            elif state.has_valid_position and state.position > block.offset:
                self._unblock(partition)
                log.info("a partition goes on", topic=partition.topic, partition=partition.partition)
            elif now >= block.retry_at:
                block.retry_at = now + RETRY_INTERVAL_S
                state.damage = None
                self._positions.pop(partition, None)
                state.resume()

    def collect(self) -> None:
        """Block the partitions of which the last fetch has met a damaged batch, or of which nothing comes for long.

        Raises:
            Misconfigured: a batch is compressed in a way that nobody here can read.
        """
        _check_codecs()
        now = time.monotonic()
        if now - self._looked_at > LOOK_INTERVAL_S:
            self._looked_at = now
            self._block_silent(now)
        if not _damaged_states:
            return
        for partition in self._consumer.assignment():
            state = _state_of(self._consumer, partition)
            if state is not None and state in _damaged_states:
                _damaged_states.remove(state)
                self._block_damaged(partition, *state.damage)

    def _block_silent(self, now: float) -> None:
        """Block partitions of which the broker gives nothing, though it says that more stands there.

        So it answers where the length of a batch is damaged: it finds neither that one nor any behind it.
        """
        for partition in self._consumer.assignment():
            state = _state_of(self._consumer, partition)
            if state is None or state.paused or not state.has_valid_position:
                continue
            position, since = self._positions.get(partition, (-1, now))
            if state.position != position or state.lso is None or state.position >= state.lso:
                self._positions[partition] = state.position, now
            elif now - since > SILENT_S and time.time() - (state.timestamp or 0) / 1000 < SILENT_S:
                state.pause()
                self._block_damaged(partition, position, "the broker gives nothing, though more stands there")

    def _block_damaged(self, partition: TopicPartition, offset: int, error: str) -> None:
        place = f"{partition.topic}/{partition.partition}/{offset}"
        reason = f"{place} can't be read ({error}): wiredesk topics pass {place}"
        self._block(partition, offset, "damaged", reason)

    def deny(self, error: TopicAuthorizationFailedError) -> bool:
        """Block the partitions of topics that we may not read any more; False where none of them is ours."""
        denied = denied_names(error)
        is_ours = False
        for partition in self._consumer.assignment():
            state = _state_of(self._consumer, partition)
            if partition.topic in denied and state is not None:
                state.pause()
                reason = describe_denial(self._user, "Read", f"topic {partition.topic}")
                offset = state.position if state.has_valid_position else -1
                self._block(partition, offset, "denied", reason)
                is_ours = True
        return is_ours

    def clear(self) -> None:
        """Forget everything: the consumer ends."""
        for partition in list(self._blocks):
            self._unblock(partition)

    async def pass_damage(self, partition: TopicPartition, end: int) -> int:
        """Seek to the first offset behind a partition's damaged batch that can be read; return it."""
        return await self.find_readable(partition, self._blocks[partition].offset, end)

    async def find_readable(self, partition: TopicPartition, bad: int, end: int) -> int:
        """Seek to the first offset after `bad`, which can't be read, that can, `end` at the latest; return it."""
        step, good = 1, end
        while bad + step < end:
            if await self.is_readable(partition, bad + step):
                good = bad + step
                break
            bad, step = bad + step, step * 2
        while good - bad > 1:
            middle = (bad + good) // 2
            if await self.is_readable(partition, middle):
                good = middle
            else:
                bad = middle
        self._seek(partition, good)
        return good

    async def is_readable(self, partition: TopicPartition, offset: int) -> bool:
        """Whether something can be read from an offset on; the consumer's position is lost.

        Raises:
            Misconfigured: what stands there is whole, and compressed in a way that nobody here can read.
        """
        self._seek(partition, offset)
        state = _state_of(self._consumer, partition)
        until = time.monotonic() + PROBE_S
        while state is not None and time.monotonic() < until:
            records = await AIOKafkaConsumer.getmany(self._consumer, partition, timeout_ms=PROBE_POLL_MS)
            _check_codecs()
            if records or state.position > offset:
                return True
            if state.damage is not None:
                return False
        return False

    def _seek(self, partition: TopicPartition, offset: int) -> None:
        self._consumer.seek(partition, offset)
        self._unblock(partition)
        if (state := _state_of(self._consumer, partition)) is not None:
            if state in _damaged_states:
                _damaged_states.remove(state)
            state.damage = None
            if state.paused:
                state.resume()

    def _block(self, partition: TopicPartition, offset: int, kind: BlockKind, reason: str) -> None:
        before = self._blocks.get(partition)
        retry_at = time.monotonic() + RETRY_INTERVAL_S
        self._blocks[partition] = BlockedPlace(offset, kind, reason, retry_at)
        BLOCK_BOOK.note(id(self), partition, kind, reason)
        if before is None or (before.offset, before.kind) != (offset, kind):
            log.error(
                "a partition waits, the others go on", topic=partition.topic, partition=partition.partition,
                offset=offset, reason=reason,
            )  # fmt: skip

    def _unblock(self, partition: TopicPartition) -> None:
        if self._blocks.pop(partition, None):
            BLOCK_BOOK.clear(id(self), partition)


_damaged_states: list[Any] = []  # of partitions whose damage nobody has collected yet
_codec_lines: list[
    str
] = []  # batches whose compression this installation can't read: a role ends by the first


async def watch_codecs() -> None:
    """Wait until a consumer of the process, in whatever thread, has met a batch that it can't decompress.

    Raises:
        Misconfigured: where it stands, and what to install.
    """
    while True:
        _check_codecs()
        await asyncio.sleep(LOOK_INTERVAL_S)


def _check_codecs() -> None:
    if _codec_lines:
        raise Misconfigured(_codec_lines[0])


class PatientFetchResult(FetchResult):  # type: ignore[misc]  # aiokafka has no types
    """What was fetched of a partition, up to a batch that can't be read: that one holds the partition."""

    _partition_records: Any

    def getall(self, max_records: int | None = None) -> list[Any]:
        """The records up to the damage, none where it comes first."""
        if not self.check_assignment(self._topic_partition) or not self.has_more():
            return []
        records: list[Any] = []
        try:
            for record in self._partition_records:
                records.append(record)
                if max_records is not None and len(records) >= max_records:
                    self._update_position()
                    return records
        except UnsupportedCodecError as error:
            self._stop_at_codec(error)
        except Exception as error:  # noqa: BLE001 -- whatever a flipped bit makes of a batch
            self._hold(error)
        else:
            self._update_position()
        self._partition_records = None
        return records

    def _stop_at_codec(self, error: UnsupportedCodecError) -> None:
        """Note what the operator must install. Nobody passes the batch: its checksum was right."""
        self._update_position()
        self._assignment.state_value(self._topic_partition).pause()
        topic, number = self._topic_partition
        named = re.search(r"for (\w+) compression", str(error))
        how = f"with {named[1]}" if named else f"in an unknown way ({error})"
        _codec_lines.append(
            f"{topic}/{number}/{self._partition_records.next_fetch_offset} is compressed {how}, which this installation "
            f"can't read: the codecs (cramjam) are missing; {install_hint('kafka')}"
        )

    def _hold(self, error: Exception) -> None:
        self._update_position()
        state = self._assignment.state_value(self._topic_partition)
        state.pause()
        state.damage = self._partition_records.next_fetch_offset, str(error) or type(error).__name__
        _damaged_states.append(state)


class _CutRecords:
    """Bytes of a fetch in which not even the first batch is whole."""

    def __init__(self, data: bytes, reason: str) -> None:
        self._data, self._reason = data, reason

    def has_next(self) -> bool:
        return True

    def size_in_bytes(self) -> int:
        return len(self._data)

    def next_batch(self) -> Any:
        raise CorruptRecordException(self._reason)


def _read_records(data: bytes) -> Any:
    """The batches of a fetch. aiokafka ends its fetcher over bytes that are none, and passes a batch that is cut."""
    try:
        records = MemoryRecords(data)
        if records.has_next() or not data:
            return records
    except Exception as error:  # noqa: BLE001 -- whatever a flipped bit makes of a head
        return _CutRecords(data, str(error) or type(error).__name__)
    return _CutRecords(data, "a batch is longer than what the log has of it")


def _state_of(consumer: AIOKafkaConsumer, partition: TopicPartition) -> Any:
    """The fetch state of a partition; None where it is not the consumer's."""
    subscription = consumer._subscription.subscription  # noqa: SLF001 -- this file's purpose
    assignment = subscription and subscription.assignment
    if not assignment or partition not in assignment.tps:
        return None
    state = assignment.state_value(partition)
    if not hasattr(state, "damage"):
        state.damage = None
    return state


aiokafka.consumer.fetcher.FetchResult = PatientFetchResult
aiokafka.consumer.fetcher.MemoryRecords = _read_records
