"""What travels on topics: messages with CloudEvents headers, records with their place, dead letters.

Every message has CloudEvents 1.0 headers in Kafka's binary mode, ``content-type`` and a W3C ``traceparent``. The id of an
event is a hash of what its story says, the same on every topic; that of anything else is one of topic and value. So the
same input gives the same id on every run, and consumers can drop repeats. An event's headers also have what readers choose
by, so that they need not read the JSON of the others.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from config.redaction import redact_secrets
from processors.errors import Bug, Rejected, WiredeskError
from processors.model.codec import encode, identify_event
from processors.model.event import Event, FeedGap, Gap, RawItem
from processors.model.schema import SCHEMA_IDS
from processors.rule_guard import FailedRule
from processors.size_limit import RawPlace
from processors.times import to_milliseconds, to_timestamp
from streams.topology import GAPS, RAW

TRACEPARENT_PATTERN: Final = re.compile(
    "[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"
)  # W3C, version 00
CONTENT_TYPE: Final = "application/json"
# Of a header's value. Fewer leave out long uris that publishers do make; more are refused by servers of webhooks, of which
# most take 8 kB a line.
MAX_ATTRIBUTE_BYTES: Final = 2_048
RECEIVED_HEADER: Final = "ce_time"
PUBLISHED_HEADER: Final = "ce_published"  # when the publisher made this version
RAW_PLACE_HEADER: Final = "ce_rawitem"  # where the raw item stands: topic/partition/offset
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
    topic: str, key: str, value: bytes, timestamp: int, *, source: str, trace: str = "", identity: str = "",
    schema: type | None = None, attributes: Mapping[str, str] | None = None,
) -> Message:  # fmt: skip
    """A message with its CloudEvents headers; `trace` is the traceparent of what caused it, if it is one.

    `identity` is that of an event (`identify_event`); without it the message has one of topic and value. `schema` is the
    class that the value is of; `attributes` are further ones of CloudEvents, whose names are small letters and digits.
    """
    identity = identity or hashlib.sha256(topic.encode() + b"\0" + value).hexdigest()[:32]
    trace_id = trace[3:35] if TRACEPARENT_PATTERN.fullmatch(trace) else identity
    headers = {
        "ce_id": identity,
        "ce_source": f"/wiredesk/{source}",
        "ce_type": f"org.wiredesk.{topic.removeprefix('wire.')}",
        "ce_specversion": "1.0",
        "ce_time": to_timestamp(timestamp),
    }
    for name, attribute in (attributes or {}).items():
        if attribute and len(attribute.encode()) <= MAX_ATTRIBUTE_BYTES:
            headers[f"ce_{name}"] = attribute
    if schema:
        headers["ce_dataschema"] = SCHEMA_IDS[schema]
    headers["content-type"] = CONTENT_TYPE
    headers["traceparent"] = f"00-{trace_id}-{identity[:16]}-01"
    return Message(topic, key.encode(), value, timestamp, _as_bytes(headers))


def event_message(
    topic: str, key: str, event: Event, timestamp: int, *, source: str, trace: str = "", value: bytes = b"",
    place: RawPlace | None = None,
) -> Message:  # fmt: skip
    """The message of an event; `value` is its JSON where that is there already, `place` where its raw item stands."""
    attributes = {
        "subject": event.story.uri,
        "relation": event.lineage.relation if event.lineage else "",
        "language": (event.language.tag if event.language else event.story.language) or "",
        "published": event.story.version_created or "",
        "rawitem": str(place) if place else "",
    }
    return message(
        topic, key, value or encode(event), timestamp, source=source, trace=trace, identity=identify_event(event),
        schema=Event, attributes=attributes,
    )  # fmt: skip


def make_tombstone(routed: Message) -> Message:
    """What makes a compacted topic forget a story, after its kill: the same key and subject, no value, an id of its own.

    It has no ``content-type`` and no ``ce_dataschema``, as there is no content, and a type of its own: readers that go by
    either never look for JSON in it.
    """
    left_out = {"content-type", "ce_dataschema", RAW_PLACE_HEADER}
    identity = hashlib.sha256(routed.topic.encode() + b"\0" + routed.value + b"\0").hexdigest()[:32]
    trace = (routed.header("traceparent") or b"").decode()
    headers = {name: value for name, value in routed.headers if name not in left_out} | _as_bytes_of(
        {
            "ce_id": identity,
            "ce_type": f"{(routed.header('ce_type') or b'').decode()}.forgotten",
            "traceparent": f"{trace[:36]}{identity[:16]}-01",
        }
    )
    return replace(routed, value=b"", headers=tuple(headers.items()), tombstone=True)


def raw_message(item: RawItem, topic: str) -> Message:
    """The message of a raw item, keyed by its feed and stamped with the time it was received."""
    return message(
        topic, item.feed or "", encode(item), to_milliseconds(item.received), source=item.feed or "process",
        schema=RawItem,
    )  # fmt: skip


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
    gap = Gap(FeedGap(feed, at))
    return message(GAPS.name, feed, encode(gap), to_milliseconds(at), source=feed, schema=Gap)


def _as_bytes(headers: Mapping[str, str]) -> Headers:
    return tuple(_as_bytes_of(headers).items())


def _as_bytes_of(headers: Mapping[str, str]) -> dict[str, bytes]:
    return {name: value.encode() for name, value in headers.items()}
