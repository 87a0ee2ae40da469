"""Saved searches and alerts in Elasticsearch: two indices beside the stories', for the fleet.

Elasticsearch has no transactions. So ids are hashes of what a document says: whoever is killed between two requests
writes the same again, and a document that is there stays. A message is written before its alerts are marked as written;
what a message already holds is put into no other. Every write that is read again is refreshed: alerts are few. Only one
process of a fleet sends messages at a time: it holds a lease that ends by itself.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from config.settings import Elasticsearch
from processors.errors import Transient
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
    touches_others,
)
from sinks.alerts.matching import SearchMatch
from sinks.alerts.messages import AlertMessage
from sinks.alerts.ports import AlertPage, DueAlerts, TooManySearches
from sinks.alerts.saved import SavedSearch, search_order
from sinks.alerts.schedule import MAX_WAIT_MS
from sinks.elasticsearch.client import IndexConnection, LoginRefused, error_reason, translate_errors
from sinks.elasticsearch.documents import document_id
from sinks.elasticsearch.inventory import scan_documents
from sinks.search import BadCursor
from sinks.stories import FOR_EVER_MS, lineage, now_ms, visible_from

if TYPE_CHECKING:
    from elasticsearch import AsyncElasticsearch

CHANGES_ID: Final = (
    "changes"  # of the document that counts changes of searches; no search's id has seven letters
)
LEASE_ID: Final = "lease"
MAX_DUE_ALERTS: Final = 1000  # that one look takes
MAX_CHAIN_ALERTS: Final = 10_000  # of the chains of a batch: what the server gives at once
# A message is shown to pages this much later than it was made: until then one with a lower number may come in.
SETTLING_MS: Final = 1500
LEASE_MS: Final = (
    30_000  # longer: nobody sends for so long after a kill; shorter: a pause of a process loses it
)
MatchedEvents = Sequence[tuple[Event, Sequence[SearchMatch]]]


def searches_index(index: str) -> str:
    """The index of saved searches, beside the months of an alias."""
    return f"{index}-searches"


def alerts_index(index: str) -> str:
    """The index of alerts and their messages, beside the months of an alias."""
    return f"{index}-alerts"


class ElasticAlerts:
    """`sinks.alerts.ports.AlertStore` in Elasticsearch."""

    def __init__(self, settings: Elasticsearch, client: AsyncElasticsearch | None = None) -> None:
        """Nothing is sent before the first call."""
        self._connection = IndexConnection(settings, client)
        self._url = settings.url
        self._searches, self._alerts = searches_index(settings.index), alerts_index(settings.index)
        self._last_number = 0

    async def close(self) -> None:
        """Close the connections."""
        await self._connection.client.close()

    async def change_count(self) -> int:
        """A number that grows with each change of a search."""
        async with self._errors() as client:
            answer = await client.options(ignore_status=404).get(index=self._searches, id=CHANGES_ID)
            if not answer.body.get("found"):
                await client.indices.get(index=self._searches)  # so that one that is missing is told
                return 0
            return int(answer["_source"]["number"])

    async def searches(self) -> Sequence[SavedSearch]:
        """All searches."""
        async with self._errors() as client:
            found = [
                decode(hit["_source"]["value"], SavedSearch)
                async for hits in scan_documents(client, self._searches, ["value"])
                for hit in hits
                if "value" in hit["_source"]
            ]
        return sorted(found, key=search_order)

    async def search(self, search_id: str) -> SavedSearch | None:
        """One search."""
        source = await self._get(self._searches, search_id)
        return decode(source["value"], SavedSearch) if source and "value" in source else None

    async def save_search(self, search: SavedSearch, max_searches: int) -> None:
        """Write a search."""
        if await self.search(search.id) is None and len(await self.searches()) >= max_searches:
            raise TooManySearches(
                f"there are {max_searches} saved searches, and no more may be (alerts.max_searches)"
            )
        async with self._errors() as client:
            body = {"value": encode(search).decode()}
            await client.index(index=self._searches, id=search.id, document=body, refresh=True)
        await self._note_change()

    async def delete_search(self, search_id: str) -> bool:
        """Delete a search with its alerts; messages that wait are dropped."""
        if await self.search(search_id) is None:
            return False
        async with self._errors() as client:
            await client.options(ignore_status=404).delete(index=self._searches, id=search_id, refresh=True)
        await self._note_change()
        waiting = await self._find(
            _query("message", {"search": search_id, "state": "waiting"}), MAX_CHAIN_ALERTS
        )
        for source in waiting:
            await self.save_message(
                replace(
                    decode(source["value"], AlertMessage), state="dropped", error="its search was deleted"
                )
            )
        for kind in ("alert", "count"):
            await self._delete(_query(kind, {"search": search_id}))
        return True

    async def apply(self, matched: MatchedEvents, limits: AlertLimits, now: int) -> int:
        """Write what follows of events, in their order; how many alerts were made."""
        touching = [(event, matches) for event, matches in matched if matches or touches_others(event)]
        if not touching:
            return 0
        present = {match.search.id for _, matches in touching for match in matches}
        present = {name for name in present if await self.search(name) is not None}
        earlier = await self._chain_alerts({lineage(event).story for event, _ in touching})
        whole = AlertChanges()
        for event, matches in touching:
            kept = [match for match in matches if match.search.id in present]
            alerts = earlier.setdefault(lineage(event).story, {})
            keys = {
                key
                for match in kept
                for key in [_key_of(match.search, event, now)]
                if key not in whole.stored
            }
            whole.stored |= await self._counts(keys)
            changes = decide_alerts(event, kept, list(alerts.values()), whole.stored, limits, now)
            for alert in (*changes.changed, *changes.added):
                alerts[alert.id] = alert
            _join_changes(whole, changes)
        await self._write_changes(whole)
        return len(whole.added)

    async def alerts(self, search_id: str | None, after: str | None, limit: int, now: int) -> AlertPage:
        """The newest alerts."""
        begin = None if after is None else parse_int64(after)
        if after is not None and begin is None:
            raise BadCursor
        terms = {"search": search_id} if search_id is not None else {}
        visible: list[Any] = [{"range": {"visible": {"lte": now}}}]
        if begin is not None:
            visible.append({"range": {"number": {"lt": begin}}})
        query = _query("alert", terms, visible)
        found = await self._find(query, limit + 1, [{"number": "desc"}])
        shown = [decode(source["value"], Alert) for source in found[:limit]]
        return AlertPage(shown, str(found[limit - 1]["number"]) if len(found) > limit else None)

    async def alert(self, alert_id: str, now: int) -> Alert | None:
        """One alert."""
        source = await self._get(self._alerts, _id_of("alert", alert_id))
        alert = decode(source["value"], Alert) if source else None
        return alert if alert and alert.visible <= now else None

    async def messages_of(self, alert_id: str) -> Sequence[AlertMessage]:
        """The messages of an alert."""
        return _messages(await self._find(_query("message", {"alerts": alert_id}), 100, [{"number": "asc"}]))

    async def messages(self, search_id: str, limit: int) -> Sequence[AlertMessage]:
        """The latest messages of a search."""
        return _messages(
            await self._find(_query("message", {"search": search_id}), limit, [{"number": "desc"}])
        )

    async def page_messages(self, after: int | None, limit: int) -> tuple[Sequence[AlertMessage], int]:
        """The messages to pages."""
        settled = (now_ms() - SETTLING_MS) * 1000
        if after is None:
            return [], settled
        ranges: list[Any] = [{"range": {"number": {"gt": after, "lte": settled}}}]
        found = await self._find(_query("message", {"target": "page"}, ranges), limit, [{"number": "asc"}])
        messages = _messages(found)
        return messages, messages[-1].number if messages else after

    async def alerts_of(self, message: AlertMessage) -> Sequence[Alert]:
        """The alerts of a message."""
        found = await self._alerts_by_id(message.alerts)
        return [found[name] for name in message.alerts if name in found]

    async def due_alerts(self, now: int) -> Sequence[DueAlerts]:
        """What may go out. What a message holds already, since we were killed before we noted it, is noted now."""
        due = {
            "bool": {
                "should": [{"range": {"due": {"lte": now}}}, {"range": {"due": {"gt": now + MAX_WAIT_MS}}}]
            }
        }
        ranges: list[Any] = [{"range": {"visible": {"lte": now}}}, due]
        found = await self._find(
            _query("alert", {"state": "waiting"}, ranges), MAX_DUE_ALERTS, [{"number": "asc"}]
        )
        alerts = [decode(source["value"], Alert) for source in found]
        if not alerts:
            return []
        names = [alert.id for alert in alerts]
        held = await self._find(_query("message", {"alerts": names}), MAX_CHAIN_ALERTS)
        done = {name for message in _messages(held) for name in message.alerts}
        await self._bulk(
            [_alert_line(replace(alert, state="written")) for alert in alerts if alert.id in done]
        )
        by_search: dict[str, list[Alert]] = {}
        for alert in alerts:
            if alert.id not in done:
                by_search.setdefault(alert.search, []).append(alert)
        counted = await self._due_counts(list(by_search), now)
        return [DueAlerts(own, counted.get(search, {})) for search, own in by_search.items()]

    async def write_messages(self, due: DueAlerts, messages: Sequence[AlertMessage]) -> None:
        """Write messages, then what of the alerts is done by them."""
        numbered = [replace(message, number=self._next_number()) for message in messages]
        await self._bulk([_message_line(message, creates=True) for message in numbered])
        lines = [_alert_line(replace(alert, state="written")) for alert in due.alerts]
        stored = await self._count_documents(due.counted)
        for (search, until), body in stored.items():
            lines.append(_line("count", f"{search} {until}", {**body, "more": 0}))
        await self._bulk(lines)

    async def open_messages(self, limit: int) -> Sequence[AlertMessage]:
        """Messages that are to be sent."""
        return _messages(
            await self._find(_query("message", {"state": "waiting"}), limit, [{"number": "asc"}])
        )

    async def save_message(self, message: AlertMessage) -> None:
        """Write what has become of a message; one that was dropped meanwhile stays so."""
        source = await self._get(self._alerts, _id_of("message", message.id))
        if source and source["state"] == "waiting":
            await self._bulk([_message_line(message)])

    async def prune(self, before: int) -> None:
        """Forget what is old."""
        old: list[Any] = [{"range": {"created": {"lt": before}}}]
        waits = [{"term": {"state": "waiting"}}]
        for kind in ("alert", "message"):
            await self._delete({"bool": {"filter": [{"term": {"type": kind}}, *old], "must_not": waits}})
        ended: list[Any] = [{"range": {"until": {"lt": before}}}]
        await self._delete(_query("count", {"more": 0}, ended))

    async def hold_lease(self, owner: str, now: int) -> bool:
        """Whether this process may send messages until the lease ends; nobody else may meanwhile."""
        from elasticsearch import ConflictError

        async with self._errors() as client:
            answer = await client.options(ignore_status=404).get(index=self._alerts, id=LEASE_ID)
            source = answer.body.get("_source") or {}
            # one that ends too late was taken by a clock that was set back since
            if source.get("search") not in {None, owner} and now < source["until"] <= now + 2 * LEASE_MS:
                return False
            body = {"type": "lease", "search": owner, "until": now + LEASE_MS}
            same: dict[str, Any] = {"op_type": "create"}
            if source:
                same = {"if_seq_no": answer["_seq_no"], "if_primary_term": answer["_primary_term"]}
            try:
                await client.index(index=self._alerts, id=LEASE_ID, document=body, **same)
            except ConflictError:
                return False
        return True

    @asynccontextmanager
    async def _errors(self) -> AsyncIterator[AsyncElasticsearch]:
        try:
            with translate_errors(self._url):
                yield self._connection.client
        except LoginRefused as refusal:
            if not self._connection.log_in_again():
                self._connection.check_patience(refusal, time.monotonic())
            raise

    async def _note_change(self) -> None:
        count = await self.change_count()
        async with self._errors() as client:
            number = max(count + 1, now_ms())
            await client.index(index=self._searches, id=CHANGES_ID, document={"number": number}, refresh=True)

    async def _get(self, index: str, name: str) -> dict[str, Any] | None:
        async with self._errors() as client:
            answer = await client.options(ignore_status=404).get(index=index, id=name)
            if "_source" not in answer.body:
                if "error" in answer.body:
                    raise Transient(f"{self._url}: {error_reason(answer.body)}; run `wiredesk index create`")
                return None
            source: dict[str, Any] = answer["_source"]
            return source

    async def _find(
        self, query: Mapping[str, Any], limit: int, sort: Sequence[Any] = ()
    ) -> list[dict[str, Any]]:
        async with self._errors() as client:
            answer = await client.search(
                index=self._alerts, query=query, size=min(limit, MAX_CHAIN_ALERTS), sort=list(sort) or None,
                track_total_hits=False, allow_partial_search_results=False,
            )  # fmt: skip
            return [hit["_source"] for hit in answer["hits"]["hits"]]

    async def _bulk(self, lines: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> None:
        """Write documents, so that they are found at once; one that is to be made and is there stays."""
        if not lines:
            return
        async with self._errors() as client:
            operations = [part for line in lines for part in line]
            answer = await client.bulk(index=self._alerts, operations=operations, refresh=True)
            for item in answer["items"]:
                (answered,) = item.values()
                if answered["status"] >= 300 and answered["status"] != 409:
                    raise Transient(f"{self._url}: {error_reason(answered)}")

    async def _delete(self, query: Mapping[str, Any]) -> None:
        """Delete documents by their ids: some servers come without deletion by query."""
        async with self._errors() as client:
            async for hits in scan_documents(client, self._alerts, ["type"], query):
                lines = [{"delete": {"_id": hit["_id"]}} for hit in hits]
                await client.bulk(index=self._alerts, operations=lines, refresh=True)

    async def _chain_alerts(self, chains: Iterable[str]) -> dict[str, dict[str, Alert]]:
        """The alerts of chains, by chain and id."""
        query = _query("alert", {"chain": [document_id(chain) for chain in chains]})
        found: dict[str, dict[str, Alert]] = {}
        for source in await self._find(query, MAX_CHAIN_ALERTS, [{"number": "asc"}]):
            alert = decode(source["value"], Alert)
            found.setdefault(alert.chain, {})[alert.id] = alert
        return found

    async def _alerts_by_id(self, names: Sequence[str]) -> dict[str, Alert]:
        if not names:
            return {}
        async with self._errors() as client:
            answer = await client.mget(index=self._alerts, ids=[_id_of("alert", name) for name in names])
            found = (decode(doc["_source"]["value"], Alert) for doc in answer["docs"] if doc.get("found"))
            return {alert.id: alert for alert in found}

    async def _count_documents(self, keys: Iterable[CountKey]) -> dict[CountKey, dict[str, Any]]:
        wanted = list(keys)
        if not wanted:
            return {}
        async with self._errors() as client:
            names = [_id_of("count", f"{search} {until}") for search, until in wanted]
            answer = await client.mget(index=self._alerts, ids=names)
            return {
                key: doc["_source"]
                for key, doc in zip(wanted, answer["docs"], strict=True)
                if doc.get("found")
            }

    async def _counts(self, keys: Iterable[CountKey]) -> dict[CountKey, int]:
        return {key: body["stored"] for key, body in (await self._count_documents(keys)).items()}

    async def _due_counts(self, searches: Sequence[str], now: int) -> dict[str, dict[CountKey, int]]:
        over = {
            "bool": {
                "should": [
                    {"range": {"until": {"lte": now}}},
                    {"range": {"until": {"gt": now + MAX_WAIT_MS}}},
                ]
            }
        }
        query = _query("count", {"search": list(searches)}, [{"range": {"more": {"gt": 0}}}, over])
        counted: dict[str, dict[CountKey, int]] = {}
        for source in await self._find(query, MAX_CHAIN_ALERTS):
            counted.setdefault(source["search"], {})[source["search"], source["until"]] = source["more"]
        return counted

    async def _write_changes(self, changes: AlertChanges) -> None:
        lines = [_alert_line(alert) for alert in changes.changed]
        added = [replace(alert, place=self._next_number()) for alert in changes.added]
        lines += [_alert_line(alert, creates=True) for alert in added]
        keys = {*changes.stored, *changes.more}
        before = await self._count_documents(changes.more)
        for search, until in keys:
            more = changes.more.get((search, until), 0) + before.get((search, until), {}).get("more", 0)
            body = {
                "search": search,
                "until": until,
                "stored": changes.stored.get((search, until), 0),
                "more": more,
            }
            lines.append(_line("count", f"{search} {until}", body))
        await self._bulk(lines)

    def _next_number(self) -> int:
        """A number that is greater than those before, and about the time in microseconds."""
        self._last_number = max(self._last_number + 1, now_ms() * 1000)
        return self._last_number


def _key_of(search: SavedSearch, event: Event, now: int) -> CountKey:
    visible = visible_from(event)
    return count_key(search, max(now, 0 if visible >= FOR_EVER_MS else visible))


def _join_changes(whole: AlertChanges, changes: AlertChanges) -> None:
    """Add the changes of one event to those of a batch; `stored` is what there is in all."""
    changed = {alert.id: alert for alert in changes.changed}
    whole.added = [changed.pop(alert.id, alert) for alert in whole.added] + changes.added
    whole.changed = [alert for alert in whole.changed if alert.id not in changed] + list(changed.values())
    for key, count in changes.stored.items():
        whole.stored[key] = whole.stored.get(key, 0) + count
    for key, count in changes.more.items():
        whole.more[key] = whole.more.get(key, 0) + count


def _query(kind: str, terms: Mapping[str, Any], more: Sequence[Any] = ()) -> dict[str, Any]:
    filters: list[Any] = [{"term": {"type": kind}}]
    filters += [
        {"terms" if isinstance(value, list) else "term": {name: value}} for name, value in terms.items()
    ]
    return {"bool": {"filter": [*filters, *more]}}


def _messages(sources: Iterable[Mapping[str, Any]]) -> list[AlertMessage]:
    return [decode(source["value"], AlertMessage) for source in sources]


def _id_of(kind: str, name: str) -> str:
    return f"{kind}-{name}"


def _line(
    kind: str, name: str, body: Mapping[str, Any], *, creates: bool = False
) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"create" if creates else "index": {"_id": _id_of(kind, name)}}, {"type": kind, **body}


def _alert_line(alert: Alert, *, creates: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
    body = {
        "search": alert.search, "chain": document_id(alert.chain), "state": alert.state, "due": alert.due,
        "visible": alert.visible, "created": alert.created, "number": alert.place, "value": encode(alert).decode(),
    }  # fmt: skip
    return _line("alert", alert.id, body, creates=creates)


def _message_line(message: AlertMessage, *, creates: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
    body = {
        "search": message.search, "target": message.target.kind, "state": message.state, "created": message.created,
        "alerts": list(message.alerts), "number": message.number, "value": encode(message).decode(),
    }  # fmt: skip
    return _line("message", message.id, body, creates=creates)
