"""Reading the index: the desk's `Stories` over Elasticsearch."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import orjson
from msgspec import Meta, structs

from config.settings import Elasticsearch
from processors.errors import Transient
from processors.model.codec import from_builtins
from processors.model.event import Event
from processors.numbers import MAX_INT64
from processors.sources import short_uri
from sinks.elasticsearch.activity import read_activity
from sinks.elasticsearch.client import ElasticJson, IndexConnection, LoginRefused, connect, translate_errors
from sinks.elasticsearch.documents import chain_query, document_id, version_id, versions_index
from sinks.elasticsearch.inventory import read_inventory
from sinks.elasticsearch.query_dsl import compile_query
from sinks.query import QueryTree, asks_for, query_tree, wanted_words
from sinks.rising import Activity, ActivitySpan
from sinks.search import (
    MAX_OFFSET,
    Arrivals,
    BadCursor,
    Hit,
    Page,
    Query,
    SearchTooSlow,
    StoredStory,
    find_openings,
    highlight_words,
    name_first_sources,
)
from sinks.search_words import SearchTerm
from sinks.stories import lineage, now_ms
from sinks.versions import MAX_KEPT_VERSIONS, version_key

if TYPE_CHECKING:
    from elasticsearch import AsyncElasticsearch

GRACE_S: Final = (
    3.0  # for an answer behind the server's own deadline: shorter blames a busy network on the search
)
SEARCH_TIMEOUT_S: Final = 2.0  # the default of ``desk.search_timeout_s``
MAX_CLUSTER_STORIES: Final = 500  # of one happening that are shown
MAX_CHAIN_MEMBERS: Final = 500  # of one chain that are shown; a running story has some dozens
MAX_LANGUAGES: Final = 200
# A document may be searchable this much later than its time of indexing says: the refresh interval of the index and
# the time of a bulk request. Less misses arrivals for ever, more shows them late.
SETTLING_MS: Final = 2500
HitCount = Annotated[int, Meta(ge=0, le=MAX_INT64)]  # a cursor: how many hits were shown …
LastHit = tuple[HitCount, str]  # … or the last one's time in milliseconds and its uri


class ElasticStories:
    """`sinks.search.Stories` over Elasticsearch."""

    def __init__(
        self,
        settings: Elasticsearch,
        client: AsyncElasticsearch | None = None,
        clock: Callable[[], int] = now_ms,
        timeout_s: float = SEARCH_TIMEOUT_S,
    ) -> None:
        """`clock` tells in milliseconds when embargoes end; the server gives a search up after `timeout_s` seconds."""
        self._timeout_s = timeout_s
        self._settings = settings
        # The server gives up first; where it hangs altogether, we do so soon after.
        patience_s = min(settings.timeout_s, timeout_s + GRACE_S)
        self._connection = IndexConnection(
            settings, (client or connect(settings)).options(request_timeout=patience_s)
        )
        self._clock = clock
        self._versions = versions_index(settings.index)

    @property
    def _client(self) -> AsyncElasticsearch:
        return self._connection.client

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Errors in our terms; a user or key that is refused is taken from its file again, for the next request."""
        try:
            with translate_errors(self._settings.url):
                yield
        except LoginRefused:
            self._connection.log_in_again()
            raise

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def latest(self, query: Query) -> Page:
        """The newest stories that pass the filters."""
        return await self.search(replace(query, words=""))

    async def search(self, query: Query) -> Page:
        """The stories that fit the words and filters."""
        tree = query_tree(query)
        wanted = wanted_words(tree)
        body = _search_request(query, tree, wanted, self._clock())
        if body["from_"] > MAX_OFFSET:
            return Page(())
        hits = await self._search(**body, versions=query.versions)
        shown = hits[: query.limit]
        counts = await self._duplicates({short_uri(hit["_source"]["chain"]) for hit in shown})
        # Marking words in long texts takes a while, which the event loop has not.
        visible = await self._without_hidden(shown) if query.versions else shown
        page = await asyncio.to_thread(lambda: tuple(self._hit(hit, wanted, counts) for hit in visible))
        page = name_first_sources(page, await self._first_sources(find_openings(page)))
        if len(hits) <= query.limit:
            return Page(page)
        if not _by_offset(query):
            return Page(page, _pack_cursor(shown[-1]["sort"]))
        following = body["from_"] + query.limit
        return Page(page, _pack_cursor(following) if following <= MAX_OFFSET else None)

    async def get(self, uri: str) -> StoredStory | None:
        """One story, killed or not; None where it is unknown or still under embargo."""
        hits = await self._search(
            query=_all(_term("_id", document_id(short_uri(uri))), _shown(self._clock())), size=1,
            source=["event", "hidden", "hiddenBy"],
        )  # fmt: skip
        if not hits:
            return None
        source = hits[0]["_source"]
        return StoredStory(
            from_builtins(source["event"], Event), source.get("hidden"), source.get("hiddenBy")
        )

    async def withheld(self, uris: Sequence[str]) -> bool:
        """Whether a story of these uris is under embargo."""
        ids = [document_id(short_uri(uri)) for uri in uris]
        held = {"range": {"visibleFrom": {"gt": self._clock()}}}
        return bool(await self._search(query=_all({"ids": {"values": ids}}, held), size=1, source=False))

    async def events(self, uris: Sequence[str]) -> Sequence[Event]:
        """Several stories in the order asked for."""
        ids = {document_id(short_uri(uri)): uri for uri in uris}
        hits = await self._search(
            query=_all({"ids": {"values": list(ids)}}, _shown(self._clock())), size=len(ids), source=["event"]
        )
        stored = {ids[hit["_id"]]: hit["_source"]["event"] for hit in hits}
        return [from_builtins(stored[uri], Event) for uri in uris if uri in stored]

    async def versions(self, chain: str) -> Sequence[Hit]:
        """Every member of a chain in the order of the log."""
        hits = await self._search(
            query=_all(chain_query(short_uri(chain)), _shown(self._clock())), size=MAX_CHAIN_MEMBERS,
            sort=["sequence", "received", "uri"], source=["card"],
        )  # fmt: skip
        return [from_builtins(hit["_source"]["card"], Hit) for hit in hits]

    async def cluster(self, cluster: str) -> Sequence[Hit]:
        """The reports of one happening in the order of the log."""
        hits = await self._search(
            query=_all(_term("cluster", cluster), _shown(self._clock()), _not_hidden()), size=MAX_CLUSTER_STORIES,
            sort=["received", "uri"], source=["card"],
        )  # fmt: skip
        cards = [from_builtins(hit["_source"]["card"], Hit) for hit in hits]
        return sorted(cards, key=lambda card: card.cluster.sequence if card.cluster else 0)

    async def kept_versions(self, uri: str) -> Sequence[StoredStory]:
        """The versions of a story, the current one first, then the newest."""
        current = await self.get(uri)
        if current is None:
            return []
        hits = await self._search(
            query=_all(_term("uri", current.event.story.uri), _shown(self._clock()), _term("_index", self._versions)),
            size=MAX_KEPT_VERSIONS, sort=[{"revision": "desc"}], source=["event", "hidden", "hiddenBy"], versions=True,
        )  # fmt: skip
        sources = [hit["_source"] for hit in hits]
        kept = [
            StoredStory(
                from_builtins(source["event"], Event),
                source.get("hidden") or current.hidden,
                source.get("hiddenBy") or current.by,
            )
            for source in sources
        ]
        key = version_key(current.event)
        return [current, *(stored for stored in kept if version_key(stored.event) != key)]

    async def _without_hidden(self, hits: Sequence[ElasticJson]) -> list[ElasticJson]:
        """The hits without replaced versions of stories that are now hidden or under embargo, or that say the same."""
        uris = {hit["_source"]["card"]["uri"] for hit in hits if hit["_index"] == self._versions}
        if not uris:
            return list(hits)
        ids = [document_id(uri) for uri in sorted(uris)]
        current = await self._search(
            query=_all({"ids": {"values": ids}}, _shown(self._clock()), _not_hidden()), size=len(ids),
            source=["event"],
        )  # fmt: skip
        events = [from_builtins(hit["_source"]["event"], Event) for hit in current]
        shown = {event.story.uri for event in events if lineage(event).relation != "kill"}
        repeated = {version_id(event) for event in events}
        return [
            hit
            for hit in hits
            if hit["_index"] != self._versions
            or (hit["_source"]["card"]["uri"] in shown and hit["_id"] not in repeated)
        ]

    def _hit(self, hit: ElasticJson, wanted: Sequence[SearchTerm], counts: dict[str, int]) -> Hit:
        made = _hit(hit["_source"], wanted, counts)
        return structs.replace(made, superseded=True) if hit["_index"] == self._versions else made

    async def arrivals(self, cursor: str | None, limit: int = 100) -> Arrivals:
        """What was indexed since a cursor, a little behind, so that nothing that becomes searchable late is missed."""
        end = self._clock() - SETTLING_MS
        if (since := _unpack_cursor(cursor, LastHit)) is None:
            with self._errors():
                await self._client.indices.get_alias(name=self._settings.index)
            return Arrivals((), _pack_cursor([end, ""]))
        hits = await self._search(
            query=_all(_shown(self._clock()), {"range": {"indexed": {"gte": since[0], "lte": end}}}, _not_hidden()),
            size=limit, sort=["indexed", "uri"], source=["card"], search_after=since,
        )  # fmt: skip
        arrived = tuple(from_builtins(hit["_source"]["card"], Hit) for hit in hits)
        return Arrivals(arrived, _pack_cursor(hits[-1]["sort"]) if hits else str(cursor))

    async def languages(self) -> Sequence[str]:
        """The languages that occur."""
        tags = {"terms": {"field": "base", "size": MAX_LANGUAGES, "order": {"_key": "asc"}}}
        answer = await self._ask(size=0, aggs={"tags": tags})
        return [bucket["key"] for bucket in answer["aggregations"]["tags"]["buckets"]]

    async def activity(self, span: ActivitySpan) -> Activity:
        """The stories of a span by hour."""
        return await read_activity(self._ask, span, self._clock())

    async def faults(self) -> Sequence[str]:
        """The months that can't be written or searched, or are not shown, and what mends it; or why nothing answers."""
        try:
            with self._errors():
                inventory = await read_inventory(self._client, self._settings.index)
        except Transient as error:
            return [str(error)]
        months = {alias: fault for alias in inventory.months if (fault := inventory.fault(alias))}
        unread = [
            f"{name} is written and not shown: run `wiredesk index create`" for name in inventory.unread()
        ]
        return [*(inventory.unsearchable() | months).values(), *unread]

    async def _search(self, *, versions: bool = False, **request: Any) -> list[ElasticJson]:
        hits: list[ElasticJson] = (await self._ask(versions=versions, **request))["hits"]["hits"]
        return hits

    async def _ask(self, *, versions: bool = False, **request: Any) -> Any:
        """The answer to a search, which the server gives up at our deadline; with `versions` of replaced ones as well."""
        with self._errors():
            answer = await self._client.search(
                index=[self._settings.index, self._versions] if versions else self._settings.index,
                ignore_unavailable=True,  # a month that is closed: the others are shown …
                allow_no_indices=False,  # … but nothing at all is no answer
                track_total_hits=False,
                timeout=f"{int(self._timeout_s * 1000)}ms",
                **request,
            )
        if answer.get("timed_out"):
            reason = f"given up after {self._timeout_s:g} s; use more or longer words, or a shorter time"
            raise SearchTooSlow(reason)
        return answer

    async def _first_sources(self, uris: set[str]) -> dict[str, str | None]:
        """Who sent the stories of some uris that may be seen."""
        if not uris:
            return {}
        ids = [document_id(short_uri(uri)) for uri in sorted(uris)]
        hits = await self._search(
            query=_all({"ids": {"values": ids}}, _shown(self._clock()), _not_hidden()), size=len(ids),
            source=["uri", "source"],
        )  # fmt: skip
        return {hit["_source"]["uri"]: hit["_source"].get("source") for hit in hits}

    async def _duplicates(self, chains: set[str]) -> dict[str, int]:
        if not chains:
            return {}
        answer = await self._ask(
            size=0, query=_all({"terms": {"chain": sorted(chains)}}, _term("relation", "duplicate")),
            aggs={"chains": {"terms": {"field": "chain", "size": len(chains)}}},
        )  # fmt: skip
        return {bucket["key"]: bucket["doc_count"] for bucket in answer["aggregations"]["chains"]["buckets"]}


