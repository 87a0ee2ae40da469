"""What must stand on the server: templates, the index behind its alias, the index of marks.

The templates are `config/elasticsearch`; ``<index>`` in them is the alias of the settings.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from config.settings import Elasticsearch
from sinks.elasticsearch.client import told_apart

if TYPE_CHECKING:
    from elasticsearch import AsyncElasticsearch

ANALYSIS: Final = ("template", "settings", "analysis", "analyzer", "wire_text", "filter")


async def create(client: AsyncElasticsearch, settings: Elasticsearch) -> list[str]:
    """Make what is missing and bring the templates up to date; what was done, a line each.

    Raises:
        Transient: the server does not answer or refuses us.
    """
    name = settings.index
    done = []
    with told_apart(settings.url):
        filters = await _filters(client)
        for part in ("settings", "mappings"):
            body = template(f"stories-{part}", name)
            if part == "mappings":
                _set(body, ANALYSIS, filters)
            await client.cluster.put_component_template(name=f"{name}-{part}", **body)
        for part, called in (("stories", name), ("marks", f"{name}-marks")):
            await client.indices.put_index_template(name=called, **template(part, name))
        done.append(f"templates of {name} are up to date")
        if not await client.indices.exists_alias(name=name):
            await client.indices.create(index=f"{name}-000001", aliases={name: {"is_write_index": True}})
            done.append(f"created {name}-000001 behind the alias {name}")
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
        behind = (await client.indices.get_alias(name=name)).body
        writable = [index for index, told in behind.items() if told["aliases"][name].get("is_write_index")]
        if len(behind) > 1 and len(writable) != 1:
            wrong.append(
                f"{name} stands for {', '.join(sorted(behind))} and one of them must be its write index"
            )
        wanted = dict(fields(template("stories-mappings", name)["template"]["mappings"]["properties"]))
        stored = await client.indices.get_mapping(index=name)
        for index, told in stored.body.items():
            present = dict(fields(told["mappings"].get("properties", {})))
            wrong += [f"{index}: {field} is {present.get(field, 'missing')}, not {kind}: run `wiredesk index reindex`"
                      for field, kind in wanted.items() if present.get(field) != kind]  # fmt: skip
    return wrong


def template(name: str, index: str) -> dict[str, Any]:
    """A template of `config/elasticsearch` for an alias."""
    text = files("config").joinpath("elasticsearch", f"{name}.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text.replace("<index>", index))
    if "_meta" in loaded:
        loaded["meta"] = loaded.pop("_meta")
    return loaded


def fields(properties: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every field of a mapping with its type."""
    for name, told in properties.items():
        yield f"{prefix}{name}", told.get("type", "object")
        yield from fields(told.get("properties", {}), f"{prefix}{name}.")


async def _filters(client: AsyncElasticsearch) -> list[str]:
    """The token filters that this server has: some distributions come without ``asciifolding``."""
    from elasticsearch import BadRequestError

    wanted = ["lowercase", "asciifolding"]
    try:
        await client.indices.analyze(tokenizer="standard", filter=wanted, text="é")
    except BadRequestError:
        return ["lowercase"]
    return wanted


def _set(body: dict[str, Any], path: tuple[str, ...], value: object) -> None:
    for name in path[:-1]:
        body = body[name]
    body[path[-1]] = value
