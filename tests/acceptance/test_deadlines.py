"""A record that hangs costs its deadline and nothing else: not the other stories, the desk, the stop or the next start."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
import urllib.request
from collections import Counter
from pathlib import Path

import orjson
import pytest

from tests.acceptance.conftest import free_port
from tests.acceptance.test_run import at_least, events, running, says, settings, until
from tests.invented import story

pytestmark = pytest.mark.acceptance
HANGING = str(Path(__file__).parents[1] / "servers" / "hanging")
STORIES = 12


class Liveness(threading.Thread):
    """Asks /livez all the time; keeps the longest answer in seconds."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.url = f"http://127.0.0.1:{port}/livez"
        self.slowest_s = 0.0
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.wait(0.05):
            asked = time.monotonic()
            with urllib.request.urlopen(self.url, timeout=30) as answer:  # noqa: S310 -- our own desk
                answer.read()
            self.slowest_s = max(self.slowest_s, time.monotonic() - asked)


def dropped(folder: Path, number: int, words: str = "") -> None:
    item = story(number, 60)
    item["bodies"][0]["value"] += f"\n\n{words}"
    waiting = folder / f".{number:05}.json"
    waiting.write_bytes(orjson.dumps(item))
    waiting.rename(folder / f"{number:05}.json")


@pytest.fixture
def command(wiredesk: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("PYTHONPATH", HANGING)
    monkeypatch.setenv("WIRETEST_HANG", "normalise,tag")
    monkeypatch.setenv("WIRETEST_HANG_LOG", str(tmp_path / "hangs"))
    (tmp_path / "drop").mkdir()
    data = str(tmp_path / "data")
    return [wiredesk, "run", "--no-feeds", "--data", data, "--events", str(tmp_path / "events.jsonl")]


def config(tmp_path: Path, deadline_s: float) -> list[str]:
    text = f'[steps]\ndeadline_s = {deadline_s}\n[poll]\ndrop_folder = "{tmp_path / "drop"}"\ndrop_interval_s = 0.1\n'
    return ["--config", str(settings(tmp_path, text))]


def letters(command: list[str]) -> list[str]:
    listed = [command[0], "dlq", "list", "--data", command[command.index("--data") + 1]]
    return subprocess.run(listed, capture_output=True, check=True, text=True).stdout.splitlines()


def test_records_that_hang_are_set_aside_and_the_desk_answers_meanwhile(
    command: list[str], tmp_path: Path
) -> None:
    port, log = free_port(), tmp_path / "log"
    for number in range(STORIES):
        words = {3: "It hangs in normalise.", 7: "It hangs in tag."}.get(number, "")
        dropped(tmp_path / "drop", number, words)
    with running(*command, "--port", str(port), *config(tmp_path, 4), log=log) as process:
        until(says(log, b"wiredesk runs"), 60, process, log)
        liveness = Liveness(port)
        liveness.start()
        until(at_least(tmp_path / "events.jsonl", STORIES - 2), 90, process, log)
        until(lambda: len(letters(command)) == 2, 60, process, log)
        liveness.done.set()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            figures = answer.read().decode()
    assert {line.split("\t")[3] for line in letters(command)} == {"Bug"}
    assert 'wire_deadlines_total{step="normalise"}' in figures
    assert 'wire_deadlines_total{step="tag"}' in figures
    assert Counter((tmp_path / "hangs").read_text().split()) == {"normalise": 3, "tag": 3}
    uris = sorted(event["story"]["uri"] for event in events(tmp_path / "events.jsonl"))
    assert uris == sorted(f"urn:invented:{n}" for n in range(STORIES) if n not in {3, 7})
    # Whoever holds the interpreter for a deadline shows as 4 s, on a busy one too
    assert liveness.slowest_s < 2


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_a_record_that_hangs_holds_up_neither_the_stop_nor_the_next_start(
    command: list[str], tmp_path: Path, ending: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    for number in range(STORIES):
        dropped(tmp_path / "drop", number, "It hangs in tag." if number == 5 else "")
    with running(*command, "--port", "0", *config(tmp_path, 600), log=log) as process:
        until(lambda: len(list((tmp_path / "drop" / "done").glob("*"))) == STORIES, 60, process, log)
        until((tmp_path / "hangs").exists, 60, process, log)
        began = time.monotonic()
        process.send_signal(ending)
        status = process.wait(30)
        assert time.monotonic() - began < 15
        assert status == (0 if ending == signal.SIGTERM else -ending)
    monkeypatch.delenv("WIRETEST_HANG")
    with running(*command, "--port", "0", *config(tmp_path, 600), log=log) as process:
        until(at_least(tmp_path / "events.jsonl", STORIES), 60, process, log)
    uris = sorted(event["story"]["uri"] for event in events(tmp_path / "events.jsonl"))
    assert uris == sorted(f"urn:invented:{n}" for n in range(STORIES))
    assert letters(command) == []
    assert b"Traceback" not in log.read_bytes()
