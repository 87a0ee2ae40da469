"""Alerts of the saved searches in Elasticsearch: matches events, and sends what is due by webhook, mail or a service.

Several may run: they share the partitions, and one of them sends. Searches are saved at the desk (`wiredesk desk`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from config.settings import Settings
from processors.model.event import Event
from sinks.alerts.decisions import AlertLimits
from sinks.alerts.matching import SearchMatch, SearchMatcher, load_matcher
from sinks.elasticsearch.alerts import ElasticAlerts
from sinks.ports import Sink, WriteResult
from sinks.stories import is_repeat, now_ms


def load_sink(settings: Settings) -> AlertSink:
    """The sink of the server that ``[elasticsearch]`` names."""
    limits = AlertLimits(settings.alerts.max_per_hour, settings.alerts.max_listed)
    return AlertSink(ElasticAlerts(settings.elasticsearch), limits)


class AlertSink(Sink):
    """Writes the alerts that events make; the same events write the same alerts, which are there then."""

    def __init__(self, store: ElasticAlerts, limits: AlertLimits, clock: Callable[[], int] = now_ms) -> None:
        """`clock` gives milliseconds since the epoch."""
        self.store, self._limits, self._clock = store, limits, clock
        self._matcher = SearchMatcher(())
        self._change_count = -1

    async def open(self, _position: int | None) -> None:
        """Read the searches anew."""
        self._change_count = -1

    async def write(self, events: Sequence[Event]) -> WriteResult:
        """Match events, and write their alerts."""
        count = await self.store.change_count()
        if count != self._change_count:
            searches = await self.store.searches()
            self._matcher = await asyncio.to_thread(load_matcher, searches)
            self._change_count = count
        matched = await asyncio.to_thread(_match_events, self._matcher, events)
        await self.store.apply(matched, self._limits, self._clock())
        return WriteResult([None] * len(events))

    async def close(self) -> None:
        """Close the connections."""
        await self.store.close()


def _match_events(
    matcher: SearchMatcher, events: Sequence[Event]
) -> list[tuple[Event, Sequence[SearchMatch]]]:
    return [(event, () if is_repeat(event) else matcher.match(event)) for event in events]
