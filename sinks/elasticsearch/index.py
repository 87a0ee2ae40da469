"""What must be on the server: templates, an index a month behind its aliases, the index of marks.

The templates are `config/elasticsearch`; ``<index>`` in them is the alias of the settings.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

import orjson

from config.settings import Elasticsearch
from processors.errors import Transient
from processors.model.codec import from_builtins
from processors.model.event import Event
from processors.times import to_timestamp
from sinks.elasticsearch.alerts import alerts_index, searches_index
from sinks.elasticsearch.client import ElasticJson, send_documents, translate_errors
from sinks.elasticsearch.documents import (
    PUBLIC_FILTER,
    all_alias,
    current_alias,
    mark_document,
    mark_id,
    versions_index,
)
from sinks.elasticsearch.inventory import (
    CONTRACT,
    Inventory,
    differing_fields,
    mapping_fields,
    missing_documents,
    read_inventory,
    scan_documents,
    write_alias,
)
from sinks.elasticsearch.months import ensure_month, month_name
from sinks.elasticsearch.templates import (
    EXAMPLE_MONTH,
    adapted_mappings,
    load_template,
    overlapping_templates,
    template_fault,
)
from sinks.stories import mark_of, now_ms

if TYPE_CHECKING:
    from elasticsearch import AsyncElasticsearch

DAY_MS: Final = 24 * 3_600_000


async def create(
    client: AsyncElasticsearch, settings: Elasticsearch, clock: Callable[[], int] = now_ms
) -> list[str]:
    """Make what is missing, bring the templates up to date, and return what was done, a line each.

    Aliases that are missing are put back on the indices that are there; our template gets a higher priority than those
    of others that would make our months; nothing is deleted.

    Raises:
        Transient: the server does not answer or refuses us.
    """
    name = settings.index
    with translate_errors(settings.url):
        lines = await _put_templates(client, name)
        inventory = await read_inventory(client, name)
        if actions := _missing_aliases(inventory):
            await client.indices.update_aliases(actions=[action for action, _ in actions])
            lines += [line for _, line in actions]
        alias = write_alias(name, month_name(clock()))
        if not inventory.months.get(alias) and not await client.indices.exists_alias(name=alias):
            if fault := await ensure_month(client, name, alias):
                raise Transient(f"{settings.url}: {fault}")
            lines.append(f"created this month's index behind {alias}")
        if not await client.indices.exists(index=f"{name}-marks"):
            await client.indices.create(index=f"{name}-marks")
            lines.append(f"created {name}-marks")
            lines += await _restore_marks(client, name)
        for own in (versions_index(name), searches_index(name), alerts_index(name)):
            if not await client.indices.exists(index=own):
                await client.indices.create(index=own)
                lines.append(f"created {own}")
    return lines


def _index_templates(name: str) -> tuple[tuple[str, str], ...]:
    """The files of the index templates, and what each is called on the server."""
    return (
        ("stories", name),
        ("marks", f"{name}-marks"),
        ("versions", versions_index(name)),
        ("searches", searches_index(name)),
        ("alerts", alerts_index(name)),
    )


async def _put_templates(client: AsyncElasticsearch, name: str) -> list[str]:
    await client.cluster.put_component_template(
        name=f"{name}-settings", **load_template("stories-settings", name)
    )
    await client.cluster.put_component_template(
        name=f"{name}-mappings", **await adapted_mappings(client, name)
    )
    lines = [f"templates of {name} are up to date"]
    for part, alias_name in _index_templates(name):
        body = load_template(part, name)
        example = f"{name}-{EXAMPLE_MONTH}" if part == "stories" else alias_name
        others = await overlapping_templates(client, alias_name, example)
        if above := {other for other, priority in others.items() if priority >= body["priority"]}:
            body["priority"] = max(others.values()) + 1
            lines.append(f"{alias_name} has a higher priority than {', '.join(sorted(above))}")
        await client.indices.put_index_template(name=alias_name, **body)
    return lines


def _missing_aliases(inventory: Inventory) -> list[tuple[ElasticJson, str]]:
    """The actions that put aliases where they must be, and a line for each."""
    actions: list[tuple[ElasticJson, str]] = []

    def add(kind: str, index: str, alias: str, **more: Any) -> None:
        words = "put" if kind == "add" else "took"
        where = "behind" if kind == "add" else "from behind"
        line = f"{words} {index} {where} {alias}"
        actions.append(({kind: {"index": index, "alias": alias} | more}, line))

    for index in inventory.indices():
        for other in index.other_aliases:
            add("remove", index.name, other)
    for alias, indices in inventory.months.items():
        live = inventory.live(alias) or indices[-1:]
        for index in live:
            if not index.is_read:
                add("add", index.name, inventory.name)
        flagged = [index for index in live if index.writes is True]
        target = flagged[-1] if flagged else live[-1]
        if target.writes in {"absent", False} or (target.writes is None and len(live) > 1):
            add("add", target.name, alias, is_write_index=True)
    for name, alias in _missing_public_aliases(inventory):
        add("add", name, alias, filter=PUBLIC_FILTER)
    return actions


def _missing_public_aliases(inventory: Inventory) -> Iterator[tuple[str, str]]:
    """The indices that are not behind an alias for readers, or without its filter, and that alias."""
    every = all_alias(inventory.name)
    for alias, indices in inventory.months.items():
        for index in inventory.live(alias) or indices[-1:]:
            for public in (current_alias(inventory.name), every):
                if public not in index.public_aliases:
                    yield index.name, public
    if inventory.version_aliases is not None and every not in inventory.version_aliases:
        yield versions_index(inventory.name), every


async def _restore_marks(client: AsyncElasticsearch, name: str) -> list[str]:
    """Write the marks of the kills and corrections that are stored as stories into a new index of marks."""
    count = 0
    query = {"terms": {"relation": ["kill", "correction"]}}
    async for hits in scan_documents(client, name, ["event"], query):
        lines: list[Any] = []
        for hit in hits:
            if mark := mark_of(from_builtins(hit["_source"]["event"], Event)):
                action = {
                    "_id": mark_id(mark.kind, mark.target),
                    "version": mark.sequence,
                    "version_type": "external_gte",
                }
                lines += [orjson.dumps({"index": action}), orjson.dumps(mark_document(mark))]
        if lines:
            await send_documents(client, f"{name}-marks", lines)
            count += len(lines) // 2
    return [f"put {count} kills and corrections of stored stories into {name}-marks"] if count else []


async def check(client: AsyncElasticsearch, settings: Elasticsearch) -> list[str]:
    """What is wrong on the server, a line each with what mends it; empty where all is well.

    Raises:
        Transient: the server does not answer or refuses us.
    """
    name = settings.index
    with translate_errors(settings.url):
        if not await client.indices.exists_alias(name=name) and await client.indices.exists(index=name):
            return [
                f"{name} is an index and must be an alias: delete or rename it, then `wiredesk index create`"
            ]
        inventory = await read_inventory(client, name)
        if not inventory.months and not inventory.strangers:
            return [f"there is no alias {name}: run `wiredesk index create`"]
        wrong = [f"{line}: run `wiredesk index create`" for line in await _missing_parts(client, inventory)]
        wrong += [_aliases_line(action) for action, _ in _missing_aliases(inventory)]
        wrong += _faulty_indices(inventory, settings.url)
        wrong += [
            f"{index} is not an index of a month: run `wiredesk index reindex`"
            for index in inventory.strangers
        ]
        wrong += await _differing_mappings(client, inventory)
        wrong += await _unused_copies(client, inventory)
    return wrong


async def _missing_parts(client: AsyncElasticsearch, inventory: Inventory) -> list[str]:
    name = inventory.name
    lines = [
        f"there is no index {index}"
        for index in (f"{name}-marks", versions_index(name))
        if not await client.indices.exists(index=index)
    ]
    templates = {
        template: await client.indices.exists_index_template(name=template)
        for _, template in _index_templates(name)
    } | {
        part: await client.cluster.exists_component_template(name=part)
        for part in (f"{name}-mappings", f"{name}-settings")
    }  # fmt: skip
    lines += [f"there is no template {template}" for template, is_there in templates.items() if not is_there]
    if not lines and (fault := await template_fault(client, name, f"{name}-{EXAMPLE_MONTH}")):
        lines.append(fault.removesuffix(": run `wiredesk index create`"))
    return lines


def _aliases_line(action: ElasticJson) -> str:
    kind, where = next(iter(action.items()))
    if kind == "remove":
        fault = f"{where['index']} is behind {where['alias']}, the alias of another month"
    elif where.get("is_write_index"):
        fault = f"{where['index']} is not behind its write alias {where['alias']}"
    elif "filter" in where:
        fault = f"{where['index']} is not behind {where['alias']} with the filter that keeps embargoes"
    else:
        fault = f"{where['index']} is not behind {where['alias']}, so its stories are not shown"
    return f"{fault}: run `wiredesk index create`"


def _faulty_indices(inventory: Inventory, url: str) -> Iterator[str]:
    """What of the indices that are in use can't be read or written, with the request that mends it."""
    for alias in inventory.months:
        live = inventory.live(alias)
        for index in live:
            if index.is_closed:
                yield f"{index.name} is closed: run `curl -X POST '{url}/{index.name}/_open'`"
            elif index.is_red:
                yield f"{index.name} has a shard that is at work nowhere: see GET _cluster/allocation/explain"
            if index.blocks:
                body = json.dumps({f"index.blocks.{block}": None for block in index.blocks})
                yield (
                    f"{index.name} is read-only ({', '.join(index.blocks)}): run `curl -X PUT '{url}/{index.name}/_settings' "
                    f"-H 'Content-Type: application/json' -d '{body}'`"
                )
        if len(live) > 1:
            names = ", ".join(index.name for index in live)
            yield f"{names} are one month in {len(live)} indices: run `wiredesk index reindex`"


