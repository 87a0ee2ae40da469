"""What the desk needs of the world: stories to show, feeds and a pipeline to watch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from processors.model.event import Event
from sinks.desk.views import Arrivals, FeedHealth, Found, Hit, Page, Query


class Stories(Protocol):
    """A searchable store of stories. Every method raises `Transient` where the store does not answer."""

    async def latest(self, query: Query) -> Page:
        """The newest stories that pass the query's filters; its words do not matter."""

    async def search(self, query: Query) -> Page:
        """The stories that fit the query's words and filters."""

    async def get(self, uri: str) -> Found | None:
        """One story, killed or not; None where it is unknown or still under embargo."""

    async def events(self, uris: Sequence[str]) -> Sequence[Event]:
        """Several stories in the order asked for, without those that are unknown or under embargo."""

    async def versions(self, chain: str) -> Sequence[Hit]:
        """Every member of a chain, repeats and hidden ones as well, in the order of the log."""

    async def arrivals(self, cursor: str | None, limit: int = 100) -> Arrivals:
        """What came since a cursor; from None, nothing but the cursor of this moment."""

    async def languages(self) -> Sequence[str]:
        """The languages of the stories that are stored, as tags without region."""


class Feeds(Protocol):
    """The feeds that are polled."""

    async def list(self) -> Sequence[FeedHealth]:
        """The health of every feed, in the order of the feeds file."""


class Lag(Protocol):
    """How far a consumer is behind: records not read, and the age in seconds of the oldest of them."""

    @property
    def consumer(self) -> str:
        """Its name."""

    @property
    def records(self) -> int:
        """How many wait."""

    @property
    def seconds(self) -> float:
        """How long the oldest has waited."""


class Pipeline(Protocol):
    """The pipeline whose state the desk shows."""

    async def dead_letters(self) -> int:
        """How many rejected items wait for somebody to look at them."""

    async def lags(self) -> Sequence[Lag]:
        """How far each step is behind, in the order of the topology."""
