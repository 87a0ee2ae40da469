"""Poll feedworld, a simulated hostile internet that knows what it has shown, and judge the outcome.

    python -m tests.benchmarks.feedworld WORLD [--seed 7] [--feeds 60] [--duration 120] [--kafka] [--keep DIR]

WORLD is the folder of feedworld (its ``trial.py`` runs the world and the command). Embedded, ``wiredesk run`` polls.
With ``--kafka`` a real broker, a worker and two pollers are started, and one poller is killed half-way. The settings
are those that feedworld's README demands. Prints its table, then each gate; exit status 1 where one fails.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Final

from aiokafka import TopicPartition

from config.settings import Kafka
from streams.kafka.cluster import Cluster
from streams.topology import GAPS, SINK_READS
from tests.servers.fleet import COMMAND, Worker, make_topics
from tests.servers.kafka import KafkaServer

PORT: Final = 8099
SETTINGS: Final = """\
[poll]
min_interval_s = 1.0
max_interval_s = 5.0
first_interval_s = 2.0
unconditional_s = 15.0
connect_timeout_s = 4.0
read_timeout_s = 5.0
total_timeout_s = 8.0
max_backoff_s = 10.0
host_connections = 2
host_delay_s = 0.11
allowed_addresses = [{addresses}]
"""
NONE_OF: Final = (
    "lost_served", "missed_owed", "phantom", "duplicates", "redelivered", "garbled", "cut_bodies", "padded_bodies",
    "unknown", "active_content", "unsafe_links", "leaks", "impolite", "forbidden_hits", "traits_not_met",
)  # fmt: skip
MOST_REVISIONS: Final = 0.01  # of those served: missed, and spurious
END_S: Final = 8.0  # that the world gives pollers to end
QUIET_S: Final = 20.0  # without an event, and the worker is through


def main() -> int:
    """Run the trial, or within it the fleet."""
    top = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("world", type=Path)
    top.add_argument("--seed", type=int, default=7)
    top.add_argument("--feeds", type=int, default=60)
    top.add_argument("--duration", type=float, default=120.0, help="seconds in which stories are born")
    top.add_argument("--kafka", action="store_true", help="two pollers on Kafka, one killed half-way")
    top.add_argument("--keep", type=Path, help="a folder for events and logs [default: a temporary one]")
    top.add_argument("--fleet", type=Path, help=argparse.SUPPRESS)  # the command within the trial
    args = top.parse_args()
    if args.fleet:
        return fleet(args.fleet, args.duration / 2)
    with tempfile.TemporaryDirectory(prefix="feedworld-") as folder:
        where = (args.keep or Path(folder)).resolve()
        where.mkdir(parents=True, exist_ok=True)
        addresses = ", ".join(f'"127.0.0.{n}:{PORT}"' for n in range(1, 10))
        (where / "settings.toml").write_text(SETTINGS.format(addresses=addresses))
        if args.kafka:
            asyncio.run(on_kafka(args, where))
        else:
            command = [
                str(Path(sys.executable).with_name("wiredesk")),
                "run",
                "--config",
                f"{where}/settings.toml",
            ]
            command += ["--feeds", "{toml}", "--data", f"{where}/data", "--no-desk", "--events", "{out}"]
            subprocess.run([*world(args, where), "--", *command], check=False)
            finish(where)
        return gates(score(args.world, where))


def finish(where: Path) -> None:
    """Let a next start process what the stop left in the log: the world's 10 s are few on a busy machine."""
    command = [
        str(Path(sys.executable).with_name("wiredesk")),
        "run",
        "--config",
        f"{where}/settings.toml",
        "--no-feeds",
    ]
    command += ["--data", f"{where}/data", "--no-desk", "--events", f"{where}/out.jsonl"]
    process = subprocess.Popen(command)
    until_quiet(where / "out.jsonl")
    process.send_signal(signal.SIGTERM)
    process.wait()


def until_quiet(out: Path) -> None:
    """Return when a file has not grown for a while."""
    size, since = -1, time.monotonic()
    while time.monotonic() - since < QUIET_S:
        if (now := out.stat().st_size) != size:
            size, since = now, time.monotonic()
        time.sleep(1)