async def _differing_mappings(client: AsyncElasticsearch, inventory: Inventory) -> list[str]:
    name = inventory.name
    if not await client.indices.exists_alias(name=name):
        return []
    wanted = dict(
        mapping_fields((await adapted_mappings(client, name))["template"]["mappings"]["properties"])
    )
    stored = await client.indices.get_mapping(index=name, expand_wildcards="open", ignore_unavailable=True)
    lines = []
    for index, state in sorted(stored.body.items()):
        fields = [
            f"{index}: {field} is {present}, not {kind}: run `wiredesk index reindex`"
            for field, present, kind in differing_fields(wanted, state["mappings"])
        ]
        contract = state["mappings"].get("_meta", {}).get("contract")
        if not fields and contract != CONTRACT:
            fields = [
                f"{index}: its contract is {contract or 'missing'}, not {CONTRACT}: run `wiredesk index reindex`"
            ]
        lines += fields
    return lines


async def _unused_copies(client: AsyncElasticsearch, inventory: Inventory) -> list[str]:
    """Indices that no alias shows and that hold a story which no index behind the aliases has."""
    lines = []
    for alias, indices in inventory.months.items():
        # where no index of a month is behind an alias, `create` puts the last one there
        live = [index.name for index in inventory.live(alias) or indices[-1:]]
        for index in indices:
            if index.name in live or not index.is_searchable:
                continue
            count = sum([len(page.missing) async for page in missing_documents(client, index.name, live)])
            if count:
                lines.append(
                    f"{index.name} is behind no alias and has {count} stories that {', '.join(live)} has not: "
                    "run `wiredesk index reindex`"
                )
    return lines


