"""Writing stories to Elasticsearch, so that delivery in any order, repeated or late, ends in the same index.

A document's version is its event's revision (``external_gte``): the server itself refuses what is stale. Kills and
corrections are marks in an index of their own, read by id (which needs no refresh) before and after each bulk request,
so that two writers can't miss each other's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from config.settings import Elasticsearch
from processors.errors import PartAway, Transient, Unindexable
from processors.model.codec import from_builtins
from processors.model.event import Event
from processors.sources import short_uri
from sinks.answers import find_answer
from sinks.elasticsearch.client import (
    BulkEntry,
    IndexConnection,
    LoginRefused,
    describe_answer,
    error_reason,
    make_bulk_entry,
    row_of,
    split_batches,
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
    version_id,
    versions_index,
)
from sinks.elasticsearch.inventory import parse_index_name
from sinks.elasticsearch.months import NewDocument, WriteAliases, month_of
from sinks.elasticsearch.templates import stemmed_languages
from sinks.metrics import INDEXED_STORIES
from sinks.ports import Sink, WriteOutcome, WriteResult
from sinks.stories import (
    Mark,
    Member,
    hidden_by,
    is_known,
    lineage,
    mark_keys,
    mark_of,
    member_of,
    now_ms,
    revision,
    source_of_event,
    visible_from,
    with_own_identity,
)
from sinks.versions import version_key

if TYPE_CHECKING:
    from elasticsearch import ApiError, AsyncElasticsearch

SINK_NAME: Final = "elasticsearch"  # in figures
# How long a bulk request waits for a shard that is at work nowhere. Longer holds up the stories of other months; shorter
# gives up a shard that is on its way from one node to another.
SHARD_PATIENCE: Final = "5s"
# Stories of a bulk request, and requests at a time: one is made while the server works on the one before. Larger
# requests leave the server idle while they are made; with more at a time it answers 429.
STORIES_PER_REQUEST: Final = 125
MAX_REQUESTS_IN_FLIGHT: Final = 2
# Members of a chain that are judged again at once after a kill; the server allows 10,000 hits of a search.
MEMBERS_PER_PAGE: Final = 1000

Marks = Mapping[tuple[str, str], Mark]  # by kind and target


class ElasticsearchSink(Sink):
    """Writes events to Elasticsearch. The same events may be written again after any error."""

    def __init__(self, settings: Elasticsearch, client: AsyncElasticsearch | None = None) -> None:
        """Nothing is sent before the first call."""
        self._connection = IndexConnection(settings, client)
        self._url, self._index = settings.url, settings.index
        self._batch, self._batch_bytes = settings.batch, settings.batch_bytes
        self._marks_index = f"{settings.index}-marks"
        self._versions_index = versions_index(settings.index)
        self._keeps_versions: bool | None = None
        self._aliases = WriteAliases(self._connection)
        self._stemmed: frozenset[str] | None = None
        self.max_events, self.wait_s = settings.batch, settings.flush_s
        self.max_held = settings.max_held

    @property
    def _client(self) -> AsyncElasticsearch:
        return self._connection.client

    async def open(self, _position: int | None) -> None:
        """Forget what is remembered of the server: another writer may have had our stories."""
        self._aliases.forget()
        self._stemmed = self._keeps_versions = None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def write(self, events: Sequence[Event]) -> WriteResult:
        """Store events. A stale event counts as written.

        Raises:
            Transient: the server is down, overloaded, full or refuses us. Nothing is lost: call again later.
            Misconfigured: it refuses our user or key for good.
        """
        if any(map(is_known, events)):
            told = [event for event in events if not is_known(event)]
            came = iter((await self.write(told)).outcomes if told else ())
            return WriteResult([None if is_known(event) else next(came) for event in events])
        with self._login_errors(), translate_errors(self._url):
            events = await self._with_own_identities(events)
            marks = [mark_of(event) for event in events]
            own_marks = [mark for mark in marks if mark]
            members = [member_of(event) for event in events]
            await self._write_marks(own_marks)
            before = await self._read_marks(members)
            await self._keep_versions(events, before)
            outcomes = await self._write_stories(events, members, before)
            after = await self._read_marks(members)
            changed = [mark for key, mark in after.items() if before.get(key) != mark]
            refusal = await self._judge_touched([*own_marks, *changed])
            if refusal and not own_marks:
                return WriteResult([outcome or refusal for outcome in outcomes])
        return WriteResult(
            [outcome or (refusal if mark else None) for outcome, mark in zip(outcomes, marks, strict=True)]
        )

    async def away_parts(self) -> Mapping[str, str]:
        """The months that can't be written, those not shown, and why.

        Raises:
            Transient: the server is down or refuses us.
        """
        with self._login_errors(), translate_errors(self._url):
            inventory = await self._aliases.look()
        unread = {
            name: f"{name} is written and not behind {self._index}, so its stories are not shown: "
            "run `wiredesk index create`"
            for name in inventory.unread()
        }
        return self._aliases.away | unread

    @contextmanager
    def _login_errors(self) -> Iterator[None]:
        """Log in anew where the server refuses our user or key and its file says something else now."""
        try:
            yield
            self._connection.note_success()
        except LoginRefused as error:
            if not self._connection.log_in_again():
                self._connection.check_patience(error, time.monotonic())
            raise

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
            make_bulk_entry(
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
                raise Transient(f"{self._url}: {self._marks_index}: {refusal}")

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
                raise Transient(f"{self._url}: {error_reason(stored)}: run `wiredesk index create`")
            if stored["found"]:
                mark = Mark(**stored["_source"])
                marks[mark.kind, mark.target] = mark
        return marks

    async def _keep_versions(self, events: Sequence[Event], marks: Marks) -> None:
        """Write the versions that are stored and will be replaced, and those of the batch that others replace.

        They are written before what replaces them: a writer that stops in between finds them again. None is visible
        before the newest version is: an embargo that moves holds back what said the same before.
        """
        if not await self._has_versions_index():
            return
        stored = await self._aliases.read_stored([document_id(event.story.uri) for event in events])
        every = [from_builtins(source["event"], Event) for source in stored]
        every += await self._replaced_before(
            {event.story.uri for event in (*every, *events) if visible_from(event)}
        )
        newest: dict[str, Event] = {}
        for event in (*every, *events):
            current = newest.get(event.story.uri)
            if current is None or revision(event) >= revision(current):
                newest[event.story.uri] = event
        stemmed = await self._stemmed_languages()
        replaced = [
            event for event in (*every, *events) if version_key(event) != version_key(newest[event.story.uri])
        ]
        marks = {**marks, **await self._read_marks([member_of(event) for event in replaced])}

        def make_entries() -> list[BulkEntry]:
            entries = []
            for event in replaced:
                source = document(event) | {"indexed": now_ms()}
                source["visibleFrom"] = max(source["visibleFrom"], visible_from(newest[event.story.uri]))
                _set_hidden(source, member_of(event), marks)
                fields, id_ = source | search_fields(source, stemmed), version_id(event)
                entries.append(
                    make_bulk_entry(self._versions_index, id_, source["revision"], fields, alias=False)
                )
            return entries

        for refusal in await self._send_bulk(make_entries) if replaced else ():
            if refusal and not isinstance(refusal, Unindexable):
                raise Transient(f"{self._url}: {self._versions_index}: {refusal}")

    async def _replaced_before(self, uris: Collection[str]) -> list[Event]:
        """The versions of some stories in the index of versions."""
        if not uris:
            return []
        await self._client.indices.refresh(index=self._versions_index)
        answer = await self._client.search(
            index=self._versions_index, query={"terms": {"uri": sorted(uris)}}, size=MEMBERS_PER_PAGE,
            sort=[{"revision": "desc"}], source={"includes": ["event"]}, track_total_hits=False,
        )  # fmt: skip
        return [from_builtins(hit["_source"]["event"], Event) for hit in answer["hits"]["hits"]]

    async def _has_versions_index(self) -> bool:
        """Whether there is an index of versions: one of an earlier wiredesk has none before `wiredesk index create`."""
        if self._keeps_versions is None:
            self._keeps_versions = bool(await self._client.indices.exists(index=self._versions_index))
        return self._keeps_versions

    async def _write_stories(
        self, events: Sequence[Event], members: Sequence[Member], marks: Marks
    ) -> list[WriteOutcome]:
        """Write stories; those of a month that refuses them now are tried once more after a look at the server."""
        before = set(self._aliases.away)
        outcomes = await self._try_stories(events, members, marks)
        refused = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, PartAway)]
        if set(self._aliases.away) <= before:
            return self._unless_all_away(outcomes)
        await self._aliases.look()
        again = await self._try_stories([events[n] for n in refused], [members[n] for n in refused], marks)
        for number, outcome in zip(refused, again, strict=True):
            outcomes[number] = outcome
        return self._unless_all_away(outcomes)

    def _unless_all_away(self, outcomes: list[WriteOutcome]) -> list[WriteOutcome]:
        """The outcomes, where some month of the server can be written.

        Raises:
            Transient: none can, so that it is the server rather than a month.
        """
        away = [outcome for outcome in outcomes if isinstance(outcome, PartAway)]
        if away and self._aliases.is_all_away and len(away) == len(outcomes):
            self._aliases.forget()
            raise Transient(f"{self._url}: {away[0]}")
        return outcomes

    async def _try_stories(
        self, events: Sequence[Event], members: Sequence[Member], marks: Marks
    ) -> list[WriteOutcome]:
        now = now_ms()
        stemmed = await self._stemmed_languages()
        documents = [
            NewDocument(
                document_id(event.story.uri), month_of(event), source_of_event(event), _is_later(event)
            )
            for event in events
        ]
        aliases = await self._aliases.find(documents)
        writable = [n for n, alias in enumerate(aliases) if not isinstance(alias, PartAway)]

        def make_entries(start: int) -> list[BulkEntry]:
            entries = []
            for n in writable[start : start + STORIES_PER_REQUEST]:
                source = document(events[n])
                _set_hidden(source, members[n], marks)
                source["indexed"] = now
                entries.append(
                    make_bulk_entry(
                        str(aliases[n]),
                        documents[n].id,
                        source["revision"],
                        source | search_fields(source, stemmed),
                    )
                )
            return entries

        starts = range(0, len(writable), STORIES_PER_REQUEST)
        sent = iter(await self._send_bulk(*(partial(make_entries, start) for start in starts)))
        return [alias if isinstance(alias, PartAway) else next(sent) for alias in aliases]

    async def _stemmed_languages(self) -> frozenset[str]:
        if self._stemmed is None:
            self._stemmed = await stemmed_languages(self._client, self._connection.settings)
        return self._stemmed

    async def _send_bulk(self, *makers: Callable[[], Sequence[BulkEntry]]) -> list[WriteOutcome]:
        """Send what each makes while the server works on the one before; why each entry was refused, or None."""
        sent: list[asyncio.Task[list[WriteOutcome]]] = []
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

    async def _send_entries(self, entries: Sequence[BulkEntry]) -> list[WriteOutcome]:
        """Send entries in requests of bounded size."""
        results: list[WriteOutcome] = []
        for batch in split_batches(entries, self._batch, self._batch_bytes):
            results += await self._send_request(batch)
        return results

    async def _send_request(self, batch: Sequence[BulkEntry]) -> list[WriteOutcome]:
        from elasticsearch import ApiError

        lines: list[Any] = [line for entry in batch for line in (entry.action, entry.source)]
        try:
            answer = await self._client.bulk(
                operations=lines,
                timeout=SHARD_PATIENCE,
                filter_path=["errors", "items.*.status", "items.*.error"],
            )
        except ApiError as error:
            size = sum(entry.size for entry in batch)
            is_too_large = error.status_code in {413, 429} and (
                row_of(error, "document", size).reaction == "set aside"
            )
            if not is_too_large:
                raise
            return await self._send_halves(batch, error)
        return [
            await self._outcome(entry, next(iter(item.values())))
            for entry, item in zip(batch, answer["items"], strict=True)
        ]

    async def _send_halves(self, batch: Sequence[BulkEntry], error: ApiError) -> list[WriteOutcome]:
        """Send the halves of a request over the server's limit; an entry that is over it by itself is refused."""
        if len(batch) == 1:
            INDEXED_STORIES.labels(SINK_NAME, "refused").inc()
            row = row_of(error, "document", batch[0].size)
            limit = "http.max_content_length" if error.status_code == 413 else error_reason(error.body)
            return [Unindexable(f"a document of {batch[0].size} bytes: {row.situation} ({limit})")]
        middle = len(batch) // 2
        return [*await self._send_request(batch[:middle]), *await self._send_request(batch[middle:])]

    async def _outcome(self, entry: BulkEntry, item: Mapping[str, Any]) -> WriteOutcome:
        """What came of an entry.

        Raises:
            Transient: what refuses it concerns all.
        """
        status = item["status"]
        if status < 300:
            INDEXED_STORIES.labels(SINK_NAME, "written").inc()
            return None
        kind, reason = item.get("error", {}).get("type", ""), error_reason(item)
        row = find_answer("index", status, kind, reason, "document" if entry.alias else "index", entry.size)
        if row.reaction == "written":
            INDEXED_STORIES.labels(SINK_NAME, "stale").inc()
            return None
        fault = describe_answer(row, entry.alias or self._marks_index, f"{status} {reason}")
        if row.reaction == "set aside":
            spoilt = await self._aliases.check_mapping(entry.alias)
            if spoilt is None:
                INDEXED_STORIES.labels(SINK_NAME, "refused").inc()
                return Unindexable(reason)
            fault = spoilt
        elif row.reaction != "wait for that part":
            raise Transient(f"{self._url}: {fault}")
        self._aliases.note_refusal(entry.alias, fault)
        return PartAway(entry.alias, fault)

    async def _judge_touched(self, marks: Sequence[Mark]) -> WriteOutcome:
        """Judge anew every stored story that a mark may touch; return what kept one from being judged, or written."""
        if not marks:
            return None
        refusal: WriteOutcome = next((PartAway(*away) for away in self._aliases.unsearchable.items()), None)
        chains = sorted({mark.chain for mark in marks if mark.kind == "kill"})
        targets = sorted({mark.target for mark in marks if mark.kind == "correction"})
        indices = self._aliases.searched
        await self._aliases.refresh()
        if await self._has_versions_index():
            indices = [*indices, self._versions_index]
            await self._client.indices.refresh(index=self._versions_index, ignore_unavailable=True)
        should = [*map(chain_query, chains), {"terms": {"uri": targets}}, {"terms": {"of": targets}}]
        after: list[Any] | None = None
        while True:
            answer = await self._client.search(
                index=indices, query={"bool": {"should": should}}, size=MEMBERS_PER_PAGE, version=True,
                sort=["uri", "revision"], search_after=after, ignore_unavailable=True,
            )  # fmt: skip
            if answer["_shards"]["failed"] and refusal is None:
                await self._aliases.look()
                refusal = next((PartAway(*away) for away in self._aliases.unsearchable.items()), None)
            hits = answer["hits"]["hits"]
            refusal = await self._judge_again(hits) or refusal
            if len(hits) < MEMBERS_PER_PAGE:
                break
            after = hits[-1]["sort"]
        if isinstance(refusal, PartAway):
            self._aliases.note_refusal(refusal.part, str(refusal).removeprefix(f"{refusal.part}: "))
        return refusal

    async def _judge_again(self, hits: Sequence[Mapping[str, Any]]) -> WriteOutcome:
        marks = await self._read_marks([stored_member(hit["_source"]) for hit in hits])
        stemmed = await self._stemmed_languages()
        entries = []
        for hit in hits:
            source, parts = hit["_source"], parse_index_name(hit["_index"])
            before = source.get("hidden"), source.get("hiddenBy")
            _set_hidden(source, stored_member(source), marks)
            if (source.get("hidden"), source.get("hiddenBy")) != before:
                target = parts[0] if parts else hit["_index"]
                fields = source | search_fields(source, stemmed)
                is_month = parts is not None
                entries.append(make_bulk_entry(target, hit["_id"], hit["_version"], fields, alias=is_month))
        return next((outcome for outcome in await self._send_bulk(lambda: entries) if outcome), None)


def _is_later(event: Event) -> bool:
    """Whether an earlier version of the story came before, under the same uri."""
    place, uri = lineage(event), short_uri(event.story.uri)
    names = {short_uri(name) for name in (place.of, place.story) if name}
    return place.sequence > 1 and place.relation != "duplicate" and uri in names


def _set_hidden(source: dict[str, Any], member: Member, marks: Marks) -> None:
    hidden, by = hidden_by(member, lambda kind, target: marks.get((kind, target)))
    source.pop("hidden", None)
    source.pop("hiddenBy", None)
    if hidden:
        source |= {"hidden": hidden, "hiddenBy": by}
