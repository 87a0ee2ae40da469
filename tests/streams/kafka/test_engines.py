"""Engines: one outcome a record, in order, each partition on its own state, and steps loaded when they must be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from streams.kafka.engines import StatefulEngine, StatelessEngine
from streams.kafka.standby import PartitionStates
from streams.messages import Message, Record
from streams.settlement import Outcome


def record(partition: int, offset: int) -> Record:
    return Record("in", partition, offset, b"", b"%d/%d" % (partition, offset), 0)


class Numbering:
    """A step that numbers the records that it has run."""

    def __init__(self) -> None:
        self.count = 0

    def sizes(self) -> dict[str, int]:
        return {"stories": self.count}

    def __call__(self, records: Sequence[Record]) -> list[Outcome]:
        return [self._number(record) for record in records]

    def _number(self, record: Record) -> Outcome:
        self.count += 1
        return (Message("out", b"", b"%b is %d" % (record.value, self.count), 0),)


class States:
    """A step a partition, and what was noted as committed."""

    def __init__(self) -> None:
        self.steps = {0: Numbering(), 1: Numbering()}
        self.committed: dict[int, int] = {}

    def step_to_run(self, partition: int) -> Numbering:
        return self.steps[partition]

    def mark_committed(self, partition: int, next_offset: int) -> None:
        self.committed[partition] = next_offset


def values(outcomes: Sequence[Outcome]) -> list[bytes]:
    return [message.value for outcome in outcomes if isinstance(outcome, tuple) for message in outcome]


async def test_each_partition_runs_on_its_own_state_and_outcomes_keep_the_order_of_the_records() -> None:
    states = States()
    engine = StatefulEngine(cast("PartitionStates", states))
    outcomes = await engine.run([record(1, 7), record(0, 3), record(1, 8), record(0, 4), record(0, 5)])
    assert values(outcomes) == [b"1/7 is 1", b"0/3 is 1", b"1/8 is 2", b"0/4 is 2", b"0/5 is 3"]
    engine.mark_committed({0: 6, 1: 9})
    assert states.committed == {0: 6, 1: 9}


async def test_a_step_without_state_is_loaded_once_and_again_after_a_crash() -> None:
    loaded: list[Numbering] = []

    def load() -> Numbering:
        loaded.append(Numbering())
        return loaded[-1]

    engine = StatelessEngine(load)
    await engine.run([record(0, 0)])
    assert values(await engine.run([record(0, 1)])) == [b"0/1 is 2"]
    await engine.restart_partition(0, 2)
    assert values(await engine.run([record(0, 2)])) == [b"0/2 is 1"]
    assert len(loaded) == 2
