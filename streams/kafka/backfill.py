"""The way of a back-fill into its topic."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from typing import Any, TypeVar

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from config.settings import Settings
from processors.errors import Unreachable
from streams.kafka.backfill_gate import Lags
from streams.kafka.cluster import Cluster, wait_for
from streams.kafka.producer import send
from streams.kafka.topics import check
from streams.messages import Message
from streams.retry import GROUP
from streams.topology import BACKFILL

T = TypeVar("T")


class TopicArchive:
    """The back-fill's topic (`streams.backfill.Archive`). Raises `Unreachable` where the broker goes away."""

    def __init__(self, settings: Settings) -> None:
        """Wait for the broker, and look whether the topics are there.

        Raises:
            Misconfigured: topics are missing, or the broker refuses us.
        """
        self.limit = settings.kafka.max_message_bytes
        self._settings = settings
        self._cluster = Cluster(settings.kafka)
        self._lags = Lags(self._cluster, [BACKFILL.name])
        self._stack = AsyncExitStack()
        self._runner = asyncio.Runner()
        self._producer = self._run(self._opened())

    def append(self, messages: Sequence[Message]) -> None:
        """Return when all replicas have them."""
        self._run(self._append(messages))

    def waiting(self) -> int:
        """How many records of the topic the workers have not taken."""
        return self._run(self._waiting())

    def close(self) -> None:
        """Hang up."""
        self._runner.run(self._stack.aclose())
        self._runner.close()

    async def _waiting(self) -> int:
        """Ask until a coordinator answers: a new broker makes its first one when it is asked for it."""
        for delay in GROUP.delays():
            try:
                return await self._lags.total()
            except KafkaError as error:
                if not error.retriable:
                    raise
                await self._lags.close()
            await asyncio.sleep(delay)
        return await self._lags.total()

    async def _opened(self) -> AIOKafkaProducer:
        await wait_for(self._cluster)
        await check(self._settings)
        self._stack.push_async_callback(self._lags.close)
        producer: AIOKafkaProducer = await self._stack.enter_async_context(
            self._cluster.producer(linger_ms=20)
        )
        return producer

    async def _append(self, messages: Sequence[Message]) -> None:
        await asyncio.gather(*[await send(self._producer, self._cluster, each) for each in messages])

    def _run(self, call: Coroutine[Any, Any, T]) -> T:
        try:
            return self._runner.run(call)
        except (KafkaError, OSError) as error:
            raise Unreachable(f"Kafka at {self._settings.kafka.servers}: {error}") from error
