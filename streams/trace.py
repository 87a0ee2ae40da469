"""Where a story is, and how it came there: its records in the topics of either runtime, by the trace that they share.

All messages that are made of one raw item carry the trace of that item (W3C ``traceparent``), which is made of the item
itself (`streams.messages`). A story is sought by its uri, or by an identifier that its publisher gave it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final, Literal, Protocol

import msgspec

from processors.errors import Rejected
from processors.model.codec import decode
from processors.model.event import Event, RawItem
from processors.times import to_timestamp
from streams.messages import TRACEPARENT_PATTERN, Record
from streams.topology import DUPLICATE, NORMALISED, RAW_TOPICS, STEPS, TOPICS

# Passages that are told. More than an operator reads; a uri that changes with each poll has thousands.
MAX_PASSAGES: Final = 500
EVENT_TOPICS: Final = tuple(
    topic.name for topic in TOPICS if topic.carries == "event" and topic.name != DUPLICATE.name
)
LETTER_SUFFIX: Final = ".dlq"
PassageKind = Literal["received", "made", "duplicate", "routed", "set aside"]


class TimedLog(Protocol):
    """Topics of either runtime, read from some time on."""

    def timed_records(self, topics: Sequence[str], since: int) -> Iterator[tuple[Record, int | None]]:
        """Records up to the ends of this moment, each with when it was written (ms), where the log keeps that."""

    def waiting_for(self, record: Record) -> Sequence[str]:
        """Who has not passed a record yet, in so far as that is known."""

    def find_uri(self, identifier: str) -> str | None:
        """The uri of a story that its publisher gave an identifier, where that can be known without its records."""


class TracePassage(msgspec.Struct, frozen=True, omit_defaults=True):
    """A record of the story. `at` is when it was written, or else when its item was received.

    `step` made it; `waits` are those who have not passed it; `reason` is why it was set aside.
    """

    kind: PassageKind
    topic: str
    partition: int
    offset: int
    at: str
    step: str = ""
    uri: str = ""
    relation: str = ""
    trace: str = ""
    feed: str = ""
    reason: str = ""
    waits: tuple[str, ...] = ()


class IndexStanding(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a story stands in the index. `hidden` says why search leaves it out, `by` what caused that."""

    uri: str
    version: str
    headline: str
    received: str
    relation: str = ""
    story: str = ""
    cluster: str = ""
    steps: tuple[str, ...] = ()
    hidden: str = ""
    by: str = ""


class StoryTrace(msgspec.Struct, frozen=True):
    """What is known of a story; `index` is None where the index shows none of that uri (unknown, or under embargo)."""

    query: str
    uris: tuple[str, ...]
    traces: tuple[str, ...]
    passages: tuple[TracePassage, ...]
    index: IndexStanding | None = None


def find_passages(
    log: TimedLog, query: str, since: int, routes: Sequence[str] = ()
) -> tuple[TracePassage, ...]:
    """The records of a story from a time (ms) on, in the order of the pipeline: `query` is its uri or a publisher's id.

    `routes` are the topics of the rules. The events tell the trace, and the trace finds what has no uri: the raw item and
    its dead letters.
    """
    topics = (*EVENT_TOPICS, DUPLICATE.name, *routes)
    events: list[tuple[Record, int | None]] = []
    for record, written in log.timed_records(topics, since):
        if len(events) < MAX_PASSAGES and _is_of(record, query):
            events.append((record, written))
    traces = {trace_of(record) for record, _ in events}
    raw: list[tuple[Record, int | None]] = []
    letters = [f"{topic}{LETTER_SUFFIX}" for topic in (*sorted(RAW_TOPICS), *EVENT_TOPICS)]
    for record, written in log.timed_records([*sorted(RAW_TOPICS), *letters], since):
        if len(raw) < MAX_PASSAGES and (
            trace_of(record) in traces or _is_of(record, query) or _holds(record, query)
        ):
            raw.append((record, written))
    found = [_passage(log, record, written, routes) for record, written in (*raw, *events)]
    return tuple(sorted(found, key=lambda passage: (passage.trace, _place_in_pipeline(passage), passage.at)))


def trace_of(record: Record) -> str:
    """The id of the trace that a record is part of: 32 hexadecimal digits, empty where it says none."""
    parent = (record.header("traceparent") or b"").decode("ascii", "replace")
    return parent[3:35] if TRACEPARENT_PATTERN.fullmatch(parent) else ""


