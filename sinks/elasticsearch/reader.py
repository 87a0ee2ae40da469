"""Reading the index: the desk's `Stories` over Elasticsearch."""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import orjson
from msgspec import Meta, structs

from config.settings import Elasticsearch
from processors.model.codec import from_builtins
from processors.model.event import Event
from processors.numbers import MAX_INT64
from sinks.desk.views import Arrivals, Found, Hit, Page, Query
from sinks.elasticsearch.client import connect, told_apart
from sinks.elasticsearch.documents import document_id
from sinks.elasticsearch.index import stemmed_languages
from sinks.sqlite.reader import MARKED, fitted, now_ms
from sinks.words import Term, fold, terms

if TYPE_CHECKING:
    from elasticsearch import AsyncElasticsearch

SEARCHED: Final = ("headline^4", "other^2", "text")
WINDOW: Final = 10_000  # the server's max_result_window
SETTLING_MS: Final = 2500  # a document may be searchable this much later than its time of indexing says
Json = dict[str, Any]
Whole = Annotated[int, Meta(ge=0, le=MAX_INT64)]  # a cursor: how many hits were shown …
LastHit = tuple[Whole, str]  # … or the last one's time in milliseconds and its uri


class ElasticStories:
    """`sinks.desk.ports.Stories` over Elasticsearch."""

    def __init__(
        self,
        settings: Elasticsearch,
        client: AsyncElasticsearch | None = None,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        """`clock` tells in milliseconds when embargoes end."""
        self._settings = settings
        self._client = client or connect(settings)
        self._clock = clock
        self._stemmed: frozenset[str] | None = None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def latest(self, query: Query) -> Page:
        """The newest stories that pass the filters."""
        return await self.search(replace(query, words=""))

    async def search(self, query: Query) -> Page:
        """The stories that fit the words and filters."""
        wanted = terms(query.words)
        if query.words.strip() and all(term.excluded for term in wanted):
            return Page(())
        body = _body(query, wanted, self._clock(), await self._languages() if wanted else ())
        if body["from_"] + query.limit >= WINDOW:
            return Page(())
        hits = await self._search(**body)
        shown = hits[: query.limit]
        counts = await self._duplicates({hit["_source"]["card"]["chain"] for hit in shown})
        page = tuple(_hit(hit["_source"], wanted, counts) for hit in shown)
        if len(hits) <= query.limit:
            return Page(page)
        paged = body["from_"] + query.limit if _by_offset(query) else shown[-1]["sort"]
        return Page(page, _packed(paged))

    async def get(self, uri: str) -> Found | None:
        """One story, killed or not; None where it is unknown or still under embargo."""
        hits = await self._search(
            query=_all(_term("_id", document_id(uri)), _shown(self._clock())), size=1,
            source=["event", "hidden", "hiddenBy"],
        )  # fmt: skip
        if not hits:
            return None
        told = hits[0]["_source"]
        return Found(from_builtins(told["event"], Event), told.get("hidden"), told.get("hiddenBy"))

    async def events(self, uris: Sequence[str]) -> Sequence[Event]:
        """Several stories in the order asked for."""
        ids = {document_id(uri): uri for uri in uris}
        hits = await self._search(
            query=_all({"ids": {"values": list(ids)}}, _shown(self._clock())), size=len(ids), source=["event"]
        )
        found = {ids[hit["_id"]]: hit["_source"]["event"] for hit in hits}
        return [from_builtins(found[uri], Event) for uri in uris if uri in found]

    async def versions(self, chain: str) -> Sequence[Hit]:
        """Every member of a chain in the order of the log."""
        hits = await self._search(
            query=_all(_term("chain", chain), _shown(self._clock())), size=500,
            sort=["sequence", "received", "uri"], source=["card"],
        )  # fmt: skip
        return [from_builtins(hit["_source"]["card"], Hit) for hit in hits]

    async def arrivals(self, cursor: str | None, limit: int = 100) -> Arrivals:
        """What was indexed since a cursor, a little behind, so that nothing that becomes searchable late is missed."""
        end = self._clock() - SETTLING_MS
        if (since := _unpacked(cursor, LastHit)) is None:
            with told_apart(self._settings.url):
                await self._client.indices.get_alias(name=self._settings.index)
            return Arrivals((), _packed([end, ""]))
        hits = await self._search(
            query=_all(_shown(self._clock()), {"range": {"indexed": {"gte": since[0], "lte": end}}}, _standing()),
            size=limit, sort=["indexed", "uri"], source=["card"], search_after=since,
        )  # fmt: skip
        found = tuple(from_builtins(hit["_source"]["card"], Hit) for hit in hits)
        return Arrivals(found, _packed(hits[-1]["sort"]) if hits else str(cursor))

    async def languages(self) -> Sequence[str]:
        """The languages that occur."""
        with told_apart(self._settings.url):
            answer = await self._client.search(
                index=self._settings.index, size=0, track_total_hits=False,
                aggs={"tags": {"terms": {"field": "base", "size": 200, "order": {"_key": "asc"}}}},
            )  # fmt: skip
        return [bucket["key"] for bucket in answer["aggregations"]["tags"]["buckets"]]

    async def _languages(self) -> Collection[str]:
        if self._stemmed is None:
            with told_apart(self._settings.url):
                self._stemmed = await stemmed_languages(self._client, self._settings)
        return self._stemmed

    async def _search(self, **told: Any) -> list[Json]:
        with told_apart(self._settings.url):
            answer = await self._client.search(index=self._settings.index, track_total_hits=False, **told)
        hits: list[Json] = answer["hits"]["hits"]
        return hits

    async def _duplicates(self, chains: set[str]) -> dict[str, int]:
        if not chains:
            return {}
        with told_apart(self._settings.url):
            answer = await self._client.search(
                index=self._settings.index, size=0, track_total_hits=False,
                query=_all({"terms": {"chain": sorted(chains)}}, _term("relation", "duplicate")),
                aggs={"chains": {"terms": {"field": "chain", "size": len(chains)}}},
            )  # fmt: skip
        return {bucket["key"]: bucket["doc_count"] for bucket in answer["aggregations"]["chains"]["buckets"]}


def _body(query: Query, wanted: Sequence[Term], now: int, stemmed: Collection[str]) -> Json:
    filters = [_shown(now), *_filters(query)]
    must = [_fits(term, stemmed) for term in wanted if not term.excluded]
    made: Json = {"bool": {"filter": filters, "must": must}}
    made["bool"]["must_not"] = [_fits(term) for term in wanted if term.excluded]
    if not query.duplicates and query.relation != "duplicate":
        made["bool"]["must_not"].append(_term("relation", "duplicate"))
    if query.relation != "kill":
        made["bool"]["must_not"].append({"exists": {"field": "hidden"}})
    field = "received" if query.order == "received" else "time"
    newest: list[Any] = [{field: "desc"}, {"uri": "asc"}]
    body: Json = {
        "query": made,
        "size": query.limit + 1,
        "from_": 0,
        "sort": ["_score", *newest] if query.order == "relevance" and wanted else newest,
        "source": ["card", "text"] if wanted else ["card"],
    }
    if query.collapse:
        body |= {"collapse": {"field": "chain"}}
    if _by_offset(query):
        body["from_"] = _unpacked(query.after, Whole) or 0
    elif after := _unpacked(query.after, LastHit):
        body["search_after"] = after
    return body


def _by_offset(query: Query) -> bool:
    """Whether pages are counted: the server can't go on from a hit where it collapses chains or sorts by fit."""
    return query.collapse or query.order == "relevance"


def _filters(query: Query) -> list[Json]:
    found = [
        _term(field, value)
        for field, value in (
            ("feed", query.feed), ("relation", query.relation), ("topics", query.topic),
            ("names", fold(query.entity) if query.entity else None),
            ("language" if query.language and "-" in query.language else "base", query.language),
        )
        if value
    ]  # fmt: skip
    if query.since:
        found.append({"range": {"time": {"gte": query.since}}})
    return found


def _fits(term: Term, stemmed: Collection[str] = ()) -> Json:
    """The term as it stands; a single word in other forms as well, where the story's language has an analyzer."""
    kind = "phrase_prefix" if term.prefix else "phrase"
    exact = {"multi_match": {"query": " ".join(term.typed), "type": kind, "fields": list(SEARCHED)}}
    if not stemmed or term.prefix or len(term.words) > 1:
        return exact
    fields = [f"stemmed.{language}" for language in sorted(stemmed)]
    return {"bool": {"should": [exact, {"multi_match": {"query": term.typed[0], "fields": fields}}]}}


def _hit(source: Json, wanted: Sequence[Term], counts: dict[str, int]) -> Hit:
    shown = from_builtins(source["card"], Hit)
    shown = structs.replace(shown, duplicates=counts.get(shown.chain, 0))
    return fitted(shown, source["text"][:MARKED], wanted) if wanted else shown


def _all(*parts: Json) -> Json:
    return {"bool": {"filter": list(parts)}}


def _term(field: str, value: str) -> Json:
    return {"term": {field: value}}


def _shown(now: int) -> Json:
    return {"range": {"visibleFrom": {"lte": now}}}


def _standing() -> Json:
    """Neither killed nor corrected, but the kills themselves."""
    hidden = {"bool": {"must_not": [{"exists": {"field": "hidden"}}]}}
    return {"bool": {"should": [hidden, _term("relation", "kill")]}}


def _packed(told: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(told)).decode().rstrip("=")


def _unpacked(told: str | None, kind: Any) -> Any:
    """A cursor taken apart, which is of a kind; None for one that is not ours."""
    if not told:
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(told + "=" * (-len(told) % 4)), type=kind)
    except (ValueError, msgspec.MsgspecError):
        return None
