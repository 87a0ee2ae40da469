"""Where the stories of a batch live: a story stays in the month of its first version, whatever later versions say."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from config.settings import Elasticsearch
from processors.errors import Transient
from sinks.elasticsearch.months import numbered, taken_apart, write_alias

if TYPE_CHECKING:
    from elasticsearch import AsyncElasticsearch

REMEMBERED: Final = 50_000  # stories written of late, which a search may not see yet


class Homes:
    """The write aliases of stories, and the months that stand on the server."""

    def __init__(self, client: AsyncElasticsearch, settings: Elasticsearch) -> None:
        """Nothing is asked before the first call."""
        self._client, self._index = client, settings.index
        self._known: OrderedDict[str, str] = OrderedDict()
        self._standing: set[str] = set()
        self._refreshed = False

    def forget(self) -> None:
        """Ask the server anew: other writers may have had our stories, or an operator has changed the indices."""
        self._known.clear()
        self._standing.clear()
        self._refreshed = False

    async def find(self, wanted: Sequence[tuple[str, str]]) -> list[str]:
        """The write alias of each document, given its id and the month that it belongs to if it is new.

        Raises:
            Transient: templates or aliases are missing.
        """
        await self._look_up({each for each, _ in wanted if each not in self._known})
        found = []
        for each, month in wanted:
            home = self._known.get(each) or write_alias(self._index, month)
            self._remember(each, home)
            found.append(home)
        await self._make(sorted(set(found) - self._standing))
        return found

    async def _look_up(self, ids: set[str]) -> None:
        if not ids:
            return
        if not self._refreshed:
            await self._client.indices.refresh(index=self._index)
            self._refreshed = True
        answer = await self._client.search(
            index=self._index, query={"ids": {"values": sorted(ids)}}, size=len(ids), source=False, sort=["_doc"],
            track_total_hits=False, filter_path=["hits.hits._id", "hits.hits._index"],
        )  # fmt: skip
        for hit in answer.get("hits", {}).get("hits", []):
            parts = taken_apart(hit["_index"])
            if not parts:
                raise Transient(f"{hit['_index']} is not an index of a month: run `wiredesk index reindex`")
            self._remember(hit["_id"], parts[0])

    async def _make(self, aliases: Iterable[str]) -> None:
        """The index of a month that nothing was written to yet."""
        for alias in aliases:
            await ensure(self._client, self._index, alias)
            self._standing.add(alias)

    def _remember(self, each: str, home: str) -> None:
        self._known[each] = home
        self._known.move_to_end(each)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)


async def ensure(client: AsyncElasticsearch, index: str, alias: str) -> bool:
    """Make the first index of a month where there is none; whether one was made.

    Raises:
        Transient: the template is missing, without which the index would have a mapping of the server's invention.
    """
    from elasticsearch import BadRequestError

    if await client.indices.exists_alias(name=alias):
        return False
    if not await client.indices.exists_index_template(name=index):
        raise Transient(f"there is no template {index}: run `wiredesk index create`")
    try:
        aliases = {index: {}, alias: {"is_write_index": True}}
        await client.indices.create(index=numbered(alias, 1), aliases=aliases)
    except BadRequestError as error:
        if error.error != "resource_already_exists_exception":
            raise
        return False
    return True
