"""What people read of the index, through the aliases of docs/reading-the-index.md: never what is under embargo."""

from __future__ import annotations

import asyncio
import json
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec.structs import replace

from processors.model.event import Dateline, Entity, Event, Mention, Place, Segment
from processors.model.story import InfoSource
from sinks.elasticsearch import index
from sinks.elasticsearch.documents import all_alias, current_alias
from sinks.elasticsearch.inventory import mapping_fields
from sinks.elasticsearch.reindex import copy_indices
from sinks.elasticsearch.templates import load_template
from sinks.stories import subject_names
from tests.sinks.elasticsearch.conftest import Stack
from tests.sinks.events import event

pytestmark = pytest.mark.elasticsearch
ROOT: Final = Path(__file__).parents[3]
PAGE: Final = (ROOT / "docs/reading-the-index.md").read_text("utf-8")


def moment(hours: float) -> str:
    """A timestamp by the server's own clock, which decides when an embargo ends."""
    moved = datetime.now(UTC) + timedelta(hours=hours)
    return moved.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def withheld(uri: str, embargo: str | None, version: str = "1", **more: Any) -> Event:
    return event(uri, status="withheld", embargo=embargo, version=version, **more)


async def read(stack: Stack, alias: str, query: str = "*:*") -> list[str]:
    """The headlines that anybody finds behind an alias, with a query as Kibana sends it."""
    answer = await stack.client.search(index=alias, query={"query_string": {"query": query}}, size=100)
    return sorted(hit["_source"]["headline"] for hit in answer["hits"]["hits"])


