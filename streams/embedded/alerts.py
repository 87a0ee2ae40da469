"""Alerts in the embedded runtime: a consumer of the enriched stream, whose alerts are written with its offset.

Searches are matched in a thread; what follows is decided and written on the log's thread, in the transaction that
commits the offset, so that kill -9 at any moment makes no alert twice and loses none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, TypeVar

from config.settings import Settings
from processors.model.codec import decode
from processors.model.event import Event
from sinks.alerts.decisions import AlertLimits
from sinks.alerts.matching import SearchMatch, SearchMatcher, load_matcher
from sinks.sqlite.alerts import AlertTables
from sinks.stories import is_repeat, now_ms
from streams.deadline import OverDeadline, late_outcomes, run_in_thread
from streams.embedded.consumer import HandledBatch
from streams.embedded.log import LogThread
from streams.messages import Record
from streams.settlement import Outcome
from streams.topology import STEPS

ALERTS_NAME: Final = "alerts"  # of the consumer
ALERT_READS: Final = STEPS[-1].writes[:1]
T = TypeVar("T")


async def run_on_tables(
    log_thread: LogThread, call: Callable[[AlertTables], T], *, writes: bool = False
) -> T:
    """Run a call on the tables of the data file: on the log's thread, and in a transaction where it writes."""
    tables = AlertTables(log_thread.log.connection)

    def write() -> T:
        with log_thread.log.transaction():
            return call(tables)

    return await (log_thread.write(write) if writes else log_thread.run(lambda: call(tables)))


class AlertHandler:
    """Matches events with the saved searches. `after_commit` is called where alerts were made."""

    def __init__(self, settings: Settings, log_thread: LogThread, clock: Callable[[], int] = now_ms) -> None:
        """`clock` gives milliseconds since the epoch."""
        self._log_thread, self._clock, self._deadline_s = log_thread, clock, settings.steps.deadline_s
        self._limits = AlertLimits(settings.alerts.max_per_hour, settings.alerts.max_listed)
        self._tables = AlertTables(log_thread.log.connection)
        self._matcher = SearchMatcher(())
        self._change_count = -1

    async def start(self) -> None:
        """Begin with what comes from now on, where the consumer has never run; read the searches."""
        topics = [topic.name for topic in ALERT_READS]
        await self._log_thread.write(lambda: self._log_thread.log.start_at_end(ALERTS_NAME, topics))
        self._change_count = -1

    async def handle(self, records: Sequence[Record]) -> HandledBatch:
        """Match in a thread; decide and write in the transaction."""
        await self._renew_searches()
        try:
            found = await run_in_thread(
                ALERTS_NAME, lambda: _match_records(self._matcher, records), self._deadline_s
            )
        except OverDeadline:
            return HandledBatch(late_outcomes(ALERTS_NAME, len(records), self._deadline_s))
        matched = [one for one in found if not isinstance(one, Exception)]
        outcomes: list[Outcome] = [one if isinstance(one, Exception) else () for one in found]
        return HandledBatch(outcomes, partial(self._write, matched))

    def _write(self, matched: Sequence[tuple[Event, Sequence[SearchMatch]]]) -> None:
        self._tables.apply(matched, self._limits, self._clock())

    async def _renew_searches(self) -> None:
        """Take the searches anew where one was changed."""
        count = await self._log_thread.run(self._tables.change_count)
        if count == self._change_count:
            return
        searches = await self._log_thread.run(self._tables.searches)
        self._matcher = await run_in_thread(ALERTS_NAME, lambda: load_matcher(searches), self._deadline_s)
        self._change_count = count


def _match_records(
    matcher: SearchMatcher, records: Sequence[Record]
) -> list[tuple[Event, Sequence[SearchMatch]] | Exception]:
    """Each record's event with the searches that it fits, or why it can't be told."""
    found: list[tuple[Event, Sequence[SearchMatch]] | Exception] = []
    for record in records:
        try:
            event = decode(record.value, Event)
            found.append((event, () if is_repeat(event) else matcher.match(event)))
        except Exception as error:  # noqa: BLE001 -- the border of "what we did wrong"
            found.append(error)
    return found
