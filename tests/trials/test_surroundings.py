"""What happens around the broker: its name, its disk, its users' passwords, the clocks, and who is woken by it all."""

from __future__ import annotations

import asyncio
import json
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest
from msgspec.structs import replace

from config.settings import Kafka, Settings
from streams.kafka.cluster import Cluster
from streams.kafka.grants import role_grants
from streams.messages import raw_message
from streams.topology import ENRICHED, NORMALISED, RAW
from tests.conftest import KafkaForTest
from tests.servers.fleet import ROOT, Worker, item, make_topics, publish, read
from tests.servers.kafka import KafkaServer
from tests.servers.process import ServerProcess, free_ports
from tests.streams.kafka.test_grants import OPERATOR, broker, change_password, give, login
from tests.trials.test_retention import NORMALISE, trim, uris_of
from tests.trials.test_rules import QUICK, arrived, assert_quiet, stories
from tests.trials.trial import Trial

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]
__all__ = ["broker"]  # a fixture
NAME: Final = "kafka.wire.example"
# Python runs it in the worker's process at its start.
ODD_NAMES: Final = f"""
import os, socket
look_up = socket.getaddrinfo
def getaddrinfo(host, *more, **options):
    if host == "{NAME}":
        if os.path.exists(os.environ["WIRETEST_AWAY"]):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        host = "127.0.0.1"
    return look_up(host, *more, **options)
socket.getaddrinfo = getaddrinfo
"""
ODD_CLOCK: Final = """
import os, time
clock = time.time
time.time = lambda: clock() + float(os.environ["WIRETEST_CLOCK"])
"""


def customised(folder: Path, code: str) -> str:
    """A path on which Python finds the code that it runs at its start."""
    (folder / "sitecustomize.py").write_text(code, "utf-8")
    return f"{folder}:{ROOT}"


