"""One index a month, behind aliases, and where the documents of stories are.

``<index>`` is the alias that is read. A month is written through an alias of its own, ``<index>-2026.11``, which
stands for one index, ``<index>-2026.11-000001``; a new mapping makes ``…-000002``. Stories older than two years go to
``<index>-older``, so that an archive does not make an index of every month that it ever saw. A story stays in the
month of its first version, whatever later versions say.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from processors.errors import PartAway, Transient
from processors.model.event import Event
from processors.times import read_milliseconds, to_milliseconds
from sinks.answers import LOOKED_AT, find_answer
from sinks.elasticsearch.client import ElasticJson, IndexConnection, describe_answer, error_reason, row_of
from sinks.elasticsearch.documents import stored_source
from sinks.elasticsearch.inventory import (
    Inventory,
    differing_fields,
    index_name,
    parse_index_name,
    read_inventory,
    write_alias,
)
from sinks.elasticsearch.templates import template_fault, wanted_fields

if TYPE_CHECKING:
    from elasticsearch import AsyncElasticsearch

OLDER_MONTH: Final = "older"
# Months for which there is an index each. More make hundreds of small indices of an archive, which the server keeps in
# memory; fewer put into one index what `wiredesk index prune` would delete month by month.
MAX_AGE_MONTHS: Final = 24
# Stories written of late, which a search may not see yet. Fewer than are written between two refreshes of the server
# would put a new version into another month; each takes about 200 bytes of memory.
MAX_REMEMBERED_STORIES: Final = 50_000


def month_of(event: Event) -> str:
    """The month of an event's first creation, ``YYYY.MM``, or `OLDER_MONTH`; at the latest that of its reception."""
    received = to_milliseconds(event.provenance.received) if event.provenance else 0
    timestamp = event.story.first_created or event.story.version_created
    written = read_milliseconds(timestamp) if timestamp else None
    created = received if written is None else min(written, received)
    is_old = _month_number(received) - _month_number(created) > MAX_AGE_MONTHS
    return OLDER_MONTH if is_old else month_name(created)


def month_name(moment: int) -> str:
    """The month of a moment in milliseconds since the epoch, ``YYYY.MM``."""
    return f"{datetime.fromtimestamp(moment / 1000, UTC):%Y.%m}"


def _month_number(moment: int) -> int:
    date = datetime.fromtimestamp(max(moment, 0) / 1000, UTC)
    return date.year * 12 + date.month


class NewDocument(NamedTuple):
    """A document to write: its id, the month that it belongs to if it is new, and whose story it is.

    `is_later` says that an earlier version of it was written before, in whatever month.
    """

    id: str
    month: str
    source: str
    is_later: bool = False


class StoredDocument(NamedTuple):
    """A document that is on the server: the write alias of its index, and whose story it is."""

    alias: str
    source: str


