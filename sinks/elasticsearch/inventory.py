"""Which indices of ours stand on the server, behind their aliases or not, and what keeps one from being written.

Every index of the name counts (``<index>-2026.11-000001``), also those that an operator, a rollover or a copy that was
broken off has left behind no alias.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sinks.answers import LOOKED_AT, AnswerRow, find_answer
from sinks.elasticsearch.client import describe_answer
from sinks.elasticsearch.documents import PUBLIC_FILTER, all_alias, current_alias, versions_index

if TYPE_CHECKING:
    from elasticsearch import AsyncElasticsearch

_NAME: Final = re.compile(r"(?P<alias>.+-(?P<month>\d{4}\.\d{2}|older))-(?P<number>\d{6,})")
# Blocks of an index that refuse documents; "metadata" alone does not.
WRITE_BLOCKS: Final = ("read_only", "read_only_allow_delete", "write")
CONTRACT: Final = "3"  # of `config/elasticsearch/stories-mappings.json`, which a test compares


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


@dataclass(frozen=True, slots=True)
class MonthIndex:
    """An index of a month.

    Attributes:
        alias: the write alias that its name stands for.
        is_read: it is behind the read alias.
        writes: whether its alias writes to it: True or False as the alias says, None where it does not say, or
            "absent" where the index is not behind the alias.
        blocks: those of `WRITE_BLOCKS` that are set.
        contract: of its mapping; None where that is not ours.
        is_red: one of its shards is at work nowhere.
        other_aliases: the write aliases of other months behind which it is as well.
        public_aliases: those for readers (`current_alias`, `all_alias`) behind which it is, with their filter.
    """

    name: str
    alias: str
    month: str
    number: int
    is_read: bool
    writes: bool | str | None
    is_closed: bool
    blocks: tuple[str, ...]
    contract: str | None
    is_red: bool
    other_aliases: tuple[str, ...] = ()
    public_aliases: frozenset[str] = frozenset()

    @property
    def is_searchable(self) -> bool:
        """Whether a search sees all of its documents."""
        return not self.is_closed and not self.is_red


@dataclass(frozen=True, slots=True)
class Inventory:
    """The indices of the name, by write alias, each alias's by their numbers; `strangers` are others behind the read alias.

    `version_aliases` are the aliases for readers behind which the index of versions is, with their filter; None where
    there is no such index.
    """

    name: str
    months: Mapping[str, Sequence[MonthIndex]]
    strangers: Sequence[str] = ()
    version_aliases: frozenset[str] | None = None

    def indices(self) -> Iterator[MonthIndex]:
        """All of them."""
        for indices in self.months.values():
            yield from indices

    def live(self, alias: str) -> list[MonthIndex]:
        """Those of a month that are read or written: what is behind neither alias is a copy that nobody uses."""
        return [index for index in self.months.get(alias, ()) if index.is_read or index.writes != "absent"]

    def written(self, alias: str) -> MonthIndex | None:
        """The index that an alias writes to, as the server decides it."""
        if any(alias in index.other_aliases for index in self.indices()):
            return None
        members = [index for index in self.months.get(alias, ()) if index.writes != "absent"]
        flagged = [index for index in members if index.writes is True]
        if flagged:
            return flagged[0]
        return members[0] if len(members) == 1 and members[0].writes is None else None

    def unread(self) -> list[str]:
        """The indices that are written and not behind the read alias."""
        return [index.name for index in self.indices() if not index.is_read and index.writes != "absent"]

    def unsearchable(self) -> dict[str, str]:
        """The months of which a search does not see all documents, and why."""
        return {
            index.alias: fault
            for index in self.indices()
            if (index.is_read or index.writes != "absent") and not index.is_searchable
            if (fault := _index_fault(index))
        }

    def fault(self, alias: str) -> str | None:
        """What keeps a month from being written, and what mends it; None where nothing does, or it is to be made."""
        indices = self.months.get(alias, ())
        if not indices:
            return None
        target = self.written(alias)
        if target is not None:
            return _index_fault(target)
        if all(index.writes == "absent" for index in indices):
            reason = f"{', '.join(index.name for index in indices)} is there without the alias {alias}"
            return describe_answer(
                find_answer("index", 404, "index_not_found_exception", "", "month"), alias, reason
            )
        reason = f"no write index of its own is defined for alias {alias}"
        return describe_answer(
            find_answer("index", 400, "illegal_argument_exception", reason, "month"), alias, reason
        )


def _index_fault(index: MonthIndex) -> str | None:
    row: AnswerRow
    if index.is_closed:
        row, reason = find_answer("index", 400, "index_closed_exception", "", "month"), "is closed"
    elif index.blocks:
        blocks = ", ".join(f"index.blocks.{block}" for block in index.blocks)
        row = find_answer("index", 403, "cluster_block_exception", f"index [{index.name}]", "month")
        reason = f"is read-only ({blocks})"
    elif index.contract != CONTRACT:
        row = find_answer("index", LOOKED_AT, "contract", "", "month")
        reason = f"has another mapping (contract {index.contract or 'none'}, not {CONTRACT})"
    elif index.is_red:
        row = find_answer("index", 503, "unavailable_shards_exception", "", "month")
        reason = "has a shard that is at work nowhere"
    else:
        return None
    return describe_answer(row, index.name, f"{index.name} {reason}")


async def read_inventory(client: AsyncElasticsearch, name: str) -> Inventory:
    """Ask the server which indices of a name there are.

    Raises:
        ApiError, TransportError: of the client.
    """
    answer = await client.indices.get(
        index=f"{name}-*", expand_wildcards="all", ignore_unavailable=True, allow_no_indices=True,
        filter_path=[
            "*.aliases", "*.mappings._meta", "*.settings.index.blocks", "*.settings.index.provided_name",
            "*.settings.index.verified_before_close",
        ],
    )  # fmt: skip
    health = await client.cluster.health(
        index=f"{name}-*", level="indices", expand_wildcards="all",
        filter_path=["status", "indices.*.status"],
    )  # fmt: skip
    states = {index: state["status"] for index, state in health.get("indices", {}).items()}
    months: defaultdict[str, list[MonthIndex]] = defaultdict(list)
    strangers, version_aliases = [], None
    for index, state in sorted(answer.body.items()):
        found = _month_index(name, index, state, is_red=states.get(index) == "red")
        if found:
            months[found.alias].append(found)
        elif index == versions_index(name):
            version_aliases = _public_aliases(name, state)
        elif name in state.get("aliases", {}):
            strangers.append(index)
    return Inventory(
        name,
        {alias: sorted(indices, key=lambda index: index.number) for alias, indices in months.items()},
        strangers,
        version_aliases,
    )


def _month_index(name: str, index: str, state: Mapping[str, Any], *, is_red: bool) -> MonthIndex | None:
    parts = parse_index_name(index)
    if not parts or parts[0] != write_alias(name, parts[1]):
        return None
    aliases, settings = state.get("aliases", {}), state.get("settings", {}).get("index", {})
    alias, month, number = parts
    blocks = settings.get("blocks", {})
    others = (other for other in aliases if other not in {name, alias})
    return MonthIndex(
        index, alias, month, number,
        is_read=name in aliases,
        writes=aliases[alias].get("is_write_index") if alias in aliases else "absent",
        is_closed=_is_true(settings.get("verified_before_close")),
        blocks=tuple(block for block in WRITE_BLOCKS if _is_true(blocks.get(block))),
        contract=state.get("mappings", {}).get("_meta", {}).get("contract"),
        is_red=is_red,
        other_aliases=tuple(other for other in others if parse_index_name(index_name(other, 1))),
        public_aliases=_public_aliases(name, state),
    )  # fmt: skip


def _public_aliases(name: str, state: Mapping[str, Any]) -> frozenset[str]:
    """The aliases for readers that an index is behind as it must be: with their filter."""
    return frozenset(
        alias
        for alias in (current_alias(name), all_alias(name))
        if state.get("aliases", {}).get(alias, {}).get("filter") == PUBLIC_FILTER
    )


def _is_true(value: object) -> bool:
    return str(value).lower() == "true"


def mapping_fields(properties: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every field of a mapping with its type."""
    for name, field in properties.items():
        yield f"{prefix}{name}", field.get("type", "object")
        yield from mapping_fields(field.get("properties", {}), f"{prefix}{name}.")


