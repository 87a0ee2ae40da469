"""The broker as the settings tell it: names on it, options of its clients, and how to wait for it."""

from __future__ import annotations

import asyncio
import difflib
import inspect
import logging
import os
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from config.errors import Misconfigured
from config.settings import Kafka
from sinks.metrics import RETRIES
from streams.kafka import security
from streams.retry import BROKER

CLIENTS: Final = (AIOKafkaConsumer, AIOKafkaProducer, AIOKafkaAdminClient)
POLL_MS: Final = 200  # to wait for records that are there
HEARTBEATS: Final = 6  # within a session timeout
EXACTLY_ONCE: Final = "without it stories are lost or come twice"
OURS: Final = {
    "bootstrap_servers": "it is kafka.servers",
    "client_id": "it is kafka.worker",
    "group_id": "it follows from kafka.application",
    "transactional_id": "it follows from kafka.application and kafka.worker",
    "session_timeout_ms": "it is kafka.session_timeout_s",
    "max_poll_records": "it is kafka.batch",
    "max_request_size": "it is kafka.max_message_bytes",
    "security_protocol": "it is kafka.security_protocol",
    "sasl_mechanism": "it is kafka.sasl_mechanism",
    "sasl_plain_username": "it is kafka.username",
    "sasl_plain_password": "it is kafka.password",
    "ssl_context": "it is kafka.ca_file, kafka.cert_file and kafka.key_file",
    "acks": EXACTLY_ONCE,
    "enable_idempotence": EXACTLY_ONCE,
    "enable_auto_commit": EXACTLY_ONCE,
    "isolation_level": EXACTLY_ONCE,
    "auto_offset_reset": EXACTLY_ONCE,
    "key_serializer": "keys and values are bytes",
    "value_serializer": "keys and values are bytes",
    "key_deserializer": "keys and values are bytes",
    "value_deserializer": "keys and values are bytes",
    "loop": "it is no setting",
    "self": "it is no setting",
}
HEADROOM: Final = (
    64 * 1024
)  # bytes of a message beside its value: key, headers; again for those of a dead letter
log = structlog.get_logger("wiredesk.kafka")


@dataclass(frozen=True, slots=True)
class Cluster:
    """The settings with what follows from them."""

    settings: Kafka

    def __post_init__(self) -> None:
        """Refuse options that no client takes.

        Raises:
            Misconfigured: an unknown option, or one that is no number where a number is due.
        """
        security.check(self.settings)
        known = {name for client in CLIENTS for name in _parameters(client)}
        for name in self.settings.options:
            if name in OURS:
                raise Misconfigured(f"kafka.options.{name} can't be set: {OURS[name]}")
            if name not in known:
                near = difflib.get_close_matches(name, known - OURS.keys(), 1)
                raise Misconfigured(
                    f"kafka.options.{name}: no aiokafka client has such an option"
                    + (f"; did you mean {near[0]!r}?" if near else "")
                )
        for client in CLIENTS:
            self._told(client)

    @property
    def worker(self) -> str:
        """The name of this worker, unique among live ones."""
        return self.settings.worker or f"{socket.gethostname()}-{os.getpid()}"

    @property
    def group(self) -> str:
        """The consumer group of all workers."""
        return f"{self.settings.prefix}{self.settings.application}"

    def topic(self, name: str) -> str:
        """A topic's name on the broker."""
        return self.settings.prefix + name

    def name(self, topic: str) -> str:
        """The name of a topic of the broker in the topology."""
        return topic.removeprefix(self.settings.prefix)

    def transactional_id(self, step: str, worker: str) -> str:
        """The identity that fences a worker's predecessor."""
        return f"{self.group}-{step}-{worker}"

    def options(self, client: type[Any], **ours: Any) -> dict[str, Any]:
        """The arguments of an aiokafka client: connection, security, `ours`, and the operator's options on top."""
        told = self.settings
        made: dict[str, Any] = {
            "bootstrap_servers": told.servers,
            "client_id": self.worker,
            **security.arguments(told),
            **ours,
        }
        return made | self._told(client)

    def producer(self, **ours: Any) -> AIOKafkaProducer:
        """A producer whose messages are acknowledged by all replicas and written once."""
        limit = self.settings.max_message_bytes + 2 * HEADROOM
        common = {"acks": "all", "enable_idempotence": True, "max_request_size": limit}
        return AIOKafkaProducer(**self.options(AIOKafkaProducer, **common, **ours))

    def consumer(self, *topics: str, **ours: Any) -> AIOKafkaConsumer:
        """A consumer that sees only what was committed."""
        common = {"isolation_level": "read_committed", "enable_auto_commit": False}
        return AIOKafkaConsumer(*topics, **self.options(AIOKafkaConsumer, **(common | ours)))

    def member(self, group: str, *topics: str, **ours: Any) -> AIOKafkaConsumer:
        """A consumer that takes part in a group, which misses it after the session timeout."""
        session_ms = self.settings.session_timeout_s * 1000
        timing = {
            "session_timeout_ms": int(session_ms),
            "heartbeat_interval_ms": int(session_ms / HEARTBEATS),
        }
        return self.consumer(*topics, group_id=group, **(timing | ours))

    def admin(self) -> AIOKafkaAdminClient:
        """A client that asks about topics and groups."""
        return AIOKafkaAdminClient(**self.options(AIOKafkaAdminClient))

    def _told(self, client: type[Any]) -> dict[str, Any]:
        known = _parameters(client)
        return {
            name: _parsed(name, text, known[name].default)
            for name, text in self.settings.options.items()
            if name in known
        }


