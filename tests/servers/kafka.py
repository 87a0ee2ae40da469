"""A real Kafka: one node in KRaft mode, on free ports of loopback, its data in a temporary folder."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.servers import maven
from tests.servers.process import ServerProcess, free_ports

VERSION: Final = "4.1.0"
JARS: Final = (
    f"org.apache.kafka:kafka_2.13:{VERSION}",
    f"org.apache.kafka:kafka-tools:{VERSION}",
    "org.slf4j:slf4j-simple:1.7.36",
)
START_S: Final = 90.0
BROKERS: Final = 3
REPLICATED: Final = {
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "broker.session.timeout.ms": "9000",
}
SCRIPTS: Final = {
    "kafka-acls.sh": "org.apache.kafka.tools.AclCommand",
    "kafka-configs.sh": "kafka.admin.ConfigCommand",
    "kafka-topics.sh": "org.apache.kafka.tools.TopicCommand",
    "kafka-consumer-groups.sh": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
}


class KafkaServer:
    """A broker that can be stopped, killed and started again on the same ports and data."""

    def __init__(
        self, folder: Path, properties: Mapping[str, str] | None = None, ports: tuple[int, int] | None = None
    ) -> None:
        """Format the data folder; `properties` are added to, or replace, those of `_properties`.

        `ports` are the broker's and the controller's; free ones where not told.
        """
        self._folder = folder
        self._libs = maven.jars(f"kafka-{VERSION}-with-tools", *JARS)
        self._java = str(maven.java())
        self._port, controller = ports or free_ports(2)
        self._config = folder / "server.properties"
        told = {**_properties(folder / "data", self._port, controller), **(properties or {})}
        self._config.write_text("".join(f"{name}={value}\n" for name, value in told.items()), "utf-8")
        self._process: ServerProcess | None = None
        self._log = folder
        self.started_in_s = 0.0

    @property
    def servers(self) -> str:
        """What ``bootstrap.servers`` takes."""
        return f"127.0.0.1:{self._port}"

    @property
    def version(self) -> str:
        """What the running broker says of itself."""
        told = re.search(r"Kafka version: (\S+)", self._running.log())
        return told[1] if told else "of unknown version"

    def format(self, *arguments: str) -> None:
        """Make the data folder; `arguments` such as ``--add-scram`` go to Kafka's own tool."""
        identity = "d2lyZWRlc2stdGVzdHMtMQ"
        subprocess.run(
            [*self._command("kafka.tools.StorageTool"), "format", "-t", identity, "-c", str(self._config),
             *arguments],
            check=True, capture_output=True,
        )  # fmt: skip

    def start(self) -> None:
        """Start, and return when the broker takes part in its cluster."""
        asked = time.monotonic()
        self.launch()
        self.wait()
        self.started_in_s = time.monotonic() - asked

    def launch(self) -> None:
        """Start without waiting: brokers of a cluster wait for each other."""
        self._log = self._folder / f"server-{int(time.monotonic() * 1000)}.log"
        self._process = ServerProcess([*self._command("kafka.Kafka"), str(self._config)], self._log)

    def wait(self) -> None:
        """Return when the broker takes part in its cluster."""
        self._running.wait_until(lambda: "Kafka Server started" in self._log.read_text("utf-8"), START_S)

    def signal(self, number: signal.Signals) -> None:
        """Freeze it and let it go on (SIGSTOP, SIGCONT)."""
        self._running.signal(number)

    def stop(self) -> None:
        """An orderly end."""
        self._running.stop()

    def kill(self) -> None:
        """A crash."""
        self._running.kill()

    def segment(self, topic: str, partition: int) -> Path:
        """The one file in which a partition's records lie."""
        [path] = (self._folder / "data" / f"{topic}-{partition}").glob("*.log")
        return path

    def tool(self, line: str) -> subprocess.CompletedProcess[str]:
        """Run a line with one of Kafka's scripts, as the script would."""
        script, *arguments = shlex.split(line)
        command = [*self._command(SCRIPTS[script]), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    @property
    def _running(self) -> ServerProcess:
        assert self._process, "start() comes first"
        return self._process

    def _command(self, main: str) -> list[str]:
        return [
            self._java, "-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=info", "-cp", f"{self._libs}/*", main,
        ]  # fmt: skip


class KafkaCluster:
    """Three brokers that are controllers as well: three replicas of everything, two of which must have a write."""

    def __init__(self, folder: Path, properties: Mapping[str, str] | None = None) -> None:
        """Format the data folders."""
        ports = free_ports(2 * BROKERS)
        pairs = list(zip(ports[:BROKERS], ports[BROKERS:], strict=True))
        voters = ",".join(f"{number}@127.0.0.1:{pair[1]}" for number, pair in enumerate(pairs, 1))
        self.brokers: list[KafkaServer] = []
        for number, pair in enumerate(pairs, 1):
            own = folder / str(number)
            own.mkdir()
            told = {"node.id": str(number), "controller.quorum.voters": voters, **REPLICATED}
            self.brokers.append(KafkaServer(own, {**told, **(properties or {})}, pair))
            self.brokers[-1].format()

    @property
    def servers(self) -> str:
        """What ``bootstrap.servers`` takes."""
        return ",".join(broker.servers for broker in self.brokers)

    def start(self) -> None:
        """Start all, and return when all take part."""
        for broker in self.brokers:
            broker.launch()
        for broker in self.brokers:
            broker.wait()

    def stop(self) -> None:
        """A quick end of all: nothing is kept."""
        for broker in self.brokers:
            broker.kill()


@contextmanager
def running(folder: Path, properties: Mapping[str, str] | None = None) -> Iterator[KafkaServer]:
    """A server of one node with its data in a folder, for as long as the block lasts."""
    server = KafkaServer(folder, properties)
    server.format()
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _properties(data: Path, port: int, controller: int) -> dict[str, str]:
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "listeners": f"CLIENT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"CLIENT://127.0.0.1:{port}",
        "inter.broker.listener.name": "CLIENT",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(data),
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        "message.max.bytes": str(32 * 1024 * 1024),
        "replica.fetch.max.bytes": str(32 * 1024 * 1024),
        "log.retention.check.interval.ms": "60000",
    }