def differing_fields(
    wanted: Mapping[str, str], mappings: Mapping[str, Any]
) -> Iterable[tuple[str, str, str]]:
    """The fields of a mapping that are not as wanted: name, what it is, what it must be."""
    present = dict(mapping_fields(mappings.get("properties", {})))
    for field, kind in wanted.items():
        if present.get(field) != kind:
            yield field, present.get(field, "missing"), kind


RawHit = Mapping[str, Any]
PAGE_DOCUMENTS: Final = 200  # of one search: more make requests of tens of megabytes, fewer more round trips
KEEP_ALIVE: Final = "5m"  # of a scan between two pages: shorter breaks off a copy on a busy server


@dataclass(frozen=True, slots=True)
class ComparedPage:
    """Documents of an index against others: the ids of those that the others lack, and how many are not ours at all."""

    missing: Sequence[str]
    foreign: int


async def scan_documents(
    client: AsyncElasticsearch, index: str, members: Sequence[str], query: Mapping[str, Any] | None = None
) -> AsyncIterator[list[RawHit]]:
    """The documents of an index as they are now, or those that fit a query, in pages, with versions and some members."""
    source: Any = list(members)
    await client.indices.refresh(index=index)
    view = (await client.open_point_in_time(index=index, keep_alive=KEEP_ALIVE))["id"]
    try:
        after: list[Any] | None = None
        while True:
            answer = await client.search(
                pit={"id": view, "keep_alive": KEEP_ALIVE}, size=PAGE_DOCUMENTS, sort=["_shard_doc"], search_after=after,
                version=True, source=source, query=query, track_total_hits=False, allow_partial_search_results=False,
            )  # fmt: skip
            hits = answer["hits"]["hits"]
            if hits:
                yield hits
            if len(hits) < PAGE_DOCUMENTS:
                return
            view, after = answer["pit_id"], hits[-1]["sort"]
    finally:
        await client.close_point_in_time(id=view)


async def missing_documents(
    client: AsyncElasticsearch, index: str, others: Sequence[str]
) -> AsyncIterator[ComparedPage]:
    """Compare the stories of an index with those of others, a page at a time.

    A story is missing where none of the others has its version or a later one, or where it is hidden here only.
    """
    async for hits in scan_documents(client, index, ["event.story.uri", "hidden"]):
        ours = {hit["_id"]: hit for hit in hits if hit["_source"].get("event", {}).get("story")}
        missing = dict(ours)
        for other in others if ours else ():
            answer = await client.mget(
                index=other, ids=list(ours), source_includes=["hidden"],
                filter_path=["docs._id", "docs.found", "docs._version", "docs._source"],
            )  # fmt: skip
            for stored in answer["docs"]:
                hit = ours[stored["_id"]]
                if stored.get("found") and _is_as_new(stored, hit):
                    missing.pop(stored["_id"], None)
        yield ComparedPage(list(missing), len(hits) - len(ours))


def _is_as_new(stored: RawHit, hit: RawHit) -> bool:
    if stored["_version"] != hit["_version"]:
        return bool(stored["_version"] > hit["_version"])
    return bool(stored.get("_source", {}).get("hidden") or not hit["_source"].get("hidden"))