@pytest.mark.trial("36", "the broker's name resolves no more, and the broker starts again")
async def test_a_name_that_leads_nowhere_is_waited_for(tmp_path: Path, trial: Trial) -> None:
    port, controller, inner = free_ports(3)
    properties = {
        "listeners": f"CLIENT://127.0.0.1:{port},INNER://127.0.0.1:{inner},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"CLIENT://{NAME}:{port},INNER://127.0.0.1:{inner}",
        "listener.security.protocol.map": "CLIENT:PLAINTEXT,INNER:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "INNER",
    }
    server = KafkaServer(tmp_path, properties, (port, controller))
    server.format()
    server.start()
    try:
        ours = Kafka(servers=f"127.0.0.1:{inner}", partitions=1, workers=1, worker="one")
        await make_topics(ours)
        await publish(ours, map(item, range(10)))
        away = tmp_path / "away"
        named = replace(ours, servers=f"{NAME}:{port}")
        path = customised(tmp_path, ODD_NAMES)
        with Worker(named, tmp_path / "log", *QUICK, PYTHONPATH=path, WIRETEST_AWAY=str(away)) as worker:
            assert len(await read(ours, [ENRICHED.name], 10)) == 10
            away.touch()
            await asyncio.to_thread(server.stop)
            await asyncio.to_thread(server.start)
            trial.begin()
            await publish(ours, map(item, range(10, 30)))
            await trial.wait_until_told("readyz", lambda: worker.ask("/readyz")[0] == 503)
            assert "Kafka" in worker.ask("/readyz")[1]
            await asyncio.sleep(10)
            assert worker.process.poll() is None, worker.log()[-3000:]
            away.unlink()
            trial.end()

            async def is_well() -> bool:
                return await arrived(ours, ENRICHED.name, 30) and worker.ask("/readyz")[0] == 200

            await trial.wait_until_healed(is_well)
            trial.count(stories(*range(30)), uris_of(await read(ours, [ENRICHED.name], 30)))
            assert "Traceback" not in worker.log(), worker.log()[-5000:]
    finally:
        server.stop()


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 160 MB, of which a file of 120 MB can be taken away."""
    with tempfile.TemporaryDirectory(prefix="wiredesk-kafka-") as name:
        disk = Path(name)
        command = ["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", str(disk)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("this user may not mount a file system")
        try:
            yield disk
        finally:
            subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.trial("37", "the broker's disk is full, so that it ends; then there is room and it starts again")
async def test_a_full_disk_of_the_broker_loses_nothing_that_it_had_taken(
    small_disk: Path, tmp_path: Path, trial: Trial
) -> None:
    server = KafkaServer(small_disk)
    server.format()
    server.start()
    settings = Kafka(servers=server.servers, partitions=1, workers=1, worker="one")
    try:
        await make_topics(settings)
        await publish(settings, map(item, range(10)))
        with Worker(settings, tmp_path / "log", *QUICK) as worker:
            assert len(await read(settings, [ENRICHED.name], 10)) == 10
            filler = small_disk / "filler"
            fill(filler)
            trial.begin()
            taken = await publish_until_refused(settings, range(10, 400))
            await trial.wait_until_told("readyz", lambda: worker.ask("/readyz")[0] == 503)
            filler.unlink()
            server.kill()
            await asyncio.to_thread(server.start)
            trial.end()

            async def is_well() -> bool:
                done = set(uris_of(await read(settings, [ENRICHED.name], 10 + len(taken), 1)))
                return set(stories(*taken)) <= done and worker.ask("/readyz")[0] == 200

            await trial.wait_until_healed(is_well)
            arrived_uris = uris_of(await read(settings, [ENRICHED.name], 10 + len(taken), 5))
            trial.count(stories(*range(10), *taken), arrived_uris)
            assert "Traceback" not in worker.log(), worker.log()[-5000:]
            assert worker.process.poll() is None
    finally:
        server.kill()


def fill(path: Path) -> None:
    """Write until no room is left."""
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 16))


async def publish_until_refused(settings: Kafka, numbers: range) -> list[int]:
    """The numbers of the items that the broker has taken before it took no more."""
    taken: list[int] = []
    cluster = Cluster(settings)
    producer = cluster.producer(request_timeout_ms=3000)
    await producer.start()
    try:
        for number in numbers:
            message = raw_message(item(number, text=f"Report {number}. " * 3000), RAW.name)
            try:
                async with asyncio.timeout(8):
                    await producer.send_and_wait(cluster.topic(RAW.name), message.value, key=message.key)
            except Exception:  # noqa: BLE001 -- whatever the broker or the client says
                break
            taken.append(number)
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                await producer.stop()
    return taken


@pytest.mark.parametrize("seconds", [3900, -3900])
@pytest.mark.trial("38", "the worker's clock is more than an hour off")
async def test_a_clock_that_is_off_moves_no_story(
    kafka: KafkaForTest, tmp_path: Path, trial: Trial, seconds: int
) -> None:
    settings = kafka.settings(worker="one", workers=1, partitions=1)
    await make_topics(settings)
    trial.situation += f": {seconds:+d} s"
    cluster = Cluster(settings)
    path = customised(tmp_path, ODD_CLOCK)
    with Worker(settings, tmp_path / "log", *QUICK, PYTHONPATH=path, WIRETEST_CLOCK=str(seconds)) as worker:
        trial.begin()
        trial.end()
        async with cluster.producer() as producer:
            for number in range(30):  # pollers whose clocks are off too, within what a broker takes
                message = raw_message(item(number), RAW.name)
                now = int(time.time() * 1000) + (number % 3 - 1) * 3_300_000
                await producer.send_and_wait(
                    cluster.topic(RAW.name), message.value, key=message.key, timestamp_ms=now
                )
        await trial.wait_until_healed(lambda: arrived(settings, ENRICHED.name, 30))
        trial.count(stories(*range(30)), uris_of(await read(settings, [ENRICHED.name], 30)))
        assert worker.ask("/readyz")[0] == 200
        assert worker.stop() == 0, worker.log()
    assert_quiet(worker)


@pytest.mark.trial("22", "SCRAM password changed under a running worker, the new word in its file later")
async def test_a_worker_takes_a_new_password_while_it_runs(
    broker: KafkaServer, tmp_path: Path, trial: Trial
) -> None:
    operator = replace(login(broker, *OPERATOR), prefix="word.")
    settings = Settings(kafka=operator)
    await make_topics(operator)
    await give(operator, [grant for grant in role_grants(settings) if grant.role == "worker"], settings)
    secret = tmp_path / "word"
    secret.write_text("word of the worker")
    await asyncio.to_thread(change_password, broker, tmp_path, "wiredesk-worker", "word of the worker")
    role = replace(login(broker, "wiredesk-worker", ""), prefix="word.")
    await publish(operator, map(item, range(10)))
    with Worker(role, tmp_path / "log", *QUICK, WIREDESK_KAFKA_PASSWORD_FILE=str(secret)) as worker:
        assert len(await read(operator, [ENRICHED.name], 10)) == 10, worker.log()[-3000:]
        await asyncio.to_thread(change_password, broker, tmp_path, "wiredesk-worker", "another word")
        trial.begin()
        await trial.wait_until_told("log", lambda: "Kafka refuses us while we run" in worker.log())
        await asyncio.to_thread(broker.stop)  # connections that are there stay until then
        await asyncio.to_thread(broker.start)
        await trial.wait_until_told("readyz", lambda: worker.ask("/readyz")[0] == 503)
        secret.write_text("another word")
        trial.end()
        await publish(operator, map(item, range(10, 30)))

        async def is_well() -> bool:
            return await arrived(operator, ENRICHED.name, 30) and worker.ask("/readyz")[0] == 200

        await trial.wait_until_healed(is_well)
        trial.count(stories(*range(30)), uris_of(await read(operator, [ENRICHED.name], 30)))
        assert "Traceback" not in worker.log(), worker.log()[-5000:]
        assert worker.stop() == 0, worker.log()


@pytest.mark.trial("4a", "retention while a worker is stopped, watched by Prometheus")
async def test_an_alert_fires_at_the_figures_of_a_running_worker(
    kafka: KafkaForTest, tmp_path: Path, trial: Trial
) -> None:
    settings = kafka.settings(worker="one", workers=1, partitions=1)
    await make_topics(settings)
    await publish(settings, map(item, range(10)))
    health, port = free_ports(2)
    watching = ServerProcess(prometheus_command(tmp_path, port, health), tmp_path / "prometheus.log")
    try:
        named = {"WIREDESK_HEALTH_PORT": str(health)}
        with Worker(settings, tmp_path / "log", *NORMALISE, **named) as worker:
            await read(settings, [NORMALISED.name], 10)
            assert worker.stop() == 0
        await publish(settings, map(item, range(10, 40)))
        await trim(settings, RAW.name, 6)
        with Worker(settings, tmp_path / "log", *NORMALISE, **named) as worker:
            worker.wait_for("records=24")
            trial.begin()
            await trial.wait_until_told("alert", lambda: "RecordsLost" in firing(port))
            records = await read(settings, [NORMALISED.name], 16)
        trial.count(stories(*range(10), *range(34, 40)), uris_of(records))
    finally:
        watching.stop()


def prometheus_command(folder: Path, port: int, health: int) -> list[str]:
    """Prometheus with the fleet's own rules, looking every second."""
    (folder / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
        f"rule_files: [{ROOT / 'config' / 'prometheus' / 'alerts.yml'}]\n"
        f"scrape_configs: [{{job_name: worker, static_configs: [{{targets: ['127.0.0.1:{health}']}}]}}]\n"
    )
    return [
        "prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'series'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip


def firing(port: int) -> set[str]:
    """The names of the alerts that fire."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/alerts", timeout=5) as answer:
            alerts = json.load(answer)["data"]["alerts"]
    except OSError:
        return set()
    return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}
