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
from sinks.elasticsearch.client import reason, told_apart
from sinks.elasticsearch.documents import document, stems
from sinks.elasticsearch.months import month, numbered, taken_apart, write_alias
from sinks.sqlite.reader import now_ms

if TYPE_CHECKING:
    from elasticsearch import AsyncElasticsearch

PAGE: Final = 200
MARGIN_MS: Final = 60_000  # clocks of writers may be this far behind ours
Hit = Mapping[str, Any]


async def reindex(
    client: AsyncElasticsearch, settings: Elasticsearch, clock: Callable[[], int] = now_ms
) -> list[str]:
    """Copy the indices into new ones with the templates of today, and move the aliases; what was done, a line each.

    Stories stay in their month; an index that is not a month's is taken apart by the months of its stories.

    Raises:
        Transient: the server does not answer, or refuses a document. The aliases have not moved then; start again.
    """
    await index.create(client, settings, clock)
    with told_apart(settings.url):
        behind = (await client.indices.get_alias(name=settings.index)).body
        copy = _Copy(
            client, settings.index, sorted(behind), {}, await index.stemmed_languages(client, settings)
        )
        for old in copy.old:
            if parts := taken_apart(old):
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
        """Copy what fits a query; how many documents."""
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
                    orjson.dumps(self._made_anew(event, hit["_source"])),
                ]
            await self._send(lines)
            count += len(hits)
        return count

    async def target(self, alias: str) -> str:
        """The new index of a write alias."""
        if alias not in self.targets:
            numbers = [parts[2] for each in self.old if (parts := taken_apart(each)) and parts[0] == alias]
            self.targets[alias] = name = numbered(alias, max(numbers, default=0) + 1)
            await self.client.indices.delete(
                index=name, ignore_unavailable=True
            )  # of a copy that was broken off
            await self.client.indices.create(index=name)
        return self.targets[alias]

    def _alias(self, old: str, event: Event) -> str:
        parts = taken_apart(old)
        return parts[0] if parts else write_alias(self.name, month(event))

    def _made_anew(self, event: Event, source: Mapping[str, Any]) -> dict[str, Any]:
        kept = {name: source[name] for name in ("hidden", "hiddenBy", "indexed") if name in source}
        made = document(event)
        return made | kept | stems(made, self.stemmed)

    async def _send(self, lines: list[Any]) -> None:
        answer = await self.client.bulk(operations=lines, filter_path=["items.*.status", "items.*.error"])
        for item in answer["items"]:
            told = item["index"]
            if told["status"] >= 300 and told["status"] != 409:
                raise Transient(f"{self.name}: {reason(told)}; the aliases have not moved")


async def _pages(
    client: AsyncElasticsearch, old: Sequence[str], query: dict[str, Any]
) -> AsyncIterator[list[Hit]]:
    after: list[Any] | None = None
    wanted: Any = ["event", "hidden", "hiddenBy", "indexed"]
    while True:
        answer = await client.search(
            index=old, query=query, size=PAGE, sort=["uri"], search_after=after, version=True,
            source=wanted,
        )  # fmt: skip
        hits = answer["hits"]["hits"]
        if hits:
            yield hits
        if len(hits) < PAGE:
            return
        after = hits[-1]["sort"]


def _moves(name: str, old: Sequence[str], targets: Mapping[str, str]) -> list[dict[str, Any]]:
    """Every alias moves at one moment."""
    moves: list[dict[str, Any]] = [{"remove": {"index": each, "alias": "*"}} for each in old]
    for alias, new in targets.items():
        moves.append({"add": {"index": new, "alias": name}})
        moves.append({"add": {"index": new, "alias": alias, "is_write_index": True}})
    return moves


def _since(moment: int) -> dict[str, Any]:
    return {"range": {"indexed": {"gte": moment}}}
