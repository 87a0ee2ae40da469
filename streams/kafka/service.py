"""A process on Kafka: signals end it in order, a failure starts it again in its place, and its health is served.

What can fail for good inside (a producer that was fenced after an outage, a pool whose child was killed, Faust's
threads) is not mended piece by piece: the process replaces itself by a fresh one, with back-off, and goes on from what
is committed. The process id stays, so whoever supervises it sees one long life.
"""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

import structlog
from aiokafka.errors import KafkaError

from config import Misconfigured
from config.settings import Health, Settings
from processors.errors import Transient
from sinks.desk.health import Check, health_app
from sinks.listener import serve
from streams.kafka.blocked import BLOCK_BOOK, watch_codecs
from streams.kafka.security import SecretChanged, watch_credentials
from streams.retry import PROCESS_RESTART
from streams.startup import configure_logs

RESTARTS_VARIABLE: Final = "WIREDESK_RESTARTS"  # how many restarts there were, one soon after the other
END_SIGNALS: Final = frozenset({signal.SIGINT, signal.SIGTERM})
LOOK_INTERVAL_S: Final = 0.05  # between two looks whether a signal has come
# After that long without a failure, the count of restarts begins anew. Shorter, and a process that fails again and again
# just after its start never waits longer; longer, and a rare failure waits as if it were the next of a row.
STEADY_S: Final = 60.0
END_S: Final = (
    12.0  # for a role's orderly end, where the broker refuses us: longer than a worker's own drain and stop
)
# What ends a process and is healed by a fresh one: a line tells it, a trace of calls would look like a bug of ours.
HEALING_ERRORS: Final = (KafkaError, OSError, Transient, TimeoutError)
log = structlog.get_logger("wiredesk")


def run_forever(settings: Settings, run: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run until SIGINT or SIGTERM; after a failure, replace the process by a fresh one.

    Raises:
        Misconfigured: what the operator has to change.
    """
    configure_logs(settings.log)
    limit_client_logs()
    faulthandler.register(signal.SIGUSR1)  # prints the stack of every thread
    began = time.monotonic()
    try:
        asyncio.run(_until_signal(run, settings))
    except Misconfigured:
        raise
    except SecretChanged:
        log.info("starting again with the new password")
        _replace_process(0)
    except Exception as error:  # noqa: BLE001 -- whatever it was, the fresh process goes on from what is committed
        _restart(error, steady=time.monotonic() - began > STEADY_S)


async def _until_signal(run: Callable[[asyncio.Event], Awaitable[None]], settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in END_SIGNALS:
        loop.add_signal_handler(name, stop.set)
    loop.add_signal_handler(signal.SIGHUP, stop.set)  # until the role reads its files again at it
    signal.pthread_sigmask(signal.SIG_UNBLOCK, END_SIGNALS)
    try:
        await _run_watched(run(stop), settings)
    except Exception as error:
        signal.pthread_sigmask(signal.SIG_BLOCK, END_SIGNALS)  # in the fresh process too, until it listens
        await asyncio.sleep(LOOK_INTERVAL_S)  # the loop hears of a signal a turn after it came
        if not stop.is_set():
            raise
        log.warning("a failure at the end", error=f"{type(error).__name__}: {error}")


async def _run_watched(running: Awaitable[None], settings: Settings) -> None:
    """Run to the end, or until the broker refuses us for good, or gives what we can't decompress."""
    watching = (watch_credentials(settings.kafka), watch_codecs())
    tasks = [asyncio.ensure_future(awaited) for awaited in (running, *watching)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=END_S)
    for task in reversed(tasks):  # a refusal explains whatever else ended
        if task.done() and not task.cancelled():
            task.result()


def _restart(error: Exception, *, steady: bool) -> None:
    number = 1 if steady else int(os.environ.get(RESTARTS_VARIABLE, "0")) + 1
    wait = PROCESS_RESTART.delay_s(number + 1)
    log.error(
        "starting again after a failure", error=f"{type(error).__name__}: {error}", restarts=number,
        seconds=round(wait, 1), exc_info=error if number == 1 and not _heals(error) else None,
    )  # fmt: skip
    until = time.monotonic() + wait
    while time.monotonic() < until:
        time.sleep(min(LOOK_INTERVAL_S, wait))
        if signal.sigpending() & END_SIGNALS:
            return
    _replace_process(number)


def _heals(error: BaseException) -> bool:
    """Whether an error is of the world, and a fresh process all that it needs."""
    if isinstance(error, BaseExceptionGroup):
        return all(map(_heals, error.exceptions))
    return isinstance(error, HEALING_ERRORS)


def _replace_process(restarts: int) -> None:
    sys.stderr.flush()
    environment = {**os.environ, RESTARTS_VARIABLE: str(restarts)}
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)  # noqa: S606 -- ourselves


@asynccontextmanager
async def serve_health(
    settings: Health, ready: Mapping[str, Check], measure: Callable[[], Awaitable[None]] | None = None
) -> AsyncIterator[None]:
    """Answer ``/livez``, ``/readyz`` and ``/metrics`` while the block runs; `measure` sets gauges before a scrape.

    Raises:
        Misconfigured: the address is taken.
    """
    app = health_app({**ready, "partitions": BLOCK_BOOK.check}, measure=measure, host=settings.host)
    try:
        listener, port = await serve(app, settings.host, settings.port)
    except OSError as error:
        raise Misconfigured(
            f"health.host and health.port: {settings.host}:{settings.port}: {error.strerror}"
        ) from error
    log.info("health", url=f"http://{settings.host}:{port}/readyz")
    try:
        yield
    finally:
        await listener.cleanup()


class LogLimit(logging.Filter):
    """Lets through a few lines of each message in a while: one outage makes aiokafka write thousands."""

    def __init__(self, max_lines: int = 3, seconds: float = 30.0) -> None:
        """Pass `max_lines` of one message (before its values are filled in) in so many `seconds`."""
        super().__init__()
        self._max_lines, self._seconds = max_lines, seconds
        self._began = time.monotonic()
        self._counts: Counter[tuple[str, str]] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line may pass; the lines of other libraries always do, but what aiokafka leaves in its futures."""
        if record.name == "asyncio" and record.exc_info and isinstance(record.exc_info[1], KafkaError):
            return False  # whoever waited for another of the futures has told it
        if not record.name.startswith(("aiokafka", "faust", "mode")):
            return True
        if record.created and time.monotonic() - self._began > self._seconds:
            self._began = time.monotonic()
            self._counts.clear()
        self._counts[record.name, str(record.msg)] += 1
        _drop_trace(record)
        return self._counts[record.name, str(record.msg)] <= self._max_lines


def _drop_trace(record: logging.LogRecord) -> None:
    """Leave the error's own words of a trace that aiokafka logs: what the broker refuses is no bug, and mostly heals."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, KafkaError):
        record.msg, record.args = f"{record.getMessage()}: {type(error).__name__}: {error}", None
        record.exc_info = record.exc_text = None


def limit_client_logs() -> None:
    """Limit what aiokafka and Faust write through the handlers that there are."""
    for handler in logging.getLogger().handlers:
        handler.addFilter(LogLimit())