def _is_of(record: Record, query: str) -> bool:
    """Whether an event is of the uri, or names the identifier."""
    if (record.header("ce_subject") or b"").decode("utf-8", "replace") == query:
        return True
    if query.encode() not in record.value:  # most are none, and are never decoded
        return False
    with suppress(Rejected):
        story = decode(record.value, Event).story
        return query in {story.uri, *(other.value for other in story.alt_ids)}
    return False


def _holds(record: Record, query: str) -> bool:
    """Whether the bytes of a raw item hold the identifier."""
    with suppress(Rejected):
        return query.encode() in decode(record.value, RawItem).payload
    return False


def _passage(log: TimedLog, record: Record, written: int | None, routes: Sequence[str]) -> TracePassage:
    kind: PassageKind = "made"
    if record.topic.endswith(LETTER_SUFFIX):
        kind = "set aside"
    elif record.topic in RAW_TOPICS:
        kind = "received"
    elif record.topic == DUPLICATE.name:
        kind = "duplicate"
    elif record.topic in routes:
        kind = "routed"
    reason = " ".join(filter(None, (_text(record, "x-error-type"), _text(record, "x-error-message"))))
    return TracePassage(
        kind, record.topic, record.partition, record.offset,
        to_timestamp(record.timestamp if written is None else written),
        step=_text(record, "x-error-step") or _text(record, "ce_source").removeprefix("/wiredesk/"),
        uri=_text(record, "ce_subject"), relation=_text(record, "ce_relation"), trace=trace_of(record),
        feed=record.key.decode("utf-8", "replace") if kind == "received" else "",
        reason=reason, waits=tuple(log.waiting_for(record)),
    )  # fmt: skip


def _text(record: Record, name: str) -> str:
    return (record.header(name) or b"").decode("utf-8", "replace")


_ORDER: Final = (NORMALISED.name, *(topic.name for step in STEPS[1:] for topic in step.writes))


def _place_in_pipeline(passage: TracePassage) -> int:
    if passage.topic in RAW_TOPICS:
        return 0
    topic = passage.topic.removesuffix(LETTER_SUFFIX)
    place = 1 + _ORDER.index(topic) if topic in _ORDER else len(_ORDER) + 1
    return 2 * place + (passage.topic != topic)


def make_standing(event: Event, hidden: str = "", by: str = "") -> IndexStanding:
    """How an event of the index stands there."""
    lineage, provenance = event.lineage, event.provenance
    return IndexStanding(
        event.story.uri, event.story.version or "", event.headline, provenance.received if provenance else "",
        relation=lineage.relation if lineage else "", story=lineage.story if lineage else "",
        cluster=event.cluster.id if event.cluster else "",
        steps=tuple(f"{step.name} {step.version}" for step in provenance.steps) if provenance else (),
        hidden=hidden, by=by,
    )  # fmt: skip


def describe_trace(trace: StoryTrace) -> Iterator[str]:
    """The trace as lines for a person."""
    if not trace.passages and trace.index is None:
        yield f"{trace.query}: no record and no story of it is here any more, or ever was"
        return
    for trace_id in dict.fromkeys(passage.trace for passage in trace.passages):
        yield f"trace {trace_id or 'unknown'}"
        for passage in trace.passages:
            if passage.trace == trace_id:
                yield f"  {passage.at}  {_describe_passage(passage)}"
    yield from _describe_standing(trace.index)


def _describe_passage(passage: TracePassage) -> str:
    place = f"{passage.topic}/{passage.partition}/{passage.offset}"
    parts = [f"{passage.kind:9}", place]
    parts += [f"by {passage.step}"] if passage.step and passage.kind != "received" else []
    parts += [passage.relation] if passage.relation else []
    parts += [f"feed {passage.feed}"] if passage.feed else []
    parts += [f"because {passage.reason}"] if passage.reason else []
    parts += [f"waits for {', '.join(passage.waits)}"] if passage.waits else []
    return "  ".join(parts)


def _describe_standing(standing: IndexStanding | None) -> Iterator[str]:
    if standing is None:
        yield "index: shows no story of that uri (not there yet, under embargo, or a repeat)"
        return
    hidden = f", hidden: {standing.hidden} by {standing.by}" if standing.hidden else ""
    yield f"index: {standing.uri} version {standing.version or '-'}, {standing.relation or 'no lineage'}{hidden}"
    yield f"  {standing.headline}"
    yield f"  received {standing.received}, passed {', '.join(standing.steps)}"
    if standing.story and standing.story != standing.uri:
        yield f"  in the chain of {standing.story}"
    if standing.cluster and standing.cluster != standing.uri:
        yield f"  in the cluster of {standing.cluster}"
