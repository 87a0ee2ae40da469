"""``wiredesk run`` on one machine: samples on the desk, and nothing lost or twice over kill -9."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sqlite3
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from streams.embedded.data_file import DATABASE
from tests.acceptance.conftest import free_port
from tests.invented import line

pytestmark = pytest.mark.acceptance
STORIES = int(os.environ.get("WIRETEST_KILL_STORIES", "300"))
KILLS = int(os.environ.get("WIRETEST_KILLS", "4"))


def settings(folder: Path, text: str) -> Path:
    path = folder / "wiredesk.toml"
    path.write_text(text, "utf-8")
    return path


@contextmanager
def running(*command: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The command until the block ends; ended by SIGINT where the block has not ended it."""
    with log.open("ab") as stream, subprocess.Popen(command, stdout=stream, stderr=stream) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                try:
                    process.wait(60)
                except subprocess.TimeoutExpired:
                    process.kill()
                    raise


def until(what: Callable[[], Any], seconds: float, process: subprocess.Popen[bytes], log: Path) -> Any:
    """Wait for something true, while the process lives."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = what()
        if found:
            return found
        assert process.poll() is None, log.read_text("utf-8")[-3000:]
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s; the log ends:\n{log.read_text('utf-8')[-3000:]}")


def fetched(url: str) -> Any:
    """The JSON at a URL; None while nobody answers there."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 -- our own desk
            return json.load(answer)
    except OSError:
        return None


def lines(path: Path) -> list[bytes]:
    """The whole lines of a file that may be growing."""
    return path.read_bytes().split(b"\n")[:-1] if path.exists() else []


def events(path: Path) -> list[dict[str, Any]]:
    return [json.loads(each) for each in lines(path)]


def at_least(path: Path, count: int) -> Callable[[], bool]:
    return lambda: len(lines(path)) >= count


def says(path: Path, words: bytes) -> Callable[[], bool]:
    return lambda: words in path.read_bytes()


def test_the_samples_are_on_the_desk_and_in_the_events_file(wiredesk: str, tmp_path: Path) -> None:
    port, log, written = free_port(), tmp_path / "log", tmp_path / "events.jsonl"
    command = [
        wiredesk,
        "run",
        "--samples",
        "--no-feeds",
        "--data",
        str(tmp_path / "data"),
        "--port",
        str(port),
    ]
    with running(*command, "--events", str(written), log=log) as process:
        url = f"http://127.0.0.1:{port}/api/stories?q=lighthouse"
        found = until(lambda: (fetched(url) or {}).get("stories"), 60, process, log)
        assert "Lighthouse keeper" in found[0]["headline"]
        assert fetched(f"http://127.0.0.1:{port}/readyz")["status"] == "ok"
        until(at_least(written, 40), 30, process, log)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    told = events(written)
    assert len({(each["story"]["uri"], each["story"].get("version")) for each in told}) > 30
    relations = {each["lineage"]["relation"] for each in told}
    assert {"new", "duplicate", "correction", "kill"} <= relations


def test_a_second_start_shows_the_samples_once(wiredesk: str, tmp_path: Path) -> None:
    written = tmp_path / "events.jsonl"
    command = [wiredesk, "run", "--samples", "--no-feeds", "--no-desk", "--data", str(tmp_path / "data")]
    for start in range(2):
        log = tmp_path / f"log-{start}"
        with running(*command, "--events", str(written), log=log) as process:
            until(says(log, b"wiredesk runs"), 60, process, log)
            until(at_least(written, 40), 60, process, log)
        assert b"[warning" not in log.read_bytes(), log.read_text("utf-8")
        assert b"[error" not in log.read_bytes(), log.read_text("utf-8")
    first = [(each["story"]["uri"], each["provenance"].get("url")) for each in events(written)]
    assert len(first) == len(set(first))


