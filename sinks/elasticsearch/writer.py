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
from time import time_ns
from typing import TYPE_CHECKING, Any, Final

import orjson

from config.settings import Elasticsearch
from processors.errors import Rejected, Transient, Unindexable
from processors.model.event import Event
from sinks.elasticsearch.client import WAITING, connect, hint, reason, told_apart
from sinks.elasticsearch.documents import document, document_id, mark_document, mark_id, member_of, stems
from sinks.elasticsearch.homes import Homes
from sinks.elasticsearch.index import stemmed_languages
from sinks.elasticsearch.months import month, taken_apart
from sinks.metrics import INDEXED
from sinks.ports import Sink, Written
from sinks.stories import Mark, MarkKind, Member, mark, member, standing

if TYPE_CHECKING:
    from elasticsearch import AsyncElasticsearch

SINK: Final = "elasticsearch"
STALE: Final = 409
REQUEST: Final = 125  # stories of a bulk request
IN_FLIGHT: Final = 2  # requests at a time
SETTLED: Final = 1000  # members of a chain that are judged again after a kill


@dataclass(frozen=True, slots=True)
class Entry:
    """A line pair of a bulk request, ready to be sent; `size` in bytes."""

    id: str
    action: bytes
    source: bytes

    @property
    def size(self) -> int:
        """Its bytes on the wire."""
        return len(self.action) + len(self.source) + 2


