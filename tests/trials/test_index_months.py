"""What others do to the index while the installed sink runs: the month that it concerns waits, all others go on."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from elasticsearch import AsyncElasticsearch
from msgspec import structs

from config.settings import Elasticsearch, Kafka
from processors.model.codec import encode
from processors.model.event import Event
from sinks.elasticsearch import index
from sinks.elasticsearch.client import connect
from sinks.elasticsearch.reindex import copy_indices
from streams.kafka.cluster import Cluster
from streams.topology import ENRICHED
from tests.conftest import KafkaForTest
from tests.servers.elasticsearch import ElasticsearchServer
from tests.servers.fleet import make_topics, read
from tests.servers.process import ServerProcess
from tests.sinks.elasticsearch.test_away_months import MONTH, of_month
from tests.sinks.events import event
from tests.trials.trial import Trial

pytestmark = [pytest.mark.elasticsearch, pytest.mark.kafka, pytest.mark.timeout(400)]
NAME: Final = "trial"
OLD: Final = f"{NAME}-{MONTH}-000001"
LIVE: Final = f"{NAME}-2026.01-000001"


class Stage:
    """The installed sink, its topics and its index."""

    def __init__(
        self, server: ElasticsearchServer, kafka: Kafka, client: AsyncElasticsearch, folder: Path
    ) -> None:
        self.server, self.kafka, self.client, self.folder = server, kafka, client, folder
        self.process = self._start()
        self.sent: list[str] = []

    def _start(self) -> ServerProcess:
        variables = {
            "WIREDESK_KAFKA_SERVERS": self.kafka.servers, "WIREDESK_KAFKA_PREFIX": self.kafka.prefix,
            "WIREDESK_KAFKA_PARTITIONS": "1", "WIREDESK_ELASTICSEARCH_URL": self.server.url,
            "WIREDESK_ELASTICSEARCH_INDEX": NAME,
        }  # fmt: skip
        command = [str(Path(sys.executable).with_name("wiredesk")), "sink", "elasticsearch"]
        return ServerProcess(command, self.folder / "sink.log", environment=variables)

    def kill_and_start_again(self) -> None:
        self.process.kill()
        self.process = self._start()

    async def send(self, *events: Event) -> None:
        """Put events on the topic that the sink reads."""
        cluster = Cluster(self.kafka)
        async with cluster.producer() as producer:
            for made in events:
                await producer.send_and_wait(
                    cluster.topic(ENRICHED.name), encode(made), key=made.story.uri.encode()
                )
        self.sent += [made.story.uri for made in events]

    async def stored(self) -> list[str]:
        """The uris of all documents of all indices of the name."""
        await self.client.indices.refresh(index=NAME, ignore_unavailable=True)
        answer = await self.client.search(
            index=NAME, size=1000, source={"includes": ["uri"]}, ignore_unavailable=True
        )
        return [hit["_source"]["uri"] for hit in answer["hits"]["hits"]]

    async def until_stored(self, *uris: str) -> None:
        async with asyncio.timeout(30):
            while not set(uris) <= set(await self.stored()):
                await asyncio.sleep(0.2)

    def ask(self, path: str) -> str:
        """The answer of the sink's own listener; of the process that runs now."""
        urls = re.findall(r"http://127[^ ]*/readyz", self.process.log())
        try:
            with urllib.request.urlopen(urls[-1].replace("readyz", path), timeout=5) as answer:  # noqa: S310 -- ours
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            return error.read().decode()
        except OSError:
            return ""


@pytest.fixture
async def stage(elasticsearch: ElasticsearchServer, kafka: KafkaForTest, tmp_path: Path) -> Any:
    settings = kafka.settings(partitions=1)
    await make_topics(settings)
    told = Elasticsearch(elasticsearch.url, index=NAME, timeout_s=20.0)
    async with connect(told) as client:
        names = list((await client.indices.get(index=f"{NAME}-*", expand_wildcards="all")).body)
        if names:
            await client.indices.delete(index=names)
        await index.create(client, told)
        made = Stage(elasticsearch, settings, client, tmp_path)
        await made.send(of_month("urn:old:1"), event("urn:live:1"))
        await made.until_stored("urn:old:1", "urn:live:1")
        yield made
        made.process.stop()