def world(args: argparse.Namespace, where: Path) -> list[str]:
    """The command of one trial in a folder, but for the poller's."""
    told = [sys.executable, str(args.world / "trial.py"), "--dir", str(where), "--port", str(PORT)]
    told += ["--feeds", str(args.feeds), "--duration", str(args.duration), "--seed", str(args.seed)]
    return told


def score(scorer: Path, where: Path) -> dict[str, Any]:
    """The figures of a trial."""
    told = [sys.executable, str(scorer / "score_poller.py"), str(where / "out.jsonl"), "--json"]
    told += ["--manifest", str(where / "manifest.json"), "--log", str(where / "log.jsonl")]
    told += ["--proc", str(where / "proc.json")]
    figures: dict[str, Any] = json.loads(subprocess.run(told, stdout=subprocess.PIPE, check=False).stdout)[
        "metrics"
    ]
    print(json.dumps(figures))
    return figures


def gates(told: dict[str, Any]) -> int:
    """Print each gate; 1 where one fails."""
    limit = MOST_REVISIONS * told["revisions_served"]
    wanted = {name: told[name] == 0 for name in NONE_OF}
    wanted |= {name: told[name] <= limit for name in ("missed_revisions", "spurious_revisions")}
    wanted["gaps_found"] = told["gaps_found"] == told["gaps_real"]
    wanted["survived"] = bool(told["survived"])
    for name, met in wanted.items():
        print(f"{'ok  ' if met else 'FAIL'} {name:24} {told[name]}")
    return 0 if all(wanted.values()) else 1


async def on_kafka(args: argparse.Namespace, where: Path) -> None:
    """The trial with a broker and a worker beside it; events are gathered until the worker is through."""
    server = KafkaServer(where)
    server.format()
    server.start()
    told = Kafka(servers=server.servers, prefix="feedworld.", worker="worker")
    os.environ |= {"WIREDESK_KAFKA_SERVERS": told.servers, "WIREDESK_KAFKA_PREFIX": told.prefix}
    try:
        await make_topics(told)
        with Worker(told, where / "worker.log", *COMMAND) as worker:
            worker.wait_for("worker started", 120)
            command = [
                sys.executable,
                "-m",
                "tests.benchmarks.feedworld",
                str(args.world),
                "--fleet",
                "{dir}",
            ]
            command += ["--duration", str(args.duration)]
            out = where / "events.jsonl"
            following = asyncio.create_task(follow(told, out))
            await asyncio.to_thread(subprocess.run, [*world(args, where), "--", *command], check=False)
            await asyncio.to_thread(until_quiet, out)
            following.cancel()
        out.replace(where / "out.jsonl")
    finally:
        server.kill()


def fleet(where: Path, half: float) -> int:
    """Two pollers until SIGTERM; one is killed after `half` seconds."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with poller(where, "one") as first, poller(where, "two") as second:
        first.wait_for("state restored", 60)
        if not stop.wait(half):
            first.kill()
        stop.wait()
        return second.stop(END_S)


def poller(where: Path, name: str) -> Worker:
    """A poller with the trial's settings; the broker is told in the environment."""
    command = [
        *COMMAND[:-1],
        "poll",
        "--config",
        str(where / "settings.toml"),
        "--feeds",
        str(where / "feeds.toml"),
    ]
    return Worker(Kafka(), where / f"{name}.log", *command, WIREDESK_KAFKA_WORKER=name)


async def follow(told: Kafka, out: Path) -> None:
    """Append every event that is committed, and every gap, to a file."""
    cluster = Cluster(told)
    names = [cluster.topic(topic.name) for topic in (*SINK_READS, GAPS)]
    places = [TopicPartition(name, n) for name in names for n in range(told.partitions)]
    async with cluster.consumer(auto_offset_reset="earliest") as consumer:
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        with out.open("ab", buffering=0) as file:
            async for record in consumer:
                file.write((record.value or b"") + b"\n")


if __name__ == "__main__":
    sys.exit(main())
