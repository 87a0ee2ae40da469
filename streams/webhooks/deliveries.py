"""The couriers of all targets of a process: one each, begun and ended as targets come and go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog

from streams.webhooks.targets import Target

log = structlog.get_logger("wiredesk.webhooks")


class Deliveries:
    """Runs `deliver(target, stop)` for each target until it is told to stop, or one fails by our own fault."""

    def __init__(self, deliver: Callable[[Target, asyncio.Event], Awaitable[None]]) -> None:
        """Nothing is delivered before `use`."""
        self._deliver = deliver
        self._running: dict[Target, tuple[asyncio.Event, asyncio.Task[None]]] = {}
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lock = asyncio.Lock()  # one change at a time

    async def use(self, targets: Sequence[Target]) -> None:
        """Deliver to these from now on; one whose address, route or secrets are others is ended and begun anew.

        What was in delivery then is delivered again, with the same id.
        """
        async with self._lock:
            await self._end([target for target in self._running if target not in targets])
            for target in targets:
                if target not in self._running:
                    self._begin(target)

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop`; raises what is our own fault, or the broker's."""
        stopped = asyncio.ensure_future(stop.wait())
        try:
            ends: list[asyncio.Future[Any]] = [stopped, self._failed]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            await self._end(list(self._running))
        if self._failed.done():
            self._failed.result()

    def _begin(self, target: Target) -> None:
        stop = asyncio.Event()
        task = asyncio.ensure_future(self._deliver(target, stop))
        task.add_done_callback(self._note_failure)
        self._running[target] = stop, task
        log.info("webhook started", webhook=target.name, route=target.route)

    async def _end(self, targets: Sequence[Target]) -> None:
        ending = []
        for target in targets:
            stop, task = self._running.pop(target)
            stop.set()
            ending.append(task)
        if ending:
            await asyncio.gather(*ending, return_exceptions=True)

    def _note_failure(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) and not self._failed.done():
            self._failed.set_exception(error)
