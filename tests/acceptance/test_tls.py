"""Every command against a broker that demands SASL/SCRAM over TLS; and what it says when it is refused."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import click
import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from config import Misconfigured
from config.settings import Kafka, Settings
from processors.model.codec import decode
from processors.model.event import Event
from sinks.ports import Sink, WriteResult
from streams.commands import backfill, dlq, replay
from streams.kafka.cluster import Cluster, wait_for_broker
from streams.kafka.sink import SinkRunner
from streams.topology import ENRICHED, RAW, SINK_READS, SinkStep
from tests.acceptance.conftest import finished
from tests.conftest import _lacking, say
from tests.servers.fleet import Worker, item, read
from tests.servers.maven import Missing
from tests.servers.secure_kafka import MECHANISM, PASSWORD, USER, SecureKafka

QUICK: Final = (sys.executable, "-m", "tests.servers.quick_worker")
pytestmark = [pytest.mark.kafka, pytest.mark.acceptance, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def broker(request: pytest.FixtureRequest) -> Iterator[SecureKafka]:
    with tempfile.TemporaryDirectory(prefix="wiredesk-kafka-") as folder:
        try:
            made = SecureKafka(Path(folder))
        except Missing as missing:
            _lacking(request, f"Kafka with TLS: {missing}")
        made.server.start()
        say(request, f"Kafka {made.server.version} with {MECHANISM} over TLS on {made.servers}")
        yield made
        made.server.stop()


@pytest.fixture
def told(broker: SecureKafka) -> Kafka:
    return Kafka(
        broker.servers,
        partitions=2,
        workers=1,
        worker="one",
        security_protocol="SASL_SSL",
        sasl_mechanism=MECHANISM,
        username=USER,
        password=PASSWORD,
        ca_file=str(broker.ca),
    )


@pytest.fixture
def secret(broker: SecureKafka, environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The environment of an operator, his password in a file."""
    (tmp_path / "password").write_text(PASSWORD + "\n")
    return environment | {
        "WIREDESK_KAFKA_SERVERS": broker.servers,
        "WIREDESK_KAFKA_PARTITIONS": "2",
        "WIREDESK_KAFKA_WORKERS": "1",
        "WIREDESK_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "WIREDESK_KAFKA_SASL_MECHANISM": MECHANISM,
        "WIREDESK_KAFKA_USERNAME": USER,
        "WIREDESK_KAFKA_PASSWORD_FILE": str(tmp_path / "password"),
        "WIREDESK_KAFKA_CA_FILE": str(broker.ca),
    }


class Shelf(Sink):
    """An index that keeps what it is given."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.came = asyncio.Event()

    async def open(self, _position: int | None) -> None:
        """Nothing is remembered."""

    async def write(self, events: Sequence[Event]) -> WriteResult:
        self.events += events
        self.came.set()
        return WriteResult([None] * len(events))

    async def close(self) -> None:
        """Nothing is open."""


async def sunk(told: Kafka, name: str = "shelf") -> list[Event]:
    shelf, stop = Shelf(), asyncio.Event()
    running = asyncio.ensure_future(
        SinkRunner(SinkStep(name, SINK_READS, ""), shelf, Settings(kafka=told)).run(stop)
    )
    came = asyncio.ensure_future(shelf.came.wait())
    await asyncio.wait({running, came}, timeout=60, return_when=asyncio.FIRST_COMPLETED)
    came.cancel()
    stop.set()
    await running
    return shelf.events


def called(command: click.Command, *arguments: str) -> Result:
    ran = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    return ran


def test_topics_poller_worker_sink_backfill_replay_and_dead_letters(
    told: Kafka, secret: dict[str, str], wiredesk: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = finished([wiredesk, "topics", "create"], environment=secret)
    assert ran.returncode == 0, ran.stderr.decode()
    for name, value in secret.items():
        monkeypatch.setenv(name, value)
    assert finished([wiredesk, "topics", "check"], environment=secret).stdout == b""
    feeds, drop = tmp_path / "feeds.toml", tmp_path / "drop"
    drop.mkdir()
    feeds.write_text('[[feeds]]\nid = "asleep"\nurl = "http://127.0.0.1:9/"\npaused = true\n', "utf-8")
    (drop / "copper.json").write_bytes(item(2).payload)
    (drop / "page.html").write_text("<html><body>no feed</body></html>")
    polled = secret | {"WIREDESK_POLL_DROP_FOLDER": str(drop), "WIREDESK_POLL_DROP_INTERVAL_S": "0.1"}
    with Worker(told, tmp_path / "poll.log", wiredesk, "poll", "--feeds", str(feeds), **polled) as poller:
        assert len(asyncio.run(read(told, [RAW.name], 1, 60))) == 1, poller.log()
        assert len(asyncio.run(read(told, [RAW.dead_letters.name], 1, 60))) == 1, poller.log()
        assert poller.stop() == 0, poller.log()
    old = tmp_path / "old.jsonl"
    old.write_bytes(item(1).payload + b"\n")
    assert "1 item of 1 file sent" in called(backfill.command, "--kafka", str(old)).stderr
    with Worker(told, tmp_path / "worker.log", *QUICK, **secret) as worker:
        enriched = asyncio.run(read(told, [ENRICHED.name], 2, 120))
        made = [decode(record.value or b"", Event) for record in enriched]
        assert sorted(event.provenance.backfill for event in made if event.provenance) == [False, True], (
            worker.log()
        )
        assert worker.stop() == 0, worker.log()
    assert {event.story.uri for event in asyncio.run(sunk(told))} <= {event.story.uri for event in made}
    assert called(dlq.command, "list", "--kafka", "--step", "poll").stdout.count("\n") == 1
    assert called(dlq.command, "drop", "--kafka", "--error", "NotAFeed").stdout == "1 dropped\n"
    compared = called(replay.command, "--kafka", "--since", "2025-01-01", "--dry-run").stdout
    assert compared.startswith("1 items, compared with what normalise made of them")


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"password": "wrong"}, "refuses user 'desk': see kafka.username, kafka.password"),
        ({"username": "nobody"}, "refuses user 'nobody'"),
        (
            {"ca_file": "stranger"},
            "is not trusted (self-signed certificate in certificate chain): see kafka.ca_file",
        ),
        ({"sasl_mechanism": "PLAIN"}, "does not take PLAIN: set kafka.sasl_mechanism"),
    ],
)
def test_a_refusal_is_one_line_and_nothing_to_wait_for(
    told: Kafka, broker: SecureKafka, changed: dict[str, str], line: str
) -> None:
    if "ca_file" in changed:
        changed = {"ca_file": str(broker.stranger)}
    with pytest.raises(Misconfigured) as refused:
        asyncio.run(wait_for_broker(Cluster(replace(told, **changed))))
    assert line in str(refused.value)
    assert "wrong" not in str(refused.value).replace("refuses", "")


def test_the_command_ends_with_status_2_and_keeps_the_secret(
    secret: dict[str, str], wiredesk: str, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("hunter2")
    ran = finished([wiredesk, "worker"], environment=secret)
    assert ran.returncode == 2
    last = ran.stderr.decode().splitlines()[-1]
    assert last.startswith("wiredesk: ")
    assert "refuses user 'desk'" in last
    assert "hunter2" not in ran.stderr.decode()
