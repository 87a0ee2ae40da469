"""Real servers for the tests: one Kafka and one Elasticsearch a session, started when the first test asks.

Without Java or Maven the tests that need a server are skipped with one line that says what is missing; with
``CI=true`` that is a failure.
"""

from __future__ import annotations

import itertools
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NoReturn

import hypothesis
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from config import settings
from tests.servers.elasticsearch import ElasticsearchServer
from tests.servers.kafka import KafkaServer
from tests.servers.maven import Missing

ROOT = Path(__file__).parents[1]
# An argument, or a fixture asked for by its name, that starts a server once a session.
SERVER_ARGUMENTS = re.compile(r"""\b(?:kafka|kafka_server|elasticsearch)\b"? *[:,)]""")
# A machine that others use makes examples slow, and no fault of ours.
hypothesis.settings.register_profile(
    "wiredesk",
    parent=hypothesis.settings(),
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("wiredesk")
_names = itertools.count(1)


@dataclass(frozen=True)
class KafkaForTest:
    """The session's broker, and a prefix that makes the topics and groups of a test its own."""

    servers: str
    prefix: str
    server: KafkaServer

    def settings(self, **changed: object) -> settings.Kafka:
        """Settings of wiredesk for this broker; a few partitions, so that tests are quick."""
        told: dict[str, object] = {"servers": self.servers, "prefix": self.prefix, "partitions": 4, **changed}
        return settings.Kafka(**told)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _logs_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that are called within the tests' process send no other test's log to their own standard error."""
    monkeypatch.setattr("streams.startup.configure_logs", lambda _settings: None)


@pytest.fixture(scope="session")
def kafka_server(request: pytest.FixtureRequest) -> Iterator[KafkaServer]:
    with tempfile.TemporaryDirectory(prefix="wiredesk-kafka-") as folder:
        try:
            server = KafkaServer(Path(folder))
        except Missing as missing:
            _lacking(request, f"Kafka: {missing}")
        server.format()
        server.start()
        say(request, f"Kafka {server.version} started on {server.servers} in {server.started_in_s:.1f} s")
        yield server
        server.stop()


@pytest.fixture
def kafka(kafka_server: KafkaServer) -> KafkaForTest:
    """A place on the broker that no other test uses."""
    return KafkaForTest(kafka_server.servers, f"t{os.getpid()}-{next(_names)}.", kafka_server)


@pytest.fixture(scope="session")
def elasticsearch(request: pytest.FixtureRequest) -> Iterator[ElasticsearchServer]:
    with tempfile.TemporaryDirectory(prefix="wiredesk-elasticsearch-") as folder:
        try:
            server = ElasticsearchServer(Path(folder))
        except Missing as missing:
            _lacking(request, f"Elasticsearch: {missing}")
        server.start()
        say(request, f"Elasticsearch {server.version} started on {server.url} in {server.started_in_s:.1f} s")
        yield server
        server.stop()


class ServersApart(LoadScopeScheduling):  # type: ignore[misc]  # the library has no types
    """Where two processes share the tests: those of servers are one process's, so that each server starts once.

    All others go file by file, so that what a file makes once is made once.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return "servers" if _needs_servers(path) else path


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ServersApart:
    """What ``-n 2`` shares by."""
    return ServersApart(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those of servers first, as they take the longest; the order of files stays."""
    items.sort(key=lambda item: not _needs_servers(item.nodeid.partition("::")[0]))


@cache
def _needs_servers(path: str) -> bool:
    """Whether a file has a test with one of the servers; those of an index have it by another name."""
    file = ROOT / path
    return "/elasticsearch/" in path or (
        file.is_file() and SERVER_ARGUMENTS.search(file.read_text("utf-8")) is not None
    )


def say(request: pytest.FixtureRequest, line: str) -> None:
    """Write a line to the test log, whatever is captured."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    reporter = request.config.pluginmanager.getplugin("terminalreporter")
    if reporter is None:  # one of several processes
        return
    with capture.global_and_fixture_disabled():
        reporter.ensure_newline()
        reporter.write_line(line)


def _lacking(request: pytest.FixtureRequest, line: str) -> NoReturn:
    say(request, f"NOT TESTED against {line}")
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(line)
    pytest.skip(line)
