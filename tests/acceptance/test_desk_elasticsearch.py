"""``wiredesk index`` and ``wiredesk desk`` on a real Elasticsearch, as an operator starts them."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from config.settings import Elasticsearch
from sinks.elasticsearch import ElasticsearchSink
from tests.acceptance.conftest import finished, free_port
from tests.servers.elasticsearch import ElasticsearchServer
from tests.sinks.events import dispatch

pytestmark = [pytest.mark.acceptance, pytest.mark.elasticsearch, pytest.mark.timeout(300)]
NOWHERE = "http://127.0.0.1:9"


async def test_an_index_is_made_filled_and_shown(
    elasticsearch: ElasticsearchServer, wiredesk: str, environment: dict[str, str], tmp_path: Path
) -> None:
    told = environment | {
        "WIREDESK_ELASTICSEARCH_URL": elasticsearch.url,
        "WIREDESK_ELASTICSEARCH_INDEX": "desk",
    }
    assert finished([wiredesk, "index", "check"], environment=told).returncode == 1
    assert finished([wiredesk, "index", "create"], environment=told).returncode == 0
    assert finished([wiredesk, "index", "check"], environment=told).returncode == 0
    bulk = ElasticsearchSink(Elasticsearch(url=elasticsearch.url, index="desk"))
    assert (await bulk.write([dispatch()])).outcomes == [None]
    await bulk.close()
    port = free_port()
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([wiredesk, "desk", "--port", str(port)], env=told, stdout=log, stderr=log)
        found = until_found(f"http://127.0.0.1:{port}/api/stories?q=harbour", process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert [each["uri"] for each in found] == ["urn:nda:1"]


def test_a_server_that_is_not_there_is_one_line(wiredesk: str, environment: dict[str, str]) -> None:
    told = environment | {"WIREDESK_ELASTICSEARCH_URL": NOWHERE}
    done = finished([wiredesk, "index", "create"], environment=told)
    assert (done.returncode, done.stdout) == (1, b"")
    (line,) = done.stderr.decode().splitlines()
    assert NOWHERE in line


def test_waiting_for_a_server_ends(wiredesk: str, environment: dict[str, str]) -> None:
    told = environment | {"WIREDESK_ELASTICSEARCH_URL": NOWHERE}
    done = finished([wiredesk, "index", "create", "--wait", "1"], environment=told)
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[-1] == f"wiredesk: {NOWHERE} did not answer within 1 s"


def test_a_desk_that_is_open_to_the_network_demands_a_token(
    wiredesk: str, environment: dict[str, str]
) -> None:
    done = finished([wiredesk, "desk", "--host", "0.0.0.0"], environment=environment)
    assert done.returncode == 2
    assert "WIREDESK_DESK_TOKEN" in done.stderr.decode()
    assert len(done.stderr.splitlines()) == 1


def test_a_port_that_is_taken_is_one_line(wiredesk: str, environment: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = finished([wiredesk, "desk", "--port", str(taken.getsockname()[1])], environment=environment)
    assert done.returncode == 2
    assert "choose another port" in done.stderr.decode().splitlines()[-1]


def until_found(url: str, process: subprocess.Popen[bytes], seconds: float = 30) -> list[dict[str, Any]]:
    """The stories at an address, once there are any."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert process.poll() is None
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 -- our own desk
                found: list[dict[str, Any]] = json.load(answer)["stories"]
        except (urllib.error.URLError, OSError):
            found = []
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"nothing at {url} within {seconds:g} s")