def _search_request(query: Query, tree: QueryTree, wanted: Sequence[SearchTerm], now: int) -> ElasticJson:
    is_ranked = query.order == "relevance" and bool(wanted)
    filters = [_shown(now), _not_hidden() if asks_for(tree, "kill") else _not_even_a_kill()]
    criteria: ElasticJson = {"bool": {"filter": filters, "must_not": []}}
    asked = compile_query(tree, now)
    if is_ranked:
        criteria["bool"]["must"] = [asked]
    else:
        filters.append(asked)
    if not query.duplicates and not asks_for(tree, "duplicate"):
        criteria["bool"]["must_not"].append(_term("relation", "duplicate"))
    field = "received" if query.order == "received" else "time"
    newest: list[Any] = [{field: "desc"}, {"uri": "asc"}]
    body: ElasticJson = {
        "query": criteria,
        "size": query.limit + 1,
        "from_": 0,
        "sort": ["_score", *newest] if is_ranked else newest,
        "source": ["card", "chain", "text"] if wanted else ["card", "chain"],
    }
    if query.grouped:
        filters.append({"exists": {"field": "cluster"}})
    if query.collapse or query.grouped:
        body |= {"collapse": {"field": "cluster" if query.grouped else "chain"}}
    if _by_offset(query):
        body["from_"] = _unpack_cursor(query.after, HitCount) or 0
    elif after := _unpack_cursor(query.after, LastHit):
        body["search_after"] = after
    return body


