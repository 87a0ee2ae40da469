"""Elasticsearch as docker-compose.yml starts it: a user a role with the least rights, and passwords that change."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from elasticsearch import AsyncElasticsearch, AuthorizationException

from config.settings import Elasticsearch
from processors.model.codec import encode
from sinks.elasticsearch import ElasticsearchSink, ElasticStories, index
from sinks.elasticsearch.client import connect
from sinks.elasticsearch.reindex import copy_indices
from sinks.search import Query
from streams.kafka.cluster import Cluster
from streams.topology import ENRICHED
from tests.conftest import KafkaForTest
from tests.servers.elasticsearch import ElasticsearchServer
from tests.servers.fleet import make_topics
from tests.servers.process import ServerProcess
from tests.sinks.elasticsearch.test_away_months import of_month
from tests.sinks.events import event
from tests.trials.trial import Trial

pytestmark = [pytest.mark.elasticsearch, pytest.mark.timeout(400)]
ROLES: Final = ("operator", "sink", "desk", "reader", "kibana", "admin")
Act = Callable[[AsyncElasticsearch], Awaitable[object]]
DENIED: Final[tuple[tuple[str, Act], ...]] = (
    ("desk", lambda client: client.index(index="wire-stories-2025.05", document={})),
    ("desk", lambda client: client.indices.create(index="wire-stories-2025.09-000001")),
    ("reader", lambda client: client.index(index="wire-stories-2025.05", document={})),
    ("reader", lambda client: client.search(index="wire-stories")),
    ("reader", lambda client: client.search(index="wire-stories-2025.05-000001")),
    ("reader", lambda client: client.search(index="wire-stories-versions")),
    ("sink", lambda client: client.indices.delete(index="wire-stories-2025.05-000001")),
    ("sink", lambda client: client.delete(index="wire-stories-2025.05", id="x")),
    ("sink", lambda client: client.indices.put_index_template(name="x", index_patterns=["y"])),
    ("sink", lambda client: client.indices.create(index="others")),
    ("operator", lambda client: client.search(index="others")),
    ("operator", lambda client: client.cluster.put_settings(persistent={"cluster.blocks.read_only": True})),
)


@pytest.fixture(scope="module")
def secure() -> Iterator[tuple[ElasticsearchServer, Path]]:
    with tempfile.TemporaryDirectory(prefix="wiredesk-users-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        for part in ("server", "secrets"):
            (folder / part).mkdir(mode=0o755)
        for role in ROLES:
            (folder / "secrets" / f"elasticsearch_{role}").write_text(f"word-of-{role}\n")
        server = ElasticsearchServer(folder / "server", folder / "secrets")
        server.start()
        yield server, folder / "secrets"
        server.stop()


def login(server: ElasticsearchServer, role: str) -> Elasticsearch:
    return Elasticsearch(server.url, username=f"wiredesk-{role}", password=f"word-of-{role}", timeout_s=10.0)


@pytest.mark.trial("I1", "a user a role on Elasticsearch, with the least rights")
async def test_each_role_can_do_its_work_and_nothing_else(
    secure: tuple[ElasticsearchServer, Path], trial: Trial
) -> None:
    server, _ = secure
    operator, sink = login(server, "operator"), ElasticsearchSink(login(server, "sink"))
    async with connect(operator) as client:
        await index.create(client, operator)
        kill = event("urn:kill", relation="kill", chain="urn:b", of="urn:b", sequence=2, minute=1)
        for events in ([of_month("urn:a"), event("urn:b")], [kill]):
            assert (await sink.write(events)).outcomes == [None] * len(events)
        assert await sink.away_parts() == {}
        assert await index.check(client, operator) == []
        await copy_indices(client, operator)
        assert await index.check(client, operator) == []
        await client.indices.refresh(index="wire-stories")
    desk = ElasticStories(login(server, "desk"))
    hits = (await desk.search(Query("veldhaven"))).hits
    trial.count(["urn:a"], [hit.uri for hit in hits])
    async with connect(login(server, "reader")) as client:
        for alias in ("wire-stories-current", "wire-stories-all"):
            found = await client.search(index=alias, query={"term": {"uri": "urn:a"}})
            assert [hit["_source"]["uri"] for hit in found["hits"]["hits"]] == ["urn:a"]
    for role, act in DENIED:
        async with connect(login(server, role)) as client:
            with pytest.raises(AuthorizationException):
                await act(client)
    await sink.close()
    await desk.close()


@pytest.fixture
def sink(
    secure: tuple[ElasticsearchServer, Path], kafka: KafkaForTest, tmp_path: Path
) -> Iterator[ServerProcess]:
    """The installed command, whose password is in a file."""
    server, secrets = secure
    settings = kafka.settings(partitions=1)
    (tmp_path / "word").write_text((secrets / "elasticsearch_sink").read_text())
    variables = {
        "WIREDESK_KAFKA_SERVERS": settings.servers, "WIREDESK_KAFKA_PREFIX": settings.prefix,
        "WIREDESK_KAFKA_PARTITIONS": "1", "WIREDESK_ELASTICSEARCH_URL": server.url,
        "WIREDESK_ELASTICSEARCH_USERNAME": "wiredesk-sink",
        "WIREDESK_ELASTICSEARCH_PASSWORD_FILE": str(tmp_path / "word"),
    }  # fmt: skip
    command = [str(Path(sys.executable).with_name("wiredesk")), "sink", "elasticsearch"]
    process = ServerProcess(command, tmp_path / "sink.log", environment=variables)
    yield process
    if process.status is None:
        process.stop()


async def count_stories(server: ElasticsearchServer) -> int:
    async with connect(login(server, "operator")) as client:
        await client.indices.refresh(index="wire-stories")
        return int((await client.count(index="wire-stories"))["count"])


@pytest.mark.kafka
@pytest.mark.trial("22i", "password of the index changed, the new word in the file later")
async def test_a_new_password_in_the_file_is_taken_while_running(
    secure: tuple[ElasticsearchServer, Path],
    kafka: KafkaForTest,
    sink: ServerProcess,
    tmp_path: Path,
    trial: Trial,
) -> None:
    server, _ = secure
    await make_topics(kafka.settings(partitions=1))
    async with connect(login(server, "operator")) as client:
        await index.create(client, login(server, "operator"))
    before = await count_stories(server)
    await tell(kafka, ["urn:pw:1"])
    await asyncio.to_thread(sink.wait_until, lambda: "sink started" in sink.log(), 60)
    await trial_until(lambda: count_stories(server), before + 1)
    await asyncio.to_thread(server.change_password, "wiredesk-sink", "another-word")
    trial.begin()
    await asyncio.sleep(6)  # the server looks at its files every five seconds
    await tell(kafka, ["urn:pw:2"])
    await trial.wait_until_told("log", lambda: "unable to authenticate user" in sink.log())
    (tmp_path / "word").write_text("another-word")
    trial.end()

    async def is_healed() -> bool:
        return await count_stories(server) == before + 2

    await trial.wait_until_healed(is_healed)
    trial.count(range(before + 2), range(await count_stories(server)))  # type: ignore[arg-type]
    assert "Traceback" not in sink.log()
    await asyncio.to_thread(server.change_password, "wiredesk-sink", "a-third-word")
    await asyncio.sleep(6)
    await tell(kafka, ["urn:pw:3"])
    await asyncio.to_thread(lambda: sink.wait_until(lambda: sink.status is not None, 60))
    assert sink.status == 2
    last = sink.log().splitlines()[-1]
    assert last.startswith("wiredesk: ")
    assert "elasticsearch.password" in last
    assert "Traceback" not in sink.log()


async def tell(kafka: KafkaForTest, uris: list[str]) -> None:
    cluster = Cluster(kafka.settings(partitions=1))
    async with cluster.producer() as producer:
        for uri in uris:
            await producer.send_and_wait(cluster.topic(ENRICHED.name), encode(event(uri)), key=b"one")


async def trial_until(count: Callable[[], Awaitable[int]], expected: int) -> None:
    async with asyncio.timeout(60):
        while await count() != expected:
            await asyncio.sleep(0.2)
