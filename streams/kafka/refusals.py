"""What the broker's refusals mean, as one line each: which operation, on what, and what to do.

A refusal is of one message (`set_aside_error`: a dead letter), of a user's right (`explain_denial`: wait until it is
given), or of the moment (`explain_silence`: wait). What limits a topic has is asked for after the fact, as somebody may
have changed them a moment ago.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from typing import Final

import structlog
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)

from config.settings import Kafka
from processors.errors import Rejected, TooLarge, Unwritable
from processors.numbers import parse_int64
from streams.kafka.cluster import Cluster
from streams.kafka.producer import BatchSizes, RefusedBatch, SentBatch
from streams.kafka.security import denied_names, describe_denial
from streams.messages import Message, Record, RecordPlace, dead_letter, without_bytes
from streams.settlement import Outcome

# What the broker says of a right that is missing, and the kind of what it protects.
DENIED_KINDS: Final = {
    TopicAuthorizationFailedError: "topic",
    GroupAuthorizationFailedError: "group",
    TransactionalIdAuthorizationFailed: "transactional id",
    ClusterAuthorizationFailedError: "cluster",
}
SIZE_ERRORS: Final = (MessageSizeTooLargeError, RecordListTooLargeError)

log = structlog.get_logger("wiredesk.kafka")

CommittableRecords = Sequence[tuple[Record, tuple[Message, ...]]]


def explain_denial(
    error: BaseException, settings: Kafka, operation: str, reads: Sequence[str] = ()
) -> str | None:
    """Which operation the broker denies, on what, and to whom; None where the error is no such thing.

    `reads` are the topics of whose offsets the commit may be what is denied: the client names none then.
    """
    kind = DENIED_KINDS.get(type(error))
    if kind is None:
        return None
    names = denied_names(error)
    if kind == "topic" and not names:
        operation, names = "Read", list(reads)
    return describe_denial(settings.username, operation, f"{kind} {', '.join(names)}".rstrip())


def set_aside_error(refused: RefusedBatch, limit: int | None) -> Rejected:
    """Why the only message of a batch becomes a dead letter. `limit` is the topic's ``max.message.bytes``, if known."""
    [message] = refused.messages
    size = len(message.value) + len(message.key)
    if isinstance(refused.error, SIZE_ERRORS):
        known = "" if limit is None else f" ({limit})"
        return TooLarge(
            f"{refused.topic} takes no message of {size} bytes: it is over the topic's max.message.bytes{known}; "
            "raise that to kafka.max_message_bytes (wiredesk topics check), then replay"
        )
    return Unwritable(
        f"{refused.topic} takes no message like this ({type(refused.error).__name__}): see how the topic is set "
        "(wiredesk topics check)"
    )


async def topic_limits(cluster: Cluster, names: Collection[str]) -> dict[str, dict[str, str]]:
    """How topics are set, by their names on the broker; those are absent that it does not show us."""
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    return await _configs(cluster, resources)


async def message_limit(cluster: Cluster, topic: str) -> int | None:
    """The ``max.message.bytes`` of a topic (its name on the broker); None where it is not to be known."""
    return parse_int64((await topic_limits(cluster, [topic])).get(topic, {}).get("max.message.bytes", ""))


async def explain_silence(cluster: Cluster, batches: Sequence[SentBatch]) -> str:
    """Why the broker may not have acknowledged batches, and for what to look."""
    topics = sorted({batch.partition.topic for batch in batches})
    named = ", ".join(topics[:3])
    try:
        missing = await _missing_replicas(cluster, topics)
    except (KafkaError, OSError) as error:
        return f"nothing written to {named} is acknowledged: {type(error).__name__}"
    if missing:
        return missing
    largest = max(len(message.value) for batch in batches for message in batch.messages)
    return (
        f"nothing written to {named} is acknowledged, of at most {largest} bytes a message: is a broker's disk full or "
        "slow, or its socket.request.max.bytes below that?"
    )


