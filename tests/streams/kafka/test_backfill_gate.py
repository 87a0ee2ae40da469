"""The gate of back-fills: a batch for each look that finds room behind a step, and none where the lag is not known."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from aiokafka.errors import KafkaConnectionError

from config.settings import Kafka
from streams.backfill import MAX_RECORDS_AHEAD
from streams.kafka.backfill_gate import BackfillGate, GroupLag
from streams.kafka.cluster import Cluster
from streams.topology import STEPS


class Lag:
    """A lag that is set by hand, in the place of the broker's."""

    def __init__(self) -> None:
        self.records: int | None = 0  # None: the broker does not answer
        self.looks = 0

    async def count_records(self) -> int:
        self.looks += 1
        if self.records is None:
            raise KafkaConnectionError
        return self.records


@pytest.fixture
def lag(monkeypatch: pytest.MonkeyPatch) -> Lag:
    lag = Lag()
    monkeypatch.setattr(GroupLag, "count_records", lambda _: lag.count_records())
    monkeypatch.setattr("streams.kafka.backfill_gate.LOOK_INTERVAL_S", 0.0)
    return lag


async def acquired(gate: BackfillGate, until: Callable[[], bool]) -> int:
    """How many batches the gate lets pass until a condition holds."""
    count = 0
    async with asyncio.timeout(10):
        while not until():
            count += gate.try_acquire()
            await asyncio.sleep(0)
    return count


@pytest.mark.parametrize(
    ("records", "passes"),
    [(0, True), (MAX_RECORDS_AHEAD, True), (MAX_RECORDS_AHEAD + 1, False), (None, False)],
)
async def test_a_batch_passes_while_few_records_wait_behind_the_step(
    lag: Lag, records: int | None, *, passes: bool
) -> None:
    lag.records = records
    gate = BackfillGate(Cluster(Kafka()), STEPS[0])
    assert not gate.try_acquire(), "nothing is known before the first look"
    count = await acquired(gate, lambda: lag.looks == 4)
    await gate.close()
    assert count == (3 if passes else 0), "one batch a look"


async def test_the_gate_opens_again_when_the_lag_falls(lag: Lag) -> None:
    lag.records = MAX_RECORDS_AHEAD + 1
    gate = BackfillGate(Cluster(Kafka()), STEPS[0])
    assert await acquired(gate, lambda: lag.looks == 3) == 0
    lag.records = MAX_RECORDS_AHEAD
    assert await acquired(gate, lambda: lag.looks == 6) >= 2
    await gate.close()
