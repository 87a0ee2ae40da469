"""One index a month, behind aliases, and where the documents of stories are.

``<index>`` is the alias that is read. A month is written through an alias of its own, ``<index>-2026.11``, which
stands for one index, ``<index>-2026.11-000001``; a new mapping makes ``…-000002``. Stories older than two years go to
``<index>-older``, so that an archive does not make an index of every month that it ever saw. A story stays in the
month of its first version, whatever later versions say.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from config.settings import Elasticsearch
from processors.errors import Transient
from processors.model.event import Event
from processors.times import read_milliseconds, to_milliseconds
from sinks.elasticsearch.documents import stored_source

if TYPE_CHECKING:
    from elasticsearch import AsyncElasticsearch

OLDER_MONTH: Final = "older"
# Months for which there is an index each. More make hundreds of small indices of an archive, which the server keeps in
# memory; fewer put into one index what `wiredesk index prune` would delete month by month.
MAX_AGE_MONTHS: Final = 24
# Stories written of late, which a search may not see yet. Fewer than are written between two refreshes of the server
# would put a new version into another month; each takes about 200 bytes of memory.
MAX_REMEMBERED_STORIES: Final = 50_000
_NAME: Final = re.compile(r"(?P<alias>.+-(?P<month>\d{4}\.\d{2}|older))-(?P<number>\d{6})")


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


def write_alias(index: str, month: str) -> str:
    """The alias through which a month is written."""
    return f"{index}-{month}"


def index_name(alias: str, number: int) -> str:
    """The name of the index behind a write alias."""
    return f"{alias}-{number:06}"


def parse_index_name(name: str) -> tuple[str, str, int] | None:
    """The write alias, month and number of an index's name; None for a name that is not ours."""
    match = _NAME.fullmatch(name)
    return (match["alias"], match["month"], int(match["number"])) if match else None


def _month_number(moment: int) -> int:
    date = datetime.fromtimestamp(max(moment, 0) / 1000, UTC)
    return date.year * 12 + date.month


class NewDocument(NamedTuple):
    """A document to write: its id, the month that it belongs to if it is new, and whose story it is."""

    id: str
    month: str
    source: str


class StoredDocument(NamedTuple):
    """A document that is on the server: the write alias of its index, and whose story it is."""

    alias: str
    source: str


class WriteAliases:
    """The write alias of each story, and the months that are on the server."""

    def __init__(self, client: AsyncElasticsearch, settings: Elasticsearch) -> None:
        """Nothing is asked before the first call."""
        self._client, self._index = client, settings.index
        self._remembered: OrderedDict[str, StoredDocument] = OrderedDict()
        self._absent: set[str] = set()  # ids of which the server was just asked in vain
        self._on_server: set[str] = set()
        self._is_refreshed = False

    def forget(self) -> None:
        """Ask the server anew: other writers may have had our stories, or an operator has changed the indices."""
        self._remembered.clear()
        self._on_server.clear()
        self._is_refreshed = False

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

    async def find(self, documents: Sequence[NewDocument]) -> list[str]:
        """The write alias of each document.

        Raises:
            Transient: templates or aliases are missing.
        """
        missing = {document.id for document in documents if document.id not in self._remembered}
        await self._look_up(missing - self._absent)
        self._absent.clear()
        aliases = []
        for document in documents:
            stored = self._remembered.get(document.id)
            alias = stored.alias if stored else write_alias(self._index, document.month)
            self._remember(document.id, StoredDocument(alias, document.source))
            aliases.append(alias)
        for alias in sorted(set(aliases) - self._on_server):
            await ensure_month(self._client, self._index, alias)
            self._on_server.add(alias)
        return aliases

    async def _look_up(self, ids: set[str]) -> None:
        if not ids:
            return
        if not self._is_refreshed:
            await self._client.indices.refresh(index=self._index)
            self._is_refreshed = True
        answer = await self._client.search(
            index=self._index, query={"ids": {"values": sorted(ids)}}, size=len(ids), sort=["_doc"],
            source={"includes": ["event.provenance.source"]}, track_total_hits=False,
            filter_path=["hits.hits._id", "hits.hits._index", "hits.hits._source"],
        )  # fmt: skip
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


async def ensure_month(client: AsyncElasticsearch, index: str, alias: str) -> bool:
    """Make the first index of a month where there is none, and return whether one was made.

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
        await client.indices.create(index=index_name(alias, 1), aliases=aliases)
    except BadRequestError as error:
        if error.error != "resource_already_exists_exception":
            raise
        return False
    return True
