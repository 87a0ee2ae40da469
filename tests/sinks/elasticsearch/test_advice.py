"""Each advice of `wiredesk index check` mends what it names: break it, check, run exactly what is advised, check, count."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import orjson
import pytest

from processors.errors import PartAway
from sinks.elasticsearch import index
from sinks.elasticsearch.documents import document, document_id
from sinks.elasticsearch.reindex import copy_indices
from sinks.stories import revision
from tests.sinks.elasticsearch.conftest import Stack
from tests.sinks.elasticsearch.test_away_months import (
    alias,
    close_index,
    first_index,
    of_month,
    set_write_flag,
)
from tests.sinks.events import event

pytestmark = pytest.mark.elasticsearch
COMMANDS: Final = {"wiredesk index create": index.create, "wiredesk index reindex": copy_indices}


async def advised(stack: Stack) -> list[str]:
    """What the check advises to run, each once, in its order."""
    lines = await index.check(stack.client, stack.settings)
    commands = [re.search(r"run `([^`]+)`", line) for line in lines]
    assert all(commands), lines
    return list(dict.fromkeys(command[1] for command in commands if command))


async def follow_advice(stack: Stack) -> list[str]:
    """Run what the check advises, word for word, and return it."""
    commands = await advised(stack)
    for command in commands:
        if command in COMMANDS:
            await COMMANDS[command](stack.client, stack.settings)
        else:
            shell = await asyncio.create_subprocess_shell(f"{command} --fail --silent --output /dev/null")
            assert await shell.wait() == 0, command
    return commands


async def remove_read_alias(stack: Stack) -> None:
    await stack.client.indices.delete_alias(index=first_index(stack), name=stack.settings.index)


async def lose_write_alias(stack: Stack) -> None:
    name = alias(stack, "2026.01")
    await stack.client.indices.delete_alias(index=f"{name}-000001", name=name)


async def lock_live_month(stack: Stack) -> None:
    lock = {"index.blocks.write": True}
    await stack.client.indices.put_settings(index=first_index(stack, "2026.01"), settings=lock)


async def roll_over(stack: Stack) -> None:
    await stack.client.indices.rollover(alias=alias(stack))
    assert await stack.put(of_month("urn:since"), of_month("urn:old", version="2", headline="Again")) == [
        None,
        None,
    ]


async def roll_over_unseen(stack: Stack) -> None:
    """A rollover by a server whose templates are of before: the new index is not behind the read alias."""
    await roll_over(stack)
    await stack.client.indices.delete_alias(index=f"{alias(stack)}-000002", name=stack.settings.index)


async def lose_all_aliases(stack: Stack) -> None:
    await stack.client.indices.delete_alias(
        index=first_index(stack), name=[stack.settings.index, alias(stack)]
    )


async def leave_a_copy(stack: Stack) -> None:
    """A copy that was broken off, or an old index, which no alias shows and which has a story that the others lack."""
    name, lost = f"{alias(stack)}-000007", of_month("urn:lost")
    await stack.client.indices.create(index=name)
    remove = {"remove": {"index": name, "alias": stack.settings.index}}
    await stack.client.indices.update_aliases(actions=[remove])
    await stack.client.index(
        index=name, id=document_id("urn:lost"), document=document(lost), version=revision(lost),
        version_type="external_gte", refresh=True,
    )  # fmt: skip


async def lose_marks(stack: Stack) -> None:
    await stack.client.indices.delete(index=f"{stack.settings.index}-marks")


async def spoil_template(stack: Stack) -> None:
    await stack.client.indices.put_index_template(
        name=f"{stack.settings.index}-corp", index_patterns=[f"{stack.settings.index}*"], priority=500,
        template={"mappings": {"properties": {"headline": {"type": "long"}}}},
    )  # fmt: skip


async def lose_template(stack: Stack) -> None:
    await stack.client.indices.delete_index_template(name=stack.settings.index)


async def make_another_mapping(stack: Stack) -> None:
    await stack.client.indices.create(
        index=f"{alias(stack, '2025.06')}-000001", mappings={"properties": {"urgency": {"type": "keyword"}}},
        aliases={stack.settings.index: {}, alias(stack, "2025.06"): {"is_write_index": True}},
    )  # fmt: skip


Act = Callable[[Stack], Awaitable[None]]
BREAKS: Final[Mapping[str, tuple[Sequence[Act], list[str], int]]] = {
    "an alias of each kind": ([remove_read_alias, lose_write_alias], ["wiredesk index create"], 3),
    "both aliases": ([lose_all_aliases], ["wiredesk index create"], 3),
    "alias of two": ([lambda s: set_write_flag(s, is_broken=True)], ["wiredesk index create"], 3),
    "unseen rollover": ([roll_over_unseen], ["wiredesk index create", "wiredesk index reindex"], 4),
    "old copy": ([leave_a_copy], ["wiredesk index reindex"], 4),
    "marks and template": ([lose_marks, lose_template], ["wiredesk index create"], 3),
    "template of others": ([spoil_template], ["wiredesk index create"], 3),
    "mapping": ([make_another_mapping], ["wiredesk index reindex"], 3),
    "closed and read-only": ([lock_live_month, close_index], ["curl", "curl"], 3),
}


@pytest.mark.parametrize("case", BREAKS)
async def test_what_a_check_advises_mends_what_it_names_and_loses_nothing(stack: Stack, case: str) -> None:
    breaks, expected, count = BREAKS[case]
    kill = event("urn:kill", relation="kill", chain="urn:gone", of="urn:gone", sequence=2)
    assert await stack.put(of_month("urn:old"), event("urn:live"), kill) == [None] * 3
    names_before = set(
        await stack.client.indices.get(index=f"{stack.settings.index}-*", expand_wildcards="all")
    )
    try:
        for break_it in breaks:
            await break_it(stack)
        commands = await follow_advice(stack)
        assert [
            command.partition(" ")[0] if command.startswith("curl") else command for command in commands
        ] == expected
        assert await index.check(stack.client, stack.settings) == []
        await stack.client.indices.refresh(index=stack.settings.index)
        assert (await stack.client.count(index=stack.settings.index))["count"] == count, (
            "nothing lost, nothing twice"
        )
        names = set(await stack.client.indices.get(index=f"{stack.settings.index}-*", expand_wildcards="all"))
        assert names_before <= names, "no index was deleted"
        stack.bulk._aliases.forget()
        late = event("urn:gone", chain="urn:gone", sequence=1)
        assert await stack.put(of_month("urn:after", "2025.07"), of_month("urn:old:3"), late) == [None] * 3
        gone = await stack.stories.get("urn:gone")
        assert gone
        assert gone.hidden == "killed", "old kills still hold"
    finally:
        await stack.client.options(ignore_status=404).indices.delete_index_template(
            name=f"{stack.settings.index}-corp"
        )


async def test_a_copy_deletes_and_forgets_nothing_of_others(stack: Stack) -> None:
    """Situation: an operator's own alias with a filter, and a foreign document in an index of ours."""
    await stack.put(of_month("urn:old"), event("urn:live"))
    of_feed = {"term": {"feed": "nda"}}
    await stack.client.indices.put_alias(
        index=first_index(stack), name=f"{stack.settings.index}_own", filter=of_feed
    )
    await stack.client.index(
        index=first_index(stack), id="foreign", document={"headline": "Not ours"}, refresh=True
    )
    lines = await copy_indices(stack.client, stack.settings)
    own = (await stack.client.indices.get_alias(name=f"{stack.settings.index}_own")).body
    assert own == {
        f"{alias(stack)}-000002": {"aliases": {f"{stack.settings.index}_own": {"filter": of_feed}}}
    }
    assert any("1 documents that are no stories of ours" in line for line in lines)
    assert not any(first_index(stack) in line for line in lines if "delete when you like" in line)
    assert (await stack.client.exists(index=first_index(stack), id="foreign")).body
    assert await index.check(stack.client, stack.settings) == []


