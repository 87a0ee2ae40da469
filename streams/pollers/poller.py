"""The engine: keeps the times, asks, and carries out verdicts so that nothing is lost.

For each poll: fetch → judge → settle: items, dead letter, gap and the feed's state go into the log in one
transaction. A crash anywhere repeats at most the current poll.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import structlog

from config.redaction import holds_secret, redact_secrets
from config.settings import Poll
from sinks.metrics import (
    OPEN_CIRCUITS,
    POLL_GAPS,
    POLL_SECONDS,
    POLLED_BYTES,
    POLLED_ITEMS,
    POLLS,
    WITHHELD_PARTS,
)
from streams.health import count_unread_state
from streams.pollers import schedule
from streams.pollers import state as states
from streams.pollers.feed import SOUND_OUTCOMES, Feed
from streams.pollers.fetch import Answer, Fetcher, HostTurn, Request, error_message, host_of
from streams.pollers.judge import (
    PollVerdict,
    holds_new_document,
    judge_answer,
    judge_lost,
    limit_to_entries,
    pack_question,
    plan_request,
    unpack_verdict,
)
from streams.pollers.politeness import HostLimits, Robots
from streams.pollers.ports import FeedLedger, Hubs, NoHubs, PollResult
from streams.pool import BrokenPool
from streams.retry import LOG, NetworkBreaker, retry_until_stopped
from streams.settlement import LostChild
from streams.topology import FEED_STATES

Clock = Callable[[], float]
PollPermit = Callable[[], bool]
AskPool = Callable[[object], Awaitable[Any]]  # what the pool's task `JUDGE_TASK` makes of a question
JUDGE_TASK: Final = "poll"  # the name of judging among the pool's tasks, and in figures
# For documents that are being judged at the stop. Shorter asks for honest ones again; longer waits for one that hangs.
JUDGE_TIMEOUT_S: Final = 2.0
PERMIT_INTERVAL_S: Final = 0.1  # between two looks whether polling is permitted again
log = structlog.get_logger("wiredesk.poll")


@dataclass(frozen=True, slots=True)
class PoliteAccess:
    """What this process owes to hosts and to its own network, whichever feeds are its own at the moment."""

    hosts: HostLimits
    breaker: NetworkBreaker
    robots: Robots

    @classmethod
    def of(cls, settings: Poll) -> PoliteAccess:
        """Nobody was asked yet."""
        hosts = HostLimits(settings.host_connections, settings.host_delay_s)
        return cls(hosts, NetworkBreaker(), Robots(settings, hosts))


class Poller:
    """Polls its feeds until it is told to stop."""

    def __init__(
        self,
        feeds: Sequence[Feed],
        settings: Poll,
        ledger: FeedLedger,
        fetcher: Fetcher,
        *,
        manners: PoliteAccess,
        clock: Clock,
        random: Clock,
        stop: asyncio.Event,
        permit: PollPermit = lambda: True,
        hubs: Hubs | None = None,
        grace: float = 0.0,
        ask_pool: AskPool | None = None,
    ) -> None:
        """`clock` gives seconds since the epoch, `random` numbers in [0, 1); nothing is asked while not `permit`.

        New documents are judged in the pool, where they have a deadline; without one here. Over the stop fetches have `grace` seconds to end: what is dropped is asked for again by the next.
        """
        self._feeds = _polled(feeds)
        self._is_loaded = False
        self._newest: dict[str, int] = {}  # of each feed, the one of its entries in `_due` that counts
        self._settings, self._ledger, self._fetcher = settings, ledger, fetcher
        self._clock, self._random, self._permit, self._grace = clock, random, permit, grace
        self._states: dict[str, bytes] = {}
        self._host: dict[str, str] = {}  # of each feed, where it has moved to for good
        self._hosts, self._breaker, self._robots = manners.hosts, manners.breaker, manners.robots
        self._hubs: Hubs = hubs or NoHubs()
        self._due: list[tuple[float, int, str, bool]] = []
        self._count = itertools.count()
        self._tasks: dict[asyncio.Task[None], str] = {}
        self._fetching: dict[asyncio.Task[None], float] = {}  # since when
        self._overdue: set[str] = set()  # feeds that were due before we began, and were not asked for since
        self._judging: set[asyncio.Task[None]] = set()
        self._ask_pool = ask_pool
        self._wake = asyncio.Event()
        self._stop = stop

    async def run(self) -> None:
        """Poll until the stop. Fetches that outlast it are dropped; what was fetched is published and saved."""
        self._states = dict(await self._ledger.load())
        ours = (
            state for feed, state in self._states.items() if feed in self._feeds
        )  # and not what others keep there
        if unreadable := sum(not states.is_readable(state) for state in ours):
            count_unread_state(FEED_STATES.name, "another layout", unreadable)
        self._is_loaded = True
        for feed in self._feeds.values():
            self._begin_feed(feed)
        waker = asyncio.create_task(self._wake_on_stop())
        try:
            while not self._stop.is_set():
                await self._sleep(self._start_due())
                self._raise_failures()
        finally:
            waker.cancel()
            ended = await self._end_tasks()
        for error in ended:
            if isinstance(error, Exception):
                raise error

    def use_feeds(self, feeds: Sequence[Feed], stored: Mapping[str, bytes] | None = None) -> None:
        """Poll these from now on; `stored` has what is remembered of feeds that we had not.

        A request that is under way for one that is gone or paused ends by itself, and is its last.
        """
        before, self._feeds = self._feeds, _polled(feeds)
        self._states = {**(stored or {}), **self._states}
        if not self._is_loaded:
            return
        for feed in self._feeds.values():
            if before.get(feed.id) != feed:
                self._begin_feed(feed)
        for gone in before.keys() - self._feeds.keys():
            self._newest.pop(gone, None)
            self._hubs.offer_hub(gone, "", "")
        self._wake.set()

    def _begin_feed(self, feed: Feed) -> None:
        """Take up a feed where its state says that it stands."""
        state = states.unpack_header(self._states.get(feed.id, b""))
        self._host[feed.id] = host_of(state.url or feed.url)
        if state.held_until:
            self._hosts.hold(self._host[feed.id], state.held_until)
        if state.polled and state.next_poll <= self._clock():
            self._overdue.add(feed.id)
        if not state.disabled:
            self._schedule(feed.id, state.next_poll)
            self._offer_hub(feed, state)

    async def _end_tasks(self) -> list[BaseException | None]:
        """End what is under way: fetches after their grace, documents that are being judged after a moment."""
        if patience := self._patience():
            await asyncio.wait(set(self._fetching), timeout=patience)
        for task in self._fetching:
            task.cancel()
        if self._judging:
            _, late = await asyncio.wait(set(self._judging), timeout=JUDGE_TIMEOUT_S)
            for task in self._judging & late:
                task.cancel()
        return await asyncio.gather(*self._tasks, return_exceptions=True)

    def _patience(self) -> float:
        """How long fetches under way are waited for: until the youngest has had its grace. Older ones have stalled."""
        youngest = max(self._fetching.values(), default=0.0)
        return max(0.0, min(self._grace, youngest + self._grace - self._clock()))

    async def deliver(self, feed_id: str, answer: Answer) -> bool:
        """Take in a document that a hub delivered; False where the feed is not polled here.

        Raises:
            Transient: the log took nothing until the stop.
        """
        while polls := [task for task, name in self._tasks.items() if name == feed_id and not task.done()]:
            await asyncio.wait(polls)
        feed = self._feeds.get(feed_id)
        if feed is None or self._stop.is_set() or not self._permit():
            return False
        task = asyncio.create_task(self._accept_delivery(feed, answer), name=f"delivery {feed_id}")
        self._tasks[task] = feed_id
        task.add_done_callback(self._ended)
        await asyncio.shield(task)
        return True

    async def _accept_delivery(self, feed: Feed, answer: Answer) -> None:
        before = states.unpack_state(self._states.get(feed.id, b""))
        answer = replace(answer, url=before.url or feed.url)
        verdict = limit_to_entries(await self._judge(feed, before, answer, self._clock()), before)
        await self._commit(feed, verdict)
        log.debug("delivered", feed=feed.id, outcome=verdict.outcome, items=len(verdict.items))

    def _offer_hub(self, feed: Feed, state: states.FeedState) -> None:
        if feed.id not in self._feeds:
            return
        topic = state.topic or state.url or feed.url
        if state.hub and not holds_secret(topic):
            self._hubs.offer_hub(feed.id, state.hub, topic)
        else:
            self._hubs.offer_hub(feed.id, "", "")

    async def _wake_on_stop(self) -> None:
        await self._stop.wait()
        self._wake.set()

    async def _sleep(self, until: float | None) -> None:
        """Wait for the next due time, for the end of a poll, or for the stop."""
        timeout = None if until is None else max(0.0, until - self._clock())
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), timeout)
        self._wake.clear()

    def _raise_failures(self) -> None:
        for task in [task for task in self._tasks if task.done()]:
            del self._tasks[task]
            if not task.cancelled() and (error := task.exception()):
                raise error

    def _schedule(self, feed: str, when: float, reserved: bool = False) -> None:
        self._newest[feed] = number = next(self._count)
        heapq.heappush(self._due, (when, number, feed, reserved))

    def _start_due(self) -> float | None:
        """Start what is due and may start; when to look again, None where only the end of a poll can change things."""
        while self._due and len(self._tasks) < self._settings.concurrency:
            now = self._clock()
            when, number, feed, reserved = self._due[0]
            if feed not in self._feeds or self._newest.get(feed) != number:  # gone, or scheduled anew
                heapq.heappop(self._due)
                continue
            pause = self._breaker.pause_until(now) if self._permit() else now + PERMIT_INTERVAL_S
            if max(when, pause) > now:
                return max(when, pause)
            heapq.heappop(self._due)
            host = self._host[feed]
            if feed in self._tasks.values():  # a delivery is taken in
                self._schedule(feed, now + PERMIT_INTERVAL_S, reserved)
            elif not reserved and (start := self._hosts.reserve(host, now)) > now:
                self._schedule(feed, start, reserved=True)
            elif self._hosts.held_until(host) > now:
                self._schedule(feed, self._hosts.held_until(host))
            elif self._hosts.is_full(host):
                self._hosts.park(host, partial(self._resume, feed))
            else:
                self._start(feed, host)
        return None if not self._due or len(self._tasks) >= self._settings.concurrency else self._due[0][0]

    def _start(self, feed: str, host: str) -> None:
        self._hosts.begin(host)
        self._breaker.record_probe(self._clock())
        task = asyncio.create_task(self._poll(self._feeds[feed], host), name=f"poll {feed}")
        self._tasks[task] = feed
        self._fetching[task] = self._clock()
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._fetching.pop(task, None)
        self._wake.set()

    def _resume(self, feed: str) -> None:
        if feed not in self._feeds:  # it has left the list while it waited
            self._hosts.resume_next(self._host[feed])
            return
        self._schedule(feed, self._clock())
        self._wake.set()

    @asynccontextmanager
    async def _turn(self, host: str, begun: list[str]) -> AsyncIterator[None]:
        """One request of a host. The first is begun by the scheduler, further hops wait for their turn here."""
        if begun:
            begun.clear()
        else:
            await asyncio.sleep(max(0.0, self._hosts.reserve(host, self._clock()) - self._clock()))
            while self._hosts.is_full(host):
                free = asyncio.Event()
                self._hosts.park(host, free.set)
                await free.wait()
            self._hosts.begin(host)
        try:
            yield
        finally:
            self._hosts.end(host)

    async def _poll(self, feed: Feed, host: str) -> None:
        started = self._clock()
        begun = [host]
        try:
            state = states.unpack_state(self._states.get(feed.id, b""))
            if resumed := feed.id in self._overdue:
                self._overdue.discard(feed.id)
                state = schedule.resume_feed(state, self._settings)
            request = plan_request(feed, state, self._settings, started, os.environ, resumed=resumed)
            answer = await self._answer(feed, request, lambda host: self._turn(host, begun))
        finally:
            if begun:
                self._hosts.end(host)
        self._fetching.pop(_current_task(), None)
        now = self._clock()
        verdict = await self._judge(feed, state, answer, now)
        if verdict.outcome == "exhausted" or (schedule.blames_us(verdict.outcome) and self._breaker.is_open):
            spared = schedule.spare_feed(state, feed, self._settings, now, self._random())
            message = answer.message if verdict.outcome == "exhausted" else "our network is down"
            verdict = PollVerdict(verdict.outcome, replace(spared, outcome=verdict.outcome, message=message))
        if verdict.outcome != "exhausted":
            self._breaker.record(host, not schedule.blames_us(verdict.outcome), now)
            OPEN_CIRCUITS.labels("network").set(self._breaker.is_open)
        if verdict.hold_until and verdict.state.held_until:
            self._hosts.hold(host_of(answer.url), verdict.hold_until)
        await self._carry_out(feed, verdict)
        count_poll(verdict, now - started, len(answer.body))
        _log_poll(feed, request, answer, verdict)

    async def _answer(self, feed: Feed, request: Request, turn: HostTurn) -> Answer:
        """What came of a request; our own fault in asking for one feed is that feed's failure as well."""

        async def gate(url: str) -> Answer | None:
            return await self._robots.refusal(url, request, self._fetcher, turn, self._clock())

        try:
            return await self._fetcher.get(request, turn, gate if self._settings.robots else None)
        except Exception as error:
            log.exception("a bug in asking for a feed", feed=feed.id, url=feed.shown_url)
            return Answer(request.url, failure="bug", message=error_message(error))

    async def _judge(self, feed: Feed, state: states.FeedState, answer: Answer, now: float) -> PollVerdict:
        """The verdict; a bug in reading one feed is that feed's failure, told loudly, and the others go on."""
        random = self._random()
        try:
            if self._ask_pool and holds_new_document(state, answer):
                return await self._judge_in_pool(feed, state, answer, now, random)
            return judge_answer(feed, state, answer, self._settings, now, random)
        except BrokenPool:
            raise
        except Exception as error:
            log.exception("a bug in reading a feed", feed=feed.id, url=feed.shown_url)
            failed = replace(state, outcome="bug", polled=now, message=error_message(error))
            return PollVerdict(
                "bug", schedule.schedule_next(failed, "bug", feed, self._settings, now, random)
            )

    async def _judge_in_pool(
        self, feed: Feed, state: states.FeedState, answer: Answer, now: float, random: float
    ) -> PollVerdict:
        assert self._ask_pool, "there is one"
        task = _current_task()
        self._judging.add(task)
        try:
            question = pack_question(feed, state, answer, self._settings, now, random)
            return unpack_verdict(await self._ask_pool(question))
        except LostChild as lost:
            return judge_lost(feed, state, answer, self._settings, now, random, reason=str(lost))
        finally:
            self._judging.discard(task)

    async def _commit(self, feed: Feed, verdict: PollVerdict) -> None:
        packed = states.pack_state(replace(verdict.state, message=redact_secrets(verdict.state.message)))
        gap = verdict.gap.at if verdict.gap else ""
        result = PollResult(feed.id, packed, verdict.items, verdict.rejected, gap)
        await write_until_stopped(lambda: self._ledger.commit(result), self._stop)
        self._states[feed.id] = packed

    async def _carry_out(self, feed: Feed, verdict: PollVerdict) -> None:
        await self._commit(feed, verdict)
        self._offer_hub(feed, verdict.state)
        self._host[feed.id] = host_of(verdict.state.url or feed.url)
        if verdict.state.disabled:
            log.warning("a feed is gone and will not be asked again", feed=feed.id, url=feed.shown_url)
        else:
            due = verdict.state.next_poll
            if self._hubs.is_active(feed.id) and verdict.items:
                self._hubs.record_miss(feed.id)
            elif self._hubs.is_active(feed.id):
                due = max(due, self._clock() + self._settings.subscribed_interval_s)
            self._schedule(feed.id, due)


