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

from processors.model.event import Event
from sinks.elasticsearch import index
from sinks.elasticsearch.documents import all_alias, current_alias
from sinks.elasticsearch.reindex import copy_indices
from tests.sinks.elasticsearch.conftest import Stack
from tests.sinks.events import event

pytestmark = pytest.mark.elasticsearch
ROOT: Final = Path(__file__).parents[3]


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
