"""The cluster of the settings: names on it, options of its clients, how to wait for it and how to read a topic."""

from __future__ import annotations

import asyncio
import difflib
import inspect
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, Self, TypeAlias

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition, codec
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import IllegalStateError, KafkaError, TopicAuthorizationFailedError

from config import Misconfigured, install_hint
from config.settings import Kafka
from processors.errors import Unreachable
from sinks.metrics import DAMAGED_RECORDS, RETRIES
from streams.kafka import gaps, security
from streams.kafka.blocked import BlockedPartitions
from streams.retry import BROKER

CLIENTS: Final = (AIOKafkaConsumer, AIOKafkaProducer, AIOKafkaAdminClient)
POLL_MS: Final = 200  # to wait for records that are there
# Within a session timeout. Kafka's documents ask for three at least; fewer, and one lost packet costs the partitions;
# more only load the coordinator.
HEARTBEATS: Final = 6
# Of those whose target may be down for long, such as an index or a webhook: the broker takes the partitions of a member
# that fetches nothing for so long, and what is in hand would then be written again.
PATIENT_POLL_INTERVAL_MS: Final = 24 * 3_600_000
# A member of a group asks for its topics that often: one that was made anew, or got partitions, is read from then on. Five
# minutes, as clients have it, is how long nobody would read it; shorter than a second only asks the broker more often.
METADATA_AGE_MS: Final = 4_000
EXACTLY_ONCE: Final = "without it stories are lost or come twice"
RESERVED_OPTIONS: Final = {
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
# How messages may be compressed, and whether this installation can; "none" is what aiokafka calls no option at all.
CODEC_TESTS: Final[Mapping[str, Callable[[], bool]]] = {
    "none": lambda: True,
    "gzip": codec.has_gzip,
    "snappy": codec.has_snappy,
    "lz4": codec.has_lz4,
    "zstd": codec.has_zstd,
}
COMPRESSION_OPTION: Final = "compression_type"
# A message beside its value: key and headers; once more for the headers of a dead letter. Less, and a message that fits
# by its value is refused by the broker, which stops its partition; more lets the broker take records that are larger than the setting.
HEADROOM_BYTES: Final = 64 * 1024
log = structlog.get_logger("wiredesk.kafka")

KafkaRecord: TypeAlias = ConsumerRecord[bytes | None, bytes | None]


class _Consumer(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka has no types
    """A consumer that can be stopped while the broker is away, and passes no gap of a log without a word."""

    def __init__(
        self, *topics: str, begin: str, readers: Mapping[str, str], user: str, **options: Any
    ) -> None:
        """See `streams.kafka.gaps.resume_reading` for `begin` and `readers`; `user` is who reads, as the broker knows it."""
        super().__init__(*topics, auto_offset_reset="none", **options)
        self._begin, self._readers = begin, readers
        self.blocked = BlockedPartitions(self, user)
        self._identities = gaps.TopicIdentities()

    async def __aenter__(self) -> Self:
        """Connect, and wait for partitions; what interrupts that leaves no connection open and no member in the group."""
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> Any:
        """Fetch records; none come in the call in which a partition turns out to have a gap, or a topic to be denied."""
        self.blocked.retry()
        try:
            records = await super().getmany(*partitions, timeout_ms=timeout_ms, max_records=max_records)
        except gaps.OUT_OF_PLACE as error:
            await self.resume_reading(error)
            return {}
        except TopicAuthorizationFailedError as error:
            if not self.blocked.deny(error):
                raise
            return {}
        self.blocked.collect()
        renewed = await self.restart_renewed()
        return {partition: batch for partition, batch in records.items() if partition not in renewed}

    async def getone(self, *partitions: TopicPartition) -> Any:
        """Fetch one record."""
        while True:
            try:
                return await super().getone(*partitions)
            except gaps.OUT_OF_PLACE as error:
                await self.resume_reading(error)

    async def resume_reading(self, error: KafkaError) -> set[TopicPartition]:
        """Go on after a gap, tell it, and return the partitions that went back."""
        return await gaps.resume_reading(self, error, self._begin, self._readers)

    async def restart_renewed(self) -> set[TopicPartition]:
        """Go to the beginning of topics that were made anew, tell it, and return the partitions; look now and then only."""
        topics = {partition.topic for partition in self.assignment()}
        renewed = await self._identities.find_renewed(self._client, topics)
        if not renewed:
            return set()
        with suppress(KafkaError, IllegalStateError, TimeoutError):  # it is tried again
            partitions = await gaps.restart_reading(self, renewed, self._readers)
            self._identities.accept(renewed)
            return partitions
        return {partition for partition in self.assignment() if partition.topic in renewed}

    async def stop(self) -> None:
        """Close the connections.

        aiokafka awaits each fetch that it has cancelled, and a fetch that waits before it tries again raises
        `CancelledError`. That would end whoever stops the consumer, as if it were cancelled itself.
        """
        self.blocked.clear()
        task = asyncio.current_task()
        cancels = task.cancelling() if task else 0  # whoever ends because it is cancelled counts one already
        try:
            await super().stop()
        except asyncio.CancelledError:
            await self._client.close()
            if task and task.cancelling() > cancels:
                raise


@dataclass(frozen=True, slots=True)
class Cluster:
    """The settings, and the names and clients that follow from them."""

    settings: Kafka

    def __post_init__(self) -> None:
        """Refuse options that no client takes.

        Raises:
            Misconfigured: an unknown option, one that is no number where a number is due, or a codec that is not installed.
        """
        security.check_security(self.settings)
        accepted = {name for client in CLIENTS for name in _parameters(client)}
        for name in self.settings.options:
            if name in RESERVED_OPTIONS:
                raise Misconfigured(f"kafka.options.{name} can't be set: {RESERVED_OPTIONS[name]}")
            if name not in accepted:
                near = difflib.get_close_matches(name, accepted - RESERVED_OPTIONS.keys(), 1)
                raise Misconfigured(
                    f"kafka.options.{name}: no aiokafka client has such an option"
                    + (f"; did you mean {near[0]!r}?" if near else "")
                )
        for client in CLIENTS:
            self._operator_options(client)
        _check_codec(self._codec)

    @property
    def worker(self) -> str:
        """The name of this worker, unique among live ones."""
        return self.settings.worker or f"{socket.gethostname()}-{os.getpid()}"

    @property
    def group(self) -> str:
        """The consumer group of all workers."""
        return f"{self.settings.prefix}{self.settings.application}"

    @property
    def compresses(self) -> bool:
        """Whether messages are compressed, so that what they take on the broker is not known beforehand."""
        return self._codec != "none"

    @property
    def _codec(self) -> str:
        return self.settings.options.get(COMPRESSION_OPTION, "").lower() or "none"

    def group_of(self, part: str) -> str:
        """The consumer group of those who do another part: pollers, a sink, a webhook."""
        return f"{self.group}-{part}"

    def topic(self, name: str) -> str:
        """A topic's name on the broker."""
        return self.settings.prefix + name

    def topology_name(self, topic: str) -> str:
        """The name in the topology of a topic of the broker."""
        return topic.removeprefix(self.settings.prefix)

    def transactional_id(self, step: str, worker: str) -> str:
        """The identity that fences a worker's predecessor."""
        return f"{self.group}-{step}-{worker}"

    def options(self, client: type[Any], **ours: Any) -> dict[str, Any]:
        """The arguments of an aiokafka client: connection, security, `ours`, and the operator's options on top."""
        arguments: dict[str, Any] = {
            "bootstrap_servers": self.settings.servers,
            "client_id": self.worker,
            **security.security_arguments(self.settings),
            **ours,
        }
        return arguments | self._operator_options(client)

    def producer(self, **ours: Any) -> AIOKafkaProducer:
        """A producer whose messages are acknowledged by all replicas and written once."""
        limit = self.settings.max_message_bytes + 2 * HEADROOM_BYTES
        common = {"acks": "all", "enable_idempotence": True, "max_request_size": limit}
        return AIOKafkaProducer(**self.options(AIOKafkaProducer, **common, **ours))

    def consumer(
        self,
        *topics: str,
        reader: str | Mapping[str, str] = "",
        auto_offset_reset: str = "latest",
        **ours: Any,
    ) -> AIOKafkaConsumer:
        """A consumer that sees only what was committed.

        `reader` is who reads, in what is told of gaps: a name, or the name for each topic.
        """
        common = {"isolation_level": "read_committed", "enable_auto_commit": False}
        readers = {"": reader} if isinstance(reader, str) else reader
        options = self.options(AIOKafkaConsumer, **(common | ours))
        return _Consumer(
            *topics, begin=auto_offset_reset, readers=readers, user=self.settings.username, **options
        )

    def group_consumer(self, group: str, *topics: str, **ours: Any) -> AIOKafkaConsumer:
        """A consumer that takes part in a group, which misses it after the session timeout."""
        session_ms = self.settings.session_timeout_s * 1000
        timing = {
            "session_timeout_ms": int(session_ms),
            "heartbeat_interval_ms": int(session_ms / HEARTBEATS),
            "metadata_max_age_ms": METADATA_AGE_MS,
        }
        return self.consumer(*topics, group_id=group, **(timing | ours))

    def admin(self) -> AIOKafkaAdminClient:
        """A client that asks about topics and groups."""
        return AIOKafkaAdminClient(**self.options(AIOKafkaAdminClient))

    @asynccontextmanager
    async def connected_admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        """The same, connected for as long as the block lasts.

        Raises:
            KafkaError: the broker does not answer.
        """
        admin = self.admin()
        try:
            await admin.start()
            yield admin
        finally:
            await admin.close()

    def _operator_options(self, client: type[Any]) -> dict[str, Any]:
        """The options of the settings that a client takes, in their own types."""
        parameters = _parameters(client)
        options = {
            name: _parse_option(name, text, parameters[name].default)
            for name, text in self.settings.options.items()
            if name in parameters
        }
        if COMPRESSION_OPTION in options:
            options[COMPRESSION_OPTION] = self._codec if self.compresses else None
        return options


async def check_broker(cluster: Cluster) -> None:
    """Return where the broker answers now.

    Raises:
        Misconfigured: it answers, but the settings are refused.
        Unreachable: it does not answer.
    """
    try:
        async with cluster.connected_admin():
            return
    except (KafkaError, OSError) as error:
        if refused := await security.refusal_of(cluster.settings):
            raise Misconfigured(refused) from error
        reason = str(error).splitlines()[0]
        raise Unreachable(f"Kafka at {cluster.settings.servers} does not answer: {reason}") from error


async def wait_for_broker(cluster: Cluster) -> None:
    """Return when the broker answers; log one line when it does not, and one when that changes.

    Raises:
        Misconfigured: it answers, but the settings are refused (user, password, certificate).
    """
    logged, refused = "", None
    for delay in BROKER.delays():
        admin = cluster.admin()
        try:
            await admin.start()
        except (KafkaError, OSError) as error:
            reason = str(error).splitlines()[0]
            if reason != logged:
                log.warning("waiting for Kafka", servers=cluster.settings.servers, reason=reason)
            logged = reason
            RETRIES.labels("kafka").inc()
            refused, before = await security.refusal_of(cluster.settings), refused
            if refused and refused == before:
                raise Misconfigured(refused) from error
            await asyncio.sleep(delay)
        else:
            if logged:
                log.info("Kafka is there", servers=cluster.settings.servers)
            return
        finally:
            await admin.close()


async def or_stopped(waiting: Any, stop: asyncio.Event) -> None:
    """Return when something is done, or `stop` is set; raise what it raised."""
    tasks = asyncio.ensure_future(waiting), asyncio.ensure_future(stop.wait())
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    for task in done:
        task.result()


def drop_result(future: asyncio.Future[Any]) -> None:
    """Look at how a future ended that nobody waits for: asyncio logs a trace of calls for one that nobody has looked at."""
    if not future.cancelled():
        future.exception()


async def read_until(
    consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]
) -> AsyncIterator[list[KafkaRecord]]:
    """Yield the records of assigned partitions from their positions up to their ends, in batches of one partition.

    `ends` are offsets that were asked for before; what came since may be among the records. Batches that are damaged on the
    broker's disk are left out, counted and told: whoever reads so wants all that there is.
    """
    behind = {
        partition for partition, end in ends.items() if end and await consumer.position(partition) < end
    }
    while behind:
        for records in (await consumer.getmany(timeout_ms=POLL_MS)).values():
            if records:
                yield records
        for partition in behind:
            if consumer.blocked.is_damaged(partition):
                await _pass_damage(consumer, partition, ends[partition])
        behind = {partition for partition in behind if await consumer.position(partition) < ends[partition]}


async def _pass_damage(consumer: AIOKafkaConsumer, partition: TopicPartition, end: int) -> None:
    begin = await consumer.position(partition)
    goes_on = await consumer.blocked.pass_damage(partition, end)
    log.error(
        "what can't be read is left out", topic=partition.topic, partition=partition.partition,
        records=goes_on - begin, **{"from": begin, "to": goes_on},
    )  # fmt: skip
    DAMAGED_RECORDS.labels(partition.topic).inc(goes_on - begin)


def _parameters(client: type[Any]) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(client.__init__).parameters)


def _check_codec(name: str) -> None:
    """Refuse a codec that nobody knows, or whose library is not installed.

    Raises:
        Misconfigured: which ones there are, or what to install.
    """
    if name not in CODEC_TESTS:
        raise Misconfigured(
            f"kafka.options.{COMPRESSION_OPTION} is {name!r}; it must be one of {', '.join(CODEC_TESTS)}"
        )
    if not CODEC_TESTS[name]():
        raise Misconfigured(
            f"kafka.options.{COMPRESSION_OPTION} is {name!r}, and its library (cramjam) is not installed: "
            + install_hint("kafka")
        )


def _parse_option(name: str, text: str, default: object) -> object:
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
