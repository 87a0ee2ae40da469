"""Saved searches and alerts in SQLite: tables of the data file, written in the transactions of whoever owns it."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeVar

from msgspec.structs import replace

from processors.model.codec import decode, encode
from processors.model.event import Event
from processors.numbers import parse_int64
from sinks.alerts.decisions import (
    Alert,
    AlertChanges,
    AlertLimits,
    CountKey,
    count_key,
    decide_alerts,
)
from sinks.alerts.matching import SearchMatch
from sinks.alerts.messages import AlertMessage
from sinks.alerts.ports import AlertPage, DueAlerts, TooManySearches
from sinks.alerts.saved import SavedSearch, search_order
from sinks.alerts.schedule import MAX_WAIT_MS
from sinks.search import BadCursor
from sinks.stories import lineage, visible_from

# Made by a migration of the data file (`streams.embedded.data_file`): a change is one more migration, never an edit.
ALERT_TABLES: Final = """
CREATE TABLE IF NOT EXISTS saved_searches (id TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS search_changes (number INTEGER NOT NULL);
INSERT INTO search_changes SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM search_changes);
CREATE TABLE IF NOT EXISTS alerts (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, search TEXT NOT NULL, chain TEXT NOT NULL,
    state TEXT NOT NULL, due INTEGER NOT NULL, visible INTEGER NOT NULL, created INTEGER NOT NULL, value TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS alerts_by_chain ON alerts (chain);
CREATE INDEX IF NOT EXISTS alerts_by_search ON alerts (search, number);
CREATE INDEX IF NOT EXISTS alerts_waiting ON alerts (search, number) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS alerts_by_age ON alerts (created);
CREATE TABLE IF NOT EXISTS alert_counts (
    search TEXT NOT NULL, until INTEGER NOT NULL, stored INTEGER NOT NULL, more INTEGER NOT NULL,
    PRIMARY KEY (search, until)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alert_messages (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, search TEXT NOT NULL, target TEXT NOT NULL,
    state TEXT NOT NULL, created INTEGER NOT NULL, value TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS alert_messages_open ON alert_messages (number) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS alert_messages_by_search ON alert_messages (search, number);
CREATE INDEX IF NOT EXISTS alert_messages_by_target ON alert_messages (target, number);
CREATE TABLE IF NOT EXISTS alert_letters (alert TEXT NOT NULL, message TEXT NOT NULL, PRIMARY KEY (alert, message)) WITHOUT ROWID;
"""
MAX_DUE_ALERTS: Final = (
    1000  # that one look takes: more hold up the log, fewer make a burst wait for more looks
)
MAX_CHAIN_ALERTS: Final = 20_000  # of one chain: each search has a few
T = TypeVar("T")


class AlertTables:
    """The tables. It opens and commits no transaction; the connection's owner does."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Share a connection."""
        self._connection = connection

    def change_count(self) -> int:
        """A number that grows with each change of a search."""
        return int(self._connection.execute("SELECT number FROM search_changes").fetchone()[0])

    def searches(self) -> list[SavedSearch]:
        """All searches, by folder and name."""
        rows = self._connection.execute("SELECT value FROM saved_searches").fetchall()
        return sorted((decode(value, SavedSearch) for (value,) in rows), key=search_order)

    def search(self, search_id: str) -> SavedSearch | None:
        """One search."""
        row = self._connection.execute(
            "SELECT value FROM saved_searches WHERE id = ?", (search_id,)
        ).fetchone()
        return decode(row[0], SavedSearch) if row else None

    def save_search(self, search: SavedSearch, max_searches: int) -> None:
        """Write a search."""
        (others,) = self._connection.execute(
            "SELECT COUNT(*) FROM saved_searches WHERE id != ?", (search.id,)
        ).fetchone()
        if others >= max_searches and self.search(search.id) is None:
            raise TooManySearches(
                f"there are {others} saved searches, and no more may be (alerts.max_searches)"
            )
        row = search.id, encode(search).decode()
        self._connection.execute("INSERT OR REPLACE INTO saved_searches VALUES (?, ?)", row)
        self._connection.execute("UPDATE search_changes SET number = number + 1")

    def delete_search(self, search_id: str) -> bool:
        """Delete a search with all that it has made."""
        deleted = self._connection.execute("DELETE FROM saved_searches WHERE id = ?", (search_id,)).rowcount
        for message in self._messages("search = ? AND state = 'waiting'", (search_id,), -1):
            self.save_message(replace(message, state="dropped", error="its search was deleted"))
        self._connection.execute(
            "DELETE FROM alert_letters WHERE alert IN (SELECT id FROM alerts WHERE search = ?)", (search_id,)
        )
        self._connection.execute("DELETE FROM alerts WHERE search = ?", (search_id,))
        self._connection.execute("DELETE FROM alert_counts WHERE search = ?", (search_id,))
        self._connection.execute("UPDATE search_changes SET number = number + 1")
        return deleted > 0

    def apply(
        self, matched: Iterable[tuple[Event, Sequence[SearchMatch]]], limits: AlertLimits, now: int
    ) -> int:
        """Write what follows of events, in their order; how many alerts were made."""
        present = {search for (search,) in self._connection.execute("SELECT id FROM saved_searches")}
        added = 0
        for event, matches in matched:
            earlier = self.chain_alerts(lineage(event).story)
            kept = [match for match in matches if match.search.id in present]  # deleted meanwhile
            if not earlier and not kept:
                continue
            begin = max(now, visible_from(event)) if kept else now
            keys = {count_key(match.search, min(begin, now + 10 * MAX_WAIT_MS)) for match in kept}
            changes = decide_alerts(event, kept, earlier, self._counts(keys), limits, now)
            self._write_changes(changes)
            added += len(changes.added)
        return added

    def chain_alerts(self, chain: str) -> list[Alert]:
        """The alerts of a chain."""
        rows = self._connection.execute(
            "SELECT value FROM alerts WHERE chain = ? ORDER BY number LIMIT ?", (chain, MAX_CHAIN_ALERTS)
        )
        return [decode(value, Alert) for (value,) in rows.fetchall()]

    def alert_page(self, search_id: str | None, after: int | None, limit: int, now: int) -> AlertPage:
        """The newest alerts of a search, or of all, before a number."""
        condition, values = ("search = ?", [search_id]) if search_id is not None else ("1", [])
        rows = self._connection.execute(
            f"SELECT number, value FROM alerts WHERE {condition} AND number < ? AND visible <= ?"  # noqa: S608 -- constants
            " ORDER BY number DESC LIMIT ?",
            (*values, (1 << 62) if after is None else after, now, limit + 1),
        ).fetchall()
        shown = [decode(value, Alert) for _, value in rows[:limit]]
        return AlertPage(shown, str(rows[limit - 1][0]) if len(rows) > limit else None)

    def alert(self, alert_id: str) -> Alert | None:
        """One alert."""
        row = self._connection.execute("SELECT value FROM alerts WHERE id = ?", (alert_id,)).fetchone()
        return decode(row[0], Alert) if row else None

    def messages_of(self, alert_id: str) -> list[AlertMessage]:
        """The messages of an alert."""
        return self._messages("id IN (SELECT message FROM alert_letters WHERE alert = ?)", (alert_id,), -1)

    def messages(self, search_id: str, limit: int) -> list[AlertMessage]:
        """The latest messages of a search."""
        rows = self._connection.execute(
            "SELECT number, value FROM alert_messages WHERE search = ? ORDER BY number DESC LIMIT ?",
            (search_id, limit),
        ).fetchall()
        return [replace(decode(value, AlertMessage), number=number) for number, value in rows]

    def page_messages(self, after: int | None, limit: int) -> tuple[list[AlertMessage], int]:
        """The messages to pages behind a number."""
        if after is None:
            (last,) = self._connection.execute(
                "SELECT MAX(number) FROM alert_messages WHERE target = 'page'"
            ).fetchone()
            return [], last or 0
        messages = self._messages("target = 'page' AND number > ?", (after,), limit)
        return messages, messages[-1].number if messages else after

    def due_alerts(self, now: int) -> list[DueAlerts]:
        """What waits and may go out, by search."""
        rows = self._connection.execute(
            "SELECT value FROM alerts WHERE state = 'waiting' AND visible <= ? AND (due <= ? OR due > ?)"
            " ORDER BY search, number LIMIT ?",
            (now, now, now + MAX_WAIT_MS, MAX_DUE_ALERTS),
        )
        by_search: dict[str, list[Alert]] = {}
        for (value,) in rows.fetchall():
            alert = decode(value, Alert)
            by_search.setdefault(alert.search, []).append(alert)
        counted: dict[str, dict[CountKey, int]] = {}
        for search, until, more in self._connection.execute(
            "SELECT search, until, more FROM alert_counts WHERE more > 0 AND (until <= ? OR until > ?)",
            (now, now + MAX_WAIT_MS),
        ):
            counted.setdefault(search, {})[search, until] = more
        return [DueAlerts(alerts, counted.get(search, {})) for search, alerts in by_search.items()]

    def write_messages(self, due: DueAlerts, messages: Sequence[AlertMessage]) -> None:
        """Write messages, and what of the alerts is done by them."""
        for message in messages:
            self._connection.execute(
                "INSERT OR IGNORE INTO alert_messages (id, search, target, state, created, value) VALUES (?, ?, ?, ?, ?, ?)",
                (
                    message.id, message.search, message.target.kind, message.state, message.created,
                    encode(message).decode(),
                ),
            )  # fmt: skip
            self._connection.executemany(
                "INSERT OR IGNORE INTO alert_letters VALUES (?, ?)",
                [(alert, message.id) for alert in message.alerts],
            )
        for alert in due.alerts:
            self._update(replace(alert, state="written"))
        self._connection.executemany(
            "UPDATE alert_counts SET more = 0 WHERE search = ? AND until = ?", list(due.counted)
        )

    def open_messages(self, limit: int) -> list[AlertMessage]:
        """Messages that are to be sent."""
        return self._messages("state = 'waiting'", (), limit)

    def save_message(self, message: AlertMessage) -> None:
        """Write what has become of a message; one that was dropped meanwhile stays so."""
        self._connection.execute(
            "UPDATE alert_messages SET state = ?, value = ? WHERE id = ? AND state = 'waiting'",
            (message.state, encode(message).decode(), message.id),
        )

    def prune(self, before: int) -> None:
        """Forget what is old; a message or alert that waits stays."""
        self._connection.execute("DELETE FROM alerts WHERE created < ? AND state != 'waiting'", (before,))
        self._connection.execute(
            "DELETE FROM alert_messages WHERE created < ? AND state != 'waiting'", (before,)
        )
        self._connection.execute(
            "DELETE FROM alert_letters WHERE message NOT IN (SELECT id FROM alert_messages)"
        )
        self._connection.execute("DELETE FROM alert_counts WHERE until < ? AND more = 0", (before,))

    def _counts(self, keys: Iterable[CountKey]) -> Mapping[CountKey, int]:
        counts = {}
        for key in keys:
            row = self._connection.execute(
                "SELECT stored FROM alert_counts WHERE search = ? AND until = ?", key
            ).fetchone()
            counts[key] = row[0] if row else 0
        return counts

    def _write_changes(self, changes: AlertChanges) -> None:
        for alert in changes.changed:
            self._update(alert)
        self._connection.executemany(
            "INSERT OR IGNORE INTO alerts (id, search, chain, state, due, visible, created, value)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    one.id,
                    one.search,
                    one.chain,
                    one.state,
                    one.due,
                    one.visible,
                    one.created,
                    encode(one).decode(),
                )
                for one in changes.added
            ],
        )
        for (search, until), count in changes.stored.items():
            self._count(search, until, count, 0)
        for (search, until), count in changes.more.items():
            self._count(search, until, 0, count)

    def _count(self, search: str, until: int, stored: int, more: int) -> None:
        self._connection.execute(
            "INSERT INTO alert_counts VALUES (?, ?, ?, ?) ON CONFLICT (search, until)"
            " DO UPDATE SET stored = stored + excluded.stored, more = more + excluded.more",
            (search, until, stored, more),
        )

    def _update(self, alert: Alert) -> None:
        self._connection.execute(
            "UPDATE alerts SET state = ?, value = ? WHERE id = ?",
            (alert.state, encode(alert).decode(), alert.id),
        )

    def _messages(self, condition: str, values: Sequence[Any], limit: int) -> list[AlertMessage]:
        rows = self._connection.execute(
            f"SELECT number, value FROM alert_messages WHERE {condition} ORDER BY number LIMIT ?",  # noqa: S608 -- constants
            (*values, limit),
        ).fetchall()
        return [replace(decode(value, AlertMessage), number=number) for number, value in rows]


class RunOnTables(Protocol):
    """How the owner of the connection runs a call on the tables; one that writes in a transaction."""

    def __call__(self, call: Callable[[AlertTables], T], *, writes: bool = False) -> Awaitable[T]:
        """The result of the call."""


class SqliteAlerts:
    """`sinks.alerts.ports.AlertStore` in the data file."""

    def __init__(self, run: RunOnTables) -> None:
        """`run` gives the tables to a call."""
        self._run = run

    async def searches(self) -> Sequence[SavedSearch]:
        """All searches."""
        return await self._run(lambda tables: tables.searches())

    async def search(self, search_id: str) -> SavedSearch | None:
        """One search."""
        return await self._run(lambda tables: tables.search(search_id))

    async def save_search(self, search: SavedSearch, max_searches: int) -> None:
        """Write a search."""
        await self._run(lambda tables: tables.save_search(search, max_searches), writes=True)

    async def delete_search(self, search_id: str) -> bool:
        """Delete a search."""
        return await self._run(lambda tables: tables.delete_search(search_id), writes=True)

    async def alerts(self, search_id: str | None, after: str | None, limit: int, now: int) -> AlertPage:
        """The newest alerts."""
        number = None if after is None else parse_int64(after)
        if after is not None and number is None:
            raise BadCursor
        return await self._run(lambda tables: tables.alert_page(search_id, number, limit, now))

    async def alert(self, alert_id: str, now: int) -> Alert | None:
        """One alert."""
        alert = await self._run(lambda tables: tables.alert(alert_id))
        return alert if alert and alert.visible <= now else None

    async def messages_of(self, alert_id: str) -> Sequence[AlertMessage]:
        """The messages of an alert."""
        return await self._run(lambda tables: tables.messages_of(alert_id))

    async def messages(self, search_id: str, limit: int) -> Sequence[AlertMessage]:
        """The latest messages of a search."""
        return await self._run(lambda tables: tables.messages(search_id, limit))

    async def page_messages(self, after: int | None, limit: int) -> tuple[Sequence[AlertMessage], int]:
        """The messages to pages."""
        return await self._run(lambda tables: tables.page_messages(after, limit))

    async def alerts_of(self, message: AlertMessage) -> Sequence[Alert]:
        """The alerts of a message."""
        found = await self._run(lambda tables: [tables.alert(name) for name in message.alerts])
        return [alert for alert in found if alert]

    async def due_alerts(self, now: int) -> Sequence[DueAlerts]:
        """What may go out."""
        return await self._run(lambda tables: tables.due_alerts(now))

    async def write_messages(self, due: DueAlerts, messages: Sequence[AlertMessage]) -> None:
        """Write messages."""
        await self._run(lambda tables: tables.write_messages(due, messages), writes=True)

    async def open_messages(self, limit: int) -> Sequence[AlertMessage]:
        """Messages that are to be sent."""
        return await self._run(lambda tables: tables.open_messages(limit))

    async def save_message(self, message: AlertMessage) -> None:
        """Write what has become of a message."""
        await self._run(lambda tables: tables.save_message(message), writes=True)

    async def prune(self, before: int) -> None:
        """Forget what is old."""
        await self._run(lambda tables: tables.prune(before), writes=True)
