"""A worker notices that a step stands still, and lets a back-fill wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from aiokafka import TopicPartition

from streams.health import STUCK_AFTER_S, ProgressWatch
from streams.kafka.worker import measure_steps
from streams.topology import BACKFILL, RAW, STEPS, Step

LIVE, OLD = TopicPartition(RAW.name, 0), TopicPartition(BACKFILL.name, 0)


@dataclass
class Consumer:
    """Knows the ends of partitions."""

    ends: dict[TopicPartition, int]

    async def end_offsets(self, _partitions: object) -> dict[TopicPartition, int]:
        return self.ends


@dataclass
class Runner:
    """A step at an offset of each partition, as far as its figures go."""

    step: Step = STEPS[0]
    next_offsets: dict[TopicPartition, int] = field(default_factory=lambda: {LIVE: 5, OLD: 0})

    @property
    def partitions(self) -> list[TopicPartition]:
        return list(self.next_offsets)

    @property
    def committed_total(self) -> int:
        return sum(self.next_offsets.values())

    def live_only(self, ends: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        return {partition: end for partition, end in ends.items() if partition == LIVE}

    def lag(self, ends: Mapping[TopicPartition, int]) -> tuple[int, float]:
        return sum(end - self.next_offsets[partition] for partition, end in ends.items()), 0.0


@pytest.mark.parametrize(("ends", "stuck"), [({LIVE: 6, OLD: 0}, True), ({LIVE: 5, OLD: 900}, False)])
async def test_a_step_that_passes_no_live_record_is_stuck(
    monkeypatch: pytest.MonkeyPatch, ends: dict[TopicPartition, int], stuck: bool
) -> None:
    clock = [0.0]
    monkeypatch.setattr("streams.kafka.worker.time.monotonic", lambda: clock[0])
    watch, runner = ProgressWatch(), Runner()
    for clock[0] in (0.0, STUCK_AFTER_S / 2, STUCK_AFTER_S):
        await measure_steps(cast("Any", Consumer(ends)), cast("Any", [runner]), watch)
    assert bool(watch.describe_stuck(clock[0])) == stuck
    runner.next_offsets[LIVE] += 1
    await measure_steps(cast("Any", Consumer({LIVE: 9, OLD: 0})), cast("Any", [runner]), watch)
    assert watch.describe_stuck(clock[0]) is None