Act = Callable[[AsyncElasticsearch], Awaitable[object]]


def put_settings(name: str, **settings: object) -> Act:
    return lambda client: client.indices.put_settings(
        index=name, settings={k.replace("__", "."): v for k, v in settings.items()}
    )


def set_cluster(**settings: object) -> Act:
    return lambda client: client.cluster.put_settings(
        persistent={k.replace("__", "."): v for k, v in settings.items()}
    )


def alias(kind: str, index_: str, name: str, **more: object) -> Act:
    return lambda client: client.indices.update_aliases(
        actions=[{kind: {"index": index_, "alias": name} | more}]
    )


async def delete_month(client: AsyncElasticsearch) -> None:
    await client.indices.delete(index=OLD)


async def nothing(_client: AsyncElasticsearch) -> None:
    """It heals by itself."""


CORP: Final = {"mappings": {"properties": {"headline": {"type": "long"}}}}


async def make_another_mapping(client: AsyncElasticsearch) -> None:
    await client.indices.create(
        index=f"{NAME}-2025.06-000001", mappings=CORP["mappings"],
        aliases={NAME: {}, f"{NAME}-2025.06": {"is_write_index": True}},
    )  # fmt: skip


# number, situation, what breaks it, what mends it, the month of the stories that wait, what the log says
MONTHS: Final[tuple[tuple[str, str, Act, Act, str, str], ...]] = (
    ("5", "an old month's index is closed", lambda c: c.indices.close(index=OLD), lambda c: c.indices.open(index=OLD),
     MONTH, "is closed"),
    ("17", "an old month is made read-only", put_settings(OLD, index__blocks__write=True),
     put_settings(OLD, index__blocks__write=None), MONTH, "is read-only"),
    ("I2", "the disk is full for one month's index, and then is not",
     put_settings(OLD, index__blocks__read_only_allow_delete=True),
     put_settings(OLD, index__blocks__read_only_allow_delete=None), MONTH, "is read-only"),
    ("6", "cluster.max_shards_per_node is reached, first story of a month", set_cluster(cluster__max_shards_per_node=1),
     set_cluster(cluster__max_shards_per_node=None), "2025.08", "maximum normal shards"),
    ("12", "a write alias over two indices, none for writing",
     lambda c: c.indices.update_aliases(actions=[
         {"add": {"index": OLD, "alias": f"{NAME}-{MONTH}", "is_write_index": False}},
         {"add": {"index": LIVE, "alias": f"{NAME}-{MONTH}"}},
     ]), lambda c: index.create(c, Elasticsearch(index=NAME)), MONTH, "no write index"),
    ("13", "a month's index made by others with another mapping", make_another_mapping,
     lambda c: copy_indices(c, Elasticsearch(index=NAME)), "2025.06", "headline is long, not text"),
    ("14", "a company's own template fits the next month",
     lambda c: c.indices.put_index_template(name="corp", index_patterns=[f"{NAME}*"], priority=500, template=CORP),
     lambda c: c.indices.delete_index_template(name="corp"), "2025.07", "the template corp"),
    ("16", "the write alias is removed", alias("remove", OLD, f"{NAME}-{MONTH}"),
     lambda c: index.create(c, Elasticsearch(index=NAME)), MONTH, "without the alias"),
)  # fmt: skip


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=pytest.mark.trial(case[0], case[1]), id=case[0]) for case in MONTHS],
)
async def test_a_month_waits_alone_is_told_and_heals(
    case: tuple[str, str, Act, Act, str, str], stage: Stage, trial: Trial
) -> None:
    _, _, break_it, mend_it, month, words = case
    await break_it(stage.client)
    trial.begin()
    try:
        await stage.send(of_month("urn:wait", month), event("urn:live:2"))
        await trial.wait_until_told("log", lambda: words in stage.process.log())
        await trial.wait_until_told("readyz", lambda: words in stage.ask("readyz"))
        part = f'part="{NAME}-{month}"'
        await trial.wait_until_told("figure", lambda: part in stage.ask("metrics"))
        await stage.until_stored("urn:live:2")
        stage.kill_and_start_again()
        await stage.send(event("urn:live:3"))
        await stage.until_stored("urn:live:3")
    finally:
        await mend_it(stage.client)
    trial.end()

    async def is_healed() -> bool:
        return "urn:wait" in await stage.stored()

    await trial.wait_until_healed(is_healed)
    async with asyncio.timeout(30):
        while '"ok"' not in stage.ask("readyz"):
            await asyncio.sleep(0.2)
    trial.count(stage.sent, await stage.stored())
    assert "Traceback" not in stage.process.log()


