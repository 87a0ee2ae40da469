"""Shards in processes tell the same lineage, and leave nobody behind."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
import psutil
import pytest

import streams
from config.settings import Deduplicate, Settings
from processors.deduplicate.tables import Whole
from processors.model.codec import encode
from processors.model.event import Event
from streams import steps as stages
from streams.children import BrokenShards
from streams.embedded.consumer import Access, Consumer
from streams.embedded.handlers import StepHandler
from streams.embedded.log import DATABASE, Log
from streams.messages import message
from streams.shards import Shards
from streams.topology import DUPLICATE, LINEAGE, NORMALISED, STEPS, UNIQUE
from tests.processors.deduplicate.stories import event, report

BATCH = 100
DEDUPLICATE = STEPS[1]


def sharded(number: int) -> Settings:
    return replace(Settings(), deduplicate=Deduplicate(shards=number))


def history(number: int) -> list[Event]:
    """Reports, each sent two or three times in other words, other lengths and other places of the stream."""
    own = random.Random(number)  # noqa: S311 -- an example, not a secret
    return [
        event(f"u{at}", report(own.randrange(number // 2), own.randint(4, 9)), hours=at / 50 + own.random())
        for at in range(number)
    ]


def decided(stage: stages.Stage, events: Sequence[Event]) -> list[stages.Outcome]:
    return [outcome for at in range(0, len(events), BATCH) for outcome in stage(events[at : at + BATCH])]


def children() -> list[psutil.Process]:
    """The shards that this process has."""
    return [
        each
        for each in psutil.Process().children(recursive=True)
        if each.status() != psutil.STATUS_ZOMBIE and "streams.shard_server" in each.cmdline()
    ]


def gone(family: Sequence[psutil.Process]) -> bool:
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in family)


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not within the deadline"
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def _nobody_is_left() -> Iterator[None]:
    yield
    gc.collect()
    assert not children()


def test_lineage_is_the_same_to_the_byte_in_1_2_and_4_processes_and_restored_from_each_other() -> None:
    events = history(2000)
    told: dict[int, list[stages.Outcome]] = {}
    for number in (1, 2, 4):
        stage = stages.start("deduplicate", sharded(number))
        told[number] = decided(stage, events[:1500])
        assert len(children()) == (number if number > 1 else 0)
        stage.close()
        stage = stages.start("deduplicate", sharded(number))
        for (made,) in told[1][:1500]:  # type: ignore[misc]
            stage.restore(made.memory)  # type: ignore[union-attr]
        told[number] += decided(stage, events[1500:])
        stage.close()
    assert told[2] == told[1]
    assert told[4] == told[1]
    relations = {made.event.lineage.relation for (made,) in told[1]}  # type: ignore[misc, union-attr]
    assert relations >= {"new", "duplicate", "update"}


def test_a_table_in_processes_is_the_table_past_what_a_socket_holds() -> None:
    own = np.random.default_rng(5)
    shards = Shards(3)
    for kind, most in ((np.uint8, 255), (np.uint64, 2**64 - 1)):
        whole, table = Whole(1_000_001, kind), shards.table(1_000_001, kind)
        for number in range(6):
            places = own.integers(len(whole), size=300_000, dtype=np.uint64)
            values = own.integers(most, size=len(places), dtype=kind)
            whole.put(places, values)
            table.put(places, values)
            if number % 2:
                whole.halve()
                table.halve()
            if number == 3:
                whole.stretch()
                table.stretch()
            assert len(table) == len(whole)
            assert np.array_equal(table.take(places[::-1]), whole.take(places[::-1]))
        table.clear(10)
        assert not table.take(np.arange(10, dtype=np.uint64)).any()
    shards.close()


def test_a_step_that_saw_no_story_has_no_children_and_a_closed_one_none_any_more() -> None:
    stage = stages.start("deduplicate", sharded(2))
    assert not children()
    stage(history(3))
    family = children()
    assert len(family) == 2
    stage.close()
    stage.close()
    assert gone(family)
    with pytest.raises(BrokenShards):
        stage(history(4)[3:])


def test_a_step_that_is_dropped_takes_its_children_along() -> None:
    stage = stages.start("deduplicate", sharded(2))
    stage(history(3))
    family = children()
    del stage
    gc.collect()
    assert gone(family)


def test_signals_of_the_terminal_do_not_reach_the_children() -> None:
    events = history(200)
    one, two = (stages.start("deduplicate", sharded(number)) for number in (1, 2))
    assert two(events[:100]) == one(events[:100])
    for process in children():
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
    assert two(events[100:]) == one(events[100:])
    two.close()


def test_a_killed_child_breaks_the_step_and_blames_no_story() -> None:
    events = history(300)
    stage = stages.start("deduplicate", sharded(2))
    stage(events[:100])
    children()[1].kill()
    with pytest.raises(BrokenShards, match="is gone"):
        decided(stage, events[100:])
    stage.close()


class Running:
    """The step as the embedded runtime runs it, on a log of its own."""

    def __init__(self, shards: int, folder: Path) -> None:
        self.access = Access(Log(folder / DATABASE))
        self.handler = StepHandler(DEDUPLICATE, sharded(shards), self.access)
        self.consumer = Consumer(DEDUPLICATE.name, [NORMALISED.name], self.handler, self.access, BATCH)

    async def __aenter__(self) -> Self:
        self.task = asyncio.ensure_future(self.consumer.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.consumer.stop()
        await asyncio.wait({self.task})
        self.handler.close()
        self.access.close()

    async def read(self, events: Sequence[Event]) -> None:
        """Write events, and wait until they are read or the consumer has ended."""
        now = int(time.time() * 1000)
        made = [message(NORMALISED.name, "en", encode(each), now, source="t") for each in events]
        await self.access.write(lambda: self.access.log.append(made))
        while await self.access.read(self.consumer.lag) and not self.task.done():
            seen = self.access.commits
            changed = asyncio.ensure_future(self.access.changed(seen))
            await asyncio.wait({changed, self.task}, timeout=0.1, return_when=asyncio.FIRST_COMPLETED)
            changed.cancel()

    async def written(self) -> list[list[bytes]]:
        """What the step wrote, topic by topic."""
        log, names = self.access.log, [topic.name for topic in (UNIQUE, DUPLICATE, LINEAGE)]
        return await self.access.read(lambda: [[each.value for each in log.records(name)] for name in names])


async def test_a_killed_child_ends_the_runtime_which_then_goes_on_without_loss_or_repeat(
    tmp_path: Path,
) -> None:
    events = history(400)
    (tmp_path / "undisturbed").mkdir()
    async with Running(1, tmp_path / "undisturbed") as step:
        await step.read(events)
        undisturbed = await step.written()
    async with Running(2, tmp_path) as step:
        await step.read(events[:150])
        children()[0].kill()
        await step.read(events[150:])
        with pytest.raises(BrokenShards):
            await step.task
    async with Running(2, tmp_path) as step:
        await step.read([])
        assert await step.written() == undisturbed
    unique, duplicate, lineage = undisturbed
    assert len(unique) + len(duplicate) == len(lineage) == len(events)


PARENT = """
import sys
from tests.streams.test_shards import decided, history, sharded, stages
stage = stages.start("deduplicate", sharded(2))
decided(stage, history(100))
print("ready", flush=True)
sys.stdin.read()
"""


def test_children_end_with_a_killed_parent() -> None:
    path = str(Path(streams.__file__).parents[1])
    with subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
    ) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == b"ready\n"
        family = psutil.Process(parent.pid).children(recursive=True)
        assert len(family) == 2
        parent.kill()
    until(lambda: gone(family))
