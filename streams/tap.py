"""What of a topic is shown to somebody who watches it: records that fit a query, as JSON or as a line."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import orjson

from config import Misconfigured
from processors.errors import Rejected
from processors.model.codec import decode
from processors.model.event import Event, RawItem
from processors.times import to_timestamp
from sinks.query import QueryTree, StoryFacts, fits_facts
from sinks.stories import now_ms, visible_from
from streams.messages import Record
from streams.routing import load_rules
from streams.topology import DEAD_LETTERS, TOPICS

if TYPE_CHECKING:
    from config.settings import Settings

MAX_HEADLINE_CHARS: Final = 100  # of a line; longer ones wrap in a terminal
EMBARGO_NOTICE: Final = "EMBARGO until"


def choose_topic(name: str, settings: Settings) -> str:
    """The topic of this name, or the only one whose name ends so: ``enriched`` for ``wire.stories.enriched.v1``.

    Raises:
        Misconfigured: there is none, or there are several.
    """
    names = [topic.name for topic in (*TOPICS, *DEAD_LETTERS)] + [rule.topic for rule in load_rules(settings)]
    if name in names:
        return name
    fits = [
        full for full in names if full.removesuffix(".v1").endswith(f".{name}") or full.endswith(f".{name}")
    ]
    if len(fits) != 1:
        raise Misconfigured(f"no topic is called {name!r}; there are {', '.join(fits or names)}")
    return fits[0]


def make_filter(tree: QueryTree | None) -> Callable[[Record], bool]:
    """Whether a record's story fits a query; every record fits none, and what is no story fits no query."""

    def fits(record: Record) -> bool:
        if tree is None:
            return True
        event = _event_of(record)
        return event is not None and fits_facts(tree, StoryFacts(event), now_ms())

    return fits


def write_json(record: Record) -> bytes:
    """A record as one JSON object: its place, its headers, and its value, whose members stay as they are.

    A story under embargo has a member that says so first.
    """
    written: dict[str, object] = {}
    if notice := embargo_notice(record):
        written["notice"] = notice
    try:
        value: object = orjson.Fragment(orjson.dumps(orjson.loads(record.value)))
    except orjson.JSONDecodeError:
        value = record.value.hex()  # the memory of a step
    return orjson.dumps(
        written
        | {
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "key": record.key.decode("utf-8", "replace"),
            "headers": {name: header.decode("utf-8", "replace") for name, header in record.headers},
            "value": value,
        }
    )


def write_line(record: Record) -> bytes:
    """A record as a line: when it was received, what it is, and its first words."""
    parts = [to_timestamp(record.timestamp), f"{record.partition}/{record.offset}"]
    event = _event_of(record)
    if event is not None:
        relation = event.lineage.relation if event.lineage else "-"
        parts += [relation, event.story.uri, _one_line(event.headline or event.text)]
    elif item := _item_of(record):
        parts += [item.feed or "-", item.url or "-", f"{len(item.payload)} bytes"]
    else:
        parts += [record.key.decode("utf-8", "replace"), f"{len(record.value)} bytes"]
    if reason := record.header("x-error-type"):
        parts.append(f"{reason.decode()}: {_one_line((record.header('x-error-message') or b'').decode())}")
    if notice := embargo_notice(record):
        parts.insert(2, f"[{notice}]")
    return "  ".join(parts).encode()


def embargo_notice(record: Record) -> str:
    """What stands before a story that may not be published yet; empty for others."""
    event = _event_of(record)
    if event is None or (until := visible_from(event)) <= now_ms():
        return ""
    return f"{EMBARGO_NOTICE} {event.story.embargoed_until or 'its source says'}" if until else ""


def _event_of(record: Record) -> Event | None:
    with suppress(Rejected):
        return decode(record.value, Event)
    return None


def _item_of(record: Record) -> RawItem | None:
    with suppress(Rejected):
        return decode(record.value, RawItem)
    return None


def _one_line(text: str) -> str:
    return " ".join(text.split())[:MAX_HEADLINE_CHARS]