@pytest.mark.trial("1", "rollover of a month by others, then what index check advises")
async def test_a_rollover_and_the_advised_copy_lose_nothing(stage: Stage, trial: Trial) -> None:
    await stage.client.indices.rollover(alias=f"{NAME}-{MONTH}")
    trial.begin()
    await stage.send(*(of_month(f"urn:since:{n}") for n in range(10)))
    await stage.until_stored(*(f"urn:since:{n}" for n in range(10)))
    settings = Elasticsearch(stage.server.url, index=NAME)
    (advice,) = await index.check(stage.client, settings)
    assert "run `wiredesk index reindex`" in advice
    variables = {
        **os.environ,
        "WIREDESK_ELASTICSEARCH_URL": stage.server.url,
        "WIREDESK_ELASTICSEARCH_INDEX": NAME,
    }
    command = [str(Path(sys.executable).with_name("wiredesk")), "index", "reindex"]
    run = await asyncio.create_subprocess_exec(*command, env=variables)
    assert await run.wait() == 0
    assert await index.check(stage.client, settings) == []
    trial.count(stage.sent, await stage.stored())


@pytest.mark.trial("I3", "a month is deleted by others, such as ILM")
async def test_a_deleted_month_is_made_anew(stage: Stage, trial: Trial) -> None:
    await delete_month(stage.client)
    stage.sent.remove("urn:old:1")
    trial.begin()
    trial.end()
    await stage.send(of_month("urn:old:2"))

    async def is_healed() -> bool:
        return "urn:old:2" in await stage.stored()

    await trial.wait_until_healed(is_healed)
    trial.count(stage.sent, await stage.stored())


@pytest.mark.trial("I4", "Elasticsearch restarted in the middle of bulk requests")
async def test_a_restart_in_the_middle_loses_nothing(stage: Stage, trial: Trial) -> None:
    events = [event(f"urn:many:{n}", text="Ships came back. " * 200) for n in range(800)]
    sending = asyncio.create_task(stage.send(*events))
    await asyncio.sleep(0.5)
    await asyncio.to_thread(stage.server.stop)
    trial.begin()
    await trial.wait_until_told(
        "readyz",
        lambda: (
            "503" in stage.ask("readyz")
            or "waits" in stage.ask("readyz")
            or "start Elasticsearch" in stage.ask("readyz")
        ),
    )
    await sending
    await asyncio.to_thread(stage.server.start)
    trial.end()

    async def is_healed() -> bool:
        return len(await stage.stored()) >= len(stage.sent)

    await trial.wait_until_healed(is_healed)
    trial.count(stage.sent, await stage.stored())
    assert "Traceback" not in stage.process.log()