async def test_a_closed_month_is_left_as_it_is_by_a_copy(stack: Stack) -> None:
    await stack.put(of_month("urn:old"), event("urn:live"))
    await close_index(stack)
    lines = await copy_indices(stack.client, stack.settings)
    assert f"{first_index(stack)} is closed, or has no shard at work, and was left as it is" in lines
    await follow_advice(stack)
    assert await index.check(stack.client, stack.settings) == []
    assert (await stack.client.count(index=stack.settings.index))["count"] == 2


async def test_what_is_written_during_a_copy_by_a_clock_that_is_an_hour_behind_is_copied(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sinks.elasticsearch import reindex, writer

    await stack.put(of_month("urn:old"))
    monkeypatch.setattr(writer, "now_ms", lambda: stack.now - 3_600_000)
    move = reindex._Copy.move_aliases

    async def write_first(copy: reindex._Copy) -> None:
        assert await stack.put(of_month("urn:meanwhile")) == [None]
        await move(copy)

    monkeypatch.setattr(reindex._Copy, "move_aliases", write_first)
    await copy_indices(stack.client, stack.settings)
    assert await stack.stories.get("urn:meanwhile") is not None
    assert (await stack.client.count(index=stack.settings.index))["count"] == 2


async def test_stories_wait_for_an_older_mapping_until_the_advised_copy(stack: Stack) -> None:
    """A field that the mapping of a month lacks is the month's fault: no story becomes a dead letter."""
    body = (await stack.client.cluster.get_component_template(name=f"{stack.settings.index}-mappings")).body
    template = body["component_templates"][0]["component_template"]["template"]
    older = orjson.loads(orjson.dumps(template["mappings"]))
    del older["properties"]["words"]
    await stack.client.indices.delete_index_template(name=stack.settings.index)
    await stack.client.indices.create(
        index=first_index(stack), mappings=older, settings=template["settings"],
        aliases={stack.settings.index: {}, alias(stack): {"is_write_index": True}},
    )  # fmt: skip
    await index.create(stack.client, stack.settings)
    old, live = await stack.put(of_month("urn:old"), event("urn:live"))
    assert isinstance(old, PartAway)
    assert "run `wiredesk index reindex`" in str(old)
    assert live is None
    await follow_advice(stack)
    await stack.bulk.away_parts()
    assert await stack.put(of_month("urn:old")) == [None]
