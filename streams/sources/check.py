"""One look at a source, without remembering, publishing or acknowledging anything."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from config.redaction import redact_secrets
from config.settings import Normalise, Poll
from processors.errors import Rejected
from processors.times import to_timestamp
from sinks.stories import now_ms
from streams.sources.declaration import SourceEntry
from streams.sources.ports import SourceBatch, SourceFault, SourceItem
from streams.sources.watch import limits_of, raw_item

SHOWN_TITLES = 5


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What a look would have brought; `titles` are those of the first items, or why one can't be read."""

    outcome: str
    message: str
    titles: tuple[str, ...] = ()
    is_sound: bool = False


async def check_source(entry: SourceEntry, settings: Poll, reading: Normalise) -> SourceReport:
    """Ask a source once for what lies at its beginning."""
    try:
        async with asyncio.timeout(entry.total_timeout_s):
            batch = await _first_batch(entry, settings)
    except SourceFault as fault:
        return SourceReport(fault.outcome, redact_secrets(str(fault)))
    except TimeoutError:
        return SourceReport("timeout", f"no end within {entry.total_timeout_s:g} s")
    now = now_ms() / 1000
    titles = tuple(_title(entry, item, reading, now) for item in batch.items[:SHOWN_TITLES])
    message = f"{len(batch.items)} items{', and more behind them' if batch.more else ''}"
    return SourceReport("new" if batch.items else "unchanged", message, titles, is_sound=True)


async def _first_batch(entry: SourceEntry, settings: Poll) -> SourceBatch:
    source = entry.make(limits_of(settings))
    try:
        await source.open()
        return await source.items("", lambda _key: False)
    finally:
        await source.close()


def _title(entry: SourceEntry, item: SourceItem, settings: Normalise, now: float) -> str:
    from processors.normalise import normalise  # with all readers, so only here

    if item.fault is not None:
        return f"{item.fault.type}: {item.fault}"
    try:
        events = normalise(raw_item(entry, item, to_timestamp(int(now * 1000))), settings)
    except Rejected as error:
        return f"{error.type}: {error}"
    return next(
        (f"{event.type}: {event}" if isinstance(event, Rejected) else event.headline for event in events),
        "nothing in it",
    )
