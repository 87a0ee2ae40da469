"""What a step remembers comes back from the log in its order, and the event loop is free meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from config.settings import Settings
from streams.embedded.consumer import Access
from streams.embedded.handlers import StepHandler
from streams.embedded.log import PIECE, Log
from streams.messages import Message, Record
from streams.settlement import Outcome
from streams.topology import LINEAGE, STEPS, Step

NUMBER = 2 * PIECE + 7
DEDUPLICATE = next(step for step in STEPS if step.state == LINEAGE)


class Remembering:
    """A step that only notes what it takes back, and in which thread."""

    def __init__(self, _step: Step, _settings: Settings) -> None:
        self.taken: list[bytes] = []
        self.threads: set[int] = set()
        made.append(self)

    def __call__(self, records: Sequence[Record]) -> list[Outcome]:
        return [() for _ in records]

    def restore(self, record: Record) -> None:
        self.taken.append(record.value)
        self.threads.add(threading.get_ident())


made: list[Remembering] = []


@pytest.fixture(autouse=True)
def _remembering(monkeypatch: pytest.MonkeyPatch) -> None:
    made.clear()
    monkeypatch.setattr("streams.embedded.handlers.Work", Remembering)


async def test_a_memory_is_restored_beside_the_loop_and_anew_after_a_crash(tmp_path: Path) -> None:
    log = Log(tmp_path / "log.sqlite")
    values = [b"%d" % number for number in range(NUMBER)]
    log.append([Message(LINEAGE.name, b"en", value, 0) for value in values])
    access = Access(log)
    handler = StepHandler(DEDUPLICATE, Settings(), access)
    await handler.start()
    await handler.start()
    first, second = made
    assert first.taken == second.taken == values
    assert threading.get_ident() not in first.threads
    access.close()
