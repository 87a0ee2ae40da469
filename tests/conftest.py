"""Real servers for the tests: one Kafka and one Elasticsearch a session, started when the first test asks.

Without Java or Maven the tests that need a server are skipped with one line that says what is missing; with
``CI=true`` that is a failure.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import hypothesis
import pytest

from config import settings
from tests.servers.elasticsearch import ElasticsearchServer
from tests.servers.kafka import KafkaServer
from tests.servers.maven import Missing

# Fixtures that start a server once a session.
SERVER_FIXTURES = {"kafka_server", "elasticsearch"}
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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where two processes share the tests: those of servers are one process's, first, so that each server starts once.

    All others go file by file (``-n 2 --dist loadgroup``), so that what a file makes once is made once.
    """
    for item in items:
        group = "servers" if _needs_servers(item) else item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: not _needs_servers(item))  # stable: the order of files stays


def _needs_servers(item: pytest.Item) -> bool:
    return not SERVER_FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))


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
