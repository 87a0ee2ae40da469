"""kill -9 of ``wiredesk run`` while it polls: nothing is lost, nothing is new twice, revisions keep their story."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from tests.acceptance.test_run import until
from tests.servers.http import Asked, Told, publishing

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(240)]
KILLS = int(os.environ.get("WIRETEST_POLL_KILLS", "3"))
FEEDS = 4
NEW = 3  # entries that each feed brings between two kills
TOWNS = ("Vigo", "Bergen", "Lyon", "Gdansk", "Osaka", "Leipzig", "Nairobi", "Bend", "Kunming", "Santiago")


class Publisher:
    """Feeds on loopback that bring new entries when they are told; entry 0 is revised each time."""

    def __init__(self) -> None:
        self.round = 0
        self.asked: list[tuple[str, bool]] = []  # feed, and whether with a validator

    @property
    def entries(self) -> int:
        return NEW * (self.round + 1)

    def document(self, feed: str) -> bytes:
        items = "".join(
            f"<item><guid isPermaLink='false'>{feed}-{n}</guid><title>{TOWNS[n % 10]} council {n} of {feed} votes</title>"
            f"<description>{self._text(feed, n)}</description></item>"
            for n in reversed(range(self.entries))
        )
        return f"<rss version='2.0'><channel><title>{feed}</title>{items}</channel></rss>".encode()

    def _text(self, feed: str, n: int) -> str:
        told = " ".join(f"{TOWNS[(n * 7 + k * 3) % 10]}{n}{feed}{k}" for k in range(40))
        return f"{told} Reading {self.round if n == 0 else 0}."

    def answer(self, asked: Asked) -> Told:
        feed, headers = asked
        self.asked.append((feed, "If-None-Match" in headers))
        return self.document(feed), {"ETag": f'"{self.round}"'}


def told(path: Path) -> list[dict[str, Any]]:
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return [event for event in map(json.loads, lines) if "story" in event]


@contextmanager
def running(
    command: list[str], log: BinaryIO, environment: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """The command; whatever happens, it does not outlive the block."""
    process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_kill_9_loses_nothing_and_repeats_nothing_as_new(
    wiredesk: str, environment: dict[str, str], tmp_path: Path
) -> None:
    publisher, out, log = Publisher(), tmp_path / "events.jsonl", tmp_path / "log"
    with publishing(publisher.answer) as port, log.open("ab") as stream:
        address = f"127.0.0.1:{port}"
        names = [f"wire{n}" for n in range(FEEDS)]
        (tmp_path / "feeds.toml").write_text(
            "".join(
                f'[[feeds]]\nid = "{name}"\nurl = "http://{address}/{name}"\ninterval = 0.2\n'
                for name in names
            )
        )
        (tmp_path / "settings.toml").write_text(
            f'[poll]\nhost_delay_s = 0.0\nallowed_addresses = ["{address}"]\n'
        )
        command = [
            wiredesk,
            "run",
            "--config",
            str(tmp_path / "settings.toml"),
            "--feeds",
            str(tmp_path / "feeds.toml"),
        ]
        command += ["--data", str(tmp_path / "data"), "--no-desk", "--events", str(out)]
        for turn in range(KILLS + 1):
            publisher.round = turn
            known = {
                name for name in names if any(f" of {name} " in event["headline"] for event in told(out))
            }
            before = len(publisher.asked)
            with running(command, stream, environment) as process:
                enough = FEEDS * publisher.entries if turn == KILLS else FEEDS * NEW * turn + 2

                def reached(enough: int = enough) -> bool:
                    return len({event["story"]["uri"] for event in told(out)}) >= enough

                until(reached, 100, process, log)
                if turn == KILLS:
                    until(lambda: revisions(out) >= {str(KILLS + 1)}, 100, process, log)
                process.send_signal(signal.SIGKILL if turn < KILLS else signal.SIGINT)
                process.wait(30)
            first = dict(reversed(publisher.asked[before:]))
            assert all(first.get(name, True) for name in known), (
                "what is new goes with the state that knows it"
            )
    seen: dict[str, set[str]] = defaultdict(set)
    for event in told(out):
        seen[event["story"]["uri"]].add(event["story"]["version"])
    assert len(seen) == FEEDS * publisher.entries
    assert {
        len({event["story"]["uri"] for event in told(out) if event["headline"] == title})
        for title in headlines(out)
    } == {1}
    assert len(told(out)) == len({(event["story"]["uri"], event["story"]["version"]) for event in told(out)})


def revisions(out: Path) -> set[str]:
    """The versions that the revised entries of all feeds have reached."""
    latest = {
        event["story"]["uri"]: event["story"]["version"]
        for event in told(out)
        if event["headline"].startswith("Vigo council 0 ")
    }
    return set(latest.values()) if len(latest) == FEEDS else set()


def headlines(out: Path) -> set[str]:
    return {event["headline"] for event in told(out)}
