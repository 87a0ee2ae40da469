"""What stands on the server."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from elasticsearch import BadRequestError
from msgspec.structs import replace

from processors.errors import Transient, Unreachable
from sinks.elasticsearch import index, templates
from sinks.elasticsearch.client import connect, send_documents
from sinks.elasticsearch.reindex import copy_indices
from tests.sinks.elasticsearch.conftest import Stack
from tests.sinks.events import dispatch, event

pytestmark = pytest.mark.elasticsearch


async def test_creating_again_changes_nothing_and_all_is_well(stack: Stack) -> None:
    assert await index.create(stack.client, stack.settings) == [
        f"templates of {stack.settings.index} are up to date"
    ]
    assert await index.check(stack.client, stack.settings) == []


async def test_two_deployments_whose_names_begin_alike_share_a_server(stack: Stack) -> None:
    other = replace(stack.settings, index=f"{stack.settings.index}-two")
    await index.create(stack.client, other)
    await stack.put(event("urn:a"))
    assert (await stack.client.count(index=other.index))["count"] == 0
    await stack.client.indices.delete_index_template(name=[other.index, f"{other.index}-marks"])


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
    assert f"{name}-old is not an index of a month: run `wiredesk index reindex`" in wrong


async def test_a_month_that_has_lost_its_write_alias_is_told(stack: Stack) -> None:
    await stack.put(event("urn:a"))
    name = f"{stack.settings.index}-2026.01"
    await stack.client.indices.delete_alias(index=f"{name}-000001", name=name)
    assert await index.check(stack.client, stack.settings) == [
        f"{name}-000001 is not behind its write alias {name}: run `wiredesk index create`"
    ]


async def test_old_mappings_are_renewed_behind_the_aliases_with_every_story_in_its_state(
    stack: Stack,
) -> None:
    name = stack.settings.index
    await stack.put(
        dispatch(),
        event("urn:a"),
        event("urn:k", relation="kill", chain="urn:a", of="urn:a", sequence=2, minute=1),
        event("urn:later", minute=60 * 24 * 3),
    )
    await copy_indices(stack.client, stack.settings, lambda: stack.now)
    assert set(await stack.client.indices.get_alias(name=name)) == {
        f"{name}-2026.01-000002", f"{name}-2026.02-000002", *_this_month(name, 2),
    }  # fmt: skip
    assert await index.check(stack.client, stack.settings) == []
    assert (await stack.client.count(index=name))["count"] == 4
    found = await stack.stories.get("urn:a")
    assert found is not None
    assert (found.event, found.hidden) == (event("urn:a"), "killed")
    stale = event("urn:nda:1", version="1", headline="Stale")
    await stack.put(stale)
    kept = await stack.stories.get("urn:nda:1")
    assert kept is not None
    assert kept.event == dispatch()


async def test_an_index_of_many_months_is_taken_apart(stack: Stack) -> None:
    name = stack.settings.index
    await stack.put(event("urn:a"), event("urn:later", minute=60 * 24 * 3))
    hits = (await stack.client.search(index=name, query={"match_all": {}}, version=True))["hits"]["hits"]
    await stack.client.indices.delete(index=sorted({hit["_index"] for hit in hits}))
    await stack.client.indices.create(index=f"{name}-2-000001", aliases={name: {}})
    for hit in hits:
        await stack.client.index(
            index=f"{name}-2-000001", id=hit["_id"], document=hit["_source"], version=hit["_version"],
            version_type="external_gte", refresh=True,
        )  # fmt: skip
    await copy_indices(stack.client, stack.settings)
    assert await index.check(stack.client, stack.settings) == []
    assert (await stack.client.count(index=f"{name}-2026.01"))["count"] == 1
    assert (await stack.client.count(index=f"{name}-2026.02"))["count"] == 1


async def test_old_months_are_deleted_and_what_stays_is_found(stack: Stack) -> None:
    february = stack.now + 2 * 24 * 3_600_000
    old = f"{stack.settings.index}-2026.01-000001"
    await stack.put(event("urn:a"), event("urn:later", minute=60 * 24 * 3))
    kept = await index.prune_months(stack.client, stack.settings, 2, clock=lambda: february)
    assert kept == ["nothing is older than 2026.01"]
    told = await index.prune_months(stack.client, stack.settings, 1, dry_run=True, clock=lambda: february)
    assert told == [f"would delete {old}: 1 stories"]
    assert await index.prune_months(stack.client, stack.settings, 1, clock=lambda: february) == [
        f"deleted {old}: 1 stories"
    ]
    assert await stack.stories.get("urn:a") is None
    assert await stack.stories.get("urn:later") is not None
    assert await stack.put(event("urn:a")) == [None]  # the writer believed that its month stood


async def test_analyzers_that_a_server_lacks_are_left_out(stack: Stack) -> None:
    told = await templates.adapted_mappings(stack.client, stack.settings.index)
    can = [name for name in set(templates.language_analyzers().values()) if await _can(stack, name)]
    stemmed = told["template"]["mappings"]["properties"].get("stemmed", {"properties": {}})["properties"]
    assert {each["analyzer"] for each in stemmed.values()} == set(can)
    assert await templates.stemmed_languages(stack.client, stack.settings) == set(stemmed)


async def test_a_server_that_is_not_there_is_one_line(stack: Stack) -> None:
    nowhere = replace(stack.settings, url="http://127.0.0.1:9")
    client = connect(nowhere)
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:9"):
        await index.create(client, nowhere)
    await client.close()


def _this_month(name: str, number: int) -> list[str]:
    """The index that stands since the fixture created what is needed today."""
    return [f"{name}-{datetime.now(UTC):%Y.%m}-{number:06}"]


async def _can(stack: Stack, analyzer: str) -> bool:
    try:
        await stack.client.indices.analyze(analyzer=analyzer, text="x")
    except BadRequestError:
        return False
    return True


async def test_a_document_that_the_server_refuses_is_never_passed_over(stack: Stack) -> None:
    marks = f"{stack.settings.index}-marks"
    lines = [{"index": {"_id": "a"}}, {"kind": "kill", "unheard-of": 1}]
    with pytest.raises(Transient, match=f"{marks}: .*unheard-of"):
        await send_documents(stack.client, marks, lines)


async def test_a_later_version_stays_where_an_earlier_one_is_sent(stack: Stack) -> None:
    marks = f"{stack.settings.index}-marks"
    for version in (2, 1):
        action = {"_id": "a", "version": version, "version_type": "external_gte"}
        await send_documents(stack.client, marks, [{"index": action}, {"kind": "kill", "sequence": version}])
    assert (await stack.client.get(index=marks, id="a"))["_source"]["sequence"] == 2
