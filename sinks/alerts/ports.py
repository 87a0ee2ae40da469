"""Where saved searches and alerts are kept: one store, with an adapter for each runtime.

Every method raises `Transient` where the store does not answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sinks.alerts.decisions import Alert, CountKey
from sinks.alerts.messages import AlertMessage
from sinks.alerts.saved import SavedSearch


class TooManySearches(Exception):
    """The store holds as many searches as it may; `alerts.max_searches`."""


@dataclass(frozen=True, slots=True)
class DueAlerts:
    """The alerts of one search whose time has come, oldest first, and how many stories are only counted."""

    alerts: Sequence[Alert]
    counted: Mapping[CountKey, int]


@dataclass(frozen=True, slots=True)
class AlertPage:
    """Alerts, the newest first, and where the next page goes on."""

    alerts: Sequence[Alert]
    after: str | None = None


class AlertStore(Protocol):
    """Saved searches, the alerts that they have made, and the messages that these go out with."""

    async def searches(self) -> Sequence[SavedSearch]:
        """All searches, by folder and name."""

    async def search(self, search_id: str) -> SavedSearch | None:
        """One search; None where it is unknown."""

    async def save_search(self, search: SavedSearch, max_searches: int) -> None:
        """Write a search, new or changed.

        Raises:
            TooManySearches: it is new, and there are so many.
        """

    async def delete_search(self, search_id: str) -> bool:
        """Delete a search and its alerts, and drop its messages that wait; whether there was one."""

    async def alerts(self, search_id: str | None, after: str | None, limit: int, now: int) -> AlertPage:
        """The alerts of one search, or of all, the newest first, without those under embargo.

        Raises:
            BadCursor: `after` is none.
        """

    async def alert(self, alert_id: str, now: int) -> Alert | None:
        """One alert; None where it is unknown or under embargo."""

    async def messages_of(self, alert_id: str) -> Sequence[AlertMessage]:
        """The messages that an alert went into."""

    async def messages(self, search_id: str, limit: int) -> Sequence[AlertMessage]:
        """The latest messages of a search, the newest first."""

    async def page_messages(self, after: int | None, limit: int) -> tuple[Sequence[AlertMessage], int]:
        """The messages to pages behind a number, and the number to go on from; from None, nothing but that."""

    async def alerts_of(self, message: AlertMessage) -> Sequence[Alert]:
        """The alerts of a message, in its order; those that are gone are left out."""

    async def due_alerts(self, now: int) -> Sequence[DueAlerts]:
        """What waits and may go out, by search."""

    async def write_messages(self, due: DueAlerts, messages: Sequence[AlertMessage]) -> None:
        """Write messages, take their alerts for written, and what they count for told: all or nothing."""

    async def open_messages(self, limit: int) -> Sequence[AlertMessage]:
        """Messages that are to be sent, the oldest first."""

    async def save_message(self, message: AlertMessage) -> None:
        """Write what has become of a message. One whose search was deleted meanwhile stays dropped."""

    async def prune(self, before: int) -> None:
        """Forget alerts, and messages that nobody waits for, made before a time in milliseconds."""
