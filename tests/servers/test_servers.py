"""The servers of the tests: real ones, told in the log, and a loud line where they can't be had."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Final

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from tests.conftest import KafkaForTest
from tests.servers import maven
from tests.servers.elasticsearch import VERSION as ELASTICSEARCH_VERSION
from tests.servers.elasticsearch import ElasticsearchServer
from tests.servers.kafka import VERSION as KAFKA_VERSION

ROOT: Final = Path(__file__).parents[2]


@pytest.mark.kafka
async def test_kafka_is_a_real_broker_of_the_version_that_we_name(kafka: KafkaForTest) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.servers)
    await admin.start()
    cluster = await admin.describe_cluster()
    await admin.close()
    assert [broker["port"] for broker in cluster["brokers"]] == [int(kafka.servers.partition(":")[2])]
    assert kafka.server.version == KAFKA_VERSION


@pytest.mark.kafka
def test_each_test_has_its_own_names_on_the_broker(
    kafka: KafkaForTest, request: pytest.FixtureRequest
) -> None:
    assert kafka.settings().prefix == kafka.prefix
    assert kafka.settings(partitions=1).partitions == 1
    assert kafka.prefix.endswith(".")


@pytest.mark.elasticsearch
def test_elasticsearch_is_a_real_node_of_the_version_that_we_name(elasticsearch: ElasticsearchServer) -> None:
    with urllib.request.urlopen(elasticsearch.url + "/_nodes", timeout=10) as answer:  # noqa: S310 -- our own server
        nodes = json.load(answer)["nodes"]
    assert [node["version"] for node in nodes.values()] == [ELASTICSEARCH_VERSION]


def test_without_maven_the_line_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(maven.Missing, match="no Maven: install it"):
        maven.jars("kafka", "org.apache.kafka:kafka_2.13:4.1.0")


def test_without_java_the_line_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(maven.Missing, match="no Java: install a JDK"):
        maven.java()


@pytest.mark.parametrize(("ci", "outcome"), [("", "1 skipped"), ("true", "1 error")])
def test_what_is_missing_skips_loudly_and_fails_in_ci(tmp_path: Path, ci: str, outcome: str) -> None:
    (tmp_path / "test_one.py").write_text("def test_needs_kafka(kafka): raise AssertionError\n", "utf-8")
    lacking = {
        "CI": ci,
        "XDG_CACHE_HOME": str(tmp_path),
        "PATH": "",
        "JAVA_HOME": "",
        "PYTHONPATH": str(ROOT),
    }
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path, env={**os.environ, **lacking}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "NOT TESTED against Kafka: no Maven: install it" in ran.stdout
    assert outcome in ran.stdout.splitlines()[-1]