async def _missing_replicas(cluster: Cluster, topics: Sequence[str]) -> str | None:
    configs = await topic_limits(cluster, topics)
    async with cluster.connected_admin() as admin:
        described = await admin.describe_topics(list(topics))
    for topic in described:
        wanted = parse_int64(configs.get(topic["topic"], {}).get("min.insync.replicas", "")) or 1
        for partition in topic["partitions"]:
            if (alive := len(partition["isr"])) < wanted:
                return (
                    f"{topic['topic']}/{partition['partition']} has {alive} replicas in sync, and min.insync.replicas is "
                    f"{wanted}: start the missing brokers"
                )
    return None


async def _configs(cluster: Cluster, resources: list[ConfigResource]) -> dict[str, dict[str, str]]:
    configs: dict[str, dict[str, str]] = {}
    with suppress(KafkaError, OSError):
        async with cluster.connected_admin() as admin:
            for response in await admin.describe_configs(resources):
                for code, _message, _kind, name, entries in response.resources:
                    if not code:
                        configs[name] = {entry[0]: entry[1] for entry in entries}
    return configs


class RefusedRecords:
    """The records of one step whose messages the broker refuses, until their dead letters are committed."""

    def __init__(self, cluster: Cluster, step: str) -> None:
        """No refusal is known."""
        self.sizes = BatchSizes()
        self._cluster, self._step = cluster, step
        self._letters: dict[RecordPlace, Message] = {}

    def left_to_run(self, records: Sequence[Record]) -> Sequence[Record]:
        """The records without those that are set aside: these are not run again, so that no state remembers them."""
        if not self._letters:
            return records
        return [record for record in records if record.place not in self._letters]

    def merge_outcomes(self, records: Sequence[Record], outcomes: Iterable[Outcome]) -> list[Outcome]:
        """One outcome a record: its dead letter, or the next of those that were run."""
        rest = iter(outcomes)
        return [
            (letter,) if (letter := self._letters.get(record.place)) else next(rest) for record in records
        ]

    def forget(self, records: Iterable[Record]) -> None:
        """Note that the letters of records are committed."""
        for record in records if self._letters else ():
            self._letters.pop(record.place, None)

    async def learn(self, refused: RefusedBatch, writing: CommittableRecords) -> None:
        """Make smaller batches; where a message is refused by itself, set its record aside.

        `writing` is the transaction that was refused. Raises the broker's error where the message is none of a record's.
        """
        limit = await message_limit(self._cluster, refused.topic)
        if len(refused.messages) > 1:
            self.sizes.shrink(refused, limit)
            return
        self.sizes.restore(refused.topic, limit)
        error = set_aside_error(refused, limit)
        found = self._find_records(refused, writing, limit)
        if not found:
            raise refused.error
        for record, message in found:
            self._letters[record.place] = self._letter(record, message, error, refused.error)
            log.warning(
                "a record is set aside", step=self._step, topic=record.topic, partition=record.partition,
                offset=record.offset, reason=str(error),
            )  # fmt: skip

    def _letter(self, record: Record, message: Message, error: Rejected, cause: KafkaError) -> Message:
        if not message.topic.endswith(".dlq"):
            return dead_letter(record, self._step, error)
        if not message.value:
            raise cause
        return without_bytes(message)

    def _find_records(
        self, refused: RefusedBatch, writing: CommittableRecords, limit: int | None
    ) -> list[tuple[Record, Message]]:
        """The record of a refused message, and all others of the transaction whose messages are surely too large too."""
        [message] = refused.messages
        if not isinstance(refused.error, SIZE_ERRORS) or self._cluster.compresses or limit is None:
            limit = 1 << 62
        return [
            (record, other)
            for record, messages in writing
            for other in messages
            if other is message
            or (self._cluster.topic(other.topic) == refused.topic and len(other.value) > limit)
        ]
