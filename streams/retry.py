"""When to try again: delays with full jitter by named policies, and circuits that leave alone what keeps failing.

Sources: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015 (full jitter); M. Nygard,
"Release It!", 2nd edition, 2018, chapter 5, "Circuit Breaker".
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeVar

from processors.errors import Transient

MAX_DOUBLINGS: Final = 60  # of a first delay: every cap is reached by then, and 2.0**1024 is no float
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long to wait before each retry, in seconds, and how often to try in all (None: without end)."""

    name: str
    first_s: float
    cap_s: float
    attempts: int | None = None

    def ceiling_s(self, number: int) -> float:
        """The longest wait before the retry of this number (from 1): the first delay, doubled up to the cap."""
        return min(self.cap_s, self.first_s * 2.0 ** min(number - 1, MAX_DOUBLINGS))

    def delay_s(self, number: int, uniform: Callable[[float, float], float] = random.uniform) -> float:
        """A wait before the retry of this number: anything from 0 to its ceiling, so that retries spread out."""
        return uniform(0, self.ceiling_s(number))

    def delays(self, uniform: Callable[[float, float], float] = random.uniform) -> Iterator[float]:
        """The waits of one failure, in their order: one fewer than there are attempts."""
        for number in itertools.count(1) if self.attempts is None else range(1, self.attempts):
            yield self.delay_s(number, uniform)


# A first delay that is too short floods what has just come back, one that is too long holds up stories after a hiccup.
# A cap that is too low keeps a dead server busy and the log full of lines; a high one is the time that a server may be
# back before anybody notices. Delays are half their ceiling in the mean.
# fmt: off
#                                    name         first_s  cap_s  attempts
LOG:                Final = RetryPolicy("log",       0.2,    30.0)  # the embedded log, or a pollers' outlet, takes nothing
BROKER:             Final = RetryPolicy("broker",    0.5,    15.0)  # Kafka does not answer; a standby lost it
PROCESS_RESTART:    Final = RetryPolicy("process",   0.5,    15.0)  # a process replaces itself after a failure
INDEX:              Final = RetryPolicy("index",     0.5,    15.0)  # the search index, or any other sink, is down
STEP:               Final = RetryPolicy("step",      0.2,     5.0)  # a step failed: its partition waits meanwhile
PARTITION_TAKEOVER: Final = RetryPolicy("takeover",  0.05,    1.0)  # stories wait while partitions change hands
GROUP:              Final = RetryPolicy("group",     0.2,     2.0, attempts=11)  # a new broker makes its coordinator
HUB:                Final = RetryPolicy("hub",      60.0, 86400.0)  # a WebSub hub refused: the feed is polled meanwhile
# fmt: on
# Two more have their figures from the settings: webhooks ([webhooks] first_delay_s, max_delay_s, attempts; see
# `streams.webhooks.delivery`) and feeds (their own interval, [poll] max_backoff_s; see `streams.pollers.schedule`).


async def retry_until_stopped(
    attempt: Callable[[], Awaitable[T]],
    policy: RetryPolicy,
    stop: asyncio.Event,
    *,
    errors: type[Exception] | tuple[type[Exception], ...] = Transient,
    before_wait: Callable[[Exception, float], None] = lambda _error, _delay: None,
) -> T:
    """Attempt until it succeeds, and return its result.

    `before_wait` is called with the error and the delay in seconds; an exception that it raises ends everything.

    Raises:
        Exception: the last of `errors`, where `stop` is set or the policy's attempts are used up.
    """
    for delay in policy.delays():
        try:
            return await attempt()
        except errors as error:
            if stop.is_set():
                raise
            before_wait(error, delay)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), delay)
    return await attempt()


class CircuitBreaker:
    """After failures in a row a target is left alone, then asked by one try at a time, until one succeeds.

    Times are seconds of any steady clock.
    """

    def __init__(self, max_failures: int, probe_interval_s: float) -> None:
        """Opens after `max_failures` in a row, and then allows one try each `probe_interval_s`."""
        self._max_failures, self._probe_interval_s = max_failures, probe_interval_s
        self._failures = 0
        self._probe_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the target is left alone."""
        return self._failures >= self._max_failures

    @property
    def failures(self) -> int:
        """How many tries have failed in a row."""
        return self._failures

    def acquire(self, now: float) -> float:
        """Return how long until a try is allowed; 0 where one is now, which is then the caller's to make."""
        if not self.is_open:
            return 0.0
        if now < self._probe_at:
            return self._probe_at - now
        self._probe_at = now + self._probe_interval_s
        return 0.0

    def record_success(self) -> None:
        """A try succeeded: every try is allowed."""
        self._failures = 0

    def record_failure(self, now: float) -> None:
        """A try failed."""
        self._failures += 1
        if self.is_open:
            self._probe_at = now + self._probe_interval_s


class NetworkBreaker:
    """Opens when nearly all hosts asked lately fail, which is our own network's fault; closes at the first answer."""

    WINDOW_S: Final = 60.0  # shorter sees too few hosts at once; longer blames the network for what is over
    MIN_HOSTS: Final = (
        5  # fewer make one publisher's outage look like ours; more never opens with a short feed list
    )
    FAILED_SHARE: Final = (
        0.8  # 1.0 would wait for one host that is answered from a cache; half is a bad day of others
    )
    PROBE_INTERVAL_S: Final = 5.0  # shorter floods a network that comes back; longer delays every feed

    def __init__(self) -> None:
        """Closed."""
        self._latest: dict[str, tuple[float, bool]] = {}
        self._probed_at = 0.0
        self.is_open = False

    def record(self, host: str, reached: bool, now: float) -> None:
        """Note whether a host could be reached."""
        self._latest.pop(host, None)
        self._latest[host] = (now, reached)
        if reached:
            self.is_open = False
            return
        while (oldest := next(iter(self._latest.items()), None)) and oldest[1][0] < now - self.WINDOW_S:
            del self._latest[oldest[0]]
        failed = sum(not success for _, success in self._latest.values())
        most_fail = failed >= self.FAILED_SHARE * len(self._latest)
        if not self.is_open and failed >= self.MIN_HOSTS and most_fail:
            self.is_open = True
            self._probed_at = now

    def record_probe(self, now: float) -> None:
        """Note that a request starts."""
        self._probed_at = now

    def pause_until(self, now: float) -> float:
        """When the next request may start: now, or while open, one probe every few seconds."""
        return self._probed_at + self.PROBE_INTERVAL_S if self.is_open else now
