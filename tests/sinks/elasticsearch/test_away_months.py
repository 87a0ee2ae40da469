"""A month that can't be written waits by itself; stories of all other months go on, and it heals without a restart."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final

import pytest
from elasticsearch import NotFoundError
from msgspec.structs import replace

from processors.errors import PartAway
from processors.model.event import Event
from tests.sinks.elasticsearch.conftest import Stack
from tests.sinks.events import event

pytestmark = pytest.mark.elasticsearch
MONTH: Final = "2025.05"


def of_month(uri: str, month: str = MONTH, **more: Any) -> Event:
    made = event(uri, **more)
    return replace(made, story=replace(made.story, first_created=f"{month.replace('.', '-')}-10T12:00:00Z"))


def alias(stack: Stack, month: str = MONTH) -> str:
    return f"{stack.settings.index}-{month}"


def first_index(stack: Stack, month: str = MONTH) -> str:
    return f"{alias(stack, month)}-000001"


async def set_block(stack: Stack, *, value: bool | None) -> None:
    await stack.client.indices.put_settings(index=first_index(stack), settings={"index.blocks.write": value})


async def set_shard_limit(stack: Stack, limit: int | None) -> None:
    await stack.client.cluster.put_settings(persistent={"cluster.max_shards_per_node": limit})


async def set_write_flag(stack: Stack, *, is_broken: bool) -> None:
    """The alias of the month stands for two indices, and for none to write."""
    other = first_index(stack, "2026.01")
    own = {"index": first_index(stack), "alias": alias(stack), "is_write_index": not is_broken}
    guest = {"index": other, "alias": alias(stack)}
    await stack.client.indices.update_aliases(
        actions=[{"add" if is_broken else "remove": guest}, {"add": own}]
    )


async def move_alias(stack: Stack, *, is_broken: bool) -> None:
    if is_broken:
        await stack.client.indices.delete_alias(index=first_index(stack), name=alias(stack))
    else:
        await stack.client.indices.put_alias(index=first_index(stack), name=alias(stack), is_write_index=True)


async def close_index(stack: Stack) -> None:
    await stack.client.indices.close(index=first_index(stack))


async def open_index(stack: Stack) -> None:
    await stack.client.indices.open(index=first_index(stack))


Act = Callable[[Stack], Awaitable[None]]
FAULTS: Final[Mapping[str, tuple[Act, Act, str]]] = {
    "closed": (close_index, open_index, "is closed: open it: POST"),
    "read-only": (lambda s: set_block(s, value=True), lambda s: set_block(s, value=None), "is read-only"),
    "alias of two": (
        lambda s: set_write_flag(s, is_broken=True), lambda s: set_write_flag(s, is_broken=False), "wiredesk index create",
    ),
    "alias lost": (
        lambda s: move_alias(s, is_broken=True), lambda s: move_alias(s, is_broken=False), "wiredesk index create",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_month_that_others_broke_waits_alone_and_heals(stack: Stack, fault: str) -> None:
    break_it, mend_it, words = FAULTS[fault]
    assert await stack.put(of_month("urn:old"), event("urn:live")) == [None, None]
    await break_it(stack)
    old, live, later = await stack.put(
        of_month("urn:old:2"), event("urn:live:2"), of_month("urn:old", version="2", headline="Again")
    )
    assert live is None, "stories of other months go on"
    for outcome in (old, later):
        assert isinstance(outcome, PartAway)
        assert outcome.part == alias(stack)
        assert words in str(outcome)
    assert alias(stack) in await stack.bulk.away_parts()
    assert {hit.uri for hit in (await stack.stories.latest(_all())).hits} >= {"urn:live", "urn:live:2"}
    assert words in str(await stack.stories.faults()), "the desk tells"
    await mend_it(stack)
    assert await stack.bulk.away_parts() == {}
    assert await stack.stories.faults() == []
    assert await stack.put(of_month("urn:old:2"), of_month("urn:old", version="2", headline="Again")) == [
        None,
        None,
    ]
    found = await stack.stories.get("urn:old")
    assert found
    assert found.event.headline == "Again"
    assert (await stack.client.count(index=stack.settings.index))["count"] == 4


def _all() -> Any:
    from sinks.search import Query

    return Query(limit=50)


async def test_a_month_that_the_server_has_no_room_for_waits_alone(stack: Stack) -> None:
    await stack.put(event("urn:live"))
    await set_shard_limit(stack, 1)
    try:
        new, live = await stack.put(of_month("urn:new"), event("urn:live:2"))
        assert isinstance(new, PartAway)
        assert "maximum normal shards" in str(new)
        assert live is None
        assert alias(stack) in await stack.bulk.away_parts()
    finally:
        await set_shard_limit(stack, None)
    assert await stack.bulk.away_parts() == {}
    assert await stack.put(of_month("urn:new")) == [None]


async def test_a_template_of_others_spoils_no_month(stack: Stack) -> None:
    await stack.put(event("urn:live"))
    strings = {"match_mapping_type": "string", "mapping": {"type": "keyword"}}
    await stack.client.indices.put_index_template(
        name=f"{stack.settings.index}-corp", index_patterns=[f"{stack.settings.index}-2*"], priority=500,
        template={"mappings": {"dynamic_templates": [{"strings": strings}]}},
    )  # fmt: skip
    try:
        new, live = await stack.put(of_month("urn:new"), event("urn:live:2"))
        assert isinstance(new, PartAway)
        assert f"{stack.settings.index}-corp" in str(new)
        assert live is None
        assert not await stack.client.indices.exists(index=first_index(stack)), "nothing is made under it"
    finally:
        await stack.client.indices.delete_index_template(name=f"{stack.settings.index}-corp")
    assert await stack.bulk.away_parts() == {}
    assert await stack.put(of_month("urn:new")) == [None]


async def test_a_month_made_by_others_with_another_mapping_waits_and_makes_no_dead_letters(
    stack: Stack,
) -> None:
    await stack.client.indices.create(
        index=first_index(stack), mappings={"properties": {"headline": {"type": "long"}}},
        aliases={stack.settings.index: {}, alias(stack): {"is_write_index": True}},
    )  # fmt: skip
    new, live = await stack.put(of_month("urn:new"), event("urn:live"))
    assert isinstance(new, PartAway)
    assert "headline is long, not text" in str(new)
    assert live is None


async def test_a_month_without_a_shard_at_work_waits_alone(stack: Stack) -> None:
    nowhere = "index.routing.allocation.require._name"
    await stack.client.indices.create(
        index=first_index(stack), settings={nowhere: "nowhere"}, wait_for_active_shards=0,
        aliases={stack.settings.index: {}, alias(stack): {"is_write_index": True}},
    )  # fmt: skip
    old, live = (await stack.bulk.write([of_month("urn:old"), event("urn:live")])).outcomes
    assert isinstance(old, PartAway)
    assert "at work nowhere" in str(old)
    assert live is None
    await stack.client.indices.put_settings(index=first_index(stack), settings={nowhere: None})
    await stack.client.cluster.health(index=first_index(stack), wait_for_status="green")
    assert await stack.bulk.away_parts() == {}
    assert await stack.put(of_month("urn:old")) == [None]


async def test_a_field_limit_holds_up_new_months_only(stack: Stack) -> None:
    await stack.put(of_month("urn:old"))
    limit = {"index.mapping.total_fields.limit": 5}
    await stack.client.indices.put_settings(index=first_index(stack), settings=limit)
    assert await stack.put(of_month("urn:old:2")) == [None], "its mapping is as it was"


async def test_a_month_that_was_deleted_is_made_anew(stack: Stack) -> None:
    await stack.put(of_month("urn:old"), event("urn:live"))
    await stack.client.indices.delete(index=first_index(stack))
    assert await stack.put(of_month("urn:old:2"), event("urn:live:2")) == [None, None]
    assert await stack.bulk.away_parts() == {}


async def test_a_month_that_is_not_shown_is_told_and_a_later_version_finds_its_place(stack: Stack) -> None:
    await stack.put(of_month("urn:old"), event("urn:live"))
    await stack.client.indices.delete_alias(index=first_index(stack), name=stack.settings.index)
    (told,) = (await stack.bulk.away_parts()).values()
    assert "not shown: run `wiredesk index create`" in told
    assert await stack.put(event("urn:old", version="2", headline="Again")) == [None]
    await stack.client.indices.refresh(index=first_index(stack))
    assert (await stack.client.count(index=first_index(stack)))["count"] == 1


async def test_a_rollover_by_others_is_shown_at_once(stack: Stack) -> None:
    await stack.put(of_month("urn:old"))
    await stack.client.indices.rollover(alias=alias(stack))
    assert await stack.put(of_month("urn:old:2")) == [None]
    assert await stack.stories.get("urn:old:2") is not None


async def test_a_kill_reaches_a_month_that_is_read_only_once_it_is_not(stack: Stack) -> None:
    await stack.put(of_month("urn:old"), event("urn:copy", chain="urn:old", of="urn:old"))
    await set_block(stack, value=True)
    kill = event("urn:kill", relation="kill", chain="urn:old", of="urn:old", sequence=2, minute=1)
    (outcome,) = await stack.put(kill)
    assert isinstance(outcome, PartAway), "it is to come again"
    copy = await stack.stories.get("urn:copy")
    assert copy
    assert copy.hidden == "killed", "what can be hidden is hidden now"
    await set_block(stack, value=None)
    assert await stack.bulk.away_parts() == {}
    assert await stack.put(kill) == [None]
    killed = await stack.stories.get("urn:old")
    assert killed
    assert killed.hidden == "killed"


async def test_a_later_version_of_a_closed_month_is_not_written_into_another(stack: Stack) -> None:
    await stack.put(of_month("urn:old"), event("urn:live"))
    await stack.bulk.open(None)  # forget where it is
    await close_index(stack)
    later = event("urn:old", version="2", headline="Again", relation="update", of="urn:old", sequence=2)
    waiting, live = await stack.put(
        later, event("urn:live", version="2", sequence=2, relation="update", of="urn:live")
    )
    assert isinstance(waiting, PartAway)
    assert live is None
    await open_index(stack)
    await stack.bulk.away_parts()
    assert await stack.put(later) == [None]
    with suppress(NotFoundError):
        assert (await stack.client.count(index=alias(stack)))["count"] == 1
    assert (await stack.client.count(index=stack.settings.index))["count"] == 2
