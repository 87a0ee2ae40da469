"""What a poller needs of the runtime that it runs in: a log to publish to, and a store for what it remembers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from processors.errors import Rejected
from processors.event import RawItem


class Outlet(Protocol):
    """The raw topic."""

    async def publish(self, items: Sequence[RawItem]) -> None:
        """Return once the log has acknowledged every item; raise `Transient` where it can't."""

    async def reject(self, item: RawItem, error: Rejected) -> None:
        """Write a document that could not be read to the dead letters of the raw topic, with its bytes."""


class StateStore(Protocol):
    """What is remembered of each feed over restarts, as bytes that only the poller understands."""

    async def load(self) -> Mapping[str, bytes]:
        """The last saved state of every feed, by feed id."""

    async def save(self, feed: str, state: bytes) -> None:
        """Return once the state is safe."""
