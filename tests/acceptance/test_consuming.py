"""The consumers of docs/consuming.md, taken out of the page and run."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
import shutil
import signal
import sys
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from msgspec import structs

from config.files import CONFIG_FOLDER
from config.settings import Desk, Kafka, Settings, Webhooks
from processors.model.codec import encode
from processors.model.event import Event
from sinks.desk.app import make_app
from sinks.desk.ports import FeedHealth
from sinks.routes.rules import read_rules
from sinks.sqlite.writer import StoryIndex, StorySearch
from streams.embedded.data_file import DATABASE
from streams.embedded.log import Log, LogThread
from streams.embedded.route_stream import RouteStream
from streams.kafka import topics
from streams.kafka.cluster import Cluster
from streams.messages import Message, message
from streams.routing import RuleBook
from streams.webhooks.delivery import TargetClient
from streams.webhooks.targets import Target, read_targets
from tests.conftest import KafkaForTest
from tests.servers import npm
from tests.servers.maven import Missing
from tests.servers.process import free_ports
from tests.sinks.events import event
from tests.streams.conftest import record

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(120)]
PAGE = (Path(__file__).parents[2] / "docs" / "consuming.md").read_text("utf-8")
URGENT = "wire.out.urgent.v1"
STORIES = (
    event("urn:a", headline="Harbour opens"),
    event("urn:k", headline="Kill the harbour", text="Kill.", relation="kill", chain="urn:a", of="urn:a", sequence=2),
)  # fmt: skip
LINES = ["new Harbour opens", "kill Kill the harbour"]


def blocks(heading: str, language: str) -> list[str]:
    """The code of a section."""
    section = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    (found,) = [each for each in section if each.startswith(heading)]
    return re.findall(rf"^```{language}\n(.*?)^```$", found, flags=re.MULTILINE | re.DOTALL)


def out(each: Event) -> Message:
    return message(URGENT, "urn:a", encode(each), 0, source="route")


async def lines(
    command: Sequence[str], number: int, environment: Mapping[str, str] | None = None
) -> list[str]:
    """The first lines that a command writes; it is killed then."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **(environment or {})}, start_new_session=True,
    )  # fmt: skip
    assert process.stdout
    assert process.stderr
    found: list[str] = []
    try:
        async with asyncio.timeout(40):
            while len(found) < number:
                line = await process.stdout.readline()
                assert line, (await process.stderr.read()).decode()
                found.append(line.decode().rstrip("\n"))
    finally:
        with suppress(ProcessLookupError):  # it may have ended meanwhile
            os.killpg(process.pid, signal.SIGKILL)  # a shell and what it runs
        await process.communicate()
    return found


@pytest.fixture
async def broker(kafka: KafkaForTest) -> Kafka:
    """A broker whose topic `wire.out.urgent.v1` has a story, its kill and a tombstone."""
    told = kafka.settings(partitions=1)
    await topics.create_topics(Settings(kafka=told))
    cluster = Cluster(told)
    tombstone = replace(out(STORIES[1]), value=b"")
    async with cluster.producer(transactional_id=f"{told.prefix}docs") as producer, producer.transaction():
        for each in (*map(out, STORIES), tombstone):
            await producer.send(
                cluster.topic(URGENT), each.value or None, key=each.key, headers=list(each.headers)
            )
    return told


def placed(code: str, told: Kafka) -> str:
    """Code of the page for the broker of the test."""
    made = code.replace("127.0.0.1:9092", told.servers).replace(URGENT, told.prefix + URGENT)
    made = re.sub(r"(aiokafka|confluent|node|client)-desk", lambda match: told.prefix + match.group(), made)
    assert made != code
    return made


@pytest.mark.kafka
@pytest.mark.parametrize(("heading", "module"), [
    ("Python, wiredesk", "aiokafka"), ("Python, aiokafka", "aiokafka"), ("Python, confluent-kafka", "confluent_kafka")])  # fmt: skip
async def test_python(broker: Kafka, heading: str, module: str) -> None:
    if not importlib.util.find_spec(module):
        pytest.skip(f"{module} is not installed")
    (code,) = blocks(heading, "python")
    assert await lines([sys.executable, "-c", placed(code, broker)], 2) == LINES


@pytest.mark.kafka
async def test_node(broker: Kafka) -> None:
    try:
        node, folder = npm.node(), npm.modules("kafkajs@2.2.4")
    except Missing as missing:
        pytest.skip(str(missing))
    (code,) = blocks("Node", "javascript")
    environment = {"NODE_PATH": str(folder), "KAFKAJS_NO_PARTITIONER_WARNING": "1"}
    assert (
        await lines(
            [node, "-e", placed(code, broker).replace("brokers:", "logLevel: 0, brokers:")], 2, environment
        )
        == LINES
    )


