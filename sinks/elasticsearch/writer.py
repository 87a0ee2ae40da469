"""Writing stories to Elasticsearch, so that delivery in any order, repeated or late, ends in the same index.

A document's version is its event's revision (``external_gte``): the server itself refuses what is stale. Kills and
corrections are marks in an index of their own, read by id (which needs no refresh) before and after each bulk request,
so that two writers can't miss each other's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import orjson

from config.settings import Elasticsearch
from processors.errors import Rejected, Transient, Unindexable
from processors.model.event import Event
from processors.sources import short_uri
from sinks.elasticsearch.client import (
    WAITED_FOR_STATUSES,
    connect,
    error_reason,
    status_hint,
    translate_errors,
)
from sinks.elasticsearch.documents import (
    chain_query,
    document,
    document_id,
    mark_document,
    mark_id,
    search_fields,
    stored_member,
)
from sinks.elasticsearch.index import stemmed_languages
from sinks.elasticsearch.months import NewDocument, WriteAliases, month_of, parse_index_name
from sinks.metrics import INDEXED_STORIES
from sinks.ports import Sink, WriteResult
from sinks.stories import (
    Mark,
    Member,
    hidden_by,
    lineage,
    mark_keys,
    mark_of,
    member_of,
    now_ms,
    source_of_event,
    with_own_identity,
)

if TYPE_CHECKING:
    from elasticsearch import AsyncElasticsearch

SINK_NAME: Final = "elasticsearch"  # in figures
CONFLICT_STATUS: Final = 409  # a later version is there already
# Stories of a bulk request, and requests at a time: one is made while the server works on the one before. Larger
# requests leave the server idle while they are made; with more at a time it answers 429.
STORIES_PER_REQUEST: Final = 125
MAX_REQUESTS_IN_FLIGHT: Final = 2
# Members of a chain that are judged again at once after a kill; the server allows 10,000 hits of a search.
MEMBERS_PER_PAGE: Final = 1000

Marks = Mapping[tuple[str, str], Mark]  # by kind and target


@dataclass(frozen=True, slots=True)
class BulkEntry:
    """A line pair of a bulk request, ready to be sent."""

    id: str
    action: bytes
    source: bytes

    @property
    def size(self) -> int:
        """Its bytes on the wire."""
        return len(self.action) + len(self.source) + 2


class ElasticsearchSink(Sink):
    """Writes events to Elasticsearch. The same events may be written again after any error."""

    def __init__(self, settings: Elasticsearch, client: AsyncElasticsearch | None = None) -> None:
        """Nothing is sent before the first call."""
        self._settings = settings
        self._client = client or connect(settings)
        self._marks_index = f"{settings.index}-marks"
        self._aliases = WriteAliases(self._client, settings)
        self._stemmed: frozenset[str] | None = None
        self.max_events, self.wait_s = settings.batch, settings.flush_s

    async def open(self, _position: int | None) -> None:
        """Forget what is remembered of the server: another writer may have had our stories."""
        self._aliases.forget()
        self._stemmed = None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def write(self, events: Sequence[Event]) -> WriteResult:
        """Store events. A stale event counts as written.

        Raises:
            Transient: the server is down, overloaded, full or refuses us. Nothing is lost: call again later.
        """
        with translate_errors(self._settings.url):
            events = await self._with_own_identities(events)
            own_marks = [mark for event in events if (mark := mark_of(event))]
            members = [member_of(event) for event in events]
            await self._write_marks(own_marks)
            before = await self._read_marks(members)
            refusals = await self._write_stories(events, members, before)
            after = await self._read_marks(members)
            changed = [mark for key, mark in after.items() if before.get(key) != mark]
            await self._judge_touched([*own_marks, *changed])
        return WriteResult(refusals)

    async def _with_own_identities(self, events: Sequence[Event]) -> list[Event]:
        """The events as they are kept, given what is stored and those before them."""
        uris = {short_uri(uri) for event in events for uri in (event.story.uri, lineage(event).story)}
        sources = await self._aliases.find_sources({document_id(uri): uri for uri in uris})
        kept = []
        for sent in events:
            event = with_own_identity(sent, sources.get)
            sources[event.story.uri] = source_of_event(event)
            kept.append(event)
        return kept

    async def _write_marks(self, marks: Iterable[Mark]) -> None:
        entries = [
            _bulk_entry(
                self._marks_index,
                mark_id(mark.kind, mark.target),
                mark.sequence,
                mark_document(mark),
                alias=False,
            )
            for mark in marks
        ]
        for refusal in await self._send_bulk(lambda: entries):
            if refusal:
                raise Transient(f"{self._settings.url}: {self._marks_index}: {refusal}")

    async def _read_marks(self, members: Sequence[Member]) -> Marks:
        """The marks that may touch the members."""
        keys = {key for member in members for key in mark_keys(member)}
        if not keys:
            return {}
        ids = [mark_id(kind, target) for kind, target in sorted(keys)]
        answer = await self._client.mget(
            index=self._marks_index, ids=ids, filter_path=["docs.found", "docs._source", "docs.error"]
        )
        marks: dict[tuple[str, str], Mark] = {}
        for stored in answer["docs"]:
            if "error" in stored:
                raise Transient(f"{self._settings.url}: {error_reason(stored)}; run `wiredesk index create`")
            if stored["found"]:
                mark = Mark(**stored["_source"])
                marks[mark.kind, mark.target] = mark
        return marks

    async def _write_stories(
        self, events: Sequence[Event], members: Sequence[Member], marks: Marks
    ) -> list[Rejected | None]:
        now = now_ms()
        stemmed = await self._stemmed_languages()
        documents = [
            NewDocument(document_id(event.story.uri), month_of(event), source_of_event(event))
            for event in events
        ]
        aliases = await self._aliases.find(documents)

        def make_entries(start: int) -> list[BulkEntry]:
            part = slice(start, start + STORIES_PER_REQUEST)
            entries = []
            for event, member, new, alias in zip(
                events[part], members[part], documents[part], aliases[part], strict=True
            ):
                source = document(event)
                _set_hidden(source, member, marks)
                source["indexed"] = now
                entries.append(
                    _bulk_entry(alias, new.id, source["revision"], source | search_fields(source, stemmed))
                )
            return entries

        starts = range(0, len(events), STORIES_PER_REQUEST)
        return await self._send_bulk(*(partial(make_entries, start) for start in starts))

    async def _stemmed_languages(self) -> frozenset[str]:
        if self._stemmed is None:
            self._stemmed = await stemmed_languages(self._client, self._settings)
        return self._stemmed

    async def _send_bulk(self, *makers: Callable[[], Sequence[BulkEntry]]) -> list[Rejected | None]:
        """Send what each makes while the server works on the one before; why each entry was refused, or None."""
        sent: list[asyncio.Task[list[Rejected | None]]] = []
        try:
            for make in makers:
                entries = await asyncio.to_thread(make)
                if len(sent) >= MAX_REQUESTS_IN_FLIGHT:
                    await sent[-MAX_REQUESTS_IN_FLIGHT]
                sent.append(asyncio.create_task(self._send_entries(entries)))
            return [refusal for refusals in await asyncio.gather(*sent) for refusal in refusals]
        finally:
            for task in sent:
                task.cancel()
            await asyncio.gather(*sent, return_exceptions=True)

    async def _send_entries(self, entries: Sequence[BulkEntry]) -> list[Rejected | None]:
        """Send entries in requests of bounded size."""
        results: list[Rejected | None] = []
        for batch in _batches(entries, self._settings.batch, self._settings.batch_bytes):
            results += await self._send_request(batch)
        return results

    async def _send_request(self, batch: Sequence[BulkEntry]) -> list[Rejected | None]:
        from elasticsearch import ApiError

        lines: list[Any] = [line for entry in batch for line in (entry.action, entry.source)]
        try:
            answer = await self._client.bulk(
                operations=lines, filter_path=["errors", "items.*.status", "items.*.error"]
            )
        except ApiError as error:
            if error.status_code != 413:
                raise
            return await self._send_halves(batch)
        return [self._refusal(next(iter(item.values()))) for item in answer["items"]]

    async def _send_halves(self, batch: Sequence[BulkEntry]) -> list[Rejected | None]:
        """Send the halves of a request over the server's limit; an entry that is over it by itself is refused."""
        if len(batch) == 1:
            INDEXED_STORIES.labels(SINK_NAME, "refused").inc()
            return [
                Unindexable(
                    f"a document of {batch[0].size} bytes is over the server's http.max_content_length"
                )
            ]
        middle = len(batch) // 2
        return [*await self._send_request(batch[:middle]), *await self._send_request(batch[middle:])]

    def _refusal(self, item: Mapping[str, Any]) -> Rejected | None:
        status = item["status"]
        if status < 300:
            INDEXED_STORIES.labels(SINK_NAME, "written").inc()
            return None
        if status == CONFLICT_STATUS:
            INDEXED_STORIES.labels(SINK_NAME, "stale").inc()
            return None
        if status in WAITED_FOR_STATUSES or status >= 500:
            raise Transient(f"{self._settings.url}: {status} {error_reason(item)}{status_hint(status)}")
        INDEXED_STORIES.labels(SINK_NAME, "refused").inc()
        return Unindexable(error_reason(item))

    async def _judge_touched(self, marks: Sequence[Mark]) -> None:
        """Judge anew every stored story that a mark may touch."""
        if not marks:
            return
        chains = sorted({mark.chain for mark in marks if mark.kind == "kill"})
        targets = sorted({mark.target for mark in marks if mark.kind == "correction"})
        await self._client.indices.refresh(index=self._settings.index)
        should = [*map(chain_query, chains), {"terms": {"uri": targets}}, {"terms": {"of": targets}}]
        after: list[Any] | None = None
        while True:
            answer = await self._client.search(
                index=self._settings.index, query={"bool": {"should": should}}, size=MEMBERS_PER_PAGE, version=True,
                sort=["uri"], search_after=after,
            )  # fmt: skip
            hits = answer["hits"]["hits"]
            await self._judge_again(hits)
            if len(hits) < MEMBERS_PER_PAGE:
                return
            after = hits[-1]["sort"]

    async def _judge_again(self, hits: Sequence[Mapping[str, Any]]) -> None:
        marks = await self._read_marks([stored_member(hit["_source"]) for hit in hits])
        stemmed = await self._stemmed_languages()
        entries = []
        for hit in hits:
            source, parts = hit["_source"], parse_index_name(hit["_index"])
            before = source.get("hidden"), source.get("hiddenBy")
            _set_hidden(source, stored_member(source), marks)
            if (source.get("hidden"), source.get("hiddenBy")) != before:
                target = parts[0] if parts else hit["_index"]
                entries.append(
                    _bulk_entry(target, hit["_id"], hit["_version"], source | search_fields(source, stemmed))
                )
        await self._send_bulk(lambda: entries)


def _set_hidden(source: dict[str, Any], member: Member, marks: Marks) -> None:
    hidden, by = hidden_by(member, lambda kind, target: marks.get((kind, target)))
    source.pop("hidden", None)
    source.pop("hiddenBy", None)
    if hidden:
        source |= {"hidden": hidden, "hiddenBy": by}


def _bulk_entry(
    index: str, id_: str, version: int, source: dict[str, Any], *, alias: bool = True
) -> BulkEntry:
    action = {
        "_index": index,
        "_id": id_,
        "version": version,
        "version_type": "external_gte",
        "require_alias": alias,
    }
    return BulkEntry(id_, orjson.dumps({"index": action}), orjson.dumps(source))


def _batches(entries: Sequence[BulkEntry], max_count: int, max_bytes: int) -> Iterable[list[BulkEntry]]:
    batch: list[BulkEntry] = []
    total = 0
    for entry in entries:
        if batch and (len(batch) >= max_count or total + entry.size > max_bytes):
            yield batch
            batch, total = [], 0
        batch.append(entry)
        total += entry.size
    if batch:
        yield batch
