"""The pollers' way into the embedded log: what comes again after a crash is written once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from processors.errors import Empty
from processors.model.codec import decode
from processors.model.event import Event, RawItem
from streams.embedded.log import Log, LogThread
from streams.embedded.outlets import MAX_UNREAD_ITEMS, HandOnOutlet, RawOutlet
from streams.messages import Message
from streams.topology import RAW, WEBHOOKS
from streams.webhooks.courier import TARGET_HEADER
from tests.sinks.events import dispatch

FIRST = RawItem(b"Ships late.", "2026-11-20T12:00:00Z", feed="drop")
SECOND = RawItem(b"Ships on time.", "2026-11-20T12:00:01Z", feed="drop")
OTHER = RawItem(b"Ships late.", "2026-11-20T12:00:00Z", feed="push")


@pytest.fixture
async def log_thread(tmp_path: Path) -> AsyncIterator[LogThread]:
    opened = LogThread(Log(tmp_path / "log.sqlite"))
    yield opened
    opened.close()


async def written(log_thread: LogThread, topic: str = RAW.name) -> int:
    return await log_thread.run(lambda: log_thread.log.count_records([topic]))


async def test_an_item_that_a_crash_brings_again_is_written_once(log_thread: LogThread) -> None:
    await RawOutlet(log_thread).publish([FIRST])
    await RawOutlet(log_thread).publish([FIRST])  # the next process, which finds the file still there
    assert await written(log_thread) == 1


async def test_other_items_of_a_feed_and_equal_ones_of_others_are_written(log_thread: LogThread) -> None:
    outlet = RawOutlet(log_thread)
    for item in (FIRST, OTHER, SECOND, FIRST):
        await outlet.publish([item])
    await outlet.publish([FIRST, SECOND])
    await outlet.publish([])
    assert await written(log_thread) == 6


async def test_a_rejected_document_is_a_dead_letter_once(log_thread: LogThread) -> None:
    for _ in range(2):
        await RawOutlet(log_thread).reject(FIRST, Empty("nothing in it"))
    assert await written(log_thread, f"{RAW.name}.dlq") == 1
    await RawOutlet(log_thread).publish([FIRST])
    assert await written(log_thread) == 1


@pytest.mark.parametrize(("unread", "waits"), [(MAX_UNREAD_ITEMS - 1, False), (MAX_UNREAD_ITEMS, True)])
async def test_pollers_wait_while_too_much_is_unread(log_thread: LogThread, unread: int, waits: bool) -> None:
    log = log_thread.log
    await log_thread.write(lambda: log.append([Message(RAW.name, b"k", b"", 0)] * unread))
    publishing = asyncio.create_task(RawOutlet(log_thread).publish([FIRST]))
    if waits:
        for _ in range(5):
            await log_thread.run(lambda: None)
        assert not publishing.done()
        await log_thread.write(lambda: log.commit("normalise", {RAW.name: 1}))
    await asyncio.wait_for(publishing, 10)
    assert log.end_offset(RAW.name) == unread + 1


async def test_a_story_that_is_handed_on_waits_for_its_one_target(log_thread: LogThread) -> None:
    outlet = HandOnOutlet(log_thread, lambda: ["newsroom"])
    assert list(outlet.targets) == ["newsroom"]
    await outlet.hand_on("newsroom", dispatch())
    (record,) = await log_thread.run(lambda: log_thread.log.records(WEBHOOKS.name))
    assert record.header(TARGET_HEADER) == b"newsroom"
    assert (record.key, decode(record.value, Event)) == (b"urn:nda:1", dispatch())