def test_what_is_dropped_in_the_folder_is_processed_and_what_cannot_be_is_kept(
    wiredesk: str, tmp_path: Path
) -> None:
    drop, log, data = tmp_path / "drop", tmp_path / "log", tmp_path / "data"
    drop.mkdir()
    bad = {
        "picture.bin": bytes(range(256)) * 9,
        "page.html": b"<html><body>no feed</body></html>",
        "empty.txt": b"",
    }
    for name, content in bad.items():
        (drop / name).write_bytes(content)
    (drop / "story.json").write_bytes(line(1))
    config = settings(tmp_path, f'[poll]\ndrop_folder = "{drop}"\ndrop_interval_s = 0.1\n')
    written = tmp_path / "events.jsonl"
    command = [wiredesk, "run", "--no-feeds", "--no-desk", "--config", str(config), "--data", str(data)]
    with running(*command, "--events", str(written), log=log) as process:
        until(at_least(written, 1), 60, process, log)
        listed = until(lambda: _listed(wiredesk, data, len(bad)), 30, process, log)
    assert {each.split("\t")[3] for each in listed} == {"NotText", "NotAFeed", "Empty"}
    for each in listed:
        identity = each.split("\t")[0]
        shown = subprocess.run(
            [wiredesk, "dlq", "show", identity, "--data", str(data)], capture_output=True, check=True
        )
        assert shown.stdout in bad.values()


def _listed(wiredesk: str, data: Path, count: int) -> list[str] | None:
    command = [wiredesk, "dlq", "list", "--data", str(data)]
    listed = subprocess.run(command, capture_output=True, check=True).stdout.decode().splitlines()
    return listed if len(listed) == count else None


def test_kill_9_loses_nothing_and_repeats_nothing(wiredesk: str, tmp_path: Path) -> None:
    drop, log, data = tmp_path / "drop", tmp_path / "log", tmp_path / "data"
    drop.mkdir()
    for number in range(STORIES):
        (drop / f"{number:05}.json").write_bytes(line(number, 60))
    config = settings(
        tmp_path, f'[poll]\ndrop_folder = "{drop}"\ndrop_interval_s = 0.1\n[embedded]\nbatch = 16\n'
    )
    written = tmp_path / "events.jsonl"
    command = [wiredesk, "run", "--no-feeds", "--no-desk", "--config", str(config), "--data", str(data)]
    draw = random.Random(7)  # noqa: S311 -- when to kill
    for kill in range(KILLS):
        with running(*command, "--events", str(written), log=log) as process:
            before = len(events(written))
            wanted = min(STORIES - 1, before + draw.randint(1, max(2, STORIES // (KILLS + 1))))
            until(at_least(written, wanted), 90, process, log)
            process.kill()
            assert process.wait(10) == -signal.SIGKILL, f"kill {kill} was in the middle"
    with running(*command, "--events", str(written), log=log) as process:
        until(at_least(written, STORIES), 900, process, log)
    uris = sorted(each["story"]["uri"] for each in events(written))
    assert uris == sorted(f"urn:invented:{number}" for number in range(STORIES))
    with sqlite3.connect(f"file:{data / DATABASE}?mode=ro", uri=True) as index:
        indexed = [uri for (uri,) in index.execute("SELECT uri FROM stories ORDER BY uri")]
        letters = index.execute("SELECT count(*) FROM records WHERE topic LIKE '%.dlq'").fetchone()
    assert indexed == uris
    assert letters == (0,)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--config", "/nowhere.toml"), "No such file"),
        (("--feeds", "/nowhere.toml"), "nowhere.toml"),
        (("--no-feeds", "--data", "/proc/wiredesk"), "--data"),
    ],
)
def test_what_the_operator_got_wrong_is_one_line(
    wiredesk: str, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    command = [wiredesk, "run", "--data", str(tmp_path / "data"), *arguments]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert done.returncode == 2
    assert said in done.stderr.decode()
    assert b"Traceback" not in done.stderr


async def test_a_port_that_is_taken_is_one_line(wiredesk: str, tmp_path: Path) -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    command = [wiredesk, "run", "--no-feeds", "--data", str(tmp_path), "--port", str(port)]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, timeout=60, check=False)
    server.close()
    assert done.returncode == 2
    assert f":{port}" in done.stderr.decode()
    assert b"Traceback" not in done.stderr