class WriteAliases:
    """The write alias of each story, and the months that are on the server.

    `away` has the months for which stories wait, by write alias, with the reason; `unread` what is written and not shown.
    """

    def __init__(self, connection: IndexConnection) -> None:
        """Nothing is asked before the first call."""
        self._connection, self._index = connection, connection.settings.index
        self._remembered: OrderedDict[str, StoredDocument] = OrderedDict()
        self._absent: set[str] = set()  # ids of which the server was just asked in vain
        self._ready: set[str] = set()  # write aliases of months that are on the server and have our mapping
        self._is_refreshed = False
        self._inventory: Inventory | None = None
        self.away: dict[str, str] = {}

    def forget(self) -> None:
        """Ask the server anew: other writers may have had our stories, or an operator has changed the indices."""
        self._remembered.clear()
        self._ready.clear()
        self.away.clear()
        self._is_refreshed = False
        self._inventory = None

    async def look(self) -> Inventory:
        """Ask the server anew which indices there are, and which months are no longer away."""
        self._inventory = inventory = await read_inventory(self._connection.client, self._index)
        self._ready = {
            alias for alias in self._ready if inventory.months.get(alias) and not inventory.fault(alias)
        }
        waiting, self.away = self.away, {}
        for alias in waiting:
            await self._make_ready(alias)
        return inventory

    @property
    def unsearchable(self) -> dict[str, str]:
        """The months of which a search did not see all documents at the last look, and why."""
        return self._inventory.unsearchable() if self._inventory else {}

    @property
    def searched(self) -> list[str]:
        """The read alias, and what of ours is written without being behind it."""
        return [self._index, *(self._inventory.unread() if self._inventory else ())]

    async def refresh(self) -> None:
        """Let searches see what was written; a month without a shard at work would hold the server up for a minute."""
        indices = self.searched
        if self._inventory and self.unsearchable:
            live = {index for alias in self._inventory.months for index in self._inventory.live(alias)}
            indices = sorted(index.name for index in live if index.is_searchable)
        if indices:
            await self._connection.client.indices.refresh(index=indices, ignore_unavailable=True)

    @property
    def is_all_away(self) -> bool:
        """Whether no month of the server can be written: then it is the server rather than a month."""
        inventory = self._inventory
        return inventory is not None and all(
            alias in self.away or inventory.fault(alias) for alias in inventory.months
        )

    async def find_sources(self, uris: Mapping[str, str]) -> dict[str, str]:
        """Whose stories are stored under some uris, which are given by the ids of their documents.

        Raises:
            Transient: an index is not one of a month.
        """
        missing = {id_ for id_ in uris if id_ not in self._remembered}
        await self._look_up(missing)
        self._absent = missing.difference(self._remembered)
        return {
            uri: stored.source
            for id_, uri in uris.items()
            if (stored := self._remembered.get(id_)) is not None
        }

    async def read_stored(self, ids: Sequence[str]) -> list[ElasticJson]:
        """The documents of those ids that are on the server, as they are now; `find_sources` has looked for them."""
        wanted = {id_: stored.alias for id_ in ids if (stored := self._remembered.get(id_))}
        documents = [
            {"_index": alias, "_id": id_, "_source": ["event"]}
            for id_, alias in wanted.items()
            if alias not in self.away
        ]
        if not documents:
            return []
        answer = await self._connection.client.mget(
            docs=documents, filter_path=["docs.found", "docs._source"]
        )
        return [stored["_source"] for stored in answer.get("docs", ()) if stored.get("found")]

    async def find(self, documents: Sequence[NewDocument]) -> list[str | PartAway]:
        """The write alias of each document, or the month that can't be written.

        Raises:
            Transient: an index is not one of a month.
        """
        missing = {document.id for document in documents if document.id not in self._remembered}
        await self._look_up(missing - self._absent)
        self._absent.clear()
        unsearchable = self.unsearchable
        aliases: list[str | PartAway] = []
        for document in documents:
            stored = self._remembered.get(document.id)
            if stored is None and document.is_later and unsearchable:
                month, reason = next(iter(unsearchable.items()))
                self.away[month] = reason
                aliases.append(PartAway(month, reason))
                continue
            alias = stored.alias if stored else write_alias(self._index, document.month)
            self._remember(document.id, StoredDocument(alias, document.source))
            if alias not in self._ready and alias not in self.away:
                await self._make_ready(alias)
            aliases.append(PartAway(alias, self.away[alias]) if alias in self.away else alias)
        return aliases

    def note_refusal(self, alias: str, reason: str) -> None:
        """A month refuses what it is sent, though it looked ready."""
        self._ready.discard(alias)
        self.away[alias] = reason

    async def check_mapping(self, alias: str, *, is_whole: bool = True) -> str | None:
        """What is wrong with the mapping of a month's index; None where it is ours, or the index is not there.

        Fields that it lacks count only where `is_whole`: an older mapping takes the stories that do not need them.
        """
        from elasticsearch import NotFoundError

        try:
            stored = await self._connection.client.indices.get_mapping(index=alias)
        except NotFoundError:
            return None
        wanted = await wanted_fields(self._connection.client, self._index)
        for name, state in stored.body.items():
            for field, present, kind in differing_fields(wanted, state["mappings"]):
                if present == "missing" and not is_whole:
                    continue
                reason = f"{name} has another mapping ({field} is {present}, not {kind})"
                return describe_answer(find_answer("index", LOOKED_AT, "contract", "", "month"), name, reason)
        return None

    async def _make_ready(self, alias: str) -> None:
        """See to it that a month can be written, or note in `away` why not."""
        if self._inventory is None:
            self._inventory = await read_inventory(self._connection.client, self._index)
        fault = self._inventory.fault(alias)
        if fault is None and not self._inventory.months.get(alias):
            fault = await self._make_month(alias)
        if fault is None:
            fault = await self.check_mapping(alias, is_whole=False)
        if fault is None:
            self._ready.add(alias)
        else:
            self.away[alias] = fault

    async def _make_month(self, alias: str) -> str | None:
        from elasticsearch import BadRequestError

        try:
            return await ensure_month(self._connection.client, self._index, alias)
        except BadRequestError as error:
            row = row_of(error, "month")
            return describe_answer(
                row, alias, f"{alias} can't be made: {error.status_code} {error_reason(error.body)}"
            )

    async def _look_up(self, ids: set[str]) -> None:
        if not ids:
            return
        client = self._connection.client
        if self._inventory is None:
            self._inventory = await read_inventory(client, self._index)
        indices = self.searched
        if not self._is_refreshed:
            await self.refresh()
            self._is_refreshed = True
        answer = await client.search(
            index=indices, query={"ids": {"values": sorted(ids)}}, size=2 * len(ids), sort=["_doc"],
            source={"includes": ["event.provenance.source"]}, track_total_hits=False, ignore_unavailable=True,
            filter_path=["_shards.failed", "hits.hits._id", "hits.hits._index", "hits.hits._source"],
        )  # fmt: skip
        if answer["_shards"]["failed"] and not self.unsearchable:
            await self.look()
        for hit in answer.get("hits", {}).get("hits", []):
            parts = parse_index_name(hit["_index"])
            if not parts:
                raise Transient(f"{hit['_index']} is not an index of a month: run `wiredesk index reindex`")
            self._remember(hit["_id"], StoredDocument(parts[0], stored_source(hit.get("_source", {}))))

    def _remember(self, id_: str, stored: StoredDocument) -> None:
        self._remembered[id_] = stored
        self._remembered.move_to_end(id_)
        if len(self._remembered) > MAX_REMEMBERED_STORIES:
            self._remembered.popitem(last=False)


async def ensure_month(client: AsyncElasticsearch, index: str, alias: str) -> str | None:
    """Make the first index of a month where there is none, and return what keeps it from being made.

    Raises:
        Transient: the template is missing, without which the index would have a mapping of the server's invention.
    """
    from elasticsearch import BadRequestError

    if await client.indices.exists_alias(name=alias):
        return None
    if not await client.indices.exists_index_template(name=index):
        raise Transient(f"there is no template {index}: run `wiredesk index create`")
    if fault := await template_fault(client, index, index_name(alias, 1)):
        return fault
    try:
        aliases = {index: {}, alias: {"is_write_index": True}}
        await client.indices.create(index=index_name(alias, 1), aliases=aliases)
    except BadRequestError as error:
        if error.error != "resource_already_exists_exception":
            raise
    return None
