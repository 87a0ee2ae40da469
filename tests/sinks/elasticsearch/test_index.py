"""What stands on the server."""

from __future__ import annotations

from dataclasses import replace

import pytest

from processors.errors import Unreachable
from sinks.elasticsearch import index
from sinks.elasticsearch.client import connect
from sinks.elasticsearch.reindex import reindex
from tests.sinks.elasticsearch.conftest import Stack
from tests.sinks.events import dispatch, event

pytestmark = pytest.mark.elasticsearch


async def test_creating_again_changes_nothing_and_all_is_well(stack: Stack) -> None:
    assert await index.create(stack.client, stack.settings) == [
        f"templates of {stack.settings.index} are up to date"
    ]
    assert await index.check(stack.client, stack.settings) == []


async def test_a_missing_alias_is_told(stack: Stack) -> None:
    lacking = replace(stack.settings, index="nothing-here")
    (line,) = await index.check(stack.client, lacking)
    assert "wiredesk index create" in line


async def test_an_index_in_the_place_of_the_alias_is_told(stack: Stack) -> None:
    name = f"{stack.settings.index}-wrong"
    await stack.client.indices.create(index=name)
    (line,) = await index.check(stack.client, replace(stack.settings, index=name))
    assert "must be an alias" in line


async def test_a_mapping_that_differs_is_told_by_field(stack: Stack) -> None:
    name = stack.settings.index
    mappings = {"properties": {"feed": {"type": "text"}}}
    await stack.client.indices.create(index=f"{name}-old", aliases={name: {}}, mappings=mappings)
    wrong = await index.check(stack.client, stack.settings)
    assert f"{name}-old: feed is text, not keyword: run `wiredesk index reindex`" in wrong


async def test_an_old_mapping_is_renewed_behind_the_alias_with_every_story_in_its_state(stack: Stack) -> None:
    name = stack.settings.index
    await stack.put(
        dispatch(),
        event("urn:a"),
        event("urn:k", relation="kill", chain="urn:a", of="urn:a", sequence=2, minute=1),
    )
    lines = await reindex(stack.client, stack.settings)
    assert lines[1] == f"{name} stands for {name}-000002 now"
    assert set(await stack.client.indices.get_alias(name=name)) == {f"{name}-000002"}
    assert await index.check(stack.client, stack.settings) == []
    assert (await stack.client.count(index=name))["count"] == 3
    found = await stack.stories.get("urn:a")
    assert found is not None
    assert (found.event, found.hidden) == (event("urn:a"), "killed")
    stale = event("urn:nda:1", version="1", headline="Stale")
    await stack.put(stale)
    kept = await stack.stories.get("urn:nda:1")
    assert kept is not None
    assert kept.event == dispatch()


async def test_a_server_that_is_not_there_is_one_line(stack: Stack) -> None:
    nowhere = replace(stack.settings, url="http://127.0.0.1:9")
    client = connect(nowhere)
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:9"):
        await index.create(client, nowhere)
    await client.close()
