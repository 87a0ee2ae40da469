"""Run a fleet for an hour while things go wrong, and table what came of it. ``make soak``, or::

    python -m tests.soak [--minutes 60] [--rate 5] [--seed 1] [--away 150] [--calm 75] [--folder DIR]

Real Kafka, Elasticsearch and Prometheus (with the shipped alerts); stories come in by the drop folder. Every fault of
`FAULTS` comes in an order by chance, again and again until time is up; each is over before the next. At the end
everything has to be in the index once, and every fault must have fired its alert within `ALERT_S`. Exit status 1 where not.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from config.settings import Kafka
from streams.topology import SINK_READS
from tests.servers.elasticsearch import ElasticsearchServer
from tests.servers.fleet import item, read
from tests.servers.kafka import KafkaServer
from tests.soak.fleet import COMMAND, ROLES, Prometheus, Role, fleet_environment

ALERT_S: Final = 120.0  # from a fault to its alert
DRAIN_S: Final = 600.0  # for what waits at the end
LOOK_S: Final = 2.0
# What an alert may say while something is broken, or catches up: not a fault of its own.
FOLLOWING: Final = {
    "ProcessDown",
    "NotReady",
    "RoleAbsent",
    "Lagging",
    "LagGrows",
    "BackingOff",
    "ReaderStalled",
    "PipelineStalled",
}


@dataclass(slots=True)
class Stage:
    """What faults work on."""

    kafka: KafkaServer
    elasticsearch: ElasticsearchServer
    roles: Mapping[str, Role]
    drop: Path


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong: how it begins and ends, and the alert that must say so (None: it heals by itself)."""

    name: str
    begin: Callable[[Stage], None]
    end: Callable[[Stage], None]
    alert: tuple[str, str] | None = None


@dataclass(slots=True)
class Tally:
    """How one fault went, each time: seconds to its alert; -1 where it never came."""

    times: int = 0
    seconds: list[float] = field(default_factory=list)


def hold_down(*names: str) -> Callable[[Stage], None]:
    def begin(stage: Stage) -> None:
        for name in names:
            stage.roles[name].hold_down()

    return begin


def let_up(*names: str) -> Callable[[Stage], None]:
    def end(stage: Stage) -> None:
        for name in names:
            stage.roles[name].let_up()

    return end


def kill(name: str) -> Callable[[Stage], None]:
    return lambda stage: stage.roles[name].kill()


def nothing(_: Stage) -> None:
    """It heals by itself."""


def drop_garbage(stage: Stage) -> None:
    for number, content in enumerate((b"", b"\xff\xfe" * 900, b"<rss><channel>", b"<html>", b"{")):
        _drop(stage.drop, f"garbage-{time.time_ns()}-{number}.xml", content)


FAULTS: Final = (
    Fault(
        "broker away",
        lambda stage: stage.kafka.kill(),
        lambda stage: stage.kafka.start(),
        ("NotReady", "kafka"),
    ),
    Fault(
        "index away",
        lambda stage: stage.elasticsearch.stop(),
        lambda stage: stage.elasticsearch.start(),
        ("NotReady", "elasticsearch"),
    ),
    Fault(
        "workers gone",
        hold_down("worker", "worker-2"),
        let_up("worker", "worker-2"),
        ("RoleAbsent", "worker"),
    ),
    Fault("sink gone", hold_down("sink"), let_up("sink"), ("RoleAbsent", "sink")),
    Fault("poller gone", hold_down("poller"), let_up("poller"), ("RoleAbsent", "poller")),
    Fault("a worker killed", kill("worker"), nothing),
    Fault("the sink killed", kill("sink"), nothing),
    Fault("the poller killed", kill("poller"), nothing),
    Fault("the routes killed", kill("routes"), nothing),
    Fault("damaged files", drop_garbage, nothing),
)


def _drop(folder: Path, name: str, content: bytes) -> None:
    part = folder.parent / f".{name}"
    part.write_bytes(content)
    part.replace(folder / name)


class Sender(threading.Thread):
    """Puts a story after the other into the drop folder."""

    def __init__(self, drop: Path, rate: float) -> None:
        super().__init__(daemon=True)
        self._drop, self._rate, self.count = drop, rate, 0
        self.ends = threading.Event()

    def run(self) -> None:
        """Send until told to end."""
        while not self.ends.wait(1 / self._rate):
            _drop(self._drop, f"story-{self.count:08}.json", item(self.count, uri=uri_of(self.count)).payload)
            self.count += 1


def uri_of(number: int) -> str:
    return f"urn:soak:{number}"


def run_faults(
    stage: Stage, prometheus: Prometheus, told: argparse.Namespace
) -> tuple[dict[str, Tally], Counter[str]]:
    """One fault after the other until time is up: how each went, and the alerts that nobody expected."""
    chance = random.Random(told.seed)  # noqa: S311 -- which fault comes when
    tallies = {fault.name: Tally() for fault in FAULTS}
    strays: Counter[str] = Counter()
    end = time.monotonic() + told.minutes * 60
    for _ in itertools.count():
        for fault in chance.sample(FAULTS, len(FAULTS)):
            if time.monotonic() > end:
                return tallies, strays
            _run_fault(fault, stage, prometheus, tallies[fault.name], strays, told)
    raise AssertionError("counts are endless")


