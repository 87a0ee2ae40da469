"""Old news on Kafka: behind live items whatever the number of steps, replayed, compared; poison through the dead letters.

The quick steps of the tests are run by the real worker; the commands are the real ones.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner, Result

from config.settings import Kafka
from processors.model.codec import decode
from processors.model.event import Event
from streams.backfill import MAX_RECORDS_AHEAD
from streams.commands import backfill, dlq, replay
from streams.kafka.inbox import MAX_BACKFILL_RECORDS
from streams.topology import BACKFILL, ENRICHED, NORMALISED, RAW, UNIQUE
from tests.conftest import KafkaForTest
from tests.servers.fleet import Read, Worker, item, make_topics, publish, read

pytestmark = [pytest.mark.kafka, pytest.mark.acceptance, pytest.mark.timeout(300)]
POISON: Final = (
    "die" if os.environ.get("WIRETEST_CHAOS") else "raise"
)  # a death restarts the worker, which takes long
QUICK: Final = (sys.executable, "-m", "tests.servers.quick_worker")


@pytest.fixture
def told(kafka: KafkaForTest, monkeypatch: pytest.MonkeyPatch) -> Kafka:
    """Settings for this test, also in the environment of the commands; the topics are made."""
    made = kafka.settings(worker="one", workers=1, partitions=2)
    monkeypatch.setenv("WIREDESK_KAFKA_SERVERS", kafka.servers)
    monkeypatch.setenv("WIREDESK_KAFKA_PREFIX", kafka.prefix)
    monkeypatch.setenv("WIREDESK_KAFKA_PARTITIONS", "2")
    asyncio.run(make_topics(made))
    return made


def called(command: object, *arguments: str) -> Result:
    ran = CliRunner().invoke(command, [*arguments, "--kafka"], catch_exceptions=False)  # type: ignore[arg-type]
    assert ran.exit_code == 0, ran.output
    return ran


def events(records: list[Read]) -> list[Event]:
    return [decode(record.value or b"", Event) for record in records]


def archive(folder: Path, first: int, number: int) -> Path:
    path = folder / f"{first}.jsonl"
    path.write_bytes(b"".join(item(n).payload + b"\n" for n in range(first, first + number)))
    os.utime(path, (1_738_400_400, 1_738_400_400))
    return path


def test_a_back_fill_takes_no_more_room_than_a_little_and_lets_live_items_by(
    told: Kafka, tmp_path: Path
) -> None:
    sent = called(backfill.command, str(archive(tmp_path, 1000, 600)))
    assert "600 items of 1 file sent" in sent.stderr
    assert "600 wait for the pipeline" in sent.stderr
    with Worker(told, tmp_path / "log", *QUICK, "normalise") as worker:  # nobody runs the steps behind it
        late = asyncio.run(read(told, [NORMALISED.name], MAX_RECORDS_AHEAD, 60))
        asyncio.run(publish(told, [item(n) for n in range(20)]))
        live = asyncio.run(read(told, [NORMALISED.name], len(late) + 20, 60))
        assert worker.stop() == 0, worker.log()
    taken = [event for event in events(live) if event.provenance and event.provenance.feed == "backfill"]
    assert MAX_RECORDS_AHEAD <= len(taken) <= MAX_RECORDS_AHEAD + 2 * MAX_BACKFILL_RECORDS, (
        "the rest waits until there is room"
    )
    assert len(live) - len(taken) == 20, "live items pass"
    with Worker(told, tmp_path / "log", *QUICK):
        made = events(asyncio.run(read(told, [ENRICHED.name], 620, 120)))
    assert len({event.story.uri for event in made}) == 620, "all of it is done once there is room"


def test_a_replay_goes_the_way_of_a_back_fill_and_a_dry_run_nowhere(told: Kafka, tmp_path: Path) -> None:
    asyncio.run(publish(told, [item(n, feed="wire" if n % 2 else "other") for n in range(6)]))
    with Worker(told, tmp_path / "log", *QUICK, "normalise"):
        asyncio.run(read(told, [NORMALISED.name], 6, 60))
    window = ("--since", "2025-05-29T12:00:00Z", "--until", "2025-05-29T12:00:01Z", "--feed", "wire")
    compared = called(replay.command, *window, "--dry-run").stdout
    assert "3 items, compared with what normalise made of them" in compared
    assert "3  stories differ" in compared, "the quick steps write less than the real ones"
    assert "story.bodies" in compared
    assert called(replay.command, "--since", "2025-05-29T12:00:01Z").stdout == "0 items replayed\n"
    assert called(replay.command, *window).stdout == "3 items replayed\n"
    assert len(asyncio.run(read(told, [BACKFILL.name], 3, 20))) == 3
    assert len(asyncio.run(read(told, [RAW.name], 6, 20))) == 6


def test_poison_is_set_aside_shown_replayed_and_set_aside_again(told: Kafka, tmp_path: Path) -> None:
    asyncio.run(publish(told, [item(1), item(2, f"{POISON} in segment", feed="bad"), item(3)]))
    letters = UNIQUE.dead_letters.name
    with Worker(told, tmp_path / "log", *QUICK) as worker:
        made = events(asyncio.run(read(told, [ENRICHED.name], 2, 120)))
        assert len(asyncio.run(read(told, [letters], 1, 60))) == 1, worker.log()
        [line] = called(
            dlq.command, "list", "--error", "Bug", "--step", "segment", "--feed", "bad"
        ).stdout.splitlines()
        assert "crashed 3 times" in line
        assert called(dlq.command, "replay", line.split("\t")[0]).stdout == "1 replayed\n"
        [again] = asyncio.run(read(told, [letters], 1, 120))
        assert worker.stop() == 0, worker.log()
    headers = dict(again.headers)
    assert (headers["x-attempts"], headers["x-replays"]) == (b"3", b"1")
    assert {event.story.uri for event in made} == {"urn:test:story:1", "urn:test:story:3"}
