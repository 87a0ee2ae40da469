"""What a sink is: a place outside the pipeline that events are written to.

A sink promises one thing: writing an event again changes nothing. Events are known by their uri and version
(`sinks.stories.revision` orders the versions of one uri), and come in the order of their chain. A sink that can't promise it
(a file that only grows) gives positions instead: the runtime keeps the last one with its offsets, and `open` goes back
to it, so that what was written and not committed is written once.

A sink owns nothing else. One driver in each runtime (`streams.embedded.sinks`, `streams.kafka.sink`) reads the topics,
decodes, commits offsets, writes dead letters, waits and counts. The sinks are named in `streams.topology`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from processors.errors import PartAway, Rejected
from processors.model.event import Event

WriteOutcome = Rejected | PartAway | None  # of one event


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What came of a batch of events.

    Attributes:
        outcomes: one for each event: None where it is written; why it never can be (`Rejected`), which becomes its dead
            letter; or the part of the outside that it has to wait for (`PartAway`), while all else goes on.
        position: where the outside stands now, for a sink with positions; it is committed with the offsets.
        in_transaction: for a sink in the log's own SQLite file: called in the transaction that commits the offsets.
    """

    outcomes: Sequence[WriteOutcome]
    position: int | None = None
    in_transaction: Callable[[sqlite3.Connection], None] | None = None


class Sink(Protocol):
    """A sink. Its module has ``load_sink(settings)``, which gives None where the settings leave the sink out."""

    max_events: int = 500  # of one `write`; more make fewer round trips, and a longer repeat after a crash
    wait_s: float = (
        0.5  # for more events before a `write` (Kafka): longer makes fuller batches and later stories
    )
    max_held: int = (
        0  # events that may wait for a part of the outside by themselves (Kafka); beyond it all wait
    )
    target: str = ""  # which of several places this one writes to, such as a path; offsets are kept for each

    async def open(self, position: int | None, /) -> int | None:
        """Make ready to write, and forget what is remembered of the outside.

        It is called at the start, after a failure, and when other processes may have written what comes next.

        Args:
            position: the last committed `WriteResult.position`; what was written after it is to be taken back.

        Returns:
            Where the outside stands now; None for a sink without positions.
        """

    async def write(self, events: Sequence[Event]) -> WriteResult:
        """Write events, in order, so that they survive a crash of the outside once this returns.

        Raises:
            Transient: the outside is down or full. Nothing is lost: the same events come again after a wait.
        """

    async def away_parts(self) -> Mapping[str, str]:
        """Look anew which parts of the outside are away by themselves, and why; nothing where there are no parts.

        Raises:
            Transient: the outside is down.
        """
        return {}

    async def close(self) -> None:
        """Close connections and files."""
