"""A replay: raw items of a time range run again, after a parser's change; or a look at what that would change.

Items are replayed as a back-fill: behind live ones, and without alerts. A story that reads otherwise now is an update; one
that reads as before is a repeat, unless it is to be run again all the same: then it keeps its place in its chain, and the
index takes the new event in the old one's stead.
"""

from __future__ import annotations

import itertools
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, Self

import orjson
from msgspec.structs import replace

from config.settings import Settings
from processors.errors import Rejected, WiredeskError
from processors.model.codec import decode, encode
from processors.model.event import Event, RawItem
from streams.messages import Message, Record, raw_message
from streams.process import BATCH_ITEMS, Input, Pipeline
from streams.topology import BACKFILL, DUPLICATE, STEPS

# Steps without state: the same input makes the same event.
COMPARABLE_STEPS: Final = tuple(step.name for step in STEPS if not step.state)
# How a story came here, and its place among others: a replay leaves them as they are.
LEFT_OUT: Final = ("provenance", "lineage", "cluster")
EXCERPT_CHARS: Final = (
    30  # before and after the place where an example differs; more does not fit a terminal's line
)


class RawLog(Protocol):
    """Topics of either runtime."""

    def records(self, topics: Sequence[str], since: int | None = None) -> Iterator[Record]:
        """Records up to the ends of this moment; those long before `since` (milliseconds) may be left out.

        Whole events that stand for those of a step, which are kept no more, have the offset -1, and come first.
        """


@dataclass(frozen=True, slots=True)
class Range:
    """Which items: received from `since` to before `until` (milliseconds), of a feed or of all."""

    since: int
    until: int
    feed: str | None = None

    def holds(self, timestamp: int, feed: str | None) -> bool:
        """Whether an item of this time and feed is meant."""
        return self.since <= timestamp < self.until and self.feed in {None, feed}


def raw_items(log: RawLog, topic: str, wanted: Range) -> Iterator[RawItem]:
    """The raw items of a range; what is no raw item of ours is left out."""
    for record in log.records([topic], wanted.since):
        if not wanted.since <= record.timestamp < wanted.until:
            continue
        try:
            item = decode(record.value, RawItem)
        except Rejected:
            continue
        if wanted.feed in {None, item.feed}:
            yield item


def replay_batches(items: Iterable[RawItem], *, rerun: bool = False) -> Iterator[list[Message]]:
    """The messages that replay items, in batches."""
    messages = (raw_message(replace(item, backfill=True, rerun=rerun), BACKFILL.name) for item in items)
    while batch := list(itertools.islice(messages, 200)):
        yield batch


@dataclass(frozen=True, slots=True)
class Example:
    """A member of a story as it was and as it would be, cut to where they differ."""

    uri: str
    version: str | None
    member: str
    old: str
    new: str


@dataclass(slots=True)
class Report:
    """What a replay would change.

    `members` counts the stories in which a member differs; `new` are stories that there were none of before, `gone`
    those that there would be none of; `rejected` counts items by the type of their error, `letters` the dead letters
    that there are of the range.
    """

    items: int = 0
    same: int = 0
    differ: int = 0
    new: int = 0
    gone: int = 0
    repeats: int = 0
    letters: int = 0
    members: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    examples: list[Example] = field(default_factory=list)


def compare_replay(
    log: RawLog,
    topic: str,
    wanted: Range,
    through: str,
    settings: Settings,
    examples: int,
    on_progress: Callable[[Report], None] = lambda _: None,
) -> Report:
    """Run the steps of today on a range and compare with what the log holds; nothing is written.

    `through` is one of `COMPARABLE_STEPS`. `on_progress` is called now and then with how far it is.
    """
    steps = STEPS[: [step.name for step in STEPS].index(through) + 1]
    pipeline = Pipeline([step for step in steps if not step.state], settings)
    report = Report()
    with PastEvents() as past:
        backfilled = topic == BACKFILL.name
        past.fill(log, wanted, _compared_topic(through), backfilled=backfilled)
        if any(step.state for step in steps):
            past.fill_repeats(log, wanted, backfilled=backfilled)
        items = raw_items(log, topic, wanted)
        while batch := list(itertools.islice(items, BATCH_ITEMS)):
            report.items += len(batch)
            for result in pipeline([Input("", None, item) for item in batch]):
                _count(report, past, result.event, examples)
            on_progress(report)
        report.gone = past.untouched()
    letters = log.records([f"{topic}.dlq"], wanted.since)
    report.letters = sum(
        wanted.holds(letter.timestamp, letter.key.decode("utf-8", "replace")) for letter in letters
    )
    return report


def _compared_topic(through: str) -> str:
    """Where the events of a step stand: whole ones for the last, since what the steps behind it add is left out."""
    step = next(step for step in STEPS if step.name == through)
    return (STEPS[-1] if through == COMPARABLE_STEPS[-1] else step).writes[0].name


