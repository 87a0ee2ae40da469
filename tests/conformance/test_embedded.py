"""The embedded runtime makes the events that one process makes, byte for byte."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest
from msgspec.structs import replace

from config.settings import EmbeddedSettings, Settings
from streams.embedded.runtime import EmbeddedRuntime
from streams.topology import DEAD_LETTERS, SINK_READS
from tests.conformance.recorded import expected, killed, raw_items, told


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("workers", "batch"), [(1, 64), (2, 5)])
async def test_the_embedded_runtime_agrees_with_process(tmp_path: Path, workers: int, batch: int) -> None:
    items = raw_items()
    events, errors = expected(items)
    others = psutil.Process().children(recursive=True)  # servers of the test session
    settings = replace(Settings(), embedded=EmbeddedSettings(workers=workers, batch=batch))
    async with EmbeddedRuntime(settings, tmp_path) as runtime:
        await runtime.outlet.publish(items)
        assert await runtime.drain(200)
        log = runtime.log_thread.log
        made = await runtime.log_thread.run(
            lambda: [record.value for topic in SINK_READS for record in log.records(topic.name)]
        )
        letters = await runtime.log_thread.run(
            lambda: [record for topic in DEAD_LETTERS for record in log.records(topic.name)]
        )
    assert psutil.Process().children(recursive=True) == others, "the pool has ended"
    assert told(made) == events
    assert sorted((letter.header("x-error-type") or b"").decode() for letter in letters) == errors
    relations = {relation for _, _, relation in events}
    assert {"new", "duplicate", "update", "correction", "kill"} <= relations, "the day has some of everything"
    assert killed(events) >= {"urn:invented:3", "urn:invented:13", "urn:invented:23", None}
