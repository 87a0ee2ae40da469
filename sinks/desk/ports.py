"""What the desk needs of the world besides stories (`sinks.search`): feeds and a pipeline to watch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from config.settings import Alerts
from processors.model import Model
from processors.model.event import Event
from sinks.alerts.ports import AlertStore
from sinks.alerts.saved import TargetLimits

FeedCondition = Literal["new", "ok", "failing", "throttled", "stalled", "erroring", "gone", "paused"]


class FeedHealth(Model, frozen=True):
    """The health of a feed.

    `outcome` is the last poll's (``new``, ``unchanged``, ``not-modified``, an error class). `state` is the judgement:
    ``new`` not polled yet, ``ok``, ``failing`` the last poll failed, ``throttled`` the host asked for less, ``stalled`` far over the time in which a new
    item was due, ``erroring`` the last three or more failed, ``gone`` the publisher ended it, ``paused`` by the operator.
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

    async def dead_letters(self) -> int | None:
        """How many rejected items wait for somebody to look at them; None where nobody knows."""

    async def lags(self) -> Sequence[StepLag]:
        """How far each step is behind, in the order of the topology."""


class HandOn(Protocol):
    """The operator's webhooks, to which a story may be posted by hand."""

    @property
    def targets(self) -> Sequence[str]:
        """Their names."""

    async def hand_on(self, target: str, event: Event) -> None:
        """Let a webhook post a story as its route would; return once that is written down.

        Raises:
            Transient: it can't be written now.
        """


class PictureFetcher(Protocol):
    """Fetches files of publishers, within limits."""

    async def fetch(self, url: str) -> bytes | None:
        """The bytes at a URL; None where they can't be had, are too many, or the address is not allowed."""


@dataclass(frozen=True, slots=True)
class AlertDesk:
    """What the desk needs for saved searches. `limits` says whom a search may alert, `wake` that something may be due."""

    store: AlertStore
    settings: Alerts
    limits: TargetLimits
    wake: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """What somebody who sees a desk for the first time needs: where its data lies, and which folder is watched.

    `data` and `drop_folder` are paths; the folder is empty where none is watched. `sample_feed` is the feed of the
    bundled samples.
    """

    data: str
    drop_folder: str
    sample_feed: str


@dataclass(frozen=True, slots=True)
class DeskExtras:
    """What a desk has in some runtimes only: who fetches pictures, whom a story may be handed on to, saved searches, first steps."""

    pictures: PictureFetcher | None = None
    hand_on: HandOn | None = None
    alerts: AlertDesk | None = None
    first_steps: FirstSteps | None = None


NO_EXTRAS: Final = DeskExtras()