def _count(report: Report, past: PastEvents, event: Event | WiredeskError, examples: int) -> None:
    if isinstance(event, WiredeskError):
        report.rejected[event.type] += 1
        return
    before = past.look_up(event)
    if before is None:
        report.new += 1
    elif before.event == REPEAT_MARK:
        report.repeats += 1
    else:
        differences = list(differing_members(before.event, encode(event), is_whole=before.is_whole))
        report.same += not differences
        report.differ += bool(differences)
        report.members.update(member for member, _, _ in differences)
        for member, old, new in differences:
            if len(report.examples) < examples and member not in {
                example.member for example in report.examples
            }:
                report.examples.append(
                    Example(event.story.uri, event.story.version, member, *excerpts(old, new))
                )


def differing_members(old: bytes, new: bytes, *, is_whole: bool = False) -> Iterator[tuple[str, Any, Any]]:
    """The members in which two events differ, those of the story each by its own name; None where absent.

    Where the old one is whole, and the new one is not, those count that the new one has.
    """
    before, after = _members(orjson.loads(old)), _members(orjson.loads(new))
    for member in sorted(after.keys() if is_whole else before.keys() | after.keys()):
        if before.get(member) != after.get(member):
            yield member, before.get(member), after.get(member)


def excerpts(old: Any, new: Any) -> tuple[str, str]:
    """Two values as text, cut to some characters around the first in which they differ."""
    texts = [value if isinstance(value, str) else orjson.dumps(value).decode() for value in (old, new)]
    pairs = enumerate(zip(*texts, strict=False))
    place = next((at for at, (one, other) in pairs if one != other), min(map(len, texts)))
    cut = [text[max(0, place - EXCERPT_CHARS) : place + EXCERPT_CHARS] for text in texts]
    first, second = (
        ("…" if place > EXCERPT_CHARS else "") + part + ("…" if place + EXCERPT_CHARS < len(text) else "")
        for part, text in zip(cut, texts, strict=True)
    )
    return first, second


def _members(event: dict[str, Any]) -> dict[str, Any]:
    story = event.get("story", {})
    members = {name: value for name, value in event.items() if name not in (*LEFT_OUT, "story")}
    return members | {f"story.{name}": value for name, value in story.items()}


REPEAT_MARK: Final = b""  # stands for a story that was a repeat, which segment and tag never saw


@dataclass(frozen=True, slots=True)
class PastEvent:
    """What there was of a story: an event of the step, or a whole one of a later step."""

    event: bytes
    is_whole: bool


class PastEvents:
    """The events that the log holds of a range, in a temporary file: the last of each uri and version."""

    def __init__(self) -> None:
        """An empty file, which the system deletes when it is closed."""
        self._folder = tempfile.TemporaryDirectory(prefix="wiredesk-replay-")
        self._base = sqlite3.connect(f"{self._folder.name}/past", isolation_level=None)
        self._base.execute("PRAGMA journal_mode=OFF")
        self._base.execute("PRAGMA synchronous=OFF")
        self._base.execute(
            "CREATE TABLE past (key TEXT PRIMARY KEY, event BLOB, taken INTEGER, whole INTEGER) WITHOUT ROWID"
        )

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Delete the file."""
        self._base.close()
        self._folder.cleanup()

    def fill(self, log: RawLog, wanted: Range, topic: str, *, backfilled: bool) -> None:
        """Take the events of a topic that were made of the range, of old news or of live items."""
        for key, record in _events(log, wanted, topic, backfilled=backfilled):
            row = key, record.value, record.offset < 0
            self._base.execute("INSERT OR REPLACE INTO past VALUES (?, ?, 0, ?)", row)

    def fill_repeats(self, log: RawLog, wanted: Range, *, backfilled: bool) -> None:
        """Note which stories were repeats, and nothing else."""
        for key, _ in _events(log, wanted, DUPLICATE.name, backfilled=backfilled):
            self._base.execute("INSERT OR IGNORE INTO past VALUES (?, ?, 1, 0)", (key, REPEAT_MARK))

    def look_up(self, event: Event) -> PastEvent | None:
        """What there was of an event's uri and version; None where there was none."""
        key = _key(event.story.uri, event.story.version)
        sql = "UPDATE past SET taken = 1 WHERE key = ? RETURNING event, whole"
        row = self._base.execute(sql, (key,)).fetchone()
        return PastEvent(bytes(row[0]), bool(row[1])) if row else None

    def untouched(self) -> int:
        """How many events were never asked for."""
        return int(self._base.execute("SELECT COUNT(*) FROM past WHERE taken = 0").fetchone()[0])


def _events(log: RawLog, wanted: Range, topic: str, *, backfilled: bool) -> Iterator[tuple[str, Record]]:
    for record in log.records([topic], wanted.since):
        if not wanted.since <= record.timestamp < wanted.until:
            continue
        try:
            event = decode(record.value, Event)
        except Rejected:
            continue
        provenance = event.provenance
        if (provenance is not None and provenance.backfill) != backfilled:
            continue
        if wanted.feed is None or (provenance and provenance.feed == wanted.feed):
            yield _key(event.story.uri, event.story.version), record


def _key(uri: str, version: str | None) -> str:
    return f"{uri}\0{version or ''}"
