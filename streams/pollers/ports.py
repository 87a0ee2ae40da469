"""What a poller needs of the runtime that it runs in: a log to publish to, and a ledger of what it knows of feeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from processors.errors import Bug, Rejected
from processors.model.event import RawItem
from streams.messages import Message, gap_message, raw_message, rejected_message
from streams.topology import RAW


class RawItemOutlet(Protocol):
    """The raw topic, for what comes from no feed."""

    async def publish(self, items: Sequence[RawItem]) -> None:
        """Return once the log has acknowledged every item; raise `Transient` where it can't."""

    async def reject(self, item: RawItem, error: Rejected) -> None:
        """Write a document that could not be read to the dead letters of the raw topic, with its bytes."""


@dataclass(frozen=True, slots=True)
class PollResult:
    """What one poll leaves behind: what goes to the log, and the state that makes it known.

    `gap` is the RFC 3339 time at which entries may have been missed, "" for none.
    """

    feed: str
    state: bytes
    items: tuple[RawItem, ...] = ()
    rejected: tuple[RawItem, Rejected | Bug] | None = None
    gap: str = ""
    letters: tuple[tuple[RawItem, Rejected | Bug], ...] = ()  # further ones, of a batch

    def messages(self) -> list[Message]:
        """What it has for the log, in order: items, dead letter, gap."""
        messages = [raw_message(item, RAW.name) for item in self.items]
        if self.rejected:
            messages.append(rejected_message(*self.rejected))
        messages += [rejected_message(*letter) for letter in self.letters]
        if self.gap:
            messages.append(gap_message(self.feed, self.gap))
        return messages


class Hubs(Protocol):
    """Whoever tells WebSub hubs that we want to hear of a feed's news."""

    def offer_hub(self, feed: str, hub: str, topic: str) -> None:
        """A feed names a hub, or none any more ("")."""

    def is_active(self, feed: str) -> bool:
        """Whether a hub tells us of this feed's news, so that polling it is only a second look."""

    def record_miss(self, feed: str) -> None:
        """A poll has found what the hub never told."""


class NoHubs:
    """Nobody: every feed is polled."""

    def offer_hub(self, feed: str, hub: str, topic: str) -> None:
        """Hubs are not asked."""

    def is_active(self, feed: str) -> bool:  # noqa: ARG002 -- the port's signature
        """Never."""
        return False

    def record_miss(self, feed: str) -> None:
        """Nobody promised to tell."""


class FeedLedger(Protocol):
    """What is remembered of each feed over restarts, as bytes that only the poller understands."""

    async def load(self) -> Mapping[str, bytes]:
        """The last settled state of every feed, by feed id."""

    async def commit(self, result: PollResult) -> None:
        """Return once all of a result is safe: items, dead letter, gap and state in one transaction.

        So no crash comes between an item and the state that knows it: it is neither lost nor new twice.

        Raises:
            Transient: nothing of it was written.
        """
