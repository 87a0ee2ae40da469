"""The engine of sources: looks, commits items and cursor in one transaction, then sends the receipts.

For each look: due receipts → items behind the cursor → commit → receipts. What a crash leaves is a state that names
receipts which may not have gone out: they go first. How a source fares is remembered as for a feed, so that health,
alarms, shares and figures are the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

import structlog

from config.redaction import redact_secrets
from config.settings import Poll
from processors.errors import TooLarge, Unreadable
from processors.model.event import RawItem
from processors.times import to_timestamp
from sinks.metrics import POLL_GAPS, POLL_SECONDS, POLLED_BYTES, POLLED_ITEMS, POLLS, SOURCE_RECEIPTS
from streams.pollers import budget, schedule
from streams.pollers import state as states
from streams.pollers.feed import PollOutcome
from streams.pollers.poller import write_until_stopped
from streams.pollers.ports import FeedLedger, PollResult
from streams.pollers.state import FeedState
from streams.sources.declaration import SourceEntry
from streams.sources.memory import KeyMemory
from streams.sources.ports import Source, SourceBatch, SourceFault, SourceItem, SourceLimits
from streams.tasks import run_together

# Pages in a row without anything new that are turned at once. Fewer: a backlog behind old pages comes slowly; more: a
# server whose pages never end is asked as fast as it answers.
MAX_EMPTY_PAGES: Final = 20
# Refusals of a cursor in a row, before it is given up. Fewer: a server's bad minute throws the place away; more: a source
# whose cursors have run out stands still for longer.
MAX_REFUSED_CURSORS: Final = 3
# Faults in a row over one item, before it is set aside. Fewer: a server's bad minute costs a story; more: one document that
# can't be had holds up all others for longer.
MAX_ITEM_FAULTS: Final = 5
# Between two tries with credentials that were refused, doubled from one to the next. Shorter: the account is locked;
# longer: a mended password is noticed late.
REFUSED_WAIT_S: Final = 300.0
PERMIT_INTERVAL_S: Final = 0.1  # between two looks whether looking is permitted again
CLOSE_TIMEOUT_S: Final = 2.0  # for a polite end of a connection
MAX_WAIT_S: Final = 3600.0  # that a server's wish to be asked later is followed
log = structlog.get_logger("wiredesk.sources")


def limits_of(settings: Poll) -> SourceLimits:
    """What the settings allow each source."""
    return SourceLimits(
        settings.max_body_bytes,
        settings.connect_timeout_s,
        settings.read_timeout_s,
        settings.user_agent,
        settings.allowed_addresses,
    )


@dataclass(slots=True)
class SourceStanding:
    """One source under watch."""

    entry: SourceEntry
    state: FeedState
    memory: KeyMemory  # that of the state
    source: Source | None = None
    empty_pages: int = 0

    @property
    def id(self) -> str:
        """Its name."""
        return self.entry.id


class SourceWatch:
    """Looks at its sources until it is told to stop, each by itself."""

    def __init__(
        self,
        entries: Sequence[SourceEntry],
        settings: Poll,
        ledger: FeedLedger,
        *,
        clock: Callable[[], float],
        random: Callable[[], float],
        stop: asyncio.Event,
        permit: Callable[[], bool] = lambda: True,
        limits: SourceLimits | None = None,
    ) -> None:
        """`clock` gives seconds since the epoch, `random` numbers in [0, 1); nothing is asked while not `permit`."""
        self._entries = [entry for entry in entries if not entry.feed.paused]
        self._settings, self._ledger = settings, ledger
        self._clock, self._random, self._permit, self._stop = clock, random, permit, stop
        self._limits = limits or limits_of(settings)

    async def run(self) -> None:
        """Watch until the stop.

        Raises:
            Transient: the log took nothing more until the stop.
        """
        if not self._entries:
            return
        remembered = await self._ledger.load()
        await run_together(*(self._watch(entry, remembered.get(entry.id, b"")) for entry in self._entries))

    async def _watch(self, entry: SourceEntry, raw: bytes) -> None:
        state = states.unpack_state(raw)
        watched = SourceStanding(entry, state, KeyMemory.unpack(state.keys))
        try:
            while not await self._wait_until_due(watched):
                await self._look(watched)
        finally:
            await _close(watched)

    async def _wait_until_due(self, watched: SourceStanding) -> bool:
        """Wait until a source may be asked; whether the stop came first."""
        while not self._stop.is_set():
            wait = watched.state.next_poll - self._clock()
            if wait <= 0 and self._permit():
                return False
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), max(wait, PERMIT_INTERVAL_S))
        return True

    async def _look(self, watched: SourceStanding) -> None:
        """One look: what was due, what is new, and what is due for that."""
        started = self._clock()
        looking = asyncio.create_task(self._fetch(watched))
        stopped = asyncio.create_task(self._stop.wait())
        await asyncio.wait({looking, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not looking.done():  # what is dropped is asked for again by the next
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            return
        found = looking.result()
        if isinstance(found, SourceFault):
            await _close(watched)
            await self._settle_fault(watched, found)
        else:
            await self._commit_batch(watched, found)
        POLL_SECONDS.observe(self._clock() - started)

    async def _fetch(self, watched: SourceStanding) -> SourceBatch | SourceFault:
        """What a source gives, or why it gives nothing; our own fault in one source is that source's failure."""
        state = watched.state
        try:
            async with asyncio.timeout(watched.entry.total_timeout_s):
                if watched.source is None:
                    watched.source = watched.entry.make(self._limits)
                    await watched.source.open()
                if state.receipts:
                    await self._send_receipts(watched, state.receipts)
                return await watched.source.items(state.cursor, watched.memory.__contains__)
        except SourceFault as fault:
            return fault
        except TimeoutError:
            return SourceFault("timeout", f"no end within {watched.entry.total_timeout_s:g} s")
        except Exception as error:
            log.exception("a bug in asking a source", source=watched.id)
            return SourceFault("bug", redact_secrets(f"{type(error).__name__}: {error}")[:300])

    async def _send_receipts(self, watched: SourceStanding, receipts: Sequence[str]) -> None:
        """Send receipts of what is committed. A crash or a fault behind some of them sends all of them again."""
        assert watched.source
        await watched.source.commit(receipts)
        SOURCE_RECEIPTS.inc(len(receipts))
        watched.state = replace(watched.state, receipts=())

    async def _commit_batch(self, watched: SourceStanding, batch: SourceBatch) -> None:
        """Write the new items of a batch with its cursor, then send its receipts."""
        entry, now = watched.entry, self._clock()
        received = to_timestamp(int(now * 1000))
        fresh = _new_items(batch.items, watched.memory)
        items = tuple(raw_item(entry, item, received) for item in fresh if item.fault is None)
        state = self._spend(watched.state, items, now)
        if state is None:
            message = "more new bytes than poll.max_feed_bytes_per_hour; they are read when the hour is over"
            fault = SourceFault("too_large", message, budget.next_hour(now))
            await self._commit_fault(watched, fault)
            return
        state, letters = self._letters(entry, state, fresh, now)
        message = batch.message or state.message
        outcome: PollOutcome = "new" if fresh else "unchanged"
        memory = (
            watched.memory.with_keys(batch.present, (item.key for item in fresh)) if fresh else watched.memory
        )
        state = schedule.record_arrival(state, len(items), now) if items else state
        state = schedule.count_new_items(state, len(items), now)
        state = replace(
            state, outcome=outcome, message=redact_secrets(message), polled=now, last_success=now, since=state.since or now,
            cursor=batch.cursor, keys=memory.pack() if fresh else state.keys, receipts=tuple(batch.receipts), held_until=0.0,
            gaps=state.gaps + batch.gap, last_gap=now if batch.gap else state.last_gap,
        )  # fmt: skip
        state = schedule.schedule_next(state, outcome, entry.feed, self._settings, now, self._random())
        state = replace(state, next_poll=self._next_look(watched, batch, bool(fresh), state.next_poll, now))
        await self._commit(watched, state, items, letters, batch.gap)
        watched.memory = memory
        if state.receipts:
            await self._acknowledge(watched)
        _count(outcome, len(items), sum(len(item.payload) for item in items), batch.gap)
        log.debug(
            "looked", source=entry.id, items=len(items), letters=len(letters), receipts=len(batch.receipts)
        )

    def _spend(self, state: FeedState, items: tuple[RawItem, ...], now: float) -> FeedState | None:
        """The state with the bytes of items on its account; None where the hour has no room for them."""
        try:
            return budget.spend_item_bytes(replace(state, message=""), items, self._settings, now)
        except TooLarge:
            return None

    def _letters(
        self, entry: SourceEntry, state: FeedState, fresh: Sequence[SourceItem], now: float
    ) -> tuple[FeedState, tuple[budget.RejectedItem, ...]]:
        """The dead letters of what is no item, within what a source may leave in a day."""
        letters: list[budget.RejectedItem] = []
        received = to_timestamp(int(now * 1000))
        for item in fresh:
            if item.fault is not None:
                raw = (raw_item(entry, item, received), item.fault)
                state, letter, _ = budget.spend_letter_bytes(state, raw, self._settings, now)
                letters += [letter] if letter else []
        return state, tuple(letters)

    def _next_look(
        self, watched: SourceStanding, batch: SourceBatch, is_new: bool, normal: float, now: float
    ) -> float:
        """When a source is asked again: at once where it has more, else when it is due or asks for it."""
        watched.empty_pages = 0 if is_new or not batch.more else watched.empty_pages + 1
        if batch.wait_s is not None:
            normal = now + min(batch.wait_s, max(MAX_WAIT_S, watched.entry.feed.interval or 0.0))
        if not batch.more:
            return normal
        if watched.empty_pages < MAX_EMPTY_PAGES:
            return now
        watched.empty_pages = 0
        return normal

    async def _acknowledge(self, watched: SourceStanding) -> None:
        """Send the receipts of what was just committed; those that fail are due at the next look."""
        try:
            async with asyncio.timeout(watched.entry.total_timeout_s):
                await self._send_receipts(watched, watched.state.receipts)
        except (SourceFault, TimeoutError) as error:
            fault = error if isinstance(error, SourceFault) else SourceFault("timeout", "no end of receipts")
            await _close(watched)
            await self._commit_fault(watched, fault)
        except Exception as error:
            log.exception("a bug in sending receipts", source=watched.id)
            await _close(watched)
            await self._commit_fault(watched, SourceFault("bug", redact_secrets(str(error))[:300]))

    async def _settle_fault(self, watched: SourceStanding, fault: SourceFault) -> None:
        """Note a fault; an item that is the cause of too many in a row is set aside, so that the others go on."""
        item = fault.item
        if item is None or watched.state.failures + 1 < MAX_ITEM_FAULTS:
            await self._commit_fault(watched, fault)
            return
        reason = Unreadable(f"it could not be had {MAX_ITEM_FAULTS} times: {fault}")
        receipts = watched.state.receipts
        batch = SourceBatch([replace(item, fault=reason)], watched.state.cursor, receipts, more=True)
        await self._commit_batch(watched, batch)

    async def _commit_fault(self, watched: SourceStanding, fault: SourceFault) -> None:
        """Note why a source gave nothing, and when it is asked again."""
        before, now, feed = watched.state, self._clock(), watched.entry.feed
        message = redact_secrets(str(fault))
        outcome = fault.outcome
        state = replace(
            before, outcome=outcome, message=message, polled=now, held_until=fault.retry_at,
            errors={**before.errors, outcome: before.errors.get(outcome, 0) + 1},
        )  # fmt: skip
        state = schedule.schedule_next(
            state, outcome, feed, self._settings, now, self._random(), retry_at=fault.retry_at
        )
        state = replace(state, disabled=False)  # an API's 410 is a cursor's end, not the source's
        gap = False
        if outcome == "credentials":
            wait = REFUSED_WAIT_S * 2.0 ** min(state.failures - 1, 30)
            state = replace(
                state, next_poll=max(state.next_poll, now + min(wait, self._settings.max_backoff_s))
            )
        elif outcome == "cursor" and state.failures >= MAX_REFUSED_CURSORS:
            gap = True
            message = f"{message}; begun anew, so items may be missing"
            state = replace(state, cursor="", gaps=state.gaps + 1, last_gap=now, message=message)
        await self._commit(watched, state, (), (), gap)
        _count(outcome, 0, 0, gap)
        # One line for a fault that lasts: what is the same as before is told to nobody.
        is_same = (before.outcome, before.message) == (state.outcome, state.message)
        (log.debug if is_same else log.warning)(
            "a source gives nothing",
            source=watched.id,
            outcome=outcome,
            message=state.message,
            failures=state.failures,
        )

    async def _commit(
        self,
        watched: SourceStanding,
        state: FeedState,
        items: tuple[RawItem, ...],
        letters: tuple[budget.RejectedItem, ...],
        gap: bool,
    ) -> None:
        at = to_timestamp(int(self._clock() * 1000)) if gap else ""
        result = PollResult(watched.id, states.pack_state(state), items, gap=at, letters=letters)
        await write_until_stopped(lambda: self._ledger.commit(result), self._stop)
        watched.state = state


