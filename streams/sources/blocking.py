"""Clients of the standard library that block, each on a thread of its own: one call at a time, given up with its socket."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class ClientThread:
    """Runs calls on one thread, which is a daemon: a server that never answers does not hold up the end of the process."""

    def __init__(self, name: str) -> None:
        """The thread starts with the first call."""
        self._name = name
        self._busy = asyncio.Lock()

    async def run(self, call: Callable[[], T]) -> T:
        """What a call gives, or the error that it raises. A cancelled one goes on by itself until its socket is closed."""
        async with self._busy:
            loop = asyncio.get_running_loop()
            result: asyncio.Future[T] = loop.create_future()
            thread = threading.Thread(target=_run, args=(call, loop, result), name=self._name, daemon=True)
            thread.start()
            return await result


def _run(call: Callable[[], T], loop: asyncio.AbstractEventLoop, result: asyncio.Future[T]) -> None:
    value: Any = None
    failure: Exception | None = None
    try:
        value = call()
    except Exception as error:  # noqa: BLE001 -- handed to whoever waits
        failure = error

    def hand_over() -> None:
        if result.done():
            return
        if failure is not None:
            result.set_exception(failure)
        else:
            result.set_result(value)

    if not loop.is_closed():
        loop.call_soon_threadsafe(hand_over)
