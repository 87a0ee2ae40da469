"""A process on Kafka: signals end it in order, and a failure starts it again in its place.

What can fail for good inside (a producer that was fenced after an outage, a pool whose child was killed, Faust's
threads) is not mended piece by piece: the process replaces itself by a fresh one, with back-off, and goes on from what
is committed. The process id stays, so whoever supervises it sees one long life.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from config.errors import Misconfigured
from config.settings import Settings
from streams.kafka.cluster import quieten
from streams.logs import configure
from streams.retry import PROCESS

RESTARTS: Final = "WIREDESK_RESTARTS"  # how many restarts there were, one soon after the other
ENDS: Final = frozenset({signal.SIGINT, signal.SIGTERM})
LOOK_S: Final = 0.05  # between two looks whether a signal has come
STEADY_S: Final = 60.0  # after that long without one, the count begins anew
log = structlog.get_logger("wiredesk")


def run_forever(settings: Settings, run: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run until SIGINT or SIGTERM; after a failure, replace the process by a fresh one.

    Raises:
        Misconfigured: what the operator has to change.
    """
    configure(settings.log)
    quieten()
    faulthandler.register(signal.SIGUSR1)  # tells where every thread stands
    began = time.monotonic()
    try:
        asyncio.run(_until_signal(run))
    except Misconfigured:
        raise
    except Exception as error:  # noqa: BLE001 -- whatever it was, the fresh process goes on from what is committed
        _again(error, steady=time.monotonic() - began > STEADY_S)


async def _until_signal(run: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in ENDS:
        loop.add_signal_handler(name, stop.set)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)
    try:
        await run(stop)
    except Exception as error:
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)  # in the fresh process too, until it listens
        await asyncio.sleep(LOOK_S)  # the loop hears of a signal a turn after it came
        if not stop.is_set():
            raise
        log.warning("a failure at the end", error=f"{type(error).__name__}: {error}")


def _again(error: Exception, *, steady: bool) -> None:
    number = 1 if steady else int(os.environ.get(RESTARTS, "0")) + 1
    wait = PROCESS.delay_s(number + 1)
    log.error(
        "starting again after a failure", error=f"{type(error).__name__}: {error}", restarts=number,
        seconds=round(wait, 1), exc_info=error if number == 1 else None,
    )  # fmt: skip
    until = time.monotonic() + wait
    while time.monotonic() < until:
        time.sleep(min(LOOK_S, wait))
        if signal.sigpending() & ENDS:
            return
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, RESTARTS: str(number)})  # noqa: S606 -- ourselves
