"""The messages of alerts: made of what is due, sent in order to each target, and tried again until it takes them.

A message is written to the store before it is sent and after: whoever is killed between sends it again, under the same
id. Messages of one search to one target go one after the other, so that a kill never comes before its story; others go
beside them. One that was not taken for `alerts.give_up_hours` has failed, which its search shows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, Protocol

import structlog
from msgspec.structs import replace

from config.redaction import redact_secrets
from config.settings import Alerts, Webhooks
from processors.errors import Transient
from processors.times import HOUR_MS
from sinks.alerts.decisions import Alert
from sinks.alerts.messages import AlertMessage, MessageState, plan_messages
from sinks.alerts.ports import AlertStore, DueAlerts
from sinks.alerts.saved import SavedSearch, TargetKind
from sinks.metrics import ALERTS, WAITING_ALERTS
from sinks.stories import now_ms
from streams.retry import RetryPolicy
from streams.webhooks.delivery import TryResult

# Between two looks for what is due. Shorter asks the store for nothing; longer is the delay of every alert.
LOOK_INTERVAL_S: Final = 1.0
PRUNE_INTERVAL_S: Final = (
    3600.0  # shorter looks through the store for little; longer keeps more than is wanted
)
# Messages that one look reads. Fewer let one target that is away hide the others'; more are read again at every look.
MAX_OPEN_MESSAGES: Final = 2000
MAX_SENDING: Final = (
    16  # at once: more open connections for little, fewer let slow servers hold up the others
)
STOP_S: Final = 3.0  # for what is on its way at the end: shorter sends it twice, longer holds up the process
MAX_ERROR_CHARS: Final = 300  # of what a target answered
log = structlog.get_logger("wiredesk.alerts")


class MessageSender(Protocol):
    """What sends messages to one kind of target."""

    async def send(self, message: AlertMessage, alerts: Sequence[Alert], search: SavedSearch) -> TryResult:
        """Send a message, and say what came of it."""

    async def close(self) -> None:
        """End what is open."""


class AlertCourier:
    """Sends what a store holds, until it is told to stop. `check` says which targets do not take theirs."""

    def __init__(
        self,
        store: AlertStore,
        senders: Mapping[TargetKind, MessageSender],
        settings: Alerts,
        webhooks: Webhooks,
        clock: Callable[[], int] = now_ms,
        may_send: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        """`clock` gives milliseconds since the epoch; how retries are spaced is as for `webhooks`.

        `may_send` is asked before each look where several processes share a store: only one of them sends.
        """
        self._may_send = may_send
        self._store, self._senders, self._settings, self._clock = store, senders, settings, clock
        self._policy = RetryPolicy("alerts", webhooks.first_delay_s, webhooks.max_delay_s)
        self._max_delay_ms = int(webhooks.max_delay_s * 1000)
        self._sending: dict[str, asyncio.Task[None]] = {}  # by queue
        self._failures: dict[str, int] = {}  # in a row, by queue
        self._resting: dict[str, int] = {}  # until when nothing of a queue is tried
        self._wake = asyncio.Event()
        self._pruned_at = 0.0

    def wake(self) -> None:
        """Look at once: something may be due."""
        self._wake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop`; what is on its way then is waited for within a moment, and sent again by the next start."""
        try:
            while not stop.is_set():
                try:
                    await self._look()
                except Transient as error:
                    log.warning("alerts wait for their store", reason=str(error))
                await self._rest(stop)
        finally:
            sending = list(self._sending.values())
            if sending:
                await asyncio.wait(sending, timeout=STOP_S)
            for task in sending:
                task.cancel()
            await asyncio.gather(*sending, return_exceptions=True)

    async def _rest(self, stop: asyncio.Event) -> None:
        self._wake.clear()
        waits = [asyncio.create_task(self._wake.wait()), asyncio.create_task(stop.wait())]
        try:
            await asyncio.wait(waits, timeout=LOOK_INTERVAL_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _look(self) -> None:
        if self._may_send and not await self._may_send():
            return
        now = self._clock()
        for due in await self._store.due_alerts(now):
            more = sum(due.counted.values())
            messages = plan_messages(due.alerts, more, now)
            is_counted = any(message.kind == "digest" for message in messages)
            await self._store.write_messages(due if is_counted else DueAlerts(due.alerts, {}), messages)
        await self._prune(now)
        await self._send_open(now)

    async def _send_open(self, now: int) -> None:
        """Begin with the first message of each queue that may be tried now."""
        messages = await self._store.open_messages(MAX_OPEN_MESSAGES)
        WAITING_ALERTS.set(len(messages))
        heads: dict[str, AlertMessage] = {}
        for message in messages:
            heads.setdefault(_queue_of(message), message)
        self._failures = {queue: count for queue, count in self._failures.items() if queue in heads}
        self._resting = {queue: until for queue, until in self._resting.items() if queue in heads}
        for queue, message in heads.items():
            if len(self._sending) >= MAX_SENDING:
                break
            until = max(message.next_try, self._resting.get(queue, 0))
            if queue in self._sending or now < until <= now + self._max_delay_ms:
                continue
            task = asyncio.create_task(self._send(queue, message), name=f"alert {message.target.kind}")
            self._sending[queue] = task
            task.add_done_callback(partial(self._finish, queue))

    def _finish(self, queue: str, task: asyncio.Task[None]) -> None:
        self._sending.pop(queue, None)
        self.wake()
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, Transient):
            log.warning("alerts wait for their store", reason=str(error))
        else:
            log.error("sending an alert crashed: please report it", exc_info=error)
        self._rest_queue(queue)

    async def _send(self, queue: str, message: AlertMessage) -> None:
        search = await self._store.search(message.search)
        alerts = await self._store.alerts_of(message)
        if dropped := _drop_reason(message, alerts, search):
            await self._close(message, "dropped", dropped)
            return
        assert search
        message = replace(message, attempts=message.attempts + 1)
        await self._store.save_message(message)
        sender = self._senders.get(message.target.kind)
        if sender is None:
            result = TryResult(f"this process sends nothing by {message.target.kind}", is_final=True)
        else:
            result = await self._try(sender, message, alerts, search)
        if not result.reason:
            self._failures.pop(queue, None)
            await self._close(message, "sent", "")
            return
        reason = redact_secrets(result.reason)[:MAX_ERROR_CHARS]
        age_ms = self._clock() - message.created
        if result.is_final or age_ms >= self._settings.give_up_hours * HOUR_MS:
            log.warning(
                "an alert was not delivered", search=message.search, target=message.target.kind, reason=reason
            )
            await self._close(message, "failed", reason)
            return
        self._rest_queue(queue, result.retry_after_s)
        ALERTS.labels(message.target.kind, "retried").inc()
        await self._store.save_message(replace(message, next_try=self._resting[queue], error=reason))

    async def _try(
        self, sender: MessageSender, message: AlertMessage, alerts: Sequence[Alert], search: SavedSearch
    ) -> TryResult:
        try:
            return await sender.send(message, alerts, search)
        except Exception as error:  # noqa: BLE001 -- the border of "what the world did wrong": a library of any service
            log.warning("sending an alert failed", target=message.target.kind, error=type(error).__name__)
            return TryResult(f"{type(error).__name__}: {error}")

    def _rest_queue(self, queue: str, at_least_s: float = 0.0) -> None:
        """Leave a queue alone for a while that grows with each failure."""
        self._failures[queue] = self._failures.get(queue, 0) + 1
        delay_s = max(self._policy.delay_s(self._failures[queue]), at_least_s)
        self._resting[queue] = self._clock() + min(int(delay_s * 1000), self._max_delay_ms)

    async def _close(self, message: AlertMessage, state: MessageState, error: str) -> None:
        ALERTS.labels(message.target.kind, state).inc()
        closed = replace(message, state=state, error=error, finished=self._clock(), next_try=0)
        await self._store.save_message(closed)

    async def _prune(self, now: int) -> None:
        loop_time = asyncio.get_running_loop().time()
        if self._pruned_at and loop_time - self._pruned_at < PRUNE_INTERVAL_S:
            return
        self._pruned_at = loop_time
        with suppress(Transient):
            await self._store.prune(now - self._settings.memory_hours * HOUR_MS)


def _queue_of(message: AlertMessage) -> str:
    return f"{message.search} {message.target.key}"


def _drop_reason(message: AlertMessage, alerts: Sequence[Alert], search: SavedSearch | None) -> str:
    """Why a message is not sent any more; empty where it is. One that may have gone out is sent again, so that it is whole."""
    if search is None:
        return "its search was deleted"
    if not alerts:
        return "its alerts are forgotten"
    if (
        message.attempts == 0
        and message.kind == "story"
        and all(alert.withdrawn == "killed" for alert in alerts)
    ):
        return "its story was killed before anybody got it"
    return ""
