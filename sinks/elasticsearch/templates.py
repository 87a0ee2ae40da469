"""The templates of `config/elasticsearch`, as a server can have them, and what the server would make of a new index.

``<index>`` in them is the alias of the settings.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from config.settings import Elasticsearch
from sinks.answers import LOOKED_AT, find_answer
from sinks.elasticsearch.client import ElasticJson, describe_answer
from sinks.elasticsearch.inventory import CONTRACT, differing_fields, mapping_fields

if TYPE_CHECKING:
    from elasticsearch import AsyncElasticsearch

EXAMPLE_MONTH: Final = (
    "2999.01-000001"  # of which nobody has an index: what the templates would make of a next month
)


async def stemmed_languages(client: AsyncElasticsearch, settings: Elasticsearch) -> frozenset[str]:
    """The languages for which the index has an analyzer of their own: none on a server without them."""
    answer = (await client.cluster.get_component_template(name=f"{settings.index}-mappings")).body
    meta = answer["component_templates"][0]["component_template"].get("_meta", {})
    return frozenset(meta.get("stemmed", ()))


async def adapted_mappings(client: AsyncElasticsearch, index: str) -> ElasticJson:
    """The template of mappings as this server can have it: some distributions come without analyzers and filters."""
    body = load_template("stories-mappings", index)
    if client not in _ANALYSIS:
        _ANALYSIS[client] = await _look_for_analysis(client)
    can_fold, analyzers = _ANALYSIS[client]
    if not can_fold:
        body["template"]["settings"]["analysis"]["analyzer"]["wire_text"]["filter"] = ["lowercase"]
    return with_stems(body, analyzers) if analyzers else body


# Whether a server folds accents, and its analyzers by language: what it has does not change while we are connected.
_ANALYSIS: Final[WeakKeyDictionary[AsyncElasticsearch, tuple[bool, Mapping[str, str]]]] = WeakKeyDictionary()


async def _look_for_analysis(client: AsyncElasticsearch) -> tuple[bool, Mapping[str, str]]:
    can_fold = await _has_analysis(client, tokenizer="standard", filter=["lowercase", "asciifolding"])
    present = {
        analyzer: await _has_analysis(client, analyzer=analyzer)
        for analyzer in dict.fromkeys(language_analyzers().values())
    }
    return can_fold, {
        language: analyzer for language, analyzer in language_analyzers().items() if present[analyzer]
    }


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


async def wanted_fields(client: AsyncElasticsearch, index: str) -> dict[str, str]:
    """The fields of a month's mapping with their types, as `wiredesk index create` left them on the server."""
    answer = (await client.cluster.get_component_template(name=f"{index}-mappings")).body
    template = answer["component_templates"][0]["component_template"]["template"]
    return dict(mapping_fields(template["mappings"]["properties"]))


async def template_fault(client: AsyncElasticsearch, index: str, name: str) -> str | None:
    """Why the server would not make an index of this name as it must be, and what mends it; None where it would."""
    simulated = (await client.indices.simulate_index_template(name=name)).body
    mappings = simulated.get("template", {}).get("mappings", {})
    wanted = await wanted_fields(client, index)
    differing = next(iter(differing_fields(wanted, mappings)), None)
    if mappings.get("_meta", {}).get("contract") == CONTRACT and differing is None:
        return None
    others = await overlapping_templates(client, index, name)
    by = f"the template {', '.join(sorted(others))}" if others else f"the templates of {index}"
    row = find_answer("index", LOOKED_AT, "template", "", "month")
    return describe_answer(row, index, f"{by} would give {name} another mapping")


async def overlapping_templates(client: AsyncElasticsearch, index: str, name: str) -> dict[str, int]:
    """The priority of each template of others that fits the name of an index of ours."""
    answer = (await client.indices.get_index_template()).body
    return {
        template["name"]: template["index_template"].get("priority", 0)
        for template in answer["index_templates"]
        if template["name"] != index and _fits(template["index_template"].get("index_patterns", ()), name)
    }


def _fits(patterns: Iterable[str], name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