@pytest.mark.kafka
async def test_kcat(broker: Kafka) -> None:
    if not shutil.which("kcat"):
        pytest.skip("no kcat: install it (Debian: kcat)")
    (code,) = blocks("kcat", "sh")
    found = await lines(["sh", "-c", placed(code, broker)], 2)
    assert found == [f"urn:a {encode(each).decode()}" for each in STORIES]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[str]:
    """The address of a desk with a story, and with the route `urgent`."""
    log = Log(tmp_path / DATABASE)
    index = StoryIndex(log.connection)
    with log.transaction():
        index.write(STORIES[:1])
        log.append(map(out, STORIES))
    search, log_thread = StorySearch(tmp_path / DATABASE), LogThread(log)
    app = make_app(search, NoFeeds(), Desk())
    RouteStream(RuleBook(read_rules(CONFIG_FOLDER / "routes.toml")), log_thread).add_to(app)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    yield str(server.make_url("")).removeprefix("http://").rstrip("/")
    await server.close()
    search.close()
    log_thread.close()


class NoFeeds:
    async def list(self) -> Sequence[FeedHealth]:
        return []


def needs_curl() -> None:
    if not shutil.which("curl"):
        pytest.skip("no curl: install it (Debian: curl)")


async def test_server_sent_events_with_curl(desk: str) -> None:
    needs_curl()
    code = blocks("Without Kafka: server-sent events", "sh")[0].replace("127.0.0.1:8080", desk)
    found = await lines(["sh", "-c", f"exec {code}"], 9)
    data = [line.removeprefix("data: ") for line in found if line.startswith("data: ")]
    assert data == [encode(each).decode() for each in STORIES]
    assert [line for line in found if line.startswith("id: ")] == ["id: 0", "id: 1"]


async def test_following_a_route_on_the_same_machine(desk: str, tmp_path: Path) -> None:
    code = blocks("Without Kafka: server-sent events", "sh")[1].replace("--data data", f"--data {tmp_path}")
    environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    found = await lines(["sh", "-c", f"exec {code}"], 2, environment)
    assert found == [encode(each).decode() for each in STORIES]


async def test_asking_with_curl(desk: str) -> None:
    needs_curl()
    (code,) = blocks("Without Kafka: asking", "sh")
    found = await lines(["sh", "-c", f"exec {code.replace('127.0.0.1:8080', desk)}"], 5)
    assert '"stories": [' in "".join(found)
    assert "urn:a" in "".join(found)


async def test_a_webhook_receiver_takes_what_is_signed_and_nothing_else(tmp_path: Path) -> None:
    (secret,) = re.findall(r"(whsec_\S+)", blocks("Webhooks", "sh")[0])
    (port,) = free_ports(1)
    told = tmp_path / "webhooks.toml"
    told.write_text(
        blocks("Webhooks", "toml")[0].replace("https://newsroom.example/wire", f"http://127.0.0.1:{port}/")
    )
    (target,) = read_targets(told, {"urgent"}, {"WIREDESK_WEBHOOK_NEWSROOM_SECRET": secret})
    code = blocks("Webhooks", "python")[0].replace("8090", str(port))
    running = asyncio.create_task(
        lines([sys.executable, "-c", code], 2, {"WIREDESK_WEBHOOK_NEWSROOM_SECRET": secret})
    )
    told_quickly = Webhooks(
        allowed_addresses=("127.0.0.1",),
        attempts=999,
        first_delay_s=0.05,
        max_delay_s=0.2,
        circuit_failures=9999,
    )
    forger = Target(target.name, target.url, target.route, (b64encode(b"another secret of its own"),))
    first, forged, last = (record(n, value=encode(STORIES[n % 2])) for n in (0, 0, 1))
    async with (
        TargetClient(target, told_quickly) as delivery,
        TargetClient(forger, structs.replace(told_quickly, attempts=2)) as other,
    ):
        assert await delivery.deliver(first) is None
        assert "HTTP 401" in str(await other.deliver(forged))
        assert await delivery.deliver(last) is None
    assert await running == LINES, "what was forged was not shown"


def test_every_consumer_is_ten_lines_or_so_and_routes_are_bundled() -> None:
    for heading, language in (
        ("Python, wiredesk", "python"),
        ("Python, aiokafka", "python"),
        ("Python, confluent", "python"),
        ("Node", "javascript"),
    ):
        (code,) = blocks(heading, language)
        assert len([line for line in code.splitlines() if line.strip()]) <= 11
    assert URGENT in {rule.topic for rule in read_rules(CONFIG_FOLDER / "routes.toml")}