async def _prune_versions(
    client: AsyncElasticsearch, settings: Elasticsearch, first: str, now: int, *, dry_run: bool
) -> list[str]:
    """Delete the versions that are older than the first month that is kept, or than their own time; a line for them."""
    oldest = f"{first.replace('.', '-')}-01T00:00:00.000Z"
    if settings.version_retention_days:
        oldest = max(oldest, to_timestamp(now - settings.version_retention_days * DAY_MS))
    index, query = versions_index(settings.index), {"range": {"received": {"lt": oldest}}}
    if not await client.indices.exists(index=index):
        return []
    count = 0
    async for hits in scan_documents(client, index, [], query):
        count += len(hits)
        if not dry_run:
            await client.bulk(index=index, operations=[{"delete": {"_id": hit["_id"]}} for hit in hits])
    return [f"{'would delete' if dry_run else 'deleted'} {count} versions of {index}"] if count else []


async def prune_months(
    client: AsyncElasticsearch,
    settings: Elasticsearch,
    keep: int,
    *,
    dry_run: bool = False,
    clock: Callable[[], int] = now_ms,
) -> list[str]:
    """Delete the indices of the months before the last `keep` (1: this month alone); a line for each.

    What is older than two years at its arrival (`OLDER_MONTH`) stays.

    Raises:
        Transient: the server does not answer or refuses us.
    """
    year, month = map(int, month_name(clock()).split("."))
    months = year * 12 + month - keep
    first = f"{months // 12:04}.{months % 12 + 1:02}"
    with translate_errors(settings.url):
        inventory = await read_inventory(client, settings.index)
        old = sorted(
            (index for index in inventory.indices() if index.month < first), key=lambda index: index.name
        )
        lines = []
        for index in old:
            count = (
                "closed" if index.is_closed else f"{(await client.count(index=index.name))['count']} stories"
            )
            if not dry_run:
                await client.indices.delete(index=index.name)
            lines.append(f"{'would delete' if dry_run else 'deleted'} {index.name}: {count}")
        lines += await _prune_versions(client, settings, first, clock(), dry_run=dry_run)
    return lines or [f"nothing is older than {first}"]
