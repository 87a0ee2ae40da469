"""Messages that are written outside of transactions: dead letters of sinks and webhooks, items of no feed.

What the broker will never take is written as something that says so: an item as its dead letter, a dead letter without
its bytes. The rest goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from msgspec import structs

from processors.errors import Rejected, Unreachable
from processors.model.codec import decode
from processors.model.event import RawItem
from streams.kafka.cluster import Cluster
from streams.kafka.producer import FORGOTTEN_IDS, REFUSALS, RefusedBatch, close_producer, send_message
from streams.kafka.refusals import explain_denial, message_limit, set_aside_error
from streams.messages import Message, rejected_message, without_bytes
from streams.topology import BACKFILL, RAW

log = structlog.get_logger("wiredesk.kafka")


class Publisher:
    """Writes messages, each once all replicas have it. Its producer is made anew where the broker has refused a batch."""

    def __init__(self, cluster: Cluster, **options: Any) -> None:
        """`options` are those of aiokafka's producer."""
        self._cluster, self._options = cluster, options
        self._producer: AIOKafkaProducer | None = None
        self._refusal: KafkaError = KafkaError()  # the last one

    async def __aenter__(self) -> Self:
        """Connect. Raises KafkaError where the broker is away."""
        await self._started()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def publish(self, messages: Sequence[Message]) -> None:
        """Return when all replicas have the messages, or what was written instead of those that are refused.

        Raises:
            Unreachable: the broker takes nothing now; some of the messages may be written.
        """
        try:
            for message in await self._send(messages):
                await self._publish_alone(message)
        except (KafkaError, OSError) as error:
            await self._close()
            denied = explain_denial(error, self._cluster.settings, "Write")
            raise Unreachable(denied or f"Kafka at {self._cluster.settings.servers}: {error}") from error

    async def _publish_alone(self, message: Message) -> None:
        """Write one message, or what takes its place: a batch was refused in which it was."""
        while await self._send([message]):
            topic = self._cluster.topic(message.topic)
            refused = RefusedBatch(TopicPartition(topic, -1), [message], self._refusal)
            error = set_aside_error(refused, await message_limit(self._cluster, topic))
            log.warning("a message is set aside", topic=topic, reason=str(error))
            message = replace_refused(message, error, self._refusal)

    async def _send(self, messages: Sequence[Message]) -> list[Message]:
        """Send messages, and return those that were in a batch that was refused."""
        try:
            return await self._try_send(messages)
        except FORGOTTEN_IDS as error:
            log.info("the broker has forgotten an idle producer, which is made anew", reason=str(error))
            await self._close()
            return await self._try_send(messages)

    async def _try_send(self, messages: Sequence[Message]) -> list[Message]:
        producer = await self._started()
        sent = [await send_message(producer, self._cluster, message) for message in messages]
        answers = await asyncio.gather(*sent, return_exceptions=True)
        refused = [
            message for message, answer in zip(messages, answers, strict=True) if isinstance(answer, REFUSALS)
        ]
        for answer in answers:
            if isinstance(answer, REFUSALS):
                self._refusal = answer
            elif isinstance(answer, BaseException) and not refused:
                raise answer
        if refused:  # aiokafka counts on as if the batch had been taken
            await self._close()
            refused = [
                message
                for message, answer in zip(messages, answers, strict=True)
                if isinstance(answer, BaseException)
            ]
        return refused

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = self._cluster.producer(**self._options)
            try:
                await producer.start()
            except BaseException:
                await close_producer(producer)
                raise
            self._producer = producer
        return self._producer

    async def _close(self) -> None:
        producer, self._producer = self._producer, None
        if producer:
            await close_producer(producer)


def replace_refused(message: Message, error: Rejected, cause: KafkaError) -> Message:
    """What is written instead of a message that the broker refuses. Raises `cause` where there is nothing."""
    if message.topic.endswith(".dlq") and message.value:
        return without_bytes(message)
    if message.topic in {RAW.name, BACKFILL.name}:
        item = decode(message.value, RawItem)
        return rejected_message(structs.replace(item, payload=b""), error)
    raise cause