def _polled(feeds: Sequence[Feed]) -> dict[str, Feed]:
    return {feed.id: feed for feed in feeds if not feed.paused}


async def write_until_stopped(attempt: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    """Try to write to the log until it succeeds, or until the stop: then the next start repeats it.

    Raises:
        Transient: the log took nothing until the stop.
    """
    await retry_until_stopped(attempt, LOG, stop, before_wait=_warn_of_outage)


def _warn_of_outage(error: Exception, _delay: float) -> None:
    log.warning("the log does not take items; trying again", error=str(error))


def _current_task() -> asyncio.Task[None]:
    task = asyncio.current_task()
    assert task is not None
    return task


def _log_poll(feed: Feed, request: Request, answer: Answer, verdict: PollVerdict) -> None:
    """One event a poll, with its facts as fields."""
    sound = verdict.outcome in SOUND_OUTCOMES
    (log.debug if sound else log.info)(
        "polled", feed=feed.id, url="" if sound else feed.shown_url, outcome=verdict.outcome, status=answer.status,
        conditional=bool(request.etag or request.last_modified), bytes=len(answer.body), items=len(verdict.items),
        failures=verdict.state.failures, message=verdict.state.message,
    )  # fmt: skip
    if verdict.withheld:
        log.warning(
            "a feed costs more than it may; something was cut or left out",
            feed=feed.id, what=", ".join(verdict.withheld), message=verdict.state.message,
        )  # fmt: skip
    if verdict.gap:
        log.warning(
            "entries of a feed may have been missed", feed=feed.id, since=verdict.gap.since, at=verdict.gap.at
        )


def count_poll(verdict: PollVerdict, seconds: float, size: int) -> None:
    """Count one poll."""
    POLLS.labels(verdict.outcome).inc()
    POLLED_ITEMS.inc(len(verdict.items))
    POLLED_BYTES.inc(size)
    POLL_GAPS.inc(bool(verdict.gap))
    POLL_SECONDS.observe(seconds)
    for what in verdict.withheld:
        WITHHELD_PARTS.labels(what).inc()