def _by_offset(query: Query) -> bool:
    """Whether pages are counted: the server can't go on from a hit where it collapses chains or sorts by fit."""
    return query.collapse or query.grouped or query.order == "relevance"


def _hit(source: ElasticJson, wanted: Sequence[SearchTerm], counts: dict[str, int]) -> Hit:
    hit = from_builtins(source["card"], Hit)
    hit = structs.replace(hit, duplicates=counts.get(short_uri(source["chain"]), 0))
    return highlight_words(hit, source["text"], wanted) if wanted else hit


def _all(*parts: ElasticJson) -> ElasticJson:
    return {"bool": {"filter": list(parts)}}


def _term(field: str, value: str) -> ElasticJson:
    return {"term": {field: value}}


def _shown(now: int) -> ElasticJson:
    return {"range": {"visibleFrom": {"lte": now}}}


def _not_hidden() -> ElasticJson:
    """The condition that a story is neither killed nor corrected; kills themselves fit it."""
    hidden = {"bool": {"must_not": [{"exists": {"field": "hidden"}}]}}
    return {"bool": {"should": [hidden, _term("relation", "kill")]}}


def _not_even_a_kill() -> ElasticJson:
    """The condition that nothing hides a story; kills hide themselves."""
    return {"bool": {"must_not": [{"exists": {"field": "hidden"}}]}}


def _pack_cursor(value: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")


def _unpack_cursor(cursor: str | None, kind: Any) -> Any:
    """The value of a cursor; None for none.

    Raises:
        BadCursor: it is not of the kind, or not ours.
    """
    if not cursor:
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=kind)
    except (ValueError, msgspec.MsgspecError):
        raise BadCursor from None
