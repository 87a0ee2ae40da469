"""New indices behind the aliases, without downtime: where a mapping has changed, or a month stands in several indices.

Documents are made anew from the events that they hold. Writers go on meanwhile: they write to the old indices until
the aliases move. Then every document of the old indices is looked for in the new ones, by version and not by any clock,
and what is missing is copied until nothing is. Nothing is deleted, and what is no story of ours stays where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import orjson

from config.settings import Elasticsearch
from processors.errors import Transient
from processors.model.codec import from_builtins
from processors.model.event import Event
from sinks.elasticsearch import index
from sinks.elasticsearch.client import send_documents, translate_errors
from sinks.elasticsearch.documents import (
    PUBLIC_FILTER,
    all_alias,
    current_alias,
    document,
    search_fields,
)
from sinks.elasticsearch.inventory import (
    Inventory,
    MonthIndex,
    RawHit,
    index_name,
    missing_documents,
    parse_index_name,
    read_inventory,
    scan_documents,
    write_alias,
)
from sinks.elasticsearch.months import month_of
from sinks.elasticsearch.templates import stemmed_languages
from sinks.stories import now_ms

if TYPE_CHECKING:
    from elasticsearch import AsyncElasticsearch

COPIED_MEMBERS: Final = ("event", "hidden", "hiddenBy", "indexed")
# Looks at the old indices after the aliases have moved, until one finds nothing more. Fewer fail a copy on a server where
# a writer has many requests on their way; more never end where something still writes to an old index by its name.
MAX_LOOKS: Final = 5


async def copy_indices(
    client: AsyncElasticsearch, settings: Elasticsearch, clock: Callable[[], int] = now_ms
) -> list[str]:
    """Copy the indices into new ones with the templates of today, and move the aliases; what was done, a line each.

    Stories stay in their month; an index that is not a month's is taken apart by the months of its stories. Indices that
    are closed, or have no shard at work, are left as they are.

    Raises:
        Transient: the server does not answer, or refuses a document. Nothing is lost; start again.
    """
    await index.create(client, settings, clock)
    with translate_errors(settings.url):
        inventory = await read_inventory(client, settings.index)
        copy = _Copy(client, inventory, await stemmed_languages(client, settings))
        before = {name: (await client.count(index=name))["count"] for name in copy.old}
        for old in copy.old:
            await copy.copy_all(old)
        for old in copy.old:
            await copy.copy_missing(old)
        await copy.move_aliases()
        for _ in range(MAX_LOOKS):
            if not sum([await copy.copy_missing(old) for old in copy.old]):
                break
        else:
            raise Transient(
                f"{settings.index}: something writes to {', '.join(copy.old)} by name; start again"
            )
        await client.indices.refresh(index=list(copy.targets.values()))
        after = {name: (await client.count(index=name))["count"] for name in copy.targets.values()}
    return copy.report(before, after)


@dataclass(slots=True)
class _Copy:
    """A copy under way; `targets` is the new index of each write alias, made when the first story needs it."""

    client: AsyncElasticsearch
    inventory: Inventory
    stemmed: frozenset[str]
    targets: dict[str, str] = field(default_factory=dict)
    foreign: dict[str, int] = field(
        default_factory=dict
    )  # documents of an old index that are no stories of ours
    count: int = 0

    @property
    def old(self) -> list[str]:
        """The indices that are copied: of each month first what no alias shows, then by their numbers."""
        months = self.inventory.months
        ordered = [
            index.name
            for alias in sorted(months)
            for index in sorted(months[alias], key=lambda index: (self._is_live(index), index.number))
            if index.is_searchable
        ]
        return [*self.inventory.strangers, *ordered]

    @property
    def _public(self) -> tuple[str, str]:
        return current_alias(self.inventory.name), all_alias(self.inventory.name)

    def _is_live(self, index_: MonthIndex) -> bool:
        return index_ in self.inventory.live(index_.alias)

    async def copy_all(self, old: str) -> None:
        """Copy an index; of one that no alias shows only what the others lack."""
        parts = parse_index_name(old)
        if parts and not any(index.name == old for index in self.inventory.live(parts[0])):
            return
        if parts:
            await self.target(parts[0])
        async for hits in scan_documents(self.client, old, COPIED_MEMBERS):
            await self._copy_hits(old, hits)

    async def copy_missing(self, old: str) -> int:
        """Copy what the new indices lack of an index, and return how many documents that were."""
        count, self.foreign[old] = 0, 0
        targets = [self.targets[alias] for alias in self._aliases_of(old) if alias in self.targets]
        async for page in missing_documents(self.client, old, targets):
            self.foreign[old] += page.foreign
            if page.missing:
                answer = await self.client.mget(
                    index=old, ids=list(page.missing), source_includes=list(COPIED_MEMBERS)
                )
                await self._copy_hits(old, [hit for hit in answer["docs"] if hit.get("found")])
                count += len(page.missing)
        return count

    def _aliases_of(self, old: str) -> Iterable[str]:
        parts = parse_index_name(old)
        return [parts[0]] if parts else sorted(self.targets)

    async def target(self, alias: str) -> str:
        """The new index of a write alias, with a number above every index of the month; not shown before the aliases move.

        Raises:
            Transient: it would not have our mapping.
        """
        if alias not in self.targets:
            numbers = [index.number for index in self.inventory.months.get(alias, ())]
            name = index_name(alias, max(numbers, default=0) + 1)
            await self.client.indices.create(index=name)
            shown = (self.inventory.name, *self._public)
            removals = [{"remove": {"index": name, "alias": alias_, "must_exist": False}} for alias_ in shown]
            await self.client.indices.update_aliases(actions=removals)
            self.targets[alias] = name
        return self.targets[alias]

    async def move_aliases(self) -> None:
        """Move all aliases at one moment, those of operators too, with their filters; an index that is not copied keeps its."""
        behind = (await self.client.indices.get_alias(index=self.old)).body
        moves: list[dict[str, Any]] = []
        for old, state in sorted(behind.items()):
            parts = parse_index_name(old)
            for alias, options in state["aliases"].items():
                moves.append({"remove": {"index": old, "alias": alias}})
                is_own = alias in {self.inventory.name, *self._public} or parse_index_name(
                    index_name(alias, 1)
                )
                if not is_own and parts and parts[0] in self.targets:
                    kept = {name: value for name, value in options.items() if name != "is_write_index"}
                    moves.append({"add": {"index": self.targets[parts[0]], "alias": alias} | kept})
        for alias, new in self.targets.items():
            moves.append({"add": {"index": new, "alias": self.inventory.name}})
            moves += [
                {"add": {"index": new, "alias": public, "filter": PUBLIC_FILTER}} for public in self._public
            ]
            moves.append({"add": {"index": new, "alias": alias, "is_write_index": True}})
        await self.client.indices.update_aliases(actions=moves)

    def report(self, before: Mapping[str, int], after: Mapping[str, int]) -> list[str]:
        """What was done: a line each, with the documents before and after."""
        lines = [
            f"copied {self.count} documents into {', '.join(sorted(self.targets.values()))}",
            f"{self.inventory.name} stands for them now",
        ]
        for alias, new in sorted(self.targets.items()):
            counts = [
                f"{name} had {number}" for name, number in before.items() if alias in self._aliases_of(name)
            ]
            lines.append(f"{new} has {after[new]} stories: {', '.join(counts) or 'of no other index'}")
        skipped = [index.name for index in self.inventory.indices() if not index.is_searchable]
        lines += [f"{name} is closed, or has no shard at work, and was left as it is" for name in skipped]
        kept = {old: count for old, count in self.foreign.items() if count}
        lines += [
            f"{old} holds {count} documents that are no stories of ours: they stay there"
            for old, count in kept.items()
        ]
        if unused := [old for old in self.old if old not in kept]:
            lines.append(f"no longer used, delete when you like: {', '.join(unused)}")
        return lines

    async def _copy_hits(self, old: str, hits: Sequence[RawHit]) -> None:
        lines: list[Any] = []
        for hit in hits:
            if not hit["_source"].get("event", {}).get("story"):
                continue
            event = from_builtins(hit["_source"]["event"], Event)
            parts = parse_index_name(old)
            alias = parts[0] if parts else write_alias(self.inventory.name, month_of(event))
            action = {
                "_index": await self.target(alias), "_id": hit["_id"],
                "version": hit["_version"], "version_type": "external_gte",
            }  # fmt: skip
            lines += [
                orjson.dumps({"index": action}),
                orjson.dumps(self._new_document(event, hit["_source"])),
            ]
        if lines:
            await send_documents(self.client, self.inventory.name, lines)
            self.count += len(lines) // 2

    def _new_document(self, event: Event, source: Mapping[str, Any]) -> dict[str, Any]:
        kept = {name: source[name] for name in ("hidden", "hiddenBy", "indexed") if name in source}
        fields = document(event)
        return fields | kept | search_fields(fields, self.stemmed)
