"""New indices behind the aliases, without downtime: where a mapping has changed.

Documents are made anew from the events that they hold. Writers go on meanwhile: they write to the old indices until
the aliases move, and what they wrote since the copy began is copied once more afterwards; versions keep the later one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from config.settings import Elasticsearch
from processors.errors import Transient
from processors.model.codec import from_builtins
from processors.model.event import Event
from sinks.elasticsearch import index
from sinks.elasticsearch.client import error_reason, translate_errors
from sinks.elasticsearch.documents import document, search_fields
from sinks.elasticsearch.months import index_name, month_of, parse_index_name, write_alias
from sinks.stories import now_ms

if TYPE_CHECKING:
    from elasticsearch import AsyncElasticsearch

PAGE_DOCUMENTS: Final = 200  # of one search: more make requests of tens of megabytes, fewer more round trips
# How far clocks of writers may be behind ours: what they wrote before would otherwise be missing from the copy. A
# longer margin copies more documents twice.
MARGIN_MS: Final = 60_000
RawHit = Mapping[str, Any]


async def copy_indices(
    client: AsyncElasticsearch, settings: Elasticsearch, clock: Callable[[], int] = now_ms
) -> list[str]:
    """Copy the indices into new ones with the templates of today, and move the aliases; what was done, a line each.

    Stories stay in their month; an index that is not a month's is taken apart by the months of its stories.

    Raises:
        Transient: the server does not answer, or refuses a document. The aliases have not moved then; start again.
    """
    await index.create(client, settings, clock)
    with translate_errors(settings.url):
        behind = (await client.indices.get_alias(name=settings.index)).body
        copy = _Copy(
            client, settings.index, sorted(behind), {}, await index.stemmed_languages(client, settings)
        )
        for old in copy.old:
            if parts := parse_index_name(old):
                await copy.target(parts[0])
        began = clock() - MARGIN_MS
        count = await copy.run({"match_all": {}})
        await client.indices.refresh(index=copy.old)
        count += await copy.run(_since(began))
        await client.indices.update_aliases(actions=_moves(settings.index, copy.old, copy.targets))
        await client.indices.refresh(index=copy.old)
        count += await copy.run(_since(began))
        await client.indices.refresh(index=settings.index)
    return [
        f"copied {count} documents into {', '.join(sorted(copy.targets.values()))}",
        f"{settings.index} stands for them now",
        f"no longer used, delete when you like: {', '.join(copy.old)}",
    ]


@dataclass(slots=True)
class _Copy:
    """A copy of `old` under way; `targets` is the new index of each write alias, made when the first story needs it."""

    client: AsyncElasticsearch
    name: str
    old: Sequence[str]
    targets: dict[str, str]
    stemmed: frozenset[str]

    async def run(self, query: dict[str, Any]) -> int:
        """Copy what fits a query, and return how many documents that were."""
        count = 0
        async for hits in _pages(self.client, self.old, query):
            lines: list[Any] = []
            for hit in hits:
                event = from_builtins(hit["_source"]["event"], Event)
                action = {
                    "_index": await self.target(self._alias(hit["_index"], event)), "_id": hit["_id"],
                    "version": hit["_version"], "version_type": "external_gte",
                }  # fmt: skip
                lines += [
                    orjson.dumps({"index": action}),
                    orjson.dumps(self._new_document(event, hit["_source"])),
                ]
            await self._send(lines)
            count += len(hits)
        return count

    async def target(self, alias: str) -> str:
        """The new index of a write alias."""
        if alias not in self.targets:
            numbers = [
                parts[2] for name in self.old if (parts := parse_index_name(name)) and parts[0] == alias
            ]
            self.targets[alias] = name = index_name(alias, max(numbers, default=0) + 1)
            await self.client.indices.delete(
                index=name, ignore_unavailable=True
            )  # of a copy that was broken off
            await self.client.indices.create(index=name)
        return self.targets[alias]

    def _alias(self, old: str, event: Event) -> str:
        parts = parse_index_name(old)
        return parts[0] if parts else write_alias(self.name, month_of(event))

    def _new_document(self, event: Event, source: Mapping[str, Any]) -> dict[str, Any]:
        kept = {name: source[name] for name in ("hidden", "hiddenBy", "indexed") if name in source}
        fields = document(event)
        return fields | kept | search_fields(fields, self.stemmed)

    async def _send(self, lines: list[Any]) -> None:
        answer = await self.client.bulk(operations=lines, filter_path=["items.*.status", "items.*.error"])
        for item in answer["items"]:
            answered = item["index"]
            if answered["status"] >= 300 and answered["status"] != 409:
                raise Transient(f"{self.name}: {error_reason(answered)}; the aliases have not moved")


async def _pages(
    client: AsyncElasticsearch, old: Sequence[str], query: dict[str, Any]
) -> AsyncIterator[list[RawHit]]:
    after: list[Any] | None = None
    members: Any = ["event", "hidden", "hiddenBy", "indexed"]
    while True:
        answer = await client.search(
            index=old, query=query, size=PAGE_DOCUMENTS, sort=["uri"], search_after=after, version=True,
            source=members,
        )  # fmt: skip
        hits = answer["hits"]["hits"]
        if hits:
            yield hits
        if len(hits) < PAGE_DOCUMENTS:
            return
        after = hits[-1]["sort"]


def _moves(name: str, old: Sequence[str], targets: Mapping[str, str]) -> list[dict[str, Any]]:
    """The actions that move all aliases at one moment."""
    moves: list[dict[str, Any]] = [{"remove": {"index": name_, "alias": "*"}} for name_ in old]
    for alias, new in targets.items():
        moves.append({"add": {"index": new, "alias": name}})
        moves.append({"add": {"index": new, "alias": alias, "is_write_index": True}})
    return moves


def _since(moment: int) -> dict[str, Any]:
    return {"range": {"indexed": {"gte": moment}}}
