"""Each role of a fleet has the rights that it needs, and no others, by a real broker that asks who it is."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError
from aiokafka.protocol.admin import CreateAclsRequest
from msgspec.structs import replace
from structlog.testing import capture_logs

from config import Misconfigured
from config.settings import Kafka, Settings
from streams.kafka import security
from streams.kafka.cluster import Cluster
from streams.kafka.grants import Grant, grant_commands, role_grants, user_name
from streams.kafka.poll import load_states
from streams.kafka.topics import check_topics, topic_differences
from streams.topology import BACKFILL, ENRICHED, HELD_TOPICS, LINEAGE, NORMALISED, RAW, STEPS, TOPICS
from tests.acceptance.test_tls import QUICK, sunk
from tests.conftest import _lacking
from tests.servers.fleet import COMMAND, Worker, item, make_topics, publish, read
from tests.servers.kafka import KafkaServer
from tests.servers.maven import Missing
from tests.servers.secure_kafka import MECHANISM, MODULE

OPERATOR: Final = ("operator", "battery staple")
PASSWORD: Final = "correct horse"
ROLES: Final = ("poller", "worker", "routes", "sink", "webhooks", "desk")
KINDS: Final = {"topic": 2, "group": 3, "transactional-id": 5}  # numbers of the protocol
OPERATIONS: Final = {"Delete": 6, "Read": 3, "Write": 4, "Describe": 8, "DescribeConfigs": 10}
LITERAL, PREFIXED, DENY, ALLOW = 3, 4, 2, 3


def of_role(role: str, operation: str) -> set[str]:
    return {
        grant.name
        for grant in role_grants(Settings())
        if (grant.role, grant.kind) == (role, "topic") and operation in grant.operations
    }


def test_a_poller_writes_what_it_polls_and_nothing_else() -> None:
    assert of_role("poller", "Write") == {
        "wire.items.raw.v1",
        "wire.items.raw.v1.dlq",
        "wire.feeds.gaps.v1",
        "wire.state.feeds.v1",
    }
    assert of_role("poller", "Read") == {"wire.state.feeds.v1"}


def test_a_worker_reads_and_writes_what_the_topology_says() -> None:
    for step in STEPS:
        assert {topic.name for topic in step.reads} <= of_role("worker", "Read")
        assert {topic.name for topic in step.writes} <= of_role("worker", "Write")
        assert {topic.dead_letters.name for topic in step.reads} <= of_role("worker", "Write")
    assert RAW.name not in of_role("worker", "Write")
    assert "wire.state.feeds.v1" not in of_role("worker", "Write")


def test_a_desk_writes_nothing_and_a_sink_only_dead_letters_and_what_it_holds() -> None:
    assert of_role("desk", "Write") == set()
    assert {RAW.name, BACKFILL.name} <= of_role("desk", "Read"), "it shows the item of a story that was cut"
    held = {topic.name for topic in HELD_TOPICS}
    written = of_role("sink", "Write") | of_role("webhooks", "Write")
    assert all(name.endswith(".dlq") for name in written - held)
    assert of_role("sink", "Delete") == held


def test_every_topic_of_the_pipeline_has_one_who_writes_it() -> None:
    written = set().union(*(of_role(role, "Write") for role in ("poller", "worker", "routes")))
    by_operators = {"wire.items.backfill.v1", "wire.webhooks.v1"}  # back-fills and replays
    assert {topic.name for topic in TOPICS} - by_operators <= written


def test_prefix_and_application_stand_before_every_name() -> None:
    settings = Settings(kafka=Kafka(prefix="north.", application="wire"))
    for grant in role_grants(settings):
        assert grant.name.startswith("north."), grant
    assert user_name(settings, "poller") == "wire-poller"


@pytest.fixture(scope="module")
def broker(request: pytest.FixtureRequest) -> Iterator[KafkaServer]:
    """A broker that lets nobody do anything without a grant, but its operator."""
    login = f'{MODULE} required username="{OPERATOR[0]}" password="{OPERATOR[1]}";'
    properties = {
        "listener.security.protocol.map": "CLIENT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
        "sasl.enabled.mechanisms": MECHANISM,
        "sasl.mechanism.inter.broker.protocol": MECHANISM,
        f"listener.name.client.{MECHANISM.lower()}.sasl.jaas.config": login,
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{OPERATOR[0]};User:ANONYMOUS",  # the controller's listener knows no users
    }
    users = [OPERATOR, *((f"wiredesk-{role}", PASSWORD) for role in ROLES)]
    with tempfile.TemporaryDirectory(prefix="wiredesk-kafka-") as folder:
        try:
            server = KafkaServer(Path(folder), properties)
            names = [("--add-scram", f"{MECHANISM}=[name={name},password={word}]") for name, word in users]
            server.format(*(argument for name in names for argument in name))
        except Missing as missing:
            _lacking(request, f"Kafka with users: {missing}")
        server.start()
        yield server
        server.stop()


def login(broker: KafkaServer, user: str, password: str = PASSWORD) -> Kafka:
    return Kafka(
        broker.servers, partitions=1, workers=1, worker="one", security_protocol="SASL_PLAINTEXT",
        sasl_mechanism=MECHANISM, username=user, password=password,
    )  # fmt: skip


async def give(operator: Kafka, grants: list[Grant], settings: Settings, permission: int = ALLOW) -> None:
    """Give rights as ``kafka-acls.sh`` does, without a Java machine for each; or deny them."""
    admin = Cluster(operator).admin()
    await admin.start()
    try:
        for grant in grants:
            for operation in grant.operations:
                request = CreateAclsRequest(
                    KINDS[grant.kind], grant.name, PREFIXED if grant.is_prefix else LITERAL,
                    f"User:{user_name(settings, grant.role)}", "*", OPERATIONS[operation], permission,
                )  # fmt: skip
                answer = await admin._send_request(request)
                assert answer.creation_responses[0][0] == 0, (grant, answer)
    finally:
        await admin.close()


@pytest.mark.kafka
@pytest.mark.timeout(200)
async def test_workers_work_with_their_grants_and_a_poller_that_was_taken_over_can_forge_nothing(
    broker: KafkaServer, tmp_path: Path
) -> None:
    operator = login(broker, *OPERATOR)
    await make_topics(operator)
    settings = Settings(kafka=operator)
    grants = [grant for grant in role_grants(settings) if grant.role in ROLES]
    await give(operator, grants, settings)
    (tmp_path / "admin.properties").write_text(
        f"security.protocol=SASL_PLAINTEXT\nsasl.mechanism={MECHANISM}\n"
        f'sasl.jaas.config={MODULE} required username="{OPERATOR[0]}" password="{OPERATOR[1]}";\n'
    )
    line = grant_commands(settings)[0].replace("admin.properties", str(tmp_path / "admin.properties"))
    done = broker.tool(line)
    assert done.returncode == 0, done.stderr
    assert re.search(r"principal=User:wiredesk-poller.*operation=WRITE", done.stdout), done.stdout

    for role in ROLES:
        as_role = Settings(kafka=login(broker, f"wiredesk-{role}"))
        assert await differences(as_role, 0) == [], f"{role} sees each topic, and how it is set"

    poller, worker = login(broker, "wiredesk-poller"), login(broker, "wiredesk-worker")
    await publish(poller, [item(0), item(1, "raise in segment"), item(2)])
    with Worker(worker, tmp_path / "log", *QUICK) as running:
        enriched = await read(operator, [ENRICHED.name], 2, 90)
        letters = await read(operator, ["wire.stories.unique.v1.dlq"], 1, 30)
        assert running.stop(20) == 0, running.log()
    assert (len(enriched), len(letters)) == (2, 1)

    await parts_work_as_their_users(broker, tmp_path)
    for topic in (ENRICHED, NORMALISED, LINEAGE):
        with pytest.raises(TopicAuthorizationFailedError):
            await publish(poller, [item(9)], topic.name)
    with pytest.raises((GroupAuthorizationFailedError, TopicAuthorizationFailedError)):
        await join_group(Cluster(replace(poller, worker="thief")))


async def differences(settings: Settings, number: int, words: str = "") -> list[str]:
    """The differences once there are so many, with the words: the broker takes grants in a moment later."""
    async with asyncio.timeout(15):
        while True:
            lines = await topic_differences(settings)
            if len(lines) == number and all(words in line for line in lines):
                return lines


@pytest.mark.kafka
async def test_what_a_role_may_not_see_is_told_with_the_operation_and_the_topic(broker: KafkaServer) -> None:
    operator = replace(login(broker, *OPERATOR), prefix="denied.")
    settings = Settings(kafka=operator)
    await make_topics(operator)
    rights = [grant for grant in role_grants(settings) if grant.role == "desk"]
    await give(operator, rights, settings)
    desk = Settings(kafka=replace(login(broker, "wiredesk-desk"), prefix="denied."))
    assert await differences(desk, 0) == []
    topic = Cluster(operator).topic(ENRICHED.name)
    await give(operator, [Grant("desk", "topic", topic, ("DescribeConfigs",))], settings, DENY)
    [line] = await differences(desk, 1)
    assert line.startswith(f"{topic}: user 'wiredesk-desk' may not see how it is set (DescribeConfigs")
    await give(operator, [Grant("desk", "topic", topic, ("Describe",))], settings, DENY)
    [line] = await differences(desk, 1, "is not there, or user 'wiredesk-desk' may not see it (Describe")
    assert line.startswith(topic)
    with pytest.raises(Misconfigured, match=rf"{topic} is not there, or user 'wiredesk-desk' may not see it"):
        await check_topics(desk)


async def parts_work_as_their_users(broker: KafkaServer, tmp_path: Path) -> None:
    """The poller takes partitions and writes their states, the routes join, the sink reads, the desk looks."""
    (tmp_path / "feeds.toml").write_text('[[feeds]]\nid = "f"\nurl = "http://127.0.0.1:9/rss"\n')
    poll = (*COMMAND[:-1], "poll", "--feeds", str(tmp_path / "feeds.toml"))
    with (
        Worker(login(broker, "wiredesk-poller"), tmp_path / "poll", *poll) as polling,
        Worker(
            login(broker, "wiredesk-routes"), tmp_path / "routes", *COMMAND[:-1], "sink", "routes"
        ) as routing,
    ):
        polling.wait_for("polled", 60)
        routing.wait_for("partitions assigned", 60)
        assert (polling.stop(20), routing.stop(20)) == (0, 0), polling.log() + routing.log()
    for worker in (polling, routing):
        assert "Authorization" not in worker.log()
    assert "f" in await load_states(Settings(kafka=login(broker, "wiredesk-desk")))
    assert len(await sunk(login(broker, "wiredesk-sink"), "elasticsearch")) == 2


async def join_group(cluster: Cluster) -> None:
    """Take partitions away from the workers."""
    consumer = cluster.group_consumer(cluster.group, RAW.name)
    try:
        await consumer.start()
        await consumer.getmany(timeout_ms=5000)
    finally:
        await consumer.stop()


def change_password(broker: KafkaServer, folder: Path, user: str, word: str) -> None:
    (folder / "admin.properties").write_text(
        f"security.protocol=SASL_PLAINTEXT\nsasl.mechanism={MECHANISM}\n"
        f'sasl.jaas.config={MODULE} required username="{OPERATOR[0]}" password="{OPERATOR[1]}";\n'
    )
    done = broker.tool(
        f"kafka-configs.sh --bootstrap-server {broker.servers} --command-config {folder}/admin.properties --alter "
        f"--entity-type users --entity-name {user} --add-config '{MECHANISM}=[password={word}]'"
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.kafka
async def test_a_password_that_changes_while_we_run_is_read_again_from_its_file_or_ends_with_one_line(
    broker: KafkaServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(security, "PROBE_INTERVAL_S", 0.1)
    monkeypatch.setattr(security, "REFUSED_INTERVAL_S", 0.1)
    secret = tmp_path / "password"
    secret.write_text(PASSWORD)
    settings = login(broker, "wiredesk-webhooks")
    with capture_logs() as told:
        monkeypatch.setenv("WIREDESK_KAFKA_PASSWORD_FILE", str(secret))
        watching = asyncio.ensure_future(security.watch_credentials(settings))
        await asyncio.to_thread(change_password, broker, tmp_path, "wiredesk-webhooks", "another horse")
        async with asyncio.timeout(30):
            while not told:
                await asyncio.sleep(0.05)
        assert not watching.done(), "the file may be written a moment later"
        secret.write_text("another horse")
        with pytest.raises(security.SecretChanged):
            await asyncio.wait_for(watching, 30)
        monkeypatch.delenv("WIREDESK_KAFKA_PASSWORD_FILE")
        with pytest.raises(Misconfigured, match="refuses user 'wiredesk-webhooks'"):
            await asyncio.wait_for(security.watch_credentials(settings), 30)
    assert [line["event"] for line in told] == ["Kafka refuses us while we run"] * 2
    assert PASSWORD not in repr(told)
    await asyncio.to_thread(change_password, broker, tmp_path, "wiredesk-webhooks", PASSWORD)
