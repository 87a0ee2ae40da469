"""What must be on the server: templates, an index a month behind its aliases, the index of marks.

The templates are `config/elasticsearch`; ``<index>`` in them is the alias of the settings.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from config.settings import Elasticsearch
from sinks.elasticsearch.client import ElasticJson, translate_errors
from sinks.elasticsearch.months import ensure_month, month_name, parse_index_name, write_alias
from sinks.stories import now_ms

if TYPE_CHECKING:
    from elasticsearch import AsyncElasticsearch


async def create(
    client: AsyncElasticsearch, settings: Elasticsearch, clock: Callable[[], int] = now_ms
) -> list[str]:
    """Make what is missing, bring the templates up to date, and return what was done, a line each.

    Raises:
        Transient: the server does not answer or refuses us.
    """
    name = settings.index
    with translate_errors(settings.url):
        await client.cluster.put_component_template(
            name=f"{name}-settings", **load_template("stories-settings", name)
        )
        await client.cluster.put_component_template(
            name=f"{name}-mappings", **await adapted_mappings(client, name)
        )
        for part, alias_name in (("stories", name), ("marks", f"{name}-marks")):
            await client.indices.put_index_template(name=alias_name, **load_template(part, name))
        lines = [f"templates of {name} are up to date"]
        alias = write_alias(name, month_name(clock()))
        if await ensure_month(client, name, alias):
            lines.append(f"created this month's index behind {alias}")
        if not await client.indices.exists(index=f"{name}-marks"):
            await client.indices.create(index=f"{name}-marks")
            lines.append(f"created {name}-marks")
    return lines


async def check(client: AsyncElasticsearch, settings: Elasticsearch) -> list[str]:
    """What is wrong on the server, a line each; empty where all is well.

    Raises:
        Transient: the server does not answer or refuses us.
    """
    name = settings.index
    with translate_errors(settings.url):
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
        wrong += [line for index, state in sorted(behind.items()) if name in state["aliases"]
                  for line in _misplaced(index, state["aliases"], name)]  # fmt: skip
        wanted = dict(
            mapping_fields((await adapted_mappings(client, name))["template"]["mappings"]["properties"])
        )
        stored = await client.indices.get_mapping(index=name)
        for index, state in sorted(stored.body.items()):
            present = dict(mapping_fields(state["mappings"].get("properties", {})))
            wrong += [f"{index}: {field} is {present.get(field, 'missing')}, not {kind}: run `wiredesk index reindex`"
                      for field, kind in wanted.items() if present.get(field) != kind]  # fmt: skip
    return wrong


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
        behind = (await client.indices.get_alias(name=settings.index)).body
        old = sorted(name for name in behind if (parts := parse_index_name(name)) and parts[1] < first)
        lines = []
        for name in old:
            count = (await client.count(index=name))["count"]
            if not dry_run:
                await client.indices.delete(index=name)
            lines.append(f"{'would delete' if dry_run else 'deleted'} {name}: {count} stories")
    return lines or [f"nothing is older than {first}"]


async def stemmed_languages(client: AsyncElasticsearch, settings: Elasticsearch) -> frozenset[str]:
    """The languages for which the index has an analyzer of their own: none on a server without them."""
    answer = (await client.cluster.get_component_template(name=f"{settings.index}-mappings")).body
    meta = answer["component_templates"][0]["component_template"].get("_meta", {})
    return frozenset(meta.get("stemmed", ()))


async def adapted_mappings(client: AsyncElasticsearch, index: str) -> ElasticJson:
    """The template of mappings as this server can have it: some distributions come without analyzers and filters."""
    body = load_template("stories-mappings", index)
    if not await _has_analysis(client, tokenizer="standard", filter=["lowercase", "asciifolding"]):
        body["template"]["settings"]["analysis"]["analyzer"]["wire_text"]["filter"] = ["lowercase"]
    analyzers = {
        language: analyzer
        for language, analyzer in language_analyzers().items()
        if await _has_analysis(client, analyzer=analyzer)
    }
    return with_stems(body, analyzers) if analyzers else body


def with_stems(body: ElasticJson, analyzers: Mapping[str, str]) -> ElasticJson:
    """The template of mappings with a field for each language that has an analyzer: searched, but not stored."""
    mappings = body["template"]["mappings"]
    mappings["properties"]["stemmed"] = {
        "type": "object",
        "dynamic": "strict",
        "properties": {language: {"type": "text", "analyzer": name} for language, name in analyzers.items()},
    }
    mappings["_source"]["excludes"] += ["stemmed"]
    body["meta"] = body.get("meta", {}) | {"stemmed": sorted(analyzers)}
    return body


def language_analyzers() -> dict[str, str]:
    """Elasticsearch's analyzer of each language, by ISO 639-1 code."""
    analyzers: dict[str, str] = _read_file("languages")["analyzers"]
    return analyzers


def load_template(name: str, index: str) -> ElasticJson:
    """A template of `config/elasticsearch` for an alias."""
    loaded = _read_file(name, index)
    if "_meta" in loaded:
        loaded["meta"] = loaded.pop("_meta")
    return loaded


def mapping_fields(properties: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every field of a mapping with its type."""
    for name, field in properties.items():
        yield f"{prefix}{name}", field.get("type", "object")
        yield from mapping_fields(field.get("properties", {}), f"{prefix}{name}.")


def _read_file(name: str, index: str = "") -> ElasticJson:
    text = files("config").joinpath("elasticsearch", f"{name}.json").read_text("utf-8")
    loaded: ElasticJson = json.loads(text.replace("<index>", index))
    return loaded


async def _has_analysis(client: AsyncElasticsearch, **analysis: Any) -> bool:
    """Whether the server knows an analyzer or filters."""
    from elasticsearch import BadRequestError

    try:
        await client.indices.analyze(text="é", **analysis)
    except BadRequestError:
        return False
    return True


def _misplaced(index: str, aliases: Mapping[str, Any], name: str) -> Iterator[str]:
    """What is wrong with an index behind the read alias: its name, or the alias through which it is written."""
    parts = parse_index_name(index)
    if not parts or not index.startswith(f"{name}-"):
        yield f"{index} is not an index of a month: run `wiredesk index reindex`"
    elif not aliases.get(parts[0], {}).get("is_write_index"):
        yield f"{index} is not behind its write alias {parts[0]}: run `wiredesk index reindex`"
