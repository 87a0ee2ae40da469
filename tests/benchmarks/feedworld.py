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
import signal
import subprocess
import sys
import tempfile
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
END_S: Final = 3.0


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
        return asyncio.run(fleet(args.fleet, args.duration / 2))
    with tempfile.TemporaryDirectory(prefix="feedworld-") as folder:
        return trial(args, (args.keep or Path(folder)).resolve())


def trial(args: argparse.Namespace, where: Path) -> int:
    """One trial in a folder; the exit status."""
    where.mkdir(parents=True, exist_ok=True)
    addresses = ", ".join(f'"127.0.0.{n}:{PORT}"' for n in range(1, 10))
    (where / "settings.toml").write_text(SETTINGS.format(addresses=addresses))
    if args.kafka:
        command = [sys.executable, "-m", "tests.benchmarks.feedworld", str(args.world), "--fleet", "{dir}"]
        command += ["--duration", str(args.duration), "--keep", "{out}"]
    else:
        command = [
            str(Path(sys.executable).with_name("wiredesk")),
            "run",
            "--config",
            f"{where}/settings.toml",
        ]
        command += ["--feeds", "{toml}", "--data", f"{where}/data", "--no-desk", "--events", "{out}"]
    world = [sys.executable, str(args.world / "trial.py"), "--dir", str(where), "--port", str(PORT)]
    world += ["--feeds", str(args.feeds), "--duration", str(args.duration), "--seed", str(args.seed)]
    subprocess.run([*world, "--", *command], check=False)
    score = [sys.executable, str(args.world / "score_poller.py"), str(where / "out.jsonl"), "--json"]
    score += ["--manifest", str(where / "manifest.json"), "--log", str(where / "log.jsonl")]
    told = subprocess.run([*score, "--proc", str(where / "proc.json")], stdout=subprocess.PIPE, check=False)
    return gates(json.loads(told.stdout)["metrics"])


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


async def fleet(where: Path, half: float) -> int:
    """A broker, a worker and two pollers until SIGTERM; one poller is killed after `half` seconds."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    server = KafkaServer(where)
    server.format()
    server.start()
    told = Kafka(servers=server.servers, prefix="feedworld.", worker="worker")
    try:
        await make_topics(told)
        following = asyncio.create_task(follow(told, where / "out.jsonl"))
        with Worker(told, where / "worker.log", *COMMAND), poller(told, where, "one") as first:
            first.wait_for("state restored", 60)
            with poller(told, where, "two") as second:
                began = time.monotonic()
                while not stop.is_set():
                    await asyncio.wait([asyncio.create_task(stop.wait())], timeout=0.5)
                    if first.process.poll() is None and time.monotonic() - began > half:
                        first.kill()
                second.stop(END_S)
                await asyncio.sleep(END_S)  # for what the worker has in hand
        following.cancel()
    finally:
        server.kill()
    return 0


def poller(told: Kafka, where: Path, name: str) -> Worker:
    """A poller with the trial's settings."""
    command = [
        *COMMAND[:-1],
        "poll",
        "--config",
        str(where / "settings.toml"),
        "--feeds",
        str(where / "feeds.toml"),
    ]
    return Worker(told, where / f"{name}.log", *command, WIREDESK_KAFKA_WORKER=name)


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
