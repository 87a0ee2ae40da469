"""What a chain of stories leaves behind when it is routed, and what each further event of it makes of that.

A kill must follow the story that it touches to every route, and an embargoed story waits for its time, through
restarts. So a `Chain` is remembered of each story that was routed or is held back. `decide` and `release` are pure:
they get what is remembered and the time, and give the deliveries and what is to be remembered instead. Whoever owns
the offsets keeps both in one transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from processors.model import Model
from processors.model.codec import encode
from processors.model.event import Event
from sinks.cards import FOR_EVER
from sinks.revision import revision
from sinks.routes.router import Router, is_kill
from sinks.stories import lineage

REFRESH_MS: Final = 3_600_000  # a chain whose memory changes in nothing else is touched once an hour


class Held(Model, frozen=True):
    """A version of a story that waits until a time in milliseconds since the epoch.

    `event` is what will be delivered; it is empty where no route wants the story or the embargo tells no end: such a
    story is remembered because its corrections must wait as well. `written` and `trace` are those of its record.
    """

    uri: str
    until: int
    revision: int
    sequence: int
    routes: tuple[str, ...] = ()
    event: bytes = b""
    written: int = 0
    trace: str = ""


class Chain(Model, frozen=True):
    """The routes to which members of a chain went, and the members that wait, in their order.

    `touched` is the log's time, in milliseconds, at which the chain last came by.
    """

    touched: int
    routes: tuple[str, ...] = ()
    held: tuple[Held, ...] = ()

    @property
    def due(self) -> int | None:
        """When the first member that waits may go out."""
        return min((each.until for each in self.held if each.event), default=None)


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event for some routes; `kill`: nothing of the chain stands after it."""

    routes: tuple[str, ...]
    event: bytes
    written: int
    trace: str = ""
    kill: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What goes out, and what is to be remembered of the chain; None: nothing."""

    chain: Chain | None
    deliveries: tuple[Delivery, ...] = ()


def decide(router: Router, event: Event, written: int, trace: str, known: Chain | None, now: int) -> Decision:
    """Where an event goes, given what is known of its chain. `written` and `now` are in milliseconds."""
    told = lineage(event)
    if told.relation == "duplicate":
        return Decision(known)
    known = known or Chain(written)
    if is_kill(event):
        return _killed(router, event, written, trace, known)
    routed = router.route(event, frozenset(known.routes))
    touched = _touched(event, known)
    superseded = [each for each in known.held if each.uri == event.story.uri]
    until = max([routed.held_until, *(each.until for each in touched)])
    routes = sorted({*routed.routes, *(route for each in touched for route in each.routes)})
    if until <= now:
        made = Delivery(tuple(routes), encode(_usable(event)), written, trace)
        chain = _kept(known, written, {*known.routes, *routes}, _without(known, superseded))
        return Decision(chain, (made,) if routes else ())
    if any(each.revision > revision(event) for each in superseded):
        return Decision(known)
    waits = bool(routes) and until < FOR_EVER
    held = Held(
        event.story.uri, until, revision(event), told.sequence, tuple(routes),
        encode(_usable(event)) if waits else b"", written, trace,
    )  # fmt: skip
    return Decision(_kept(known, written, set(known.routes), (*_without(known, superseded), held)))


def release(known: Chain, now: int) -> Decision:
    """The members of a chain whose time has come, in their order."""
    due = [each for each in known.held if each.until <= now]
    deliveries = tuple(
        Delivery(each.routes, each.event, each.written, each.trace) for each in due if each.event
    )
    routes = {*known.routes, *(route for each in deliveries for route in each.routes)}
    return Decision(_kept(known, known.touched, routes, _without(known, due)), deliveries)


def _killed(router: Router, event: Event, written: int, trace: str, known: Chain) -> Decision:
    """A kill goes at once where its story went, and ends the waiting of what it kills."""
    sequence = lineage(event).sequence
    left = tuple(each for each in known.held if each.sequence > sequence)
    routes = router.route(event, frozenset(known.routes)).routes
    chain = _kept(known, written, {*known.routes, *routes}, left)
    made = Delivery(routes, encode(event), written, trace, kill=True)
    return Decision(chain, (made,) if routes else ())


def _touched(event: Event, known: Chain) -> list[Held]:
    """The stories that wait and that a correction corrects: it must not tell before them what they hold back."""
    told = lineage(event)
    if told.relation != "correction":
        return []
    return [each for each in known.held if each.uri == told.of != event.story.uri]


def _without(known: Chain, gone: list[Held]) -> tuple[Held, ...]:
    return tuple(each for each in known.held if each not in gone)


def _kept(known: Chain, written: int, routes: set[str], held: tuple[Held, ...]) -> Chain | None:
    """What is to be remembered; the same object where nothing changes, so that nothing needs to be written."""
    made = Chain(max(written, known.touched), tuple(sorted(routes)), held)
    if not made.routes and not made.held:
        return None
    fresh = made.touched - known.touched < REFRESH_MS
    return known if fresh and (made.routes, made.held) == (known.routes, known.held) else made


def _usable(event: Event) -> Event:
    """The event as it may be published: an embargo that has passed withholds nothing."""
    if event.story.pub_status != "withheld":
        return event
    return replace(event, story=replace(event.story, pub_status="usable"))
