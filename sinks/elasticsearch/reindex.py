"""A new index behind the alias, without downtime: where a mapping has changed.

Documents are made anew from the events that they hold. Writers go on meanwhile: they write to the old index until the
alias moves, and what they wrote since the copy began is copied once more afterwards; versions keep the later one.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import orjson

from config.settings import Elasticsearch
from processors.codec import from_builtins
from processors.errors import Transient
from processors.event import Event
from sinks.elasticsearch import index
from sinks.elasticsearch.client import reason, told_apart
from sinks.elasticsearch.documents import document
from sinks.search_reader import now_ms

if TYPE_CHECKING:
    from elasticsearch import AsyncElasticsearch

PAGE: Final = 200
MARGIN_MS: Final = 60_000  # clocks of writers may be this far behind ours
Hit = Mapping[str, Any]


async def reindex(
    client: AsyncElasticsearch, settings: Elasticsearch, clock: Callable[[], int] = now_ms
) -> list[str]:
    """Copy the index into a new one with the templates of today, and move the alias; what was done, a line each.

    Raises:
        Transient: the server does not answer, or refuses a document. The alias has not moved then; start again.
    """
    await index.create(client, settings)
    name = settings.index
    with told_apart(settings.url):
        old = sorted((await client.indices.get_alias(name=name)).body)
        new = f"{name}-{_following(old):06}"
        await client.indices.create(index=new)
        began = clock() - MARGIN_MS
        copied = await _copy(client, old, new, {"match_all": {}})
        await client.indices.refresh(index=old)
        copied += await _copy(client, old, new, _since(began))
        moves: list[dict[str, Any]] = [{"remove": {"index": each, "alias": name}} for each in old]
        moves.append({"add": {"index": new, "alias": name, "is_write_index": True}})
        await client.indices.update_aliases(actions=moves)
        await client.indices.refresh(index=old)
        late = await _copy(client, old, new, _since(began))
        await client.indices.refresh(index=new)
    return [
        f"copied {copied + late} documents into {new}",
        f"{name} stands for {new} now",
        f"no longer used, delete when you like: {', '.join(old)}",
    ]


async def _copy(client: AsyncElasticsearch, old: list[str], new: str, query: dict[str, Any]) -> int:
    count = 0
    async for hits in _pages(client, old, query):
        lines: list[Any] = []
        for hit in hits:
            action = {"_id": hit["_id"], "version": hit["_version"], "version_type": "external_gte"}
            lines += [orjson.dumps({"index": action}), orjson.dumps(_made_anew(hit["_source"]))]
        answer = await client.bulk(
            index=new, operations=lines, filter_path=["items.*.status", "items.*.error"]
        )
        for item in answer["items"]:
            told = item["index"]
            if told["status"] >= 300 and told["status"] != 409:
                raise Transient(f"{new}: {reason(told)}; the alias has not moved")
        count += len(hits)
    return count


async def _pages(
    client: AsyncElasticsearch, old: list[str], query: dict[str, Any]
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


def _made_anew(source: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: source[name] for name in ("hidden", "hiddenBy", "indexed") if name in source}
    return document(from_builtins(source["event"], Event)) | kept


def _since(moment: int) -> dict[str, Any]:
    return {"range": {"indexed": {"gte": moment}}}


def _following(names: list[str]) -> int:
    numbers = [int(found[1]) for name in names if (found := re.search(r"-(\d{6})$", name))]
    return max(numbers, default=0) + 1
