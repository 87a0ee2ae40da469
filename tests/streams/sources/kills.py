"""Kill -9 in the midst of a source's items: none is lost, none comes twice, and receipts stand for what is in the log.

``python -m tests.streams.sources.kills [KIND …]`` prints the table: ten kills in 1,000 items of each kind.
"""

from __future__ import annotations

import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from processors.model.codec import decode
from processors.model.event import RawItem
from streams.embedded.data_file import DATABASE
from streams.embedded.log import Log
from streams.topology import RAW
from tests.streams.sources.servers import KINDS, Backend, backend
from tests.streams.sources.watching import write_list

ROOT = Path(__file__).parents[3]
WAIT_S = 120.0


@dataclass(frozen=True)
class KillReport:
    """What came of it. `at` are the items that were in the log at each kill."""

    kind: str
    items: int
    at: tuple[int, ...]
    lost: int
    twice: int
    early: int  # receipts of what was not in the log
    owed: int  # receipts that never came
    seconds: float

    @property
    def is_sound(self) -> bool:
        return not (self.lost or self.twice or self.early or self.owed)


def raw_items(folder: Path) -> list[bytes]:
    """The payloads in the log, which nobody writes now."""
    log = Log(folder / DATABASE)
    try:
        return [decode(record.value, RawItem).payload for record in log.records(RAW.name)]
    finally:
        log.close()


def count_items(folder: Path) -> int:
    """How many items are in the log, which another process writes."""
    path = folder / DATABASE
    if not path.exists():
        return 0
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as connection:
        try:
            return int(
                connection.execute("SELECT COUNT(*) FROM records WHERE topic = ?", (RAW.name,)).fetchone()[0]
            )
        except sqlite3.OperationalError:  # before its first table
            return 0


def start(list_file: Path, folder: Path, server: Backend) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.streams.sources.watched_child", str(list_file), str(folder)]
    with (folder / "child.log").open("ab") as errors:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **server.environment},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    assert process.stdout
    line = process.stdout.readline()
    if line != "ready\n":
        end(process, signal.SIGKILL)
        raise AssertionError(line)
    return process


def end(process: subprocess.Popen[str], number: int) -> None:
    process.send_signal(number)
    process.wait(WAIT_S)
    assert process.stdout
    process.stdout.close()


def number_of(payload: bytes) -> int:
    """The number of the story in a payload."""
    found = re.search(rb"(?:2026:|story-)(\d{5})\b", payload)
    assert found, payload
    return int(found[1])


def kill_amid(kind: str, items: int, kills: int, folder: Path, seed: int = 1) -> KillReport:
    """Kill a process that watches a source, again and again, then let one come to the end."""
    chance = random.Random(seed)  # noqa: S311 -- chance of a test
    began = time.monotonic()
    with backend(kind, folder, items) as server:
        data = folder / "data"
        data.mkdir()
        list_file = write_list(folder, server.table)
        at, early = [], 0
        for number in range(1, kills + 1):
            process = start(list_file, data, server)
            enough = items * number // (kills + 1)
            wait_for(lambda: count_items(data) >= enough, WAIT_S)  # noqa: B023 -- called within the round
            wait_for(
                lambda: False, chance.uniform(0.0, 0.02)
            )  # so that it hits commits, receipts and downloads
            end(process, signal.SIGKILL)
            told = server.told()
            there = {number_of(payload) for payload in raw_items(data)}
            early += len(told - there) if kind != "sqs" else max(0, len(told) - len(there))
            at.append(len(there))
        process = start(list_file, data, server)
        wait_for(lambda: len(server.told()) == items and count_items(data) >= items, WAIT_S)
        end(process, signal.SIGTERM)
        counts = Counter(number_of(payload) for payload in raw_items(data))
        owed = items - len(server.told())
    return KillReport(
        kind, items, tuple(at), items - len(counts), sum(counts.values()) - len(counts), early, owed,
        round(time.monotonic() - began, 1),
    )  # fmt: skip


def wait_for(what: object, seconds: float) -> None:
    """Return when something is so, or when time is up."""
    assert callable(what)
    until = time.monotonic() + seconds
    while time.monotonic() < until and not what():
        time.sleep(0.001)


def main(kinds: list[str]) -> None:
    """Print the table."""
    print(
        "| source | items | in the log at each kill | lost | twice | receipts too early | receipts owed | s |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for kind in kinds or KINDS:
        with tempfile.TemporaryDirectory() as folder:
            report = kill_amid(kind, 1000, 10, Path(folder))
        at = " ".join(map(str, report.at))
        print(
            f"| {kind} | {report.items} | {at} | {report.lost} | {report.twice} | {report.early} | {report.owed}"
            f" | {report.seconds} |",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
