"""The contract of a source: what it gives, by which cursor it goes on, and what it is told once that is safe.

A source is opened, asked for a batch behind a cursor, and told to `commit` the batch's receipts. Between the two its
watch writes the items and the cursor in one transaction (`streams.sources.watch`). So receipts (delete, acknowledge, mark
seen, move) go out only for what is in the log, and go out again after a crash: a source takes one that it has carried out
before for good.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from msgspec import Struct

from processors.errors import Rejected, Transient
from streams.pollers.feed import PollOutcome

IsKnown = Callable[[str], bool]  # whether the item of a key is in the log already
# Of one batch. Fewer make a transaction of each handful; more are held in memory, and repeated after a crash.
MAX_BATCH_ITEMS: Final = 500
# A batch takes no further item behind this many bytes. Less: pictures come one by one; more: sources fill the memory.
MAX_BATCH_BYTES: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SourceItem:
    """One document that a source has delivered.

    `key` tells it from all others of the source, versions too. With a `fault` it is no item: its bytes, which may be a
    part of it, go to the dead letters.
    """

    key: str
    payload: bytes
    name: str = ""  # where it lay, for people: a path, an address
    media_type: str | None = None
    charset: str | None = None
    fault: Rejected | None = None


@dataclass(frozen=True, slots=True)
class SourceBatch:
    """What waits behind a cursor: items, the cursor behind them, and receipts, which are due once both are safe.

    `more` says that the source has further ones now; `wait_s` is how long it asks us to wait, None where it says nothing.
    `gap` says that items before these may be gone.
    """

    items: Sequence[SourceItem]
    cursor: str
    receipts: Sequence[str] = ()
    more: bool = False
    wait_s: float | None = None
    gap: bool = False
    message: str = ""
    present: Sequence[str] = ()  # keys of known items that are still there, and so must not be forgotten


class SourceFault(Transient):
    """Why a source gave nothing: one of the outcomes of polls, in words that say what to do next.

    `retry_at` is the time before which the server asks not to be asked (seconds since the epoch), 0 for none. `item` is what
    it failed over, where that is one item: a few times, then it is set aside and the others go on.
    """

    def __init__(
        self, outcome: PollOutcome, message: str, retry_at: float = 0.0, item: SourceItem | None = None
    ) -> None:
        """The message holds no secret."""
        super().__init__(message)
        self.outcome, self.retry_at, self.item = outcome, retry_at, item


def tls_fault(error: ssl.SSLError) -> SourceFault:
    """Why TLS with a source failed, in the library's own words."""
    return SourceFault("tls", f"TLS: {getattr(error, 'verify_message', '') or error.reason}")


class Source(Protocol):
    """One source. Its methods are called one at a time; a cancelled call leaves it to be closed."""

    async def open(self) -> None:
        """Connect and log in.

        Raises:
            SourceFault: it can't be done now.
        """

    async def items(self, cursor: str, is_known: IsKnown) -> SourceBatch:
        """What waits behind a cursor, "" for the beginning. What `is_known` need not be fetched, but gets its receipt.

        Raises:
            SourceFault: it can't be had now.
        """

    async def commit(self, receipts: Sequence[str]) -> None:
        """Tell the source that what the receipts stand for is safe; one that was carried out before changes nothing.

        Raises:
            SourceFault: not all of them could be sent; all are sent again.
        """

    async def close(self) -> None:
        """Disconnect; whatever hangs is given up."""


@dataclass(frozen=True, slots=True)
class SourceLimits:
    """What the settings allow a source: bytes of one item, seconds, the networks that a server may lead us to, items of a batch."""

    max_item_bytes: int
    connect_timeout_s: float
    read_timeout_s: float
    user_agent: str
    allowed_addresses: tuple[str, ...] = ()
    max_items: int = MAX_BATCH_ITEMS


@dataclass(frozen=True, slots=True)
class SourceKind:
    """A kind of source, as the last value of its module: the keys of its table, and what makes one of them.

    `place` gives an address for people and for sharing: sources of one host are one poller's.
    """

    options: type[Struct]
    make: Callable[[Any, SecretReader, SourceLimits], Source]
    place: Callable[[Any], str]


class SecretReader(Protocol):
    """The secrets of one source, by the names that its table gives them."""

    def read(self, name: str) -> str:
        """A secret's value now.

        Raises:
            SourceFault: the variable or the file that holds it is not there.
        """

    def names(self) -> Sequence[str]:
        """What there is."""
