"""The broker of docker-compose.yml, by its own start script on a real Kafka: users, and nothing without a grant."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from aiokafka.errors import ClusterAuthorizationFailedError, TopicAuthorizationFailedError
from msgspec.structs import replace

from config.settings import Kafka
from streams.topology import RAW
from tests.conftest import _lacking
from tests.servers import maven
from tests.servers.fleet import item, make_topics, publish
from tests.servers.kafka import JARS, VERSION
from tests.servers.maven import Missing
from tests.servers.process import ServerProcess, free_ports

FILES: Final = Path(__file__).parents[2] / "config" / "kafka"
ROLES: Final = ("operator", "poller", "worker", "routes", "sink", "webhooks", "desk")
SCRIPTS: Final = {
    "kafka-storage.sh": "kafka.tools.StorageTool",
    "kafka-server-start.sh": "kafka.Kafka",
    "kafka-acls.sh": "org.apache.kafka.tools.AclCommand",
}
pytestmark = [pytest.mark.kafka, pytest.mark.acceptance, pytest.mark.timeout(300)]


@pytest.fixture
def work(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder with Kafka's scripts, secrets, and the files of the fleet on ports of this machine."""
    with tempfile.TemporaryDirectory(prefix="wiredesk-kafka-") as name:
        folder = Path(name)
        try:
            libs, java = maven.jars(f"kafka-{VERSION}-with-tools", *JARS), maven.java()
        except Missing as missing:
            _lacking(request, f"Kafka of the fleet: {missing}")
        for part in ("bin", "secrets", "files"):
            (folder / part).mkdir()
        for script, main in SCRIPTS.items():
            path = folder / "bin" / script
            path.write_text(
                f'#!/bin/sh\nexec {java} -Xmx512m -XX:TieredStopAtLevel=1 -cp "{libs}/*" {main} "$@"\n'
            )
            path.chmod(0o755)
        for role in ROLES:
            (folder / "secrets" / f"kafka_{role}").write_text(f"word of {role}\n")
        yield folder


def place(folder: Path, port: int, controller: int) -> None:
    """The files of the fleet, with this machine's ports and folder in the place of the container's."""
    for name in ("server.properties", "grants.sh"):
        text = (FILES / name).read_text("utf-8")
        text = text.replace("kafka:9092", f"127.0.0.1:{port}").replace("://:9092", f"://127.0.0.1:{port}")
        text = text.replace(":9093", f":{controller}").replace("/var/lib/kafka/data", str(folder / "data"))
        (folder / "files" / name).write_text(text, "utf-8")


def login(folder: Path, port: int, role: str) -> Kafka:
    password = (folder / "secrets" / f"kafka_{role}").read_text().strip()
    return Kafka(
        f"127.0.0.1:{port}", partitions=1, security_protocol="SASL_PLAINTEXT", sasl_mechanism="SCRAM-SHA-512",
        username=f"wiredesk-{role}", password=password,
    )  # fmt: skip


def shell_of(folder: Path) -> dict[str, str]:
    """The environment of the fleet's scripts."""
    return {
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "WIREDESK_KAFKA_FILES": str(folder / "files"),
        "WIREDESK_SECRETS": str(folder / "secrets"),
        "WIREDESK_ADMIN": str(folder / "admin.properties"),
    }


def started(folder: Path, shell: dict[str, str], number: int) -> ServerProcess:
    log = folder / f"log-{number}"
    process = ServerProcess(
        ["env", *(f"{k}={v}" for k, v in shell.items()), "bash", str(FILES / "start.sh")], log
    )
    process.wait_until(lambda: "Kafka Server started" in log.read_text("utf-8"), 90)
    return process


@pytest.mark.filterwarnings("ignore:Unclosed AIOKafkaProducer")  # what a refused start leaves
async def test_the_broker_of_the_fleet_has_users_and_a_role_does_only_what_it_was_given(work: Path) -> None:
    port, controller = free_ports(2)
    place(work, port, controller)
    shell = shell_of(work)
    process = started(work, shell, 1)
    try:
        await make_topics(login(work, port, "operator"))
        poller = login(work, port, "poller")
        with pytest.raises((TopicAuthorizationFailedError, ClusterAuthorizationFailedError)):
            await publish(poller, [item(1)])
        few = (work / "files" / "grants.sh").read_text("utf-8").splitlines()[:2]  # each starts a Java machine
        (work / "files" / "grants.sh").write_text("\n".join(few) + "\n", "utf-8")
        done = subprocess.run(
            ["bash", str(FILES / "grant.sh")],
            env=os.environ | shell,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        await publish(poller, [item(1)])
        with pytest.raises(TopicAuthorizationFailedError):
            await publish(poller, [item(1)], "wire.stories.enriched.v1")
    finally:
        process.stop()
    assert (work / "admin.properties").stat().st_mode & 0o077 == 0
    process = started(work, shell, 2)
    try:
        await publish(replace(poller, worker="later"), [item(2)], RAW.name)
    finally:
        process.stop()