async def wait_for(cluster: Cluster) -> None:
    """Return when the broker answers; one line when it does not, and one when that changes.

    Raises:
        Misconfigured: it answers, but the settings are refused (user, password, certificate).
    """
    told, refused = "", None
    for delay in BROKER.delays():
        admin = cluster.admin()
        try:
            await admin.start()
        except (KafkaError, OSError) as error:
            reason = str(error).splitlines()[0]
            if reason != told:
                log.warning("waiting for Kafka", servers=cluster.settings.servers, reason=reason)
            told = reason
            RETRIES.labels("kafka").inc()
            refused, before = await security.refusal(cluster.settings), refused
            if refused and refused == before:
                raise Misconfigured(refused) from error
            await asyncio.sleep(delay)
        else:
            if told:
                log.info("Kafka is there", servers=cluster.settings.servers)
            return
        finally:
            await admin.close()


async def or_stopped(waiting: Any, stop: asyncio.Event) -> None:
    """Wait for something, or for the end."""
    tasks = asyncio.ensure_future(waiting), asyncio.ensure_future(stop.wait())
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    for task in done:
        task.result()


class RateLimit(logging.Filter):
    """Lets through a few lines of each message in a while: one outage makes aiokafka write thousands."""

    def __init__(self, most: int = 3, seconds: float = 30.0) -> None:
        """`most` lines of one message (before its values are filled in) each `seconds`."""
        super().__init__()
        self._most, self._seconds = most, seconds
        self._began = time.monotonic()
        self._seen: Counter[tuple[str, str]] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line may pass; warnings of other libraries always do."""
        if not record.name.startswith(("aiokafka", "faust", "mode")):
            return True
        if record.created and time.monotonic() - self._began > self._seconds:
            self._began = time.monotonic()
            self._seen.clear()
        self._seen[record.name, str(record.msg)] += 1
        return self._seen[record.name, str(record.msg)] <= self._most


def quieten() -> None:
    """Limit what aiokafka and Faust write through the handlers that stand."""
    for handler in logging.getLogger().handlers:
        handler.addFilter(RateLimit())


def _parameters(client: type[Any]) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(client.__init__).parameters)


def _parsed(name: str, text: str, default: object) -> object:
    """An option's text in the type of its default."""
    try:
        if isinstance(default, bool):
            return {"true": True, "false": False}[text.lower()]
        if isinstance(default, int):
            return int(text)
        return float(text) if isinstance(default, float) else text
    except (ValueError, KeyError) as error:
        kind = type(default).__name__
        raise Misconfigured(f"kafka.options.{name} must be a {kind}, not {text!r}") from error


async def read_until(
    consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]
) -> AsyncIterator[list[ConsumerRecord[bytes | None, bytes | None]]]:
    """The records of assigned partitions from where the consumer stands up to their ends, a batch of one at a time.

    `ends` are offsets that were asked for before; what came since may be among the records.
    """
    behind = {place for place, end in ends.items() if end and await consumer.position(place) < end}
    while behind:
        for records in (await consumer.getmany(timeout_ms=POLL_MS)).values():
            if records:
                yield records
        behind = {place for place in behind if await consumer.position(place) < ends[place]}
