"""What the desk needs of the world besides stories (`sinks.search`): feeds and a pipeline to watch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from processors.model import Model

FeedCondition = Literal["new", "ok", "throttled", "stalled", "erroring", "gone", "paused"]


class FeedHealth(Model, frozen=True):
    """The health of a feed.

    `outcome` is the last poll's (``new``, ``unchanged``, ``not-modified``, an error class). `state` is the judgement:
    ``new`` not polled yet, ``ok``, ``throttled`` the host asked for less, ``stalled`` far over the time in which a new
    item was due, ``erroring`` the last polls failed, ``gone`` the publisher ended it, ``paused`` by the operator.
    `items_per_day` came lately, `expected_per_day` is what was usual over the last weeks; None where too little is known.
    `gaps` counts polls that may have missed items, `errors` failed polls in a row; `message` says what to do.
    """

    id: str
    title: str
    url: str
    state: FeedCondition = "new"
    outcome: str = ""
    last_success: str | None = None
    last_new: str | None = None
    items_per_day: float | None = None
    expected_per_day: float | None = None
    next_poll: str | None = None
    gaps: int = 0
    errors: int = 0
    message: str = ""


class Feeds(Protocol):
    """The feeds that are polled."""

    async def list(self) -> Sequence[FeedHealth]:
        """The health of every feed, in the order of the feeds file."""


class StepLag(Protocol):
    """How far a consumer is behind: records not read, and the age in seconds of the oldest of them."""

    @property
    def consumer(self) -> str:
        """Its name."""

    @property
    def records(self) -> int:
        """How many wait."""

    @property
    def lost(self) -> int:
        """How many were deleted before it had read them."""

    @property
    def seconds(self) -> float:
        """How long the oldest has waited."""


class PipelineState(Protocol):
    """The state of the pipeline that the desk shows."""

    async def dead_letters(self) -> int:
        """How many rejected items wait for somebody to look at them."""

    async def lags(self) -> Sequence[StepLag]:
        """How far each step is behind, in the order of the topology."""
