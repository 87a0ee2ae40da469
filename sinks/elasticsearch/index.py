"""What must stand on the server: templates, an index a month behind its aliases, the index of marks.

The templates are `config/elasticsearch`; ``<index>`` in them is the alias of the settings.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from config.settings import Elasticsearch
from sinks.elasticsearch.client import told_apart
from sinks.elasticsearch.homes import ensure
from sinks.elasticsearch.months import named, taken_apart, write_alias
from sinks.sqlite.reader import now_ms

if TYPE_CHECKING:
    from elasticsearch import AsyncElasticsearch

Json = dict[str, Any]


async def create(
    client: AsyncElasticsearch, settings: Elasticsearch, clock: Callable[[], int] = now_ms
) -> list[str]:
    """Make what is missing and bring the templates up to date; what was done, a line each.

    Raises:
        Transient: the server does not answer or refuses us.
    """
    name = settings.index
    with told_apart(settings.url):
        await client.cluster.put_component_template(
            name=f"{name}-settings", **template("stories-settings", name)
        )
        await client.cluster.put_component_template(name=f"{name}-mappings", **await mappings(client, name))
        for part, called in (("stories", name), ("marks", f"{name}-marks")):
            await client.indices.put_index_template(name=called, **template(part, name))
        done = [f"templates of {name} are up to date"]
        alias = write_alias(name, named(clock()))
        if await ensure(client, name, alias):
            done.append(f"created this month's index behind {alias}")
        if not await client.indices.exists(index=f"{name}-marks"):
            await client.indices.create(index=f"{name}-marks")
            done.append(f"created {name}-marks")
    return done


async def check(client: AsyncElasticsearch, settings: Elasticsearch) -> list[str]:
    """What is wrong on the server, a line each; empty where all is well.

    Raises:
        Transient: the server does not answer or refuses us.
    """
    name = settings.index
    with told_apart(settings.url):
        if not await client.indices.exists_alias(name=name):
            if await client.indices.exists(index=name):
                return [
                    f"{name} is an index and must be an alias: delete or rename it, then `wiredesk index create`"
                ]
            return [f"there is no alias {name}: run `wiredesk index create`"]
        wrong = (
            [] if await client.indices.exists(index=f"{name}-marks") else [f"there is no index {name}-marks"]
        )
        behind = (await client.indices.get_alias(index=f"{name}-*")).body
        wrong += [line for index, told in sorted(behind.items()) if name in told["aliases"]
                  for line in _misplaced(index, told["aliases"], name)]  # fmt: skip
        wanted = dict(fields((await mappings(client, name))["template"]["mappings"]["properties"]))
        stored = await client.indices.get_mapping(index=name)
        for index, told in sorted(stored.body.items()):
            present = dict(fields(told["mappings"].get("properties", {})))
            wrong += [f"{index}: {field} is {present.get(field, 'missing')}, not {kind}: run `wiredesk index reindex`"
                      for field, kind in wanted.items() if present.get(field) != kind]  # fmt: skip
    return wrong


async def prune(
    client: AsyncElasticsearch,
    settings: Elasticsearch,
    keep: int,
    *,
    dry_run: bool = False,
    clock: Callable[[], int] = now_ms,
) -> list[str]:
    """Delete the indices of the months before the last `keep` (1: this month alone); a line for each.

    What is older than two years at its arrival (`months.OLDER`) stays.

    Raises:
        Transient: the server does not answer or refuses us.
    """
    year, month = map(int, named(clock()).split("."))
    months = year * 12 + month - keep
    first = f"{months // 12:04}.{months % 12 + 1:02}"
    with told_apart(settings.url):
        behind = (await client.indices.get_alias(name=settings.index)).body
        old = sorted(name for name in behind if (parts := taken_apart(name)) and parts[1] < first)
        lines = []
        for name in old:
            count = (await client.count(index=name))["count"]
            if not dry_run:
                await client.indices.delete(index=name)
            lines.append(f"{'would delete' if dry_run else 'deleted'} {name}: {count} stories")
    return lines or [f"nothing is older than {first}"]


async def stemmed_languages(client: AsyncElasticsearch, settings: Elasticsearch) -> frozenset[str]:
    """The languages for which the index has an analyzer of their own: none on a server without them."""
    told = (await client.cluster.get_component_template(name=f"{settings.index}-mappings")).body
    meta = told["component_templates"][0]["component_template"].get("_meta", {})
    return frozenset(meta.get("stemmed", ()))


async def mappings(client: AsyncElasticsearch, index: str) -> Json:
    """The template of mappings as this server can have it: some distributions come without analyzers and filters."""
    body = template("stories-mappings", index)
    if not await _can(client, tokenizer="standard", filter=["lowercase", "asciifolding"]):
        body["template"]["settings"]["analysis"]["analyzer"]["wire_text"]["filter"] = ["lowercase"]
    known = {
        language: analyzer
        for language, analyzer in analyzers().items()
        if await _can(client, analyzer=analyzer)
    }
    return with_stems(body, known) if known else body


def with_stems(body: Json, known: Mapping[str, str]) -> Json:
    """The template of mappings with a field for each language that has an analyzer: searched, but not stored."""
    told = body["template"]["mappings"]
    told["properties"]["stemmed"] = {
        "type": "object",
        "dynamic": "strict",
        "properties": {language: {"type": "text", "analyzer": name} for language, name in known.items()},
    }
    told["_source"] = {"excludes": ["stemmed"]}
    body["meta"] = body.get("meta", {}) | {"stemmed": sorted(known)}
    return body


def analyzers() -> dict[str, str]:
    """Elasticsearch's analyzer of each language, by ISO 639-1 code."""
    told: dict[str, str] = _read("languages")["analyzers"]
    return told


def template(name: str, index: str) -> Json:
    """A template of `config/elasticsearch` for an alias."""
    loaded = _read(name, index)
    if "_meta" in loaded:
        loaded["meta"] = loaded.pop("_meta")
    return loaded


def fields(properties: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every field of a mapping with its type."""
    for name, told in properties.items():
        yield f"{prefix}{name}", told.get("type", "object")
        yield from fields(told.get("properties", {}), f"{prefix}{name}.")


def _read(name: str, index: str = "") -> Json:
    text = files("config").joinpath("elasticsearch", f"{name}.json").read_text("utf-8")
    loaded: Json = json.loads(text.replace("<index>", index))
    return loaded


async def _can(client: AsyncElasticsearch, **analysis: Any) -> bool:
    """Whether the server knows an analyzer or filters."""
    from elasticsearch import BadRequestError

    try:
        await client.indices.analyze(text="é", **analysis)
    except BadRequestError:
        return False
    return True


def _misplaced(index: str, aliases: Mapping[str, Any], name: str) -> Iterator[str]:
    """What is wrong with an index behind the read alias: its name, or the alias through which it is written."""
    parts = taken_apart(index)
    if not parts or not index.startswith(f"{name}-"):
        yield f"{index} is not an index of a month: run `wiredesk index reindex`"
    elif not aliases.get(parts[0], {}).get("is_write_index"):
        yield f"{index} is not behind its write alias {parts[0]}: run `wiredesk index reindex`"
