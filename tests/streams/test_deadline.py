"""Work in a thread of this process that goes on for ever fails for the record in hand, and holds nobody up."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence

import pytest

from config.settings import Settings
from processors.model.event import RawItem
from streams.deadline import OverDeadline, run_in_thread
from streams.kafka.engines import StatelessEngine
from streams.messages import Record, raw_message
from streams.settlement import LostChild, Outcome
from streams.steps import STAGE_LOADERS, StageOutcome, StatelessStage, Work
from streams.topology import RAW, STEPS


def loop_for_ever() -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        pass


def records(*payloads: bytes) -> list[Record]:
    messages = [raw_message(RawItem(payload, "2026-11-20T12:00:00Z"), RAW.name) for payload in payloads]
    return [Record(m.topic, 0, n, m.key, m.value, m.timestamp) for n, m in enumerate(messages)]


async def test_what_is_quick_is_answered_and_what_it_raises_is_raised() -> None:
    assert await run_in_thread("step", lambda: 7, 5) == 7
    assert await run_in_thread("step", threading.get_ident, 5) != threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        await run_in_thread("step", lambda: 1 // 0, 5)


async def test_a_loop_without_end_is_interrupted() -> None:
    with pytest.raises(OverDeadline):
        await asyncio.wait_for(run_in_thread("step", loop_for_ever, 0.1), 20)


async def test_only_the_record_in_hand_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def run_one(item: RawItem) -> StageOutcome:
        if item.payload == b"endless":
            loop_for_ever()
        return ()

    monkeypatch.setitem(STAGE_LOADERS, "normalise", lambda _: StatelessStage.one_by_one(run_one))
    work = Work(STEPS[0], Settings())
    batch = records(b"a", b"endless", b"b", b"endless", b"c")
    outcomes = await asyncio.wait_for(run_in_thread("normalise", lambda: work(batch), 0.2), 20)
    assert [isinstance(outcome, OverDeadline) for outcome in outcomes] == [False, True, False, True, False]


async def test_where_no_record_was_in_hand_all_are_suspect() -> None:
    def endless(_records: Sequence[Record]) -> list[Outcome]:
        loop_for_ever()
        return []

    engine = StatelessEngine(lambda: endless, "route", 0.1)
    outcomes = await asyncio.wait_for(engine.run(records(b"a", b"b")), 20)
    assert [isinstance(outcome, LostChild) for outcome in outcomes] == [True, True]
    assert "route was not done after 0.1 s" in str(outcomes[0])


async def cancel_soon(wait: Callable[[], bool]) -> None:
    running = asyncio.ensure_future(run_in_thread("endless", wait, 60))
    await asyncio.sleep(0.05)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


def test_who_is_cancelled_leaves_a_thread_that_holds_up_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    errors: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", errors.append)
    end = threading.Event()
    asyncio.run(cancel_soon(end.wait))
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "endless"]
    assert thread.daemon
    end.set()
    thread.join(20)
    assert not thread.is_alive()
    assert not errors
