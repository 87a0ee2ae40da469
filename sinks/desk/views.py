"""What the desk and its API show: values between the stores that find stories and the pages that print them.

Timestamps are RFC 3339 strings in UTC that end in ``Z``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from processors.model import Model
from processors.model.event import Event, Relation
from processors.model.story import PubStatus

FeedState = Literal["new", "ok", "throttled", "stalled", "erroring", "gone", "paused"]
Order = Literal["newest", "received", "relevance"]
Hidden = Literal["killed", "corrected"]


class FeedHealth(Model, frozen=True):
    """How a feed fares.

    `outcome` is the last poll's (``new``, ``unchanged``, ``not-modified``, an error class). `state` is the judgement:
    ``new`` not polled yet, ``ok``, ``throttled`` the host asked for less, ``stalled`` far over the time in which a new
    item was due, ``erroring`` the last polls failed, ``gone`` the publisher ended it, ``paused`` by the operator.
    `items_per_day` came lately, `expected_per_day` is what was usual over the last weeks; None where too little is known.
    `gaps` counts polls that may have missed items, `errors` failed polls in a row; `message` says what to do.
    """

    id: str
    title: str
    url: str
    state: FeedState = "new"
    outcome: str = ""
    last_success: str | None = None
    last_new: str | None = None
    items_per_day: float | None = None
    expected_per_day: float | None = None
    next_poll: str | None = None
    gaps: int = 0
    errors: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """What a reader looks for.

    `words` is what was typed: all words must occur, ``"a phrase"`` as it stands, ``-word`` must not occur, ``word*``
    begins like this. `language` matches its regional variants as well, `topic` is a Media Topic code with what lies
    below it, `entity` a name or alias in any case. `since` is a timestamp. `after` is `Page.after` of the page before.
    Without `duplicates`, repeats are left out unless `relation` asks for them; with `collapse`, only the latest member
    of each chain is shown. Killed, corrected and still embargoed stories never are.
    """

    words: str = ""
    language: str | None = None
    feed: str | None = None
    relation: Relation | None = None
    entity: str | None = None
    topic: str | None = None
    since: str | None = None
    order: Order = "newest"
    duplicates: bool = False
    collapse: bool = False
    limit: int = 50
    after: str | None = None


class Hit(Model, frozen=True):
    """A story in a list. `snippet` is the part of the text that fits the query, or its beginning.

    `marks` are the places of the query's words in `snippet`, as code points, `headline_marks` those in `headline`.
    `time` is the story's own time, at the latest when it was received; `duplicates` counts repeats of the chain;
    `backfill` marks old news that was sent in later.
    """

    uri: str
    headline: str
    snippet: str
    time: str
    received: str
    chain: str
    relation: Relation
    sequence: int = 1
    version: str | None = None
    language: str | None = None
    feed: str | None = None
    source: str | None = None
    status: PubStatus = "usable"
    urgency: int | None = None
    places: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    duplicates: int = 0
    damaged: bool = False
    backfill: bool = False
    marks: tuple[tuple[int, int], ...] = ()
    headline_marks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """Some hits, and where the next page goes on: None where nothing follows."""

    hits: tuple[Hit, ...]
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What was stored since a cursor, oldest first, and the cursor to go on from."""

    hits: tuple[Hit, ...]
    cursor: str


@dataclass(frozen=True, slots=True)
class Found:
    """One story as it stands; `hidden` says why a normal search does not find it, `by` the uri that caused that."""

    event: Event
    hidden: Hidden | None = None
    by: str | None = None
