"""The whole fleet as an operator starts it: files in, Kafka, workers, Elasticsearch, the desk."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from config.files import CONFIG_FOLDER
from tests.acceptance.conftest import finished, free_port
from tests.conftest import KafkaForTest
from tests.servers.elasticsearch import ElasticsearchServer

pytestmark = [
    pytest.mark.acceptance, pytest.mark.kafka, pytest.mark.elasticsearch, pytest.mark.timeout(300),
]  # fmt: skip
SAMPLES = (
    "04-ap-dam.txt",
    "06-ap-lottery.txt",
    "19-xinhua-tea.txt",
    "24-lusa-biblioteca.txt",
    "feed-harbour-times.rss",
)


def until(
    what: Callable[[], Any], fleet: list[subprocess.Popen[bytes]], logs: list[Path], seconds: float
) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := what():
            return found
        assert all(each.poll() is None for each in fleet), [log.read_text()[-1500:] for log in logs]
        time.sleep(0.1)
    raise AssertionError([log.read_text()[-1500:] for log in logs])


def stories(url: str) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = told_by(url)["stories"]
    except OSError:
        return []
    return found


def told_by(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310 -- our own desk
        return json.load(answer)


def test_a_file_in_the_drop_folder_is_a_story_on_the_fleets_desk(
    kafka: KafkaForTest,
    elasticsearch: ElasticsearchServer,
    wiredesk: str,
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    drop, port = tmp_path / "drop", free_port()
    drop.mkdir()
    told = environment | {
        "WIREDESK_KAFKA_SERVERS": kafka.servers,
        "WIREDESK_KAFKA_PREFIX": kafka.prefix,
        "WIREDESK_KAFKA_PARTITIONS": "2",
        "WIREDESK_KAFKA_WORKERS": "1",
        "WIREDESK_ELASTICSEARCH_URL": elasticsearch.url,
        "WIREDESK_ELASTICSEARCH_INDEX": "fleet",
        "WIREDESK_POLL_DROP_FOLDER": str(drop),
        "WIREDESK_POLL_DROP_INTERVAL_S": "0.1",
    }
    for step in (["topics", "create"], ["topics", "check"], ["index", "create"]):
        done = finished([wiredesk, *step], environment=told)
        assert done.returncode == 0, done.stderr.decode()
    with ExitStack() as stack:
        fleet, logs = [], []
        feeds = tmp_path / "feeds.toml"
        feeds.write_text('[[feeds]]\nid = "asleep"\nurl = "http://127.0.0.1:9/"\npaused = true\n', "utf-8")
        roles = (
            ("poll", "--feeds", str(feeds)),
            ("worker",),
            ("sink", "elasticsearch"),
            ("desk", "--port", str(port), "--feeds", str(feeds)),
        )
        for role in roles:
            logs.append(tmp_path / f"{role[0]}.log")
            log = stack.enter_context(logs[-1].open("wb"))
            made = subprocess.Popen(
                [wiredesk, *role], env=told | {"WIREDESK_KAFKA_WORKER": role[0]}, stdout=log, stderr=log
            )
            fleet.append(made)
            stack.callback(made.kill)
        for name in SAMPLES:
            shutil.copy(CONFIG_FOLDER / "samples" / name, tmp_path / name)
            (tmp_path / name).replace(drop / name)
        url = f"http://127.0.0.1:{port}/api/stories"
        found = until(lambda: len(stories(url)) == 7 and stories(url), fleet, logs, 120)
        assert "Night nurse wins lottery twice in one week" in {each["headline"] for each in found}
        assert [each["headline"] for each in stories(f"{url}?q=biblioteca")] != []
        (asleep,) = told_by(f"http://127.0.0.1:{port}/api/feeds")["feeds"]
        assert (asleep["id"], asleep["state"]) == ("asleep", "paused")
        for each in fleet:
            each.send_signal(signal.SIGTERM)
        assert [each.wait(30) for each in fleet] == [0] * len(fleet), [log.read_text()[-800:] for log in logs]
    assert sorted(path.name for path in (drop / "done").iterdir()) == sorted(SAMPLES)


def test_an_absent_broker_is_waited_for_in_one_line(
    wiredesk: str, environment: dict[str, str], tmp_path: Path
) -> None:
    told = environment | {"WIREDESK_KAFKA_SERVERS": "127.0.0.1:9"}
    log = tmp_path / "log"
    with (
        log.open("wb") as stream,
        subprocess.Popen([wiredesk, "worker"], env=told, stdout=stream, stderr=stream) as made,
    ):
        until(lambda: b"waiting for Kafka" in log.read_bytes(), [made], [log], 60)
        made.send_signal(signal.SIGTERM)
        made.wait(30)
    assert b"Traceback" not in log.read_bytes()