class StoryBulk(Sink):
    """Writes events. Safe to call again with the same events after any error."""

    def __init__(self, settings: Elasticsearch, client: AsyncElasticsearch | None = None) -> None:
        """Nothing is sent before the first call."""
        self._settings = settings
        self._client = client or connect(settings)
        self._marks = f"{settings.index}-marks"
        self._homes = Homes(self._client, settings)
        self._stemmed: frozenset[str] | None = None
        self.max_events, self.wait_s = settings.batch, settings.flush_s

    async def open(self, _position: int | None) -> None:
        """Trust nothing remembered of the server: another writer may have had our stories."""
        self._homes.forget()
        self._stemmed = None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def write(self, events: Sequence[Event]) -> Written:
        """Store events. A stale event counts as written.

        Raises:
            Transient: the server is down, overloaded, full or refuses us. Nothing is lost: call again later.
        """
        marks = [made for event in events if (made := mark(event))]
        members = [member(event) for event in events]
        with told_apart(self._settings.url):
            await self._put_marks(marks)
            known = await self._get_marks(members)
            refused = await self._put(events, members, known)
            after = await self._get_marks(members)
            changed = [made for key, made in after.items() if known.get(key) != made]
            await self._settle([*marks, *changed])
        return Written(refused)

    async def _put_marks(self, marks: Iterable[Mark]) -> None:
        entries = [
            _entry(
                self._marks, mark_id(each.kind, each.target), each.sequence, mark_document(each), alias=False
            )
            for each in marks
        ]
        answers = await self._bulk(lambda: entries)
        for refused in answers:
            if refused:
                raise Transient(f"{self._settings.url}: {self._marks}: {refused}")

    async def _get_marks(self, members: Sequence[Member]) -> dict[tuple[str, str], Mark]:
        wanted = {("kill", each.chain) for each in members} | {("correction", each.uri) for each in members}
        wanted |= {("correction", each.of) for each in members if each.relation == "correction" and each.of}
        if not wanted:
            return {}
        ids = [mark_id(kind, target) for kind, target in sorted(wanted)]
        answer = await self._client.mget(
            index=self._marks, ids=ids, filter_path=["docs.found", "docs._source", "docs.error"]
        )
        found: dict[tuple[str, str], Mark] = {}
        for told in answer["docs"]:
            if "error" in told:
                raise Transient(f"{self._settings.url}: {reason(told)}; run `wiredesk index create`")
            if told["found"]:
                made = Mark(**told["_source"])
                found[made.kind, made.target] = made
        return found

    async def _put(
        self, events: Sequence[Event], members: Sequence[Member], known: Mapping[tuple[str, str], Mark]
    ) -> list[Rejected | None]:
        now = time_ns() // 1_000_000
        stemmed = await self._languages()
        wanted = [(document_id(event.story.uri), month(event)) for event in events]
        homes = await self._homes.find(wanted)

        def make(start: int) -> list[Entry]:
            part = slice(start, start + REQUEST)
            entries = []
            for event, each, (id_, _), home in zip(
                events[part], members[part], wanted[part], homes[part], strict=True
            ):
                source = document(event)
                _judge(source, each, known)
                source["indexed"] = now
                entries.append(_entry(home, id_, source["revision"], source | stems(source, stemmed)))
            return entries

        return await self._bulk(*(partial(make, start) for start in range(0, len(events), REQUEST)))

    async def _languages(self) -> frozenset[str]:
        if self._stemmed is None:
            self._stemmed = await stemmed_languages(self._client, self._settings)
        return self._stemmed

    async def _bulk(self, *makers: Callable[[], Sequence[Entry]]) -> list[Rejected | None]:
        """Send what each makes while the server works on the one before; what was refused, one by one."""
        sent: list[asyncio.Task[list[Rejected | None]]] = []
        try:
            for make in makers:
                entries = await asyncio.to_thread(make)
                if len(sent) >= IN_FLIGHT:
                    await sent[-IN_FLIGHT]
                sent.append(asyncio.create_task(self._requests(entries)))
            return [each for answers in await asyncio.gather(*sent) for each in answers]
        finally:
            for task in sent:
                task.cancel()
            await asyncio.gather(*sent, return_exceptions=True)

    async def _requests(self, entries: Sequence[Entry]) -> list[Rejected | None]:
        """Send entries in requests of bounded size."""
        results: list[Rejected | None] = []
        for batch in _batches(entries, self._settings.batch, self._settings.batch_bytes):
            results += await self._request(batch)
        return results

    async def _request(self, batch: Sequence[Entry]) -> list[Rejected | None]:
        from elasticsearch import ApiError

        lines: list[Any] = [line for each in batch for line in (each.action, each.source)]
        try:
            answer = await self._client.bulk(
                operations=lines, filter_path=["errors", "items.*.status", "items.*.error"]
            )
        except ApiError as error:
            if error.status_code != 413:
                raise
            return await self._smaller(batch)
        return [self._outcome(next(iter(item.values()))) for item in answer["items"]]

    async def _smaller(self, batch: Sequence[Entry]) -> list[Rejected | None]:
        """A request over the server's limit: send its halves; one entry alone can't be helped."""
        if len(batch) == 1:
            INDEXED.labels(SINK, "refused").inc()
            return [
                Unindexable(
                    f"a document of {batch[0].size} bytes is over the server's http.max_content_length"
                )
            ]
        middle = len(batch) // 2
        return [*await self._request(batch[:middle]), *await self._request(batch[middle:])]

    def _outcome(self, item: Mapping[str, Any]) -> Rejected | None:
        status = item["status"]
        if status < 300:
            INDEXED.labels(SINK, "written").inc()
            return None
        if status == STALE:
            INDEXED.labels(SINK, "stale").inc()
            return None
        if status in WAITING or status >= 500:
            raise Transient(f"{self._settings.url}: {status} {reason(item)}{hint(status)}")
        INDEXED.labels(SINK, "refused").inc()
        return Unindexable(reason(item))

    async def _settle(self, marks: Sequence[Mark]) -> None:
        """Judge again every stored story that a mark may touch."""
        if not marks:
            return
        chains = sorted({each.target for each in marks if each.kind == "kill"})
        targets = sorted({each.target for each in marks if each.kind == "correction"})
        await self._client.indices.refresh(index=self._settings.index)
        should = [{"terms": {"chain": chains}}, {"terms": {"uri": targets}}, {"terms": {"of": targets}}]
        after: list[Any] | None = None
        while True:
            answer = await self._client.search(
                index=self._settings.index, query={"bool": {"should": should}}, size=SETTLED, version=True,
                sort=["uri"], search_after=after,
            )  # fmt: skip
            hits = answer["hits"]["hits"]
            await self._judge_again(hits)
            if len(hits) < SETTLED:
                return
            after = hits[-1]["sort"]

    async def _judge_again(self, hits: Sequence[Mapping[str, Any]]) -> None:
        known = await self._get_marks([member_of(hit["_source"]) for hit in hits])
        stemmed = await self._languages()
        entries = []
        for hit in hits:
            source, home = hit["_source"], taken_apart(hit["_index"])
            before = source.get("hidden"), source.get("hiddenBy")
            _judge(source, member_of(source), known)
            if (source.get("hidden"), source.get("hiddenBy")) != before:
                target = home[0] if home else hit["_index"]
                entries.append(_entry(target, hit["_id"], hit["_version"], source | stems(source, stemmed)))
        await self._bulk(lambda: entries)


def _judge(source: dict[str, Any], each: Member, known: Mapping[tuple[str, str], Mark]) -> None:
    def marks(kind: MarkKind, target: str) -> Mark | None:
        return known.get((kind, target))

    hidden, by = standing(each, marks)
    source.pop("hidden", None)
    source.pop("hiddenBy", None)
    if hidden:
        source |= {"hidden": hidden, "hiddenBy": by}


def _entry(index: str, id_: str, version: int, source: dict[str, Any], *, alias: bool = True) -> Entry:
    action = {
        "_index": index,
        "_id": id_,
        "version": version,
        "version_type": "external_gte",
        "require_alias": alias,
    }
    return Entry(id_, orjson.dumps({"index": action}), orjson.dumps(source))


def _batches(entries: Sequence[Entry], count: int, size: int) -> Iterable[list[Entry]]:
    batch: list[Entry] = []
    total = 0
    for each in entries:
        if batch and (len(batch) >= count or total + each.size > size):
            yield batch
            batch, total = [], 0
        batch.append(each)
        total += each.size
    if batch:
        yield batch
