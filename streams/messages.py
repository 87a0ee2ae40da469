"""What travels on topics: messages with CloudEvents headers, records with their place, dead letters.

Every message has CloudEvents 1.0 headers in Kafka's binary mode, ``content-type`` and a W3C ``traceparent``. The id of an
event is a hash of what its story says, the same on every topic; that of anything else is one of topic and value. So the
same input gives the same id on every run, and consumers can drop repeats.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from config.redaction import redact_secrets
from processors.errors import Bug, Rejected, WiredeskError
from processors.model.codec import encode
from processors.model.event import FeedGap, Gap, RawItem
from processors.rule_guard import FailedRule
from processors.times import to_milliseconds, to_timestamp
from streams.topology import GAPS, RAW

TRACEPARENT_PATTERN: Final = re.compile(
    "[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"
)  # W3C, version 00
Headers = tuple[tuple[str, bytes], ...]
RecordPlace = tuple[str, int, int]  # topic, partition and offset: what tells a record from all others


@dataclass(frozen=True, slots=True)
class Message:
    """A message to be written. `timestamp` is in milliseconds; `partition` is None where the key decides.

    A `tombstone` has no value: a compacted topic forgets its key. `failed_rules` are those of the step that cost the
    value something; they are counted, not written.
    """

    topic: str
    key: bytes
    value: bytes
    timestamp: int
    headers: Headers = ()
    partition: int | None = None
    tombstone: bool = False
    failed_rules: tuple[FailedRule, ...] = ()

    def __reduce__(self) -> tuple[type[Message], tuple[object, ...]]:
        """How it is pickled: several times quicker than a dataclass with slots by itself."""
        fields = (
            self.topic,
            self.key,
            self.value,
            self.timestamp,
            self.headers,
            self.partition,
            self.tombstone,
            self.failed_rules,
        )
        return Message, fields

    def header(self, name: str) -> bytes | None:
        """The last value of a header, or None."""
        return dict(self.headers).get(name)


@dataclass(frozen=True, slots=True)
class Record:
    """A message that was read, with its place in the log."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    timestamp: int
    headers: Headers = ()

    def __reduce__(self) -> tuple[type[Record], tuple[object, ...]]:
        """How it is pickled, quickly: see `Message`."""
        fields = (self.topic, self.partition, self.offset, self.key, self.value, self.timestamp, self.headers)
        return Record, fields

    @property
    def place(self) -> RecordPlace:
        """Where it stands."""
        return self.topic, self.partition, self.offset

    def header(self, name: str) -> bytes | None:
        """The last value of a header, or None."""
        return dict(self.headers).get(name)


def message(
    topic: str, key: str, value: bytes, timestamp: int, *, source: str, trace: str = "", identity: str = ""
) -> Message:
    """A message with its CloudEvents headers; `trace` is the traceparent of what caused it, if it is one.

    `identity` is that of an event (`identify_event`); without it the message has one of topic and value.
    """
    identity = identity or hashlib.sha256(topic.encode() + b"\0" + value).hexdigest()[:32]
    trace_id = trace[3:35] if TRACEPARENT_PATTERN.fullmatch(trace) else identity
    headers = {
        "ce_id": identity,
        "ce_source": f"/wiredesk/{source}",
        "ce_type": f"org.wiredesk.{topic.removeprefix('wire.')}",
        "ce_specversion": "1.0",
        "ce_time": to_timestamp(timestamp),
        "content-type": "application/json",
        "traceparent": f"00-{trace_id}-{identity[:16]}-01",
    }
    return Message(topic, key.encode(), value, timestamp, _as_bytes(headers))


def raw_message(item: RawItem, topic: str) -> Message:
    """The message of a raw item, keyed by its feed and stamped with the time it was received."""
    return message(
        topic, item.feed or "", encode(item), to_milliseconds(item.received), source=item.feed or "process"
    )


def dead_letter(record: Record, step: str, error: WiredeskError, attempts: int = 1) -> Message:
    """The dead letter of a record: its own bytes and headers, and what was wrong with it."""
    headers = {
        "x-error-type": error.type,
        "x-error-message": redact_secrets(str(error))[:2000],
        "x-error-step": step,
        "x-original-topic": record.topic,
        "x-original-partition": str(record.partition),
        "x-original-offset": str(record.offset),
        "x-attempts": str(attempts),
    }
    return Message(
        f"{record.topic}.dlq", record.key, record.value, record.timestamp, record.headers + _as_bytes(headers)
    )


def without_bytes(letter: Message) -> Message:
    """A dead letter without bytes that its topic does not take; they stand where the record was read."""
    left_out = ("x-bytes-left-out", str(len(letter.value)).encode())
    return replace(letter, value=b"", headers=(*letter.headers, left_out))


def rejected_message(item: RawItem, error: Rejected | Bug) -> Message:
    """The dead letter of a document that never had an offset, so -1."""
    raw = raw_message(item, RAW.name)
    record = Record(RAW.name, 0, -1, raw.key, raw.value, raw.timestamp, raw.headers)
    return dead_letter(record, "poll", error)


def gap_message(feed: str, at: str) -> Message:
    """The message that stories of a feed may have been missed, as ``--events`` writes it."""
    return message(GAPS.name, feed, encode(Gap(FeedGap(feed, at))), to_milliseconds(at), source=feed)


def _as_bytes(headers: Mapping[str, str]) -> Headers:
    return tuple((name, value.encode()) for name, value in headers.items())
