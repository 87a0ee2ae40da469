"""Dead letters on a real broker: found, replayed once in their order, dropped, and their bytes deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from aiokafka import TopicPartition
from click.testing import CliRunner, Result

from config.errors import Misconfigured
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
    made = raw_message(RawItem(b"item %d" % number, f"2026-01-31T12:{number:02}:00Z", feed=feed), RAW.name)
    record = Record(RAW.name, 0, number, made.key, made.value, made.timestamp, made.headers)
    return dead_letter(record, "normalise", error)


def event_letter(feed: str) -> Message:
    """The letter of an event that a later step rejected."""
    value = encode(Event(Story("urn:a"), provenance=Provenance("2026-01-31T13:00:00Z", "ninjs", feed)))
    made = message(SEGMENTED.name, "urn:a", value, 1_769_864_400_000, source="segment")
    record = Record(SEGMENTED.name, 2, 7, made.key, value, made.timestamp, made.headers)
    return dead_letter(record, "tag", Malformed("as the test says"))


async def written(told: Kafka, letters: list[Message]) -> None:
    await make_topics(told)
    cluster = Cluster(told)
    async with cluster.producer() as producer:
        for each in letters:
            await producer.send_and_wait(
                cluster.topic(each.topic), each.value, key=each.key, headers=list(each.headers)
            )


async def beginnings(told: Kafka, topic: str) -> list[int]:
    cluster = Cluster(told)
    places = [TopicPartition(cluster.topic(topic), number) for number in range(told.partitions)]
    async with cluster.consumer() as consumer:
        found = await consumer.beginning_offsets(places)
    return [found[place] for place in places]


@pytest.fixture
def told(kafka: KafkaForTest, monkeypatch: pytest.MonkeyPatch) -> Kafka:
    """Settings for this test, also in the environment of the command."""
    monkeypatch.setenv("WIREDESK_KAFKA_SERVERS", kafka.servers)
    monkeypatch.setenv("WIREDESK_KAFKA_PREFIX", kafka.prefix)
    return kafka.settings()


@pytest.fixture
def source(told: Kafka) -> Iterator[KafkaDeadLetters]:
    made = KafkaDeadLetters(told)
    yield made
    made.close()


def dlq(*arguments: str) -> Result:
    ran = CliRunner().invoke(command, [*arguments, "--kafka"])
    assert ran.exception is None or ran.exit_code == 2, ran.output
    return ran


def test_filters_choose_by_step_error_feed_and_time(told: Kafka) -> None:
    letters = [
        raw_letter(n, "bbc" if n % 2 else "dw", Malformed("x") if n < 4 else NotAFeed("y")) for n in range(6)
    ]
    asyncio.run(written(told, [*letters, event_letter("bbc")]))

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


def test_a_replay_keeps_the_order_of_each_key_and_happens_once(told: Kafka, source: KafkaDeadLetters) -> None:
    feeds = [f"feed-{n}" for n in range(5)]
    asyncio.run(written(told, [raw_letter(n, feeds[n % 5], Malformed("x")) for n in range(30)]))
    assert dlq("replay").stdout == "30 replayed\n"
    assert dlq("replay").stdout == "0 replayed\n"
    assert list(filter_letters(source, Filter())) == []
    back = asyncio.run(read(told, [RAW.name], 30, 20))
    assert len(back) == 30
    for feed in feeds:
        times = [dict(each.headers)["ce_time"] for each in back if each.key == feed.encode()]
        assert len(times) == 6
        assert times == sorted(times), "the order in which they were rejected"
    assert {dict(each.headers)["x-replays"] for each in back} == {b"1"}
    assert not any(name.startswith("x-error") for each in back for name, _ in each.headers)


def test_what_is_settled_is_deleted_up_to_the_first_that_stands(
    told: Kafka, source: KafkaDeadLetters
) -> None:
    one_key = [raw_letter(n, "dw", Malformed("x")) for n in range(5)]
    asyncio.run(written(told, one_key))
    letters = list(filter_letters(source, Filter()))
    assert dlq("drop", letters[3].id).stdout == "1 dropped\n"
    assert sum(asyncio.run(beginnings(told, DLQ))) == 0, "a letter before it stands"
    assert dlq("drop", letters[0].id, letters[1].id).stdout == "2 dropped\n"
    assert sum(asyncio.run(beginnings(told, DLQ))) == 2
    assert [each.id for each in filter_letters(source, Filter())] == [letters[2].id, letters[4].id]
    assert dlq("drop", "--feed", "dw").stdout == "2 dropped\n"
    assert sum(asyncio.run(beginnings(told, DLQ))) == 5
    notes = asyncio.run(read(Kafka(told.servers, told.prefix, partitions=1), [SETTLED_LETTERS.name], 10, 20))
    standing = {each.key: each.value for each in notes}
    assert set(standing.values()) == {None}, "no note outlives its letter"
    assert dlq("drop", letters[2].id).exit_code == 2, "it is gone"


def test_a_letter_that_comes_back_again_and_again_stays_unless_forced(told: Kafka) -> None:
    first = raw_letter(1, "dw", Malformed("x"))
    asyncio.run(written(told, [first]))
    for replays in range(1, MAX_REPLAYS + 1):
        assert dlq("replay").stdout == "1 replayed\n"
        back = asyncio.run(read(told, [RAW.name], replays, 20))
        last = max(back, key=lambda each: each.offset)
        record = Record(
            RAW.name, last.partition, last.offset, last.key or b"", last.value or b"", 0, last.headers
        )
        asyncio.run(written(told, [dead_letter(record, "normalise", Malformed("x"))]))
    stays = dlq("replay")
    assert stays.stdout == "0 replayed\n"
    assert "1 stay" in stays.stderr
    assert "--force" in stays.stderr
    assert dlq("replay", "--force").stdout == "1 replayed\n"


def test_without_its_topic_nothing_is_settled_and_the_line_says_what_makes_it(
    source: KafkaDeadLetters,
) -> None:
    made = raw_letter(1, "dw", Malformed("x"))
    letter = DeadLetter(Record(DLQ, 0, 0, made.key, made.value, made.timestamp, made.headers))
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
