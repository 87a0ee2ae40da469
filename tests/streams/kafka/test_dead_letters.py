"""Dead letters on a real broker: found, replayed once in their order, dropped, and their bytes deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from aiokafka import TopicPartition
from click.testing import CliRunner, Result

from config import Misconfigured
from config.settings import Kafka
from processors.errors import Malformed, NotAFeed, Rejected
from processors.model.codec import encode
from processors.model.event import Event, Provenance, RawItem
from processors.model.story import Story
from streams.commands.dlq import command
from streams.dead_letters import MAX_REPLAYS, DeadLetter, Filter, filter_letters
from streams.kafka.cluster import Cluster
from streams.kafka.dead_letters import KafkaDeadLetters
from streams.messages import Message, Record, dead_letter, message, raw_message
from streams.topology import RAW, SEGMENTED, SETTLED_LETTERS
from tests.conftest import KafkaForTest
from tests.servers.fleet import make_topics, read

pytestmark = pytest.mark.kafka
DLQ = RAW.dead_letters.name


def raw_letter(number: int, feed: str, error: Rejected) -> Message:
    """The letter of an item of a feed, received at a minute."""
    message = raw_message(RawItem(b"item %d" % number, f"2026-01-31T12:{number:02}:00Z", feed=feed), RAW.name)
    record = Record(RAW.name, 0, number, message.key, message.value, message.timestamp, message.headers)
    return dead_letter(record, "normalise", error)


def event_letter(feed: str) -> Message:
    """The letter of an event that a later step rejected."""
    value = encode(Event(Story("urn:a"), provenance=Provenance("2026-01-31T13:00:00Z", "ninjs", feed)))
    written = message(SEGMENTED.name, "urn:a", value, 1_769_864_400_000, source="segment")
    record = Record(SEGMENTED.name, 2, 7, written.key, value, written.timestamp, written.headers)
    return dead_letter(record, "tag", Malformed("as the test says"))


async def write_letters(settings: Kafka, letters: list[Message]) -> None:
    await make_topics(settings)
    cluster = Cluster(settings)
    async with cluster.producer() as producer:
        for record in letters:
            await producer.send_and_wait(
                cluster.topic(record.topic), record.value, key=record.key, headers=list(record.headers)
            )


async def beginnings(settings: Kafka, topic: str) -> list[int]:
    cluster = Cluster(settings)
    places = [TopicPartition(cluster.topic(topic), number) for number in range(settings.partitions)]
    async with cluster.consumer() as consumer:
        offsets = await consumer.beginning_offsets(places)
    return [offsets[place] for place in places]


@pytest.fixture
def settings(kafka: KafkaForTest, monkeypatch: pytest.MonkeyPatch) -> Kafka:
    """Settings for this test, also in the environment of the command."""
    monkeypatch.setenv("WIREDESK_KAFKA_SERVERS", kafka.servers)
    monkeypatch.setenv("WIREDESK_KAFKA_PREFIX", kafka.prefix)
    return kafka.settings()


@pytest.fixture
def source(settings: Kafka) -> Iterator[KafkaDeadLetters]:
    letters = KafkaDeadLetters(settings)
    yield letters
    letters.close()


def dlq(*arguments: str) -> Result:
    ran = CliRunner().invoke(command, [*arguments, "--kafka"])
    assert ran.exception is None or ran.exit_code == 2, ran.output
    return ran


def test_filters_choose_by_step_error_feed_and_time(settings: Kafka) -> None:
    letters = [
        raw_letter(n, "bbc" if n % 2 else "dw", Malformed("x") if n < 4 else NotAFeed("y")) for n in range(6)
    ]
    asyncio.run(write_letters(settings, [*letters, event_letter("bbc")]))

    def count(*arguments: str) -> int:
        return len(dlq("list", *arguments).stdout.splitlines())

    assert count() == 7
    assert count("--feed", "bbc") == 4, "three raw items, and an event by its provenance"
    assert count("--step", "tag") == 1
    assert count("--error", "notafeed") == 2
    assert count("--since", "2026-01-31T12:01:00Z", "--until", "2026-01-31T12:03:00Z") == 2
    [line] = dlq("list", "--step", "tag").stdout.splitlines()
    shown = dlq("show", "--headers", line.split("\t")[0]).stdout
    assert "x-original-topic: wire.stories.segmented.v1" in shown
    assert dlq("show", f"{DLQ}/0/99").exit_code == 2


def test_a_replay_keeps_the_order_of_each_key_and_happens_once(
    settings: Kafka, source: KafkaDeadLetters
) -> None:
    feeds = [f"feed-{n}" for n in range(5)]
    asyncio.run(write_letters(settings, [raw_letter(n, feeds[n % 5], Malformed("x")) for n in range(30)]))
    assert dlq("replay").stdout == "30 replayed\n"
    assert dlq("replay").stdout == "0 replayed\n"
    assert list(filter_letters(source, Filter())) == []
    back = asyncio.run(read(settings, [RAW.name], 30, 20))
    assert len(back) == 30
    for feed in feeds:
        times = [dict(record.headers)["ce_time"] for record in back if record.key == feed.encode()]
        assert len(times) == 6
        assert times == sorted(times), "the order in which they were rejected"
    assert {dict(record.headers)["x-replays"] for record in back} == {b"1"}
    assert not any(name.startswith("x-error") for record in back for name, _ in record.headers)


def test_what_is_settled_is_deleted_up_to_the_first_that_stands(
    settings: Kafka, source: KafkaDeadLetters
) -> None:
    one_key = [raw_letter(n, "dw", Malformed("x")) for n in range(5)]
    foreign = [
        Message(SETTLED_LETTERS.name, key, b"junk", 0, partition=0)
        for key in (b"", b"\xff", b"no id", b"a/b/c", f"{DLQ}/0/{'9' * 5000}".encode())
    ]
    asyncio.run(write_letters(settings, [*one_key, *foreign]))
    letters = list(filter_letters(source, Filter()))
    assert dlq("drop", letters[3].id).stdout == "1 dropped\n"
    assert sum(asyncio.run(beginnings(settings, DLQ))) == 0, "a letter before it stands"
    assert dlq("drop", letters[0].id, letters[1].id).stdout == "2 dropped\n"
    assert sum(asyncio.run(beginnings(settings, DLQ))) == 2
    assert [record.id for record in filter_letters(source, Filter())] == [letters[2].id, letters[4].id]
    assert dlq("drop", "--feed", "dw").stdout == "2 dropped\n"
    assert sum(asyncio.run(beginnings(settings, DLQ))) == 5
    notes = asyncio.run(
        read(Kafka(settings.servers, settings.prefix, partitions=1), [SETTLED_LETTERS.name], 15, 20)
    )
    standing = {record.key: record.value for record in notes if record.value != b"junk"}
    assert set(standing.values()) == {None}, "no note outlives its letter"
    assert dlq("drop", letters[2].id).exit_code == 2, "it is gone"


def test_a_letter_that_comes_back_again_and_again_stays_unless_forced(settings: Kafka) -> None:
    first = raw_letter(1, "dw", Malformed("x"))
    asyncio.run(write_letters(settings, [first]))
    for replays in range(1, MAX_REPLAYS + 1):
        assert dlq("replay").stdout == "1 replayed\n"
        back = asyncio.run(read(settings, [RAW.name], replays, 20))
        last = max(back, key=lambda record: record.offset)
        record = Record(
            RAW.name, last.partition, last.offset, last.key or b"", last.value or b"", 0, last.headers
        )
        asyncio.run(write_letters(settings, [dead_letter(record, "normalise", Malformed("x"))]))
    stays = dlq("replay")
    assert stays.stdout == "0 replayed\n"
    assert "1 stay" in stays.stderr
    assert "--force" in stays.stderr
    assert dlq("replay", "--force").stdout == "1 replayed\n"


def test_without_its_topic_nothing_is_settled_and_the_line_says_what_makes_it(
    source: KafkaDeadLetters,
) -> None:
    message = raw_letter(1, "dw", Malformed("x"))
    letter = DeadLetter(Record(DLQ, 0, 0, message.key, message.value, message.timestamp, message.headers))
    with pytest.raises(Misconfigured, match="is missing: wiredesk topics create"):
        source.drop([letter])


def test_a_forged_origin_does_not_lead_elsewhere() -> None:
    headers = (
        ("x-original-topic", b"somebody.elses"),
        ("x-replays", b"many"),
        ("x-error-step", b"normalise"),
    )
    letter = DeadLetter(Record(DLQ, 0, 0, b"k", b"v", 0, headers))
    assert letter.as_replayed().topic == RAW.name
    assert letter.as_replayed().headers == (("x-replays", b"1"),)