def _new_items(items: Sequence[SourceItem], memory: KeyMemory) -> list[SourceItem]:
    """The items that were not committed before, each once."""
    fresh: dict[str, SourceItem] = {}
    for item in items:
        if item.key not in memory:
            fresh.setdefault(item.key, item)
    return list(fresh.values())


def raw_item(entry: SourceEntry, item: SourceItem, received: str) -> RawItem:
    """The item as it goes into the log: the source's own, whatever it says of itself."""
    feed = entry.feed
    return RawItem(
        payload=item.payload, received=received, feed=feed.id,
        url=redact_secrets(item.name) or None, media_type=item.media_type, charset=item.charset,
        language=feed.language, source=feed.source, timezone=feed.timezone, outcome="new",
    )  # fmt: skip


def _count(outcome: PollOutcome, items: int, size: int, gap: bool) -> None:
    POLLS.labels(outcome).inc()
    POLLED_ITEMS.inc(items)
    POLLED_BYTES.inc(size)
    POLL_GAPS.inc(gap)


async def _close(watched: SourceStanding) -> None:
    """Close a source, which is opened anew at the next look; one that hangs or fails in it is given up."""
    source, watched.source = watched.source, None
    if source is None:
        return
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await source.close()
    except Exception as error:  # noqa: BLE001 -- nobody waits for it any more
        log.debug("a source was not closed well", source=watched.id, reason=str(error))