def _run_fault(
    fault: Fault,
    stage: Stage,
    prometheus: Prometheus,
    tally: Tally,
    strays: Counter[str],
    told: argparse.Namespace,
) -> None:
    print(f"{time.strftime('%H:%M:%S')} {fault.name}", flush=True)
    began = time.monotonic()
    fault.begin(stage)
    seconds = -1.0
    while fault.alert and time.monotonic() - began < told.away:
        if fault.alert in prometheus.firing():
            seconds = time.monotonic() - began
            break
        time.sleep(LOOK_S)
    fault.end(stage)
    tally.times += 1
    if fault.alert:
        tally.seconds.append(seconds)
    calm = time.monotonic() + told.calm
    while time.monotonic() < calm:
        for name, _ in prometheus.firing():
            if name not in FOLLOWING:
                strays[f"{name} after {fault.name}"] += 1
        time.sleep(LOOK_S)


def indexed_stories(environment: Mapping[str, str]) -> set[str]:
    """The addresses of all stories that the index shows."""
    done = subprocess.run(
        [*COMMAND, "export", "--from", "elasticsearch"],
        env=dict(environment), capture_output=True, check=True,
    )  # fmt: skip
    return {json.loads(line)["story"]["uri"] for line in done.stdout.splitlines()}


def written_twice(servers: str) -> int:
    """How many versions of stories stand more than once behind the last step."""
    kafka = Kafka(servers=servers, partitions=4)
    records = asyncio.run(read(kafka, [topic.name for topic in SINK_READS], 1 << 30, 20))
    told: Counter[bytes] = Counter(dict(record.headers).get("ce_id", b"") for record in records)
    return sum(count - 1 for count in told.values())


def table(
    tallies: Mapping[str, Tally], strays: Counter[str], loud: Counter[str], lines: Mapping[str, object]
) -> str:
    """What is printed at the end."""
    rows = ["", "| fault | times | alert | seconds to it |", "|---|---|---|---|"]
    for fault in FAULTS:
        tally = tallies[fault.name]
        name = " ".join(fault.alert) if fault.alert else "none: it heals"
        seconds = ", ".join("never" if one < 0 else f"{one:.0f}" for one in tally.seconds) or "–"
        rows.append(f"| {fault.name} | {tally.times} | {name} | {seconds} |")
    rows += [
        "",
        "| figure | value |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in lines.items()),
    ]
    rows += ["", "Other alerts: " + (", ".join(strays) or "none")]
    rows += [
        "Lines above warning: " + ("; ".join(f"{text} ×{count}" for text, count in loud.items()) or "none")
    ]
    return "\n".join(rows)


def main() -> int:
    """Run, print the table, and say whether all of it held."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60, help="after which no further fault begins")
    parser.add_argument("--rate", type=float, default=5, help="stories a second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--away", type=float, default=150, help="the longest that a fault lasts, in seconds")
    parser.add_argument("--calm", type=float, default=75, help="seconds between two faults")
    parser.add_argument("--folder", type=Path, help="keep logs and data there")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wiredesk-soak-") as made:
        return _soak(told.folder or Path(made), told)


def _soak(folder: Path, told: argparse.Namespace) -> int:
    for name in ("kafka", "elasticsearch", "drop"):
        (folder / name).mkdir(parents=True)
    folder.chmod(0o755)
    kafka, elasticsearch = KafkaServer(folder / "kafka"), ElasticsearchServer(folder / "elasticsearch")
    kafka.format()
    kafka.start()
    elasticsearch.start()
    environment = fleet_environment(kafka.servers, elasticsearch.url, folder / "drop")
    for words in (("topics", "create"), ("index", "create")):
        subprocess.run([*COMMAND, *words], env=environment, check=True)
    roles = {name: Role(name, folder, environment) for name in ROLES}
    prometheus = Prometheus(folder, roles)
    stage = Stage(kafka, elasticsearch, roles, folder / "drop")
    sender = Sender(folder / "drop", told.rate)
    try:
        while any(name == "RoleAbsent" for name, _ in prometheus.firing()):
            time.sleep(LOOK_S)
        sender.start()
        time.sleep(told.calm)
        tallies, strays = run_faults(stage, prometheus, told)
        sender.ends.set()
        sender.join()
        wanted = {uri_of(number) for number in range(sender.count)}
        deadline, found = time.monotonic() + DRAIN_S, indexed_stories(environment)
        while not wanted <= found and time.monotonic() < deadline:
            time.sleep(5)
            found = indexed_stories(environment)
        twice = written_twice(kafka.servers)
    finally:
        for role in roles.values():
            role.close()
        prometheus.close()
        elasticsearch.stop()
        kafka.stop()
    loud: Counter[str] = Counter()
    for role in roles.values():
        loud += role.loud_lines()
    lost = len(wanted - found)
    figures = {"sent": sender.count, "indexed": len(wanted & found), "lost": lost, "twice": twice}
    print(table(tallies, strays, loud, figures))
    late = [one for tally in tallies.values() for one in tally.seconds if not 0 <= one <= ALERT_S]
    return int(bool(lost or twice or late or strays))


if __name__ == "__main__":
    sys.exit(main())