async def test_an_alias_for_readers_shows_a_story_from_its_time_on_and_not_before(stack: Stack) -> None:
    ends_at = time.time() + 2
    soon = datetime.fromtimestamp(ends_at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    await stack.put(
        event("urn:open", headline="Open"),
        withheld("urn:later", moment(24), headline="Tomorrow"),
        withheld("urn:never", None, headline="Endless"),
        withheld("urn:past", moment(-1), headline="Past"),
        withheld("urn:soon", soon, headline="Soon"),
    )
    first = await read(stack, current_alias(stack.settings.index))
    assert {"Open", "Past"} <= set(first) <= {"Open", "Past", "Soon"}
    async with asyncio.timeout(30):
        while "Soon" not in (found := await read(stack, current_alias(stack.settings.index))):
            await asyncio.sleep(0.05)
    assert time.time() >= ends_at
    assert found == ["Open", "Past", "Soon"] == await read(stack, all_alias(stack.settings.index))


async def test_the_searches_that_come_with_kibana_show_nothing_under_embargo(stack: Stack) -> None:
    kill = event(
        "urn:open", relation="kill", chain="urn:open", of="urn:open", sequence=2, minute=5, headline="Kill"
    )
    await stack.put(
        event("urn:b", headline="Open"),
        event("urn:open", headline="Killed"),
        replace(withheld("urn:later", moment(24), headline="Tomorrow")),
        withheld("urn:copy", None, relation="duplicate", chain="urn:later", of="urn:later", headline="Copy"),
        kill,
    )
    lines = (ROOT / "config/kibana/stories.ndjson").read_text("utf-8").splitlines()
    objects = {entry["id"]: entry for entry in map(json.loads, lines)}
    shown = {}
    for name, entry in objects.items():
        if entry["type"] != "search":
            continue
        view = objects[entry["references"][0]["id"]]["attributes"]["title"]
        alias = view.replace("wire-stories", stack.settings.index)
        asked = json.loads(entry["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])["query"]["query"]
        shown[name] = await read(stack, alias, as_lucene(asked))
        whole = await read(stack, alias, as_lucene(asked.removesuffix(" and visibleFrom <= now")))
        assert whole == shown[name], "the alias alone keeps the embargo"
    assert shown["wiredesk-wire"] == ["Open"]
    assert shown["wiredesk-repeats"] == []


def as_lucene(query: str) -> str:
    """A query of Kibana in the language of the server; only what our saved searches use."""
    words = re.sub(r"(\w+): \*", r"_exists_:\1", query).replace("visibleFrom <= now", "visibleFrom:<=now")
    return re.sub(r"\b(and|not|or)\b", lambda word: word[1].upper(), words).replace(": ", ":")


async def test_an_embargo_that_moves_holds_back_the_versions_before_it_too(stack: Stack) -> None:
    name = stack.settings.index
    await stack.put(withheld("urn:a", moment(-1), headline="First"))
    await stack.put(withheld("urn:a", moment(-0.5), "2", minute=1, headline="Second"))
    assert await read(stack, all_alias(name)) == ["First", "Second"]
    await stack.put(withheld("urn:a", moment(24), "3", minute=2, headline="Third"))
    assert await read(stack, all_alias(name)) == []
    await stack.put(withheld("urn:a", None, "4", minute=3, headline="Endless"))
    assert await read(stack, all_alias(name)) == []
    await stack.put(event("urn:a", version="5", minute=4, headline="Lifted"))
    assert await read(stack, current_alias(name)) == ["Lifted"]
    assert await read(stack, all_alias(name)) == ["First", "Lifted", "Second"]


async def test_versions_end_in_the_same_state_in_whatever_order_they_come(stack: Stack) -> None:
    name, later = stack.settings.index, moment(24)
    versions = (
        event("urn:a", version="1", headline="First"),
        withheld("urn:a", later, "2", minute=1, headline="Second"),
        event("urn:a", version="3", minute=2, headline="Third"),
        withheld("urn:a", later, "4", minute=3, headline="Fourth"),
    )
    for number, order in enumerate(((0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1), (1, 3, 0, 2))):
        uri = f"urn:order:{number}"
        for place in order:
            made = versions[place]
            assert made.lineage
            await stack.put(
                replace(made, story=replace(made.story, uri=uri), lineage=replace(made.lineage, story=uri))
            )
    assert await read(stack, all_alias(name)) == []
    assert len(await read(stack, name)) == 4


async def test_a_lost_filter_is_told_and_put_back(stack: Stack) -> None:
    name = stack.settings.index
    await stack.put(withheld("urn:a", None, headline="Endless"))
    month = f"{name}-2026.01-000001"
    await stack.client.indices.put_alias(index=month, name=current_alias(name))  # without a filter
    await stack.client.indices.delete_alias(index=f"{name}-versions", name=all_alias(name))
    assert await read(stack, current_alias(name)) == ["Endless"]
    fault = "with the filter that keeps embargoes: run `wiredesk index create`"
    assert sorted(await index.check(stack.client, stack.settings)) == [
        f"{month} is not behind {current_alias(name)} {fault}",
        f"{name}-versions is not behind {all_alias(name)} {fault}",
    ]
    await index.create(stack.client, stack.settings)
    assert await index.check(stack.client, stack.settings) == []
    assert await read(stack, current_alias(name)) == []


async def test_a_copy_under_way_is_shown_once_and_keeps_the_embargo(stack: Stack) -> None:
    name = stack.settings.index
    await stack.put(event("urn:a", headline="Open"), withheld("urn:b", None, headline="Endless"))
    await copy_indices(stack.client, stack.settings, lambda: stack.now)
    assert await read(stack, current_alias(name)) == ["Open"]
    assert await read(stack, all_alias(name)) == ["Open"]
    assert await index.check(stack.client, stack.settings) == []


def test_the_page_says_of_each_field_what_it_means() -> None:
    rows = re.findall(r"^\| (`.*?) \|(.*)\|$", PAGE.partition("## Fields")[2], re.MULTILINE)
    named = {field for row in rows for field in re.findall(r"`([A-Za-z.]+)`", "".join(row))}
    mapped = {
        name
        for name, _ in mapping_fields(
            load_template("stories-mappings", "x")["template"]["mappings"]["properties"]
        )
    }
    assert mapped - named == set()


def queries(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)


def lisbon(uri: str, hours: float, relevance: int, **more: Any) -> Event:
    """A story of some hours ago that is about Ines Okafor, from Lisbon."""
    made = event(uri, topics=("medtop:20000344",), **more)
    place = Place("Lisbon", "PT", 38.7167, -9.1333)
    assert made.provenance
    return replace(
        made,
        story=replace(made.story, version_created=moment(hours)),
        dateline=Dateline(0, 5, (place,), "2026-01-30", "NDA"),
        entities=(
            Entity("e1", "PER", "Ines Okafor", relevance=relevance),
            Entity("e2", "ORG", "NDA", relevance=2),
        ),
        provenance=replace(made.provenance, received=moment(hours)),
    )


async def test_the_five_queries_of_the_page_answer_what_it_says(stack: Stack) -> None:
    name, chain = stack.settings.index, "urn:example:story:1"
    killing: Any = {"chain": "urn:b", "of": "urn:b", "sequence": 2, "relation": "kill", "headline": "Kill"}
    fix: Any = {"chain": chain, "of": chain, "sequence": 2, "version": "2", "headline": "Corrected"}
    await stack.put(
        lisbon(chain, -0.02, 80, version="1"),
        lisbon("urn:a", -30, 60, headline="Yesterday"),
        lisbon("urn:b", -1, 90, headline="Killed"),
        lisbon("urn:c", -1, 90, headline="Tomorrow", status="withheld", embargo=moment(24)),
        lisbon("urn:d", -1, 10, headline="Mentioned"),
    )
    await stack.put(
        lisbon(chain, -0.01, 80, relation="correction", **fix), lisbon("urn:k", -0.01, 90, **killing)
    )
    await stack.put(
        lisbon(
            chain, 0, 80, relation="update", **fix | {"sequence": 3, "version": "3", "headline": "Updated"}
        )
    )
    hours, rising, near, members, today = (json.loads(body) for body in queries("json"))

    async def ask(alias: str, body: Any) -> Any:
        answer = await stack.client.search(index=alias, body=body)
        return answer["aggregations"] if body.get("size") == 0 else answer["hits"]["hits"]

    current, every = current_alias(name), all_alias(name)
    buckets = (await ask(current, hours))["hours"]["buckets"]
    counts: dict[str, int] = {}
    for topic in (topic for bucket in buckets for topic in bucket["topics"]["buckets"]):
        counts[topic["key"]] = counts.get(topic["key"], 0) + topic["doc_count"]
    assert counts["medtop:20000344"] == counts["medtop:04000000"] == 2
    (rise,) = (await ask(current, rising))["entities"]["about"]["names"]["buckets"]
    assert (rise["key"], rise["doc_count"], rise["stories"]["today"]["doc_count"]) == ("Ines Okafor", 2, 1)
    found = [hit["_source"]["headline"] for hit in await ask(current, near)]
    assert sorted(found) == ["Mentioned", "Updated", "Yesterday"]
    versions = [hit["_source"]["version"] for hit in await ask(every, members)]
    assert versions == ["1", "2", "3"]
    if datetime.now(UTC).hour or datetime.now(UTC).minute > 5:  # else "today" has just begun
        assert sorted(hit["_source"]["headline"] for hit in await ask(every, today)) == ["Corrected", "Kill"]
    assert len(queries("esql")) == 2
    for query in queries("esql"):
        answer = await stack.client.options(ignore_status=[400, 404, 405]).perform_request(
            "POST", "/_query", body={"query": query.replace("wire-stories", name)},
            headers={"Content-Type": "application/json", "Accept": "application/json"},
        )  # fmt: skip
        if answer.meta.status == 200:
            assert answer.body["values"]


def test_those_who_made_a_story_are_not_in_its_names_unless_it_is_about_them() -> None:
    text = "By Otto Vreed\nLISBON (NDA) - Ines Okafor told NDA.\n(Reporting by Otto Vreed)"
    spans = [(3, 13, "e1"), (14, 20, "e2"), (22, 25, "e3"), (29, 39, "e4"), (45, 48, "e3"), (64, 74, "e1")]
    labels = {"e1": "PER", "e2": "LOC", "e3": "ORG", "e4": "PER"}
    names = {"e1": "Otto Vreed", "e2": "Lisbon", "e3": "NDA", "e4": "Ines Okafor"}
    made = replace(
        event("urn:a", text=text),
        segments=(
            Segment(0, 13, "byline"),
            Segment(14, 28, "dateline"),
            Segment(29, 49, "paragraph"),
            Segment(50, 75, "signoff"),
        ),
        dateline=Dateline(14, 28, (), None, "NDA"),
        mentions=tuple(Mention(a, b, text[a:b], labels[entity], entity) for a, b, entity in spans),  # type: ignore[arg-type]
        entities=tuple(Entity(entity, labels[entity], name, relevance=22) for entity, name in names.items()),  # type: ignore[arg-type]
    )
    assert subject_names(made) == ("lisbon", "ines okafor")
    about = tuple(replace(entity, relevance=70) for entity in made.entities or ())
    assert subject_names(replace(made, entities=about)) == ("lisbon", "nda", "ines okafor")
    supplied = replace(made, dateline=None, story=replace(made.story, info_sources=(InfoSource("NDA"),)))
    assert "nda" not in subject_names(supplied)