@pytest.mark.trial("30", "the index of marks is deleted, and made anew by the advised command")
async def test_marks_come_back_with_the_kills_of_before(stage: Stage, trial: Trial) -> None:
    kill = event("urn:kill", relation="kill", chain="urn:gone", of="urn:gone", sequence=2)
    await stage.send(kill)
    await stage.until_stored("urn:kill")
    await stage.client.indices.delete(index=f"{NAME}-marks")
    trial.begin()
    await stage.send(event("urn:live:2"))
    await trial.wait_until_told("log", lambda: "wiredesk index create" in stage.process.log())
    await index.create(stage.client, Elasticsearch(stage.server.url, index=NAME))
    trial.end()

    async def is_healed() -> bool:
        return "urn:live:2" in await stage.stored()

    await trial.wait_until_healed(is_healed)
    await stage.send(event("urn:gone"))
    await stage.until_stored("urn:gone")
    found = await stage.client.search(
        index=NAME, query={"term": {"uri": "urn:gone"}}, source={"includes": ["hidden"]}
    )
    assert found["hits"]["hits"][0]["_source"]["hidden"] == "killed"
    trial.count(stage.sent, await stage.stored())


@pytest.mark.trial("15", "the read alias is taken from a month by others")
async def test_a_month_that_is_not_shown_is_told_and_shown_again(stage: Stage, trial: Trial) -> None:
    await stage.client.indices.delete_alias(index=OLD, name=NAME)
    trial.begin()
    await stage.send(of_month("urn:old:2"), event("urn:live:2"))
    await trial.wait_until_told(
        "readyz", lambda: "not shown: run `wiredesk index create`" in stage.ask("readyz")
    )
    await trial.wait_until_told("log", lambda: "not shown" in stage.process.log())
    await stage.until_stored("urn:live:2")
    await index.create(stage.client, Elasticsearch(index=NAME))
    trial.end()

    async def is_healed() -> bool:
        return set(await stage.stored()) == set(stage.sent) and '"ok"' in stage.ask("readyz")

    await trial.wait_until_healed(is_healed)
    trial.count(stage.sent, await stage.stored())


@pytest.mark.trial("29", "one document of 40 is refused")
async def test_one_document_that_is_refused_is_a_dead_letter_alone(stage: Stage, trial: Trial) -> None:
    events = [event(f"urn:forty:{number}") for number in range(40)]
    events[17] = structs.replace(events[17], story=structs.replace(events[17].story, urgency=100_000))
    trial.begin()
    trial.end()
    await stage.send(*events)
    stage.sent.remove("urn:forty:17")
    await trial.wait_until_told("figure", lambda: "wire_dead_letters_total" in stage.ask("metrics"))

    async def is_healed() -> bool:
        return set(stage.sent) <= set(await stage.stored())

    await trial.wait_until_healed(is_healed)
    trial.count(stage.sent, await stage.stored())
    letters = await read(structs.replace(stage.kafka, partitions=1), [ENRICHED.dead_letters.name], 1, 10)
    assert len(letters) == 1


@pytest.fixture
def weak_server() -> Iterator[ElasticsearchServer]:
    """A server that takes no more than two megabytes at once."""
    with tempfile.TemporaryDirectory(prefix="wiredesk-elasticsearch-") as folder:
        server = ElasticsearchServer(Path(folder), properties={"indexing_pressure.memory.limit": "2mb"})
        server.start()
        yield server
        server.stop()


@pytest.mark.trial("18", "one story is larger than the server's indexing pressure")
async def test_a_story_that_the_server_can_never_take_is_set_aside(
    weak_server: ElasticsearchServer, kafka: KafkaForTest, tmp_path: Path, trial: Trial
) -> None:
    settings = kafka.settings(partitions=1)
    await make_topics(settings)
    async with connect(Elasticsearch(weak_server.url, index=NAME, timeout_s=20.0)) as client:
        await index.create(client, Elasticsearch(weak_server.url, index=NAME))
        stage = Stage(weak_server, settings, client, tmp_path)
        try:
            trial.begin()
            trial.end()
            await stage.send(event("urn:huge", text="The ferries wait outside the harbour. " * 80_000))
            stage.sent.clear()
            await stage.send(*(event(f"urn:behind:{number}") for number in range(10)))

            async def is_healed() -> bool:
                return set(stage.sent) <= set(await stage.stored())

            await trial.wait_until_healed(is_healed)
            trial.count(stage.sent, await stage.stored())
            assert len(await read(settings, [ENRICHED.dead_letters.name], 1, 10)) == 1
        finally:
            stage.process.stop()
