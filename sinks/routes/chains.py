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
from processors.sources import ANY_SOURCE
from sinks.routes.router import Router, is_kill
from sinks.stories import (
    FOR_EVER_MS,
    chain_source,
    is_repeat,
    lineage,
    revision,
    source_of_event,
    takes_over,
)

# How often a chain is touched whose memory changes in nothing else. More often writes its state for each repeat of a
# running story; the memory of routes must be longer, or a chain that goes on is forgotten.
REFRESH_MS: Final = 3_600_000


class HeldStory(Model, frozen=True):
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

    `touched` is the log's time, in milliseconds, at which the chain last came by. `source` is whose story its earliest
    member is; any source's, where version 0.1 noted it.
    """

    touched: int
    routes: tuple[str, ...] = ()
    held: tuple[HeldStory, ...] = ()
    source: str = ANY_SOURCE

    @property
    def due(self) -> int | None:
        """When the first member that waits may go out."""
        return min((story.until for story in self.held if story.event), default=None)


@dataclass(frozen=True, slots=True)
class RouteDelivery:
    """An event for some routes; `kill`: nothing of the chain stands after it."""

    routes: tuple[str, ...]
    event: bytes
    written: int
    trace: str = ""
    kill: bool = False


@dataclass(frozen=True, slots=True)
class ChainDecision:
    """The deliveries of an event, and what is remembered of its chain from now on; None: nothing."""

    chain: Chain | None
    deliveries: tuple[RouteDelivery, ...] = ()


def decide_event(
    router: Router, event: Event, written: int, trace: str, chain: Chain | None, now: int
) -> ChainDecision:
    """Where an event goes, given what is remembered of its chain. `written` and `now` are in milliseconds."""
    if is_repeat(event):
        return ChainDecision(chain)
    chain = chain or Chain(written, source=chain_source(event))
    if takes_over(event):
        chain = replace(chain, source=source_of_event(event))
    if is_kill(event):
        return _decide_kill(router, event, written, trace, chain)
    routed = router.route(event, frozenset(chain.routes))
    touched = _corrected_stories(event, chain)
    superseded = [story for story in chain.held if story.uri == event.story.uri]
    until = max([routed.held_until, *(story.until for story in touched)])
    routes = sorted({*routed.routes, *(route for story in touched for route in story.routes)})
    if until <= now:
        delivery = RouteDelivery(tuple(routes), encode(_usable(event)), written, trace)
        after = _update(chain, written, {*chain.routes, *routes}, _without(chain, superseded))
        return ChainDecision(after, (delivery,) if routes else ())
    if any(story.revision > revision(event) for story in superseded):
        return ChainDecision(chain)
    waits = bool(routes) and until < FOR_EVER_MS
    held = HeldStory(
        event.story.uri, until, revision(event), lineage(event).sequence, tuple(routes),
        encode(_usable(event)) if waits else b"", written, trace,
    )  # fmt: skip
    return ChainDecision(_update(chain, written, set(chain.routes), (*_without(chain, superseded), held)))


def release_held(chain: Chain, now: int) -> ChainDecision:
    """The members of a chain whose time has come, in their order."""
    due = [story for story in chain.held if story.until <= now]
    deliveries = tuple(
        RouteDelivery(story.routes, story.event, story.written, story.trace) for story in due if story.event
    )
    routes = {*chain.routes, *(route for delivery in deliveries for route in delivery.routes)}
    return ChainDecision(_update(chain, chain.touched, routes, _without(chain, due)), deliveries)


def _decide_kill(router: Router, event: Event, written: int, trace: str, chain: Chain) -> ChainDecision:
    """The decision on a kill: it goes at once where its story went, and drops what waits of the killed story.

    One by another source than the chain's withdraws the story that it names, and nothing else of the chain.
    """
    place = lineage(event)
    is_guest = place.source is not None
    left = tuple(
        story
        for story in chain.held
        if story.sequence > place.sequence or (is_guest and story.uri not in {place.of, event.story.uri})
    )
    routes = router.route(event, frozenset(chain.routes)).routes
    after = _update(chain, written, {*chain.routes, *routes}, left)
    delivery = RouteDelivery(routes, encode(event), written, trace, kill=not is_guest)
    return ChainDecision(after, (delivery,) if routes else ())


def _corrected_stories(event: Event, chain: Chain) -> list[HeldStory]:
    """The stories that wait and that a correction corrects: it must not tell before them what they hold back."""
    place = lineage(event)
    if place.relation != "correction":
        return []
    return [story for story in chain.held if story.uri == place.of != event.story.uri]


def _without(chain: Chain, gone: list[HeldStory]) -> tuple[HeldStory, ...]:
    return tuple(story for story in chain.held if story not in gone)


def _update(chain: Chain, written: int, routes: set[str], held: tuple[HeldStory, ...]) -> Chain | None:
    """The chain after an event, or None where nothing is to be remembered; the same object where nothing changes."""
    after = Chain(max(written, chain.touched), tuple(sorted(routes)), held, chain.source)
    if not after.routes and not after.held:
        return None
    is_fresh = after.touched - chain.touched < REFRESH_MS
    same = (after.routes, after.held) == (chain.routes, chain.held)
    return chain if is_fresh and same else after


def _usable(event: Event) -> Event:
    """The event as it may be published: an embargo that has passed withholds nothing."""
    if event.story.pub_status != "withheld":
        return event
    return replace(event, story=replace(event.story, pub_status="usable"))
