"""What an operator may do from the desk, as the desk sees it: feeds, dead letters, routes, webhooks.

`streams` carries it out in either runtime; whatever a runtime has not is None in `DeskControls`, and has no address then. Every
method raises `sinks.desk.operations.Refused` where a change can't be made, and `Transient` where something does not answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

from msgspec import UNSET, Meta, Struct, UnsetType

from processors.model.event import Event
from sinks.desk.ports import FeedHealth

MAX_LETTERS: Annotated[int, "of one page, and of one change by ids"] = 1000
FeedUrl = Annotated[str, Meta(min_length=1, max_length=2000, description="http or https.")]
FeedName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$",
        description="Letters, digits, dots, hyphens, underscores.",
    ),
]
# A tenth of a second would ask a publisher ten times a second; a year is never.
PollSeconds = Annotated[float, Meta(ge=10, le=2_592_000, description="Between two polls, in seconds.")]
LabelText = Annotated[str, Meta(max_length=300)]
LetterId = Annotated[str, Meta(min_length=1, max_length=400, description="topic/partition/offset")]
LetterIds = Annotated[tuple[LetterId, ...], Meta(max_length=1000)]


class NewFeed(Struct, frozen=True, forbid_unknown_fields=True):
    """A feed to add: the address of the feed, or of a page that names exactly one."""

    url: FeedUrl
    id: FeedName | None = None
    title: LabelText = ""
    language: LabelText | None = None
    source: LabelText | None = None
    interval: PollSeconds | None = None


class FeedAddress(Struct, frozen=True, forbid_unknown_fields=True):
    """The address of a feed or of a page."""

    url: FeedUrl


class FeedEdit(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to change of a feed; what is left out stays. `interval` null: as its own rhythm says."""

    paused: bool | UnsetType = UNSET
    interval: PollSeconds | UnsetType | None = UNSET
    title: LabelText | UnsetType = UNSET


class ListedFeed(Struct, frozen=True, rename="camel"):
    """A feed with what the operator has set, and how it fares. `silenceAlarmSeconds`: silence after which it counts as stalled."""

    health: FeedHealth
    paused: bool
    interval: float | None
    language: str | None
    source: str | None
    silence_alarm_seconds: float | None
    errors_by_outcome: dict[str, int]


class FeedCheck(Struct, frozen=True, rename="camel"):
    """What one poll of an address would have brought; nothing was published. `titles` are those of the latest items."""

    url: str
    outcome: str
    message: str
    is_sound: bool
    titles: tuple[str, ...]


class FoundFeed(Struct, frozen=True):
    """A feed that a page names."""

    url: str
    title: str


class FoundFeeds(Struct, frozen=True, rename="camel"):
    """The feeds of a page, in its order; of an address that is a feed itself, that one."""

    feeds: tuple[FoundFeed, ...]
    message: str


class OpmlReport(Struct, frozen=True):
    """What an OPML document has brought: the ids that were added, and a line on each outline that was left out."""

    added: tuple[str, ...]
    problems: tuple[str, ...]


class FeedControl(Protocol):
    """The list of feeds, as an operator may change it."""

    async def find(self, feed_id: str) -> ListedFeed | None:
        """One feed."""

    async def check(self, url: str) -> FeedCheck:
        """Fetch an address once, and publish nothing."""

    async def check_listed(self, feed_id: str) -> FeedCheck:
        """The same for a feed of the list, with what the list says of it."""

    async def discover(self, url: str) -> FoundFeeds:
        """The feeds that a page names."""

    async def add(self, feed: NewFeed) -> ListedFeed:
        """Add a feed to the list."""

    async def edit(self, feed_id: str, edit: FeedEdit) -> ListedFeed:
        """Change a feed of the list."""

    async def remove(self, feed_id: str) -> None:
        """Take a feed from the list; its stories stay."""

    async def import_opml(self, document: bytes) -> OpmlReport:
        """Add the feeds of an OPML document."""

    async def export_opml(self) -> str:
        """The list as OPML."""


