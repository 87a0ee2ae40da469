"""A deadline for work in a thread of this process: for steps whose state has to live here.

What runs in the pool is killed by the kernel. A thread can't be killed; past its deadline `OverDeadline` is raised in it,
at the next instruction of Python, and again after each further deadline. That ends a loop that goes on for ever, as the
failure of the record that is in hand; it does not end a call of C that never returns. Such a thread holds up no end of
the process.
"""

from __future__ import annotations

import asyncio
import ctypes
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import structlog

from sinks.metrics import DEADLINES
from streams.settlement import LostChild, Outcome

T = TypeVar("T")
log = structlog.get_logger("wiredesk")


class OverDeadline(Exception):
    """A step in a thread has taken too long over a record: a bug like any other, of the record that was in hand."""


async def run_in_thread(step: str, call: Callable[[], T], deadline_s: float) -> T:
    """Run a call in a thread of its own, and raise `OverDeadline` in it after so many seconds, again and again.

    Raises:
        OverDeadline: it came where no record was in hand.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def set_outcome(result: T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # one of the two is there

    def run() -> None:
        try:
            result, error = call(), None
        except BaseException as raised:  # noqa: BLE001 -- whoever awaits raises it
            result, error = None, raised
        with suppress(RuntimeError):  # the loop was closed: nobody waits any more
            loop.call_soon_threadsafe(set_outcome, result, error)

    thread = threading.Thread(target=run, name=step, daemon=True)

    timers: list[asyncio.TimerHandle] = []

    def interrupt() -> None:
        if thread.is_alive():
            DEADLINES.labels(step).inc()
            log.warning("a step takes too long", step=step, seconds=deadline_s)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(thread.ident or 0), ctypes.py_object(OverDeadline)
            )
            timers[:] = [loop.call_later(deadline_s, interrupt)]
        else:  # it was ended between its call and its answer
            set_outcome(None, OverDeadline(step))

    timers.append(loop.call_later(deadline_s, interrupt))
    thread.start()
    try:
        return await done
    finally:
        timers[0].cancel()


def late_outcomes(step: str, count: int, deadline_s: float) -> list[Outcome]:
    """The outcomes of a batch of which nobody knows which record was in hand: any may be to blame."""
    return [LostChild(f"{step} was not done after {deadline_s:g} s (steps.deadline_s)")] * count
