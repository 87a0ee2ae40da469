"""Turns of readers: who searches much waits for its own searches, and nobody waits for another's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

# Searches of one reader at once. More, and a few readers take all threads of the index; pages ask for one at a time.
MAX_SEARCHES: Final = 1
# Searches of one reader that wait. More keep answers for pages that are long closed; fewer turn away a reader with many
# open pages, or an office behind one address without logins.
MAX_WAITING: Final = 8


@dataclass(slots=True)
class _Line:
    """One reader's searches: those that run, and those that wait."""

    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_SEARCHES))
    count: int = 0


class SearchTurns:
    """The searches that run and wait, by reader."""

    def __init__(self) -> None:
        """Nobody searches."""
        self._lines: dict[str, _Line] = {}

    @asynccontextmanager
    async def take_turn(self, reader: str) -> AsyncIterator[None]:
        """Wait for the reader's own searches before this one.

        Raises:
            web.HTTPServiceUnavailable: too many of them wait.
        """
        line = self._lines.setdefault(reader, _Line())
        if line.count >= MAX_SEARCHES + MAX_WAITING:
            raise web.HTTPServiceUnavailable(
                text="too many of your searches wait; try again in a moment", headers={"Retry-After": "2"}
            )
        line.count += 1
        try:
            async with line.slots:
                yield
        finally:
            line.count -= 1
            if not line.count:
                del self._lines[reader]