class LetterFilter(Struct, frozen=True, forbid_unknown_fields=True):
    """Which dead letters: all that is given must fit. Times are RFC 3339; `until` is not included."""

    step: LabelText | None = None
    error: LabelText | None = None
    feed: LabelText | None = None
    since: LabelText | None = None
    until: LabelText | None = None


class LetterChoice(Struct, frozen=True, forbid_unknown_fields=True):
    """The letters to change: by their ids, or all that fit a filter. `force`: also those that came back three times."""

    ids: LetterIds = ()
    filter: LetterFilter | None = None
    force: bool = False


class ListedLetter(Struct, frozen=True):
    """A rejected item: where it was rejected, when it was received, why, and how often it was replayed already."""

    id: str
    step: str
    error: str
    message: str
    feed: str
    time: str
    replays: int
    bytes: int


class LetterPage(Struct, frozen=True):
    """Dead letters, the oldest of each topic first, and the cursor of the next page; null where nothing follows."""

    letters: tuple[ListedLetter, ...]
    after: str | None


class LetterDetail(Struct, frozen=True):
    """A dead letter with its headers, and the beginning of its bytes as text."""

    letter: ListedLetter
    origin: str
    headers: tuple[tuple[str, str], ...]
    text: str
    truncated: bool


class LetterOutcome(Struct, frozen=True, rename="camel"):
    """How many letters were changed. `wornOut` stay: they came back three times; `missing` are not there any more.

    `empty` stay as well: no topic took their bytes, so there is nothing to put back.
    """

    changed: int
    worn_out: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()


class LetterControl(Protocol):
    """The dead letters."""

    async def list(self, wanted: LetterFilter, limit: int, after: str | None) -> LetterPage:
        """A page of them. `BadCursor` for an `after` that is none."""

    async def find(self, identity: str) -> LetterDetail | None:
        """One of them."""

    async def payload(self, identity: str) -> bytes | None:
        """The bytes that were rejected."""

    async def replay(self, choice: LetterChoice) -> LetterOutcome:
        """Put letters back to where they were read."""

    async def drop(self, choice: LetterChoice) -> LetterOutcome:
        """Forget letters."""


class RouteVerdict(Struct, frozen=True):
    """What a rule says of a story, with its reasons."""

    route: str
    fits: bool
    reasons: tuple[str, ...]


class RouteExplanation(Struct, frozen=True, rename="camel"):
    """Which routes a story goes to, and why. `follows`: it goes wherever the story that it touches went."""

    uri: str
    rules: tuple[RouteVerdict, ...]
    follows: bool
    held_until: str | None


class RouteControl(Protocol):
    """The rules of the routes."""

    def explain(self, event: Event) -> RouteExplanation:
        """Say of each rule whether the event fits it."""


class WebhookState(Struct, frozen=True, rename="camel"):
    """A webhook: stories that wait for it, and its circuit; null where another process posts."""

    name: str
    route: str
    url: str
    waiting: int
    circuit: Literal["closed", "open"] | None
    failures: int | None
    last_error: str | None


class WebhookControl(Protocol):
    """Who gets stories posted."""

    async def list(self) -> Sequence[WebhookState]:
        """Each of them, in the order of the settings."""


@dataclass(frozen=True, slots=True)
class DeskControls:
    """What a runtime lets an operator do."""

    feeds: FeedControl | None = None
    letters: LetterControl | None = None
    routes: RouteControl | None = None
    webhooks: WebhookControl | None = None

    @property
    def own_feeds(self) -> FeedControl:
        """The feeds, for addresses that are there only where an operator may change them."""
        assert self.feeds
        return self.feeds

    @property
    def own_letters(self) -> LetterControl:
        """The dead letters, for addresses that are there only where there are some."""
        assert self.letters
        return self.letters
