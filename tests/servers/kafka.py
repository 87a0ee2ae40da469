"""A real Kafka: one node in KRaft mode, on free ports of loopback, its data in a temporary folder."""

from __future__ import annotations

import re
import shlex
import subprocess
import time
from collections.abc import Mapping
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
SCRIPTS: Final = {
    "kafka-configs.sh": "kafka.admin.ConfigCommand",
    "kafka-topics.sh": "org.apache.kafka.tools.TopicCommand",
    "kafka-consumer-groups.sh": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
}


class KafkaServer:
    """A broker that can be stopped, killed and started again on the same ports and data."""

    def __init__(self, folder: Path, properties: Mapping[str, str] | None = None) -> None:
        """Format the data folder; `properties` are added to, or replace, those of `_properties`."""
        self._folder = folder
        self._libs = maven.jars(f"kafka-{VERSION}-with-tools", *JARS)
        self._java = str(maven.java())
        self._port, controller = free_ports(2)
        self._config = folder / "server.properties"
        told = {**_properties(folder / "data", self._port, controller), **(properties or {})}
        self._config.write_text("".join(f"{name}={value}\n" for name, value in told.items()), "utf-8")
        self._process: ServerProcess | None = None
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
        log = self._folder / f"server-{int(asked * 1000)}.log"
        self._process = ServerProcess([*self._command("kafka.Kafka"), str(self._config)], log)
        self._process.wait_until(lambda: "Kafka Server started" in log.read_text("utf-8"), START_S)
        self.started_in_s = time.monotonic() - asked

    def stop(self) -> None:
        """An orderly end."""
        self._running.stop()

    def kill(self) -> None:
        """A crash."""
        self._running.kill()

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
