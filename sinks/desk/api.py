"""The JSON API beside the pages: the contract's events and the lists that lead to them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web
from msgspec import Struct

from processors.model.codec import to_builtins
from processors.model.event import ClusterStanding, Event
from sinks.desk.access import CALLER, READER
from sinks.desk.operations import Operation, Parameter, error_response, json_response
from sinks.desk.ports import FeedHealth, Feeds, PipelineState
from sinks.desk.queries import MAX_LIMIT, PARAMETER_NAMES, SearchTurns, read_query
from sinks.desk.stream import Wire
from sinks.desk.tokens import Scope
from sinks.search import Hit, StoredStory, Stories
from sinks.stories import HiddenReason
from sinks.versions import KeptVersion, VersionDifference, compare_versions, list_versions, version_key

FLAG_VALUES: Final = {"enum": ["1", "0", "true", "false"]}
# What each parameter of a search means; one that `sinks.desk.queries` knows and nobody has described can't be served.
_MEANINGS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "q": ('Words that must occur; a "phrase", -not, begin*. Without words: the newest.', {}),
    "language": ("BCP 47 tag; regional variants are of it.", {}),
    "feed": ("The id of a feed.", {}),
    "relation": (
        "What a story is to its chain.",
        {"enum": ["new", "update", "correction", "kill", "duplicate"]},
    ),
    "entity": ("The name of a person, place or organisation, or an alias.", {}),
    "topic": ("A Media Topic's code or URI, with what lies below it.", {}),
    "since": ("Not before this time: RFC 3339, or 24h, or 7d.", {}),
    "until": ("Before this time.", {}),
    "order": ("How the answers are ordered.", {"enum": ["newest", "received", "relevance"]}),
    "duplicates": ("1: with repeats.", FLAG_VALUES),
    "collapse": ("1: only the latest member of each chain.", FLAG_VALUES),
    "versions": ("1: also versions that later ones have replaced.", FLAG_VALUES),
    "grouped": ("1: only the latest report of each cluster.", FLAG_VALUES),
    "cluster": ("The id of a cluster, whose reports alone are listed.", {}),
    "limit": ("Stories of a page.", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT}),
    "after": ("`after` of the page before.", {}),
}


def _describe_parameter(name: str) -> Parameter:
    meaning, schema = _MEANINGS[name]
    return Parameter(name, meaning, {"type": "string", **schema})


SEARCH_PARAMETERS: Final = tuple(map(_describe_parameter, PARAMETER_NAMES))
URI: Final = Parameter("uri", "The uri of a story, percent-encoded.", where="path")


class StoryList(Struct, frozen=True):
    """Stories, and the cursor of the next page; null where nothing follows."""

    stories: tuple[Hit, ...]
    after: str | None


class VersionList(Struct, frozen=True):
    """What a uri has said, newest first."""

    versions: tuple[KeptVersion, ...]


class ChainMembers(Struct, frozen=True):
    """Every member of a chain, in order."""

    stories: tuple[Hit, ...]


class ClusterSummary(Struct, frozen=True):
    """A happening as its latest report has it: how many reports, sources and languages there were with that one."""

    id: str
    first: str
    reports: int
    sources: int
    languages: tuple[str, ...]
    latest: Hit


class ClusterList(Struct, frozen=True):
    """Happenings, and the cursor of the next page; null where nothing follows."""

    clusters: tuple[ClusterSummary, ...]
    after: str | None


class ClusterReports(ClusterSummary, frozen=True):
    """A happening with its reports, in the order in which they came."""

    stories: tuple[Hit, ...]


class FeedList(Struct, frozen=True):
    """The health of every feed."""

    feeds: tuple[FeedHealth, ...]


class CallerReport(Struct, frozen=True):
    """Who asks, and what he may."""

    name: str
    scopes: tuple[Scope, ...]


class StepState(Struct, frozen=True, rename="camel"):
    """How far a step is behind: records that wait, and the age of the oldest."""

    step: str
    records: int
    oldest_seconds: float


class PipelineReport(Struct, frozen=True, rename="camel"):
    """How the pipeline fares; `deadLetters` is null, and `steps` empty, where this desk does not see it."""

    steps: tuple[StepState, ...]
    dead_letters: int | None
    index: tuple[str, ...]


# The parameters of a search that say which stories stand in its list; the others say how it is shown.
FILTER_NAMES: Final = frozenset(
    {
        *("q", "language", "feed", "relation", "entity", "topic", "since", "until", "duplicates", "cluster"),
    }
)


class Api:
    """The handlers under ``/api``."""

    def __init__(
        self,
        stories: Stories,
        feeds: Feeds,
        pipeline: PipelineState | None,
        wire: Wire,
        turns: SearchTurns,
        page_size: int,
    ) -> None:
        """`page_size` is how many stories a page has that asks for no number."""
        self._stories, self._feeds, self._pipeline = stories, feeds, pipeline
        self._wire, self._turns = wire, turns
        self._page_size = page_size

    def operations(self) -> list[Operation]:
        """The API's addresses."""
        key = Parameter("key", "The key of one version, whose event is the answer then.")
        between = (
            Parameter("old", "The key of the older version."),
            Parameter("new", "The key of the newer version."),
        )
        chain = Parameter("chain", "The uri of the chain's first story.", where="path")
        cluster = Parameter("cluster", "The id of a cluster.", where="path")
        place = (
            Parameter("after", "Go on behind this story: the id of an event."),
            Parameter("Last-Event-ID", "The same, as browsers send it.", where="header"),
        )
        listed = tuple(one for one in SEARCH_PARAMETERS if one.name in FILTER_NAMES)
        version_uri = "/api/stories/{uri:.+}"
        return [
            Operation("GET", "/api/stories", self.stories, StoryList, SEARCH_PARAMETERS),
            Operation("GET", f"{version_uri}/versions", self.versions, (VersionList, Event), (URI, key)),
            Operation(
                "GET",
                f"{version_uri}/difference",
                self.difference,
                (VersionDifference, Event),
                (URI, *between),
            ),
            Operation("GET", version_uri, self.story, Event, (URI,)),
            Operation("GET", "/api/chains/{chain:.+}", self.chain, ChainMembers, (chain,)),
            Operation("GET", "/api/clusters", self.clusters, ClusterList, SEARCH_PARAMETERS),
            Operation("GET", "/api/clusters/{cluster:.+}", self.cluster, ClusterReports, (cluster,)),
            Operation("GET", "/api/feeds", self.feeds, FeedList),
            Operation("GET", "/api/pipeline", self.pipeline, PipelineReport),
            Operation("GET", "/api/me", self.me, CallerReport),
            Operation(
                "GET",
                "/api/stream",
                self._wire.answer,
                parameters=(*listed, *place),
                media_type="text/event-stream",
            ),
        ]

    async def stories(self, request: web.Request) -> web.Response:
        """``{"stories": [...], "after": "..."}``: with `q` a search, else the newest; `after` leads to the next page."""
        query = read_query(request.query, self._page_size, datetime.now(UTC)).query
        async with self._turns.take_turn(request[READER]):
            page = await (self._stories.search(query) if query.words else self._stories.latest(query))
        return json_response({"stories": to_builtins(page.hits), "after": page.after})

    async def versions(self, request: web.Request) -> web.Response:
        """``{"versions": [...]}``: what a uri has said, newest first. With ``key`` the event of one of them."""
        uri = request.match_info["uri"]
        stored = await self._stories.kept_versions(uri)
        if not stored:
            return await self._story_at(f"{uri}/versions")
        key = request.query.get("key")
        if key is None:
            return await asyncio.to_thread(
                lambda: json_response({"versions": to_builtins(tuple(list_versions(stored)))})
            )
        chosen = next((kept for kept in stored if version_key(kept.event) == key), None)
        return await _event_response(chosen) if chosen else _not_found(f"{uri} has no version {key}")

    async def difference(self, request: web.Request) -> web.Response:
        """How two versions differ, by words: those of the keys `old` and `new`, else the current one and the one before."""
        uri = request.match_info["uri"]
        stored = await self._stories.kept_versions(uri)
        if not stored:
            return await self._story_at(f"{uri}/difference")
        asked = request.query.get("old"), request.query.get("new")
        difference = await asyncio.to_thread(lambda: compare_versions(stored, *asked))
        if difference is None:
            return _not_found(f"{uri} has no two such versions")
        response = json_response(to_builtins(difference))
        return _tell_hidden(response, difference.old.hidden or difference.new.hidden)

    async def story(self, request: web.Request) -> web.Response:
        """The event of a uri, as the contract says; ``X-Wiredesk-Hidden`` tells of a kill or correction."""
        return await self._story_at(request.match_info["uri"])

    async def _story_at(self, uri: str) -> web.Response:
        stored = await self._stories.get(uri)
        return _not_found(f"no story has the uri {uri}") if stored is None else await _event_response(stored)

    async def chain(self, request: web.Request) -> web.Response:
        """Every member of a chain, in order."""
        chain = request.match_info["chain"]
        members = await self._stories.versions(chain)
        if not members:
            return _not_found(f"no chain has the id {chain}")
        return await asyncio.to_thread(lambda: json_response({"stories": to_builtins(tuple(members))}))

    async def clusters(self, request: web.Request) -> web.Response:
        """``{"clusters": [...], "after": "..."}``: the happenings with their latest report, newest first."""
        query = read_query(request.query, self._page_size, datetime.now(UTC)).query
        query = replace(query, grouped=True, collapse=False, versions=False)
        async with self._turns.take_turn(request[READER]):
            page = await (self._stories.search(query) if query.words else self._stories.latest(query))
        clusters = [describe_cluster(hit.cluster, hit) for hit in page.hits if hit.cluster]
        return json_response({"clusters": clusters, "after": page.after})

    async def cluster(self, request: web.Request) -> web.Response:
        """The reports of one happening in the order in which they came, and what the latest says of the whole."""
        name = request.match_info["cluster"]
        hits = await self._stories.cluster(name)
        latest = hits[-1] if hits else None
        if latest is None or latest.cluster is None:
            return _not_found(f"no cluster has the id {name}")
        whole = describe_cluster(latest.cluster, latest) | {"stories": to_builtins(tuple(hits))}
        return await asyncio.to_thread(lambda: json_response(whole))

    async def feeds(self, _request: web.Request) -> web.Response:
        """The health of every feed."""
        return json_response({"feeds": to_builtins(tuple(await self._feeds.list()))})

    async def pipeline(self, _request: web.Request) -> web.Response:
        """How far each step is behind, how many dead letters wait, and what is wrong with the index."""
        faults = list(await self._stories.faults())
        if self._pipeline is None:
            return json_response({"steps": [], "deadLetters": None, "index": faults})
        steps = [
            {"step": lag.consumer, "records": lag.records, "oldestSeconds": round(lag.seconds, 3)}
            for lag in await self._pipeline.lags()
        ]
        dead = await self._pipeline.dead_letters()
        return json_response({"steps": steps, "deadLetters": dead, "index": faults})

    async def me(self, request: web.Request) -> web.Response:
        """Who asks, as the log of changes would name him, and what he may."""
        caller = request[CALLER]
        return json_response({"name": caller.name, "scopes": sorted(caller.scopes)})


def describe_cluster(standing: ClusterStanding, latest: Hit) -> dict[str, Any]:
    """A happening as its latest report has it: how many reports, sources and languages there were with that one."""
    return {
        "id": standing.id,
        "first": standing.first,
        "reports": standing.sequence,
        "sources": standing.sources,
        "languages": list(standing.languages),
        "latest": to_builtins(latest),
    }


async def _event_response(stored: StoredStory) -> web.Response:
    response = await asyncio.to_thread(lambda: json_response(to_builtins(stored.event)))
    return _tell_hidden(response, stored.hidden)


def _tell_hidden(response: web.Response, hidden: HiddenReason | None) -> web.Response:
    if hidden:
        response.headers["X-Wiredesk-Hidden"] = hidden
    return response


def _not_found(message: str) -> web.Response:
    return error_response("NotFound", message, 404)
